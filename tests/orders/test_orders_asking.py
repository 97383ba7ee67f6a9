"""One attempt to ask the provider: what Lambda's answers, errors and silences mean."""

import io
from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError

from orderlab.orders import asking, clients

GOOD = b'{"answer": "captured", "amount": 5, "at": "now"}'


@pytest.fixture
def invoke(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`invoke(result)`: ask once, with a Lambda that answers so or raises it."""
    monkeypatch.setenv("PROVIDER_FUNCTION", "provider")

    def once(result: Any) -> Any:
        client = Mock()
        client.invoke.side_effect = [result]
        monkeypatch.setattr(clients, "provider", lambda: client)
        once.client = client  # type: ignore[attr-defined]
        return asking.ask_provider({"action": "charge", "key": "k", "amount": 5})

    return once


def served(payload: bytes, **more: Any) -> dict[str, Any]:
    """A 200 of Lambda."""
    return {"StatusCode": 200, "Payload": io.BytesIO(payload), **more}


def error(code: str, status: int) -> ClientError:
    """An error of Lambda."""
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Invoke")


def test_an_answer_is_an_answer(invoke: Any) -> None:
    """Asked synchronously, of the function that the environment names."""
    assert invoke(served(GOOD))["answer"] == "captured"
    asked = invoke.client.invoke.call_args.kwargs
    assert (asked["FunctionName"], asked["InvocationType"]) == ("provider", "RequestResponse")
    assert invoke(served(b'{"answer": "refused", "message": "no"}'))["message"] == "no"


@pytest.mark.parametrize(
    "result",
    [
        ReadTimeoutError(endpoint_url="x"),
        ConnectTimeoutError(endpoint_url="x"),
        EndpointConnectionError(endpoint_url="x"),
        error("TooManyRequestsException", 429),
        error("ServiceException", 500),
        served(b'{"errorType": "Trouble"}', FunctionError="Unhandled"),
        served(GOOD, FunctionError="Unhandled"),
        served(b""),
        served(b"null"),
        served(b'{"answer": "maybe"}'),
        served(b'{"answer": "captured"}'),
    ],
)
def test_what_is_no_answer_is_unknown(invoke: Any, result: Any) -> None:
    """Perhaps it was done, perhaps not: never "declined". A FunctionError comes in a 200."""
    with pytest.raises(asking.Unknown):
        invoke(result)


def test_a_wrong_set_up_is_raised_as_it_is(invoke: Any) -> None:
    """Asking again would not help, and it says nothing about the provider."""
    with pytest.raises(ClientError):
        invoke(error("AccessDeniedException", 403))


def test_the_providers_client_has_one_attempt_and_short_time_outs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The numbers of the design; every other client has three attempts and time-outs of its own."""
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    made = (clients.provider, clients.dynamodb, clients.events, clients.queues, clients.buckets)
    try:
        for client in made:
            client.cache_clear()
        configs = [client().meta.config for client in made]
        assert clients.dynamodb() is clients.dynamodb() and clients.provider().meta.region_name == "eu-west-1"
    finally:
        for client in made:
            client.cache_clear()
    assert (configs[0].connect_timeout, configs[0].read_timeout) == (0.3, 1.0)
    assert [config.retries["total_max_attempts"] for config in configs] == [1, 3, 3, 3, 3]
    assert {config.retries["mode"] for config in configs} == {"standard"}
    assert all(config.connect_timeout < 1 and config.read_timeout <= 2 for config in configs)
    assert {config.account_id_endpoint_mode for config in configs} == {"disabled"}


def test_a_call_that_is_never_answered_is_made_once() -> None:
    """The provider's client on a real socket that stays silent: one request, and then Unknown within its time-out."""
    import socket
    import threading

    with socket.create_server(("127.0.0.1", 0)) as server, pytest.MonkeyPatch.context() as patch:
        requests: list[bytes] = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                requests.append(connection.recv(10))

        threading.Thread(target=serve, daemon=True).start()
        import boto3

        real = boto3.client
        patch.setenv("AWS_REGION", "us-east-1")
        patch.setenv("PROVIDER_FUNCTION", "provider")
        patch.setenv("AWS_ACCESS_KEY_ID", "x")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "x")
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        patch.setattr(boto3, "client", lambda *a, **k: real(*a, **k, endpoint_url=url))
        clients.provider.cache_clear()
        try:
            with pytest.raises(asking.Unknown, match="ReadTimeoutError"):
                asking.ask_provider({"action": "charge", "key": "k", "amount": 5})
        finally:
            clients.provider.cache_clear()
        assert len(requests) == 1
