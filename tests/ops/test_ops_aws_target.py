"""No command touches an account that was not named: real-looking keys, and a listener that must see nothing."""

import argparse
import http.server
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from botocore import exceptions as wrong

from orderlab.installing import Problem, clean_environment
from orderlab.ops.aws import talk
from orderlab.ops.aws.account import Account
from orderlab.ops.aws.explain import error_of
from orderlab.ops.aws.target import Target, add_arguments, from_arguments

ROOT = Path(__file__).parents[2]
KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
}
NAMED = ["--account", "111122223333", "--region", "eu-west-1"]


def target(*argv: str) -> Target:
    """The target of a command line."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return from_arguments(parser.parse_args(argv))


def client_error(code: str, message: str) -> wrong.ClientError:
    """An error that AWS answers."""
    return wrong.ClientError({"Error": {"Code": code, "Message": message}}, "CreateStack")


class Listener:
    """Counts who connects to it, and answers nobody."""

    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.server.getsockname()[1]}"
        self.seen: list[bytes] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(1)
                try:
                    self.seen.append(connection.recv(4096))
                except OSError:
                    self.seen.append(b"")


@pytest.fixture
def listener():
    """A listener on loopback, as every proxy and every endpoint."""
    made = Listener()
    yield made
    made.server.close()


def run(listener: Listener, *argv: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own, with keys, proxies and endpoints that all lead to the listener."""
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"), listener.url)
    everywhere = {f"AWS_ENDPOINT_URL{one}": listener.url for one in ("", "_S3", "_STS", "_CLOUDFORMATION", "_LAMBDA")}
    metadata = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": listener.url, "AWS_EC2_METADATA_DISABLED": "false"}
    environment = {**clean_environment(), **KEYS, **proxies, **everywhere, **metadata, "AWS_REGION": "eu-west-1"}
    for name in ("NO_PROXY", "no_proxy"):
        environment.pop(name, None)
    return subprocess.run(
        [sys.executable, "-m", "orderlab.commands", *argv],
        env={**environment, "PYTHONPATH": str(ROOT)}, cwd=ROOT, capture_output=True, text=True, timeout=120,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("command", "status", "why"),
    [
        *((name, 1, "--account") for name in ("deploy", "status", "destroy", "smoke", "load", "republish --all")),
        ("demo --target aws", 2, "--account"),
        ("demo --account 111122223333 --region eu-west-1", 2, "add --target aws"),
        ("smoke --endpoint http://example.com:4566", 1, "is not on this machine"),
    ],
)
def test_a_command_that_was_not_told_the_account_sends_nothing(command, status, why, listener) -> None:
    """Keys, a region and an endpoint in the environment are no opt-in, and no key is told."""
    done = run(listener, *command.split())
    assert done.returncode == status, done.stderr
    assert done.stderr.startswith("orderlab") and done.stderr.count("\n") == 1 and why in done.stderr
    assert listener.seen == [] and KEYS["AWS_ACCESS_KEY_ID"] not in done.stdout + done.stderr


@pytest.mark.parametrize("command", ["cost --orders 10", "demo --orders 2", "package --folder"])
def test_what_runs_on_this_machine_sends_nothing(command, listener, tmp_path) -> None:
    """The bundled client of a package comes from what is installed."""
    folder = tmp_path / "build"
    assert run(listener, *command.split(), *([str(folder)] if "package" in command else [])).returncode == 0
    assert (folder / "valkey" / "__init__.py").exists() == ("package" in command)
    assert listener.seen == []


def test_the_listener_would_see_a_command_that_sends(listener) -> None:
    """The test above can fail: with the account named, the keys' owner is asked, through the proxy."""
    done = run(listener, "status", *NAMED)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert listener.seen and listener.seen[0].startswith(b"CONNECT sts.eu-west-1.amazonaws.com:443")


def test_an_endpoint_gets_no_key_of_the_users(listener) -> None:
    """What plays AWS on this machine is sent made-up credentials; proxies are not used for it."""
    done = run(listener, "status", "--endpoint", listener.url)
    assert done.returncode == 1
    assert listener.seen
    assert all(b"Credential=rehearsal/" in one and b"AKIA" not in one for one in listener.seen)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], "acts on an AWS account, so name it and the region"),
        (["--account", "111122223333"], "acts on an AWS account, so name it and the region"),
        (["--region", "eu-west-1"], "acts on an AWS account, so name it and the region"),
        (["--account", "1111-2222-3333", "--region", "eu-west-1"], "is not an account id: 12 digits"),
        (["--account", "111122223333", "--region", "eu-wst-1"], "is not a region of AWS: try eu-central-1"),
        ([*NAMED, "--prefix", "Ann"], "cannot begin names"),
        ([*NAMED, "--prefix", "a-"], "cannot begin names"),
        ([*NAMED, "--prefix", "xn--lab"], "single hyphens"),
        (["--endpoint", "https://sqs.us-east-1.amazonaws.com"], "is not on this machine"),
        (["--endpoint", "http://127.0.0.1@example.com"], "is not on this machine"),
        (["--endpoint", "http://localhost.example.com:80"], "is not on this machine"),
        (["--endpoint", "ftp://127.0.0.1"], "is not on this machine"),
        (["--endpoint", "http://"], "is not on this machine"),
        (["--endpoint", "http://127.0.0.1:99999"], "is not on this machine"),
        (["--endpoint", "http://127.0.0.1:abc"], "is not on this machine"),
        (["--endpoint", "http://[::1"], "is not on this machine"),
        (["--endpoint", "http://127.0.0.1?x"], "is not on this machine"),
        (["--endpoint", "http://127.0.0.1:1", "--profile", "work"], "do not go together"),
    ],
)
def test_a_target_that_is_not_one_is_refused_in_a_line(argv, words) -> None:
    """Each names what is wrong and what to write."""
    with pytest.raises(Problem, match=words) as caught:
        target(*argv)
    assert "\n" not in str(caught.value)


def test_a_target_says_what_to_type_for_the_next_command() -> None:
    """What is printed leads to the same target."""
    for argv in (NAMED, [*NAMED, "--prefix", "ann", "--profile", "lab"], ["--endpoint", "http://127.0.0.1:4566/"]):
        found = target(*argv)
        assert target(*found.arguments().split()) == found
    assert target(*NAMED).artifacts == "orderlab-artifacts-111122223333-eu-west-1"


def test_a_region_of_another_partition_is_a_region() -> None:
    """China and GovCloud have regions too."""
    assert target("--account", "111122223333", "--region", "us-gov-west-1").region == "us-gov-west-1"


def test_endpoints_of_the_environment_are_ignored_on_aws(monkeypatch) -> None:
    """A variable that is left from an emulator must not get the learner's keys."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert target(*NAMED).client("sts").meta.endpoint_url == "https://sts.eu-west-1.amazonaws.com"


def test_an_open_local_cloud_does_not_answer_for_the_endpoint() -> None:
    """A lesson may have both; a call to the endpoint goes to the endpoint."""
    from orderlab.cloud import Cloud

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    cloud = Cloud()
    try:
        with pytest.raises(wrong.EndpointConnectionError, match=f"127.0.0.1:{port}"):
            Account(target("--endpoint", f"http://127.0.0.1:{port}")).ask("sts", "get_caller_identity")
    finally:
        cloud.close()


def test_nobody_at_the_endpoint_is_one_line(listener) -> None:
    """Neither the proxy nor the endpoint of the environment is asked instead."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = f"http://127.0.0.1:{server.getsockname()[1]}"
    done = run(listener, "smoke", "--endpoint", closed)
    assert done.returncode == 1 and listener.seen == [] and done.stderr.count("\n") == 1
    assert f"nobody answers at {closed}: start one with: python3 -m orderlab rehearse" in done.stderr


@pytest.mark.parametrize(("status", "page"), [(200, b"<html>Jupyter</html>"), (502, b"Bad Gateway"), (200, b"")])
def test_an_endpoint_where_something_else_answers_is_one_line(status, page, listener) -> None:
    """The port of another server of this machine: a page, a failure, nothing."""

    class Other(http.server.BaseHTTPRequestHandler):
        """A server that is no AWS."""

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *told: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = run(listener, "smoke", "--endpoint", f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
    assert done.returncode == 1 and listener.seen == []
    assert done.stderr.count("\n") == 1 and "answers, and not as AWS does" in done.stderr


@pytest.mark.parametrize(
    "error",
    [
        wrong.EndpointConnectionError(endpoint_url="https://sts.eu-west-1.amazonaws.com/"),
        wrong.ConnectTimeoutError(endpoint_url="https://sts.eu-west-1.amazonaws.com/"),
        wrong.ReadTimeoutError(endpoint_url="https://sts.eu-west-1.amazonaws.com/"),
        wrong.ProxyConnectionError(proxy_url="http://127.0.0.1:9"),
        wrong.SSLError(endpoint_url="https://sts.eu-west-1.amazonaws.com/", error="self-signed certificate"),
        wrong.HTTPClientError(error="something else"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_no_internet_is_one_line(error) -> None:
    """No name service, no route, a proxy that is not there or that breaks the encryption."""
    line = error_of(error, target(*NAMED))
    assert line.startswith("AWS cannot be reached in eu-west-1: check the network or the proxy")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (wrong.NoCredentialsError(), "no AWS credentials are found for account 111122223333, eu-west-1"),
        (wrong.UnauthorizedSSOTokenError(), "aws sso login --profile lab"),
        (client_error("ExpiredTokenException", "expired"), "the AWS credentials have expired: aws sso login"),
        (client_error("UnrecognizedClientException", "invalid"), "AWS does not know these credentials in eu-west-1"),
        (client_error("AccessDeniedException", "denied"), "these credentials may not call CreateStack"),
        (client_error("TooManyRequestsException", "busy"), "AWS is asked too much"),
        (client_error("Unheard", "of\nthis"), "AWS refused CreateStack with Unheard: of this"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)
def test_every_no_of_aws_is_one_line_with_what_to_do(error, words) -> None:
    """Credentials that are missing, expired or unknown; rights that are missing; and what nobody foresaw."""
    line = error_of(error, target(*NAMED, "--profile", "lab"))
    assert words in line and "\n" not in line


def test_a_profile_that_is_not_there_is_one_line(monkeypatch) -> None:
    """And names it."""
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    aws = target(*NAMED, "--profile", "wrok")
    with pytest.raises(Exception) as caught:
        Account(aws).ask("sts", "get_caller_identity")
    assert error_of(caught.value, aws).startswith("there is no profile 'wrok'")


def test_a_profile_of_the_environment_that_is_not_there_is_one_line_and_does_not_matter_to_an_endpoint(
    monkeypatch,
) -> None:
    """The region is looked up without the user's configuration, and what plays AWS needs nothing of it."""
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_PROFILE", "wrok")
    aws = target(*NAMED)
    with pytest.raises(wrong.ProfileNotFound) as caught:
        Account(aws).ask("sts", "get_caller_identity")
    assert error_of(caught.value, aws).startswith(
        "there is no profile 'wrok' in your AWS configuration, which AWS_PROF"
    )
    assert target("--endpoint", "http://127.0.0.1:9", "--region", "eu-west-1").client("sts")


def test_a_broken_configuration_is_one_line_that_names_the_file(monkeypatch, tmp_path) -> None:
    """And is no matter of logging in."""
    config = tmp_path / "config"
    config.write_text("[profile lab")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    aws = target(*NAMED, "--profile", "lab")
    with pytest.raises(wrong.ConfigParseError) as caught:
        Account(aws).ask("sts", "get_caller_identity")
    line = error_of(caught.value, aws)
    assert str(config) in line and "mend it" in line and "\n" not in line


def test_a_question_is_asked_where_somebody_sees_it(monkeypatch, capsys) -> None:
    """`load --json > result.json`: the question goes to standard error, and the file has the result alone."""
    monkeypatch.setattr("builtins.input", lambda question="": (print(question, end=""), " yes ")[1])
    assert talk.ask("go on? ") == "yes"
    assert capsys.readouterr() == ("", "go on? ")
