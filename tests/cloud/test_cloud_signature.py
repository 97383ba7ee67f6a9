"""With Authorization=iam the front door lets in who signs, and nobody else."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from orderlab.cloud import Cloud
from orderlab.cloud.gateway import signature
from orderlab.cloud.gateway.exchange import Request, Response

BODY = b'{"customerId": "C-1", "items": [{"sku": "mug", "quantity": 1}]}'


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """The course's own template, signed."""
    with Cloud(parameters={"Authorization": "iam"}) as made:
        yield made


def headers(cloud: Cloud, **more: str) -> dict[str, str]:
    """What an order needs beside its signature."""
    return {"content-type": "application/json", "x-api-key": cloud.api_key, "Idempotency-Key": "k1", **more}


def by_botocore(cloud: Cloud, path: str, body: bytes = b"", key: str = "testing", secret: str = "testing") -> Response:
    """A request signed as any Python program would sign it: `signature.sign` has no part in it."""
    api = cloud.gateway.api
    assert api is not None
    url = f"https://{api.id}.execute-api.us-east-1.amazonaws.com/{api.stage}{path}"
    asked = AWSRequest("POST" if body else "GET", url, headers(cloud), body)
    SigV4Auth(Credentials(key, secret), "execute-api", "us-east-1").add_auth(asked)
    return cloud.request(asked.method, path, body=body or None, headers=dict(asked.headers.items()))


def test_an_unsigned_request_is_refused_whatever_its_key(cloud: Cloud) -> None:
    """403 and the words that AWS has for a wrong path too; the trace knows better, and no function runs."""
    answer = cloud.request("POST", "/orders", body=BODY, headers=headers(cloud))
    assert (answer.status, answer.json()["message"]) == (403, "Missing Authentication Token")
    assert cloud.trace.select("response")[-1].detail["reason"] == "the request is not signed"
    assert not cloud.trace.select("invoke", actor="PlaceOrder")


def test_a_request_signed_by_botocore_comes_in(cloud: Cloud) -> None:
    """A body, an encoded path, a query of two values: each is part of what is signed."""
    assert by_botocore(cloud, "/orders", BODY).json()["message"] == "not in the catalogue: mug"
    assert by_botocore(cloud, "/orders/ORD-1%2F2").status == 404
    assert by_botocore(cloud, "/products/a%20mug?b=2&a=1%2F3").status == 404


def test_the_clouds_own_client_signs_when_asked(cloud: Cloud) -> None:
    """And the function learns who called."""
    answer = cloud.request("GET", "/orders/ORD-1", headers=headers(cloud), query={"a b": "é/ü"}, signed=True)
    assert answer.status == 404


def test_the_key_still_meters_those_who_sign(cloud: Cloud) -> None:
    """A signature alone is not enough: the usage plan goes by the key."""
    answer = cloud.request("GET", "/orders/ORD-1", signed=True)
    assert (answer.status, answer.json()["message"]) == (403, "Forbidden")


def test_a_signature_over_something_else_is_refused(cloud: Cloud) -> None:
    """Another secret, an unknown key, no signature at all."""
    assert by_botocore(cloud, "/orders", BODY, secret="guessed").json()["message"].startswith("The request signature")
    assert by_botocore(cloud, "/orders", BODY, key="AKIDEXAMPLE").json()["message"].startswith("The security token")
    for token in ("Bearer x", "AWS4-HMAC-SHA256 Credential=testing/20260105/us-east-1/execute-api/aws4_request"):
        answer = cloud.request("GET", "/orders/ORD-1", headers=headers(cloud, Authorization=token))
        assert (answer.status, answer.header("x-amzn-ErrorType")) == (403, "InvalidSignatureException")


def test_a_body_changed_on_the_way_is_refused(cloud: Cloud) -> None:
    """The signature covers every byte of it."""
    request = Request.of("POST", "/orders", body=BODY, headers=headers(cloud))
    signed = signature.sign("api1", "live", request, cloud.now)
    assert signature.judge("api1", "live", signed) == "testing"
    changed = replace(signed, body=BODY.replace(b"1}", b"9}"))
    assert not isinstance(signature.judge("api1", "live", changed), str)
    assert not isinstance(signature.judge("api1", "test", signed), str)
