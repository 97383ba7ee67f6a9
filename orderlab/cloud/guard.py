"""Nothing leaves this machine: no connection but loopback, and no real credentials in sight.

AWS answers whoever holds a key, at that key's owner's cost. A lesson must not be able to do that by accident, so the
local cloud puts well-known fake credentials into the environment and refuses every connection to another machine.
"""

import ipaddress
import os
import sys
from typing import Any
from urllib.parse import urlsplit

ACCOUNT = "123456789012"
REGION = "us-east-1"
FAKE = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
_HIDDEN = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ENDPOINT_URL", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE",
           "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")  # fmt: skip
_open = False
_installed = False


class Refused(ConnectionError):
    """A connection that would have left this machine."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"refused: {what}. The course works on this machine alone: open a local cloud (orderlab.cloud.Cloud(), "
            "or start() in a lesson) and call boto3 as usual"
        )


def hide_credentials() -> list[str]:
    """Replace credentials, profiles and endpoints in this process's environment by fake ones.

    Returns the names of the variables that held something else. The learner's files are not touched.
    """
    fake = {*FAKE.values(), "FOOBARKEY", "FOOBARSECRET"}  # moto's own, while a cloud is open
    endpoints = [name for name in os.environ if name.startswith("AWS_ENDPOINT_URL_")]
    hidden = sorted(name for name in (*FAKE, *_HIDDEN, *endpoints) if os.environ.get(name) not in (None, *fake))
    for name in (*_HIDDEN, *endpoints):
        os.environ.pop(name, None)
    os.environ.update(FAKE)
    return hidden


def is_loopback(url: str) -> bool:
    """Is this address on this machine?"""
    return _is_local(urlsplit(url).hostname or "")


def is_open() -> bool:
    """Has the learner opted in to connections that leave this machine? (No lesson but the last ever does.)"""
    return _open


def install() -> None:
    """Refuse connections to other machines in this process, for good."""
    global _installed
    if not _installed:
        _installed = True
        sys.addaudithook(_audit)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and not _open:
        address = arguments[1]
        if isinstance(address, tuple) and not _is_local(str(address[0])):
            raise Refused(f"a connection to {address[0]}:{address[1]}")
    elif event == "socket.getaddrinfo" and not _open:
        host = arguments[0].decode() if isinstance(arguments[0], bytes) else str(arguments[0] or "")
        if not (_is_local(host) or _is_address(host)):  # an address is judged when it is connected to
            raise Refused(f"a look-up of {host}")


def _is_local(host: str) -> bool:
    return host in ("", "localhost") or (_is_address(host) and ipaddress.ip_address(host.split("%")[0]).is_loopback)


def _is_address(host: str) -> bool:
    try:
        return bool(ipaddress.ip_address(host.split("%")[0]))
    except ValueError:
        return False
