"""Where a command may act: one account, one region, one prefix, each said by the user.

AWS answers whoever holds a key. So nothing here looks at a key before the account and the region were named on the
command line, and `checks.identity` compares the account with the one that the keys belong to before anything else is
asked. An endpoint stands for AWS only on this machine, and then no key of the user's is read and no proxy is used.

Taught in notebooks/12_ship_it.ipynb
"""

import argparse
import os
import re
import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from orderlab.cloud.guard import ACCOUNT, REGION, is_loopback
from orderlab.installing import Problem

PREFIX = re.compile(r"(?!sthree-|amzn-|.*--)[a-z][a-z0-9-]{0,18}[a-z0-9]")  # as the template's NamePrefix
OPT_IN = "--account 111122223333 --region eu-west-1"


@dataclass(frozen=True)
class Target:
    """An account (12 digits), a region, a profile or the environment's keys, a loopback endpoint or AWS, a prefix."""

    account: str
    region: str
    profile: str | None = None
    endpoint: str | None = None
    prefix: str = "orderlab"

    @property
    def stack(self) -> str:
        """The stack's name: the prefix."""
        return self.prefix

    @property
    def artifacts(self) -> str:
        """The bucket that holds the template and the code while the stack exists."""
        return f"{self.prefix}-artifacts-{self.account}-{self.region}"

    @property
    def session(self) -> Any:
        """One session for all clients, so that a profile that asks for a code asks once. Raises ProfileNotFound."""
        return _session(self)

    def client(self, service: str) -> Any:
        """A botocore client for this account and no other.

        Raises botocore's ProfileNotFound. On AWS it tries five times; on this machine once, so that nothing sleeps.
        """
        from botocore.config import Config

        if self.endpoint:
            config = Config(
                connect_timeout=2, read_timeout=60, retries={"total_max_attempts": 1},
                proxies={}, s3={"addressing_style": "path"},
            )  # fmt: skip
            client = self.session.client(service, endpoint_url=self.endpoint, config=config)
            moto = sys.modules.get("moto.core.models")
            if moto is not None:  # a local cloud that is open in this process answers every call, but not these
                client.meta.events.unregister("before-send", moto.botocore_stubber)
            return client
        config = Config(
            connect_timeout=5, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 5},
            ignore_configured_endpoint_urls=True,
        )  # fmt: skip
        return self.session.client(service, config=config)

    def arguments(self) -> str:
        """What to type so that another command has the same target."""
        said = {"account": self.account, "region": self.region, "profile": self.profile, "endpoint": self.endpoint}
        told = " ".join(f"--{name} {value}" for name, value in said.items() if value)
        return told if self.prefix == "orderlab" else f"{told} --prefix {self.prefix}"


@lru_cache(maxsize=4)
def _session(target: Target) -> Any:
    import boto3
    import botocore.session

    if target.endpoint:  # whatever the user's configuration says, or cannot say because it is broken
        nothing = {"profile": None, "config_file": os.devnull, "credentials_file": os.devnull}
        unread = botocore.session.Session({name: (None, None, value, None) for name, value in nothing.items()})
        return boto3.Session("rehearsal", "rehearsal", region_name=target.region, botocore_session=unread)
    return boto3.Session(profile_name=target.profile, region_name=target.region)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that say where; `from_arguments` reads them."""
    parser.add_argument("--account", metavar="DIGITS", help="the 12 digits of the AWS account, which must be the keys'")
    parser.add_argument("--region", metavar="REGION", help="such as eu-west-1")
    parser.add_argument("--profile", metavar="NAME", help="a profile of yours (default: the environment's credentials)")
    parser.add_argument("--prefix", metavar="NAME", default="orderlab", help="begins every name; default: orderlab")
    parser.add_argument(
        "--endpoint", metavar="URL", help="an account that is played on this machine, such as http://127.0.0.1:4566"
    )


def from_arguments(said: argparse.Namespace) -> Target:
    """The target that the options name. Raises Problem, in one line, when they do not name one."""
    if not PREFIX.fullmatch(said.prefix):
        raise Problem(
            f"--prefix {said.prefix!r} cannot begin names: 2 to 20 lower-case letters, digits and single hyphens, "
            "beginning with a letter (not with sthree- or amzn-, which S3 keeps to itself) and not ending in a hyphen"
        )
    if said.endpoint is not None:
        return Target(said.account or ACCOUNT, said.region or REGION, None, loopback(said), said.prefix)
    if not said.account or not said.region:
        raise Problem(
            f"this command acts on an AWS account, so name it and the region, such as {OPT_IN}; "
            "to try it without an account: python3 -m orderlab rehearse"
        )
    return Target(account(said.account), region(said.region), said.profile, None, said.prefix)


def loopback(said: argparse.Namespace) -> str:
    """The endpoint that was named. Raises Problem when it is not on this machine, or when keys were named with it."""
    url = str(said.endpoint)
    if not _is_address(url) or not is_loopback(url):
        raise Problem(f"--endpoint {url!r} is not on this machine: it takes http://127.0.0.1:PORT only")
    if said.profile:
        raise Problem("--profile and --endpoint do not go together: nothing of a profile is sent to an endpoint")
    if said.account:
        account(said.account)
    if said.region:
        region(said.region)
    return url.rstrip("/")


def _is_address(url: str) -> bool:
    try:
        return bool(re.fullmatch(r"https?://[^/@?#\s]+/?", url)) and urlsplit(url).port != 0
    except ValueError:  # a port that is none, half an IPv6 address
        return False


def account(digits: str) -> str:
    """The account id. Raises Problem when it is none."""
    if not re.fullmatch(r"[0-9]{12}", digits):
        raise Problem(f"--account {digits!r} is not an account id: 12 digits, as the console shows them, no hyphens")
    return digits


def region(name: str) -> str:
    """The region's name. Raises Problem when botocore knows none of that name."""
    from botocore.loaders import create_loader
    from botocore.regions import EndpointResolver

    found = EndpointResolver(create_loader().load_data("endpoints"))  # a session would read the user's configuration
    known = [
        each for where in found.get_available_partitions() for each in found.get_available_endpoints("lambda", where)
    ]
    if name not in known:
        near = [each for each in known if each.split("-")[0] == name.split("-")[0]]
        raise Problem(f"--region {name!r} is not a region of AWS: try {', '.join((near or known)[:6])}")
    return name
