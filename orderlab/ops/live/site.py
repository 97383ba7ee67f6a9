"""A deployed order system: its stack's outputs, boto3 clients, the door of its API, and the time that it lives in.

On AWS nothing is asked before the caller's account was compared with the one that was named. A stack that this course
did not deploy is left alone. On this machine (an endpoint) there is no account to compare, and no key of yours is read.
Taught in notebooks/12_ship_it.ipynb
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.exceptions import ClientError

from orderlab.installing import Problem

from ..audit.books import DEAD, FAILED_RECORDS, REVIEW, WORK
from ..aws import checks, stacks
from ..aws.account import Account, code_of
from .door import Door, sender

NEEDED = (
    "ApiId", "ApiUrl", "ApiKeyId", "BusName", "RelayName", f"{FAILED_RECORDS}Name", "ReceiptsBucketName",
    *(f"{name}TableName" for name in ("Orders", "Catalogue", "Stock", "Ledger", "Notifications", "Sales")),
    *(f"{name}Url" for name in (*WORK, *DEAD, REVIEW)),
)  # fmt: skip


@dataclass(frozen=True)
class Site:
    """What the commands of this room act on. `sleep` and `clock` are in seconds, `wall` is since the epoch."""

    client: Callable[[str], Any]
    outputs: Mapping[str, str]
    door: Door
    parameters: Mapping[str, str] = field(default_factory=dict)
    name: str = "orderlab"
    where: str = ""
    on_aws: bool = False
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time


def open_site(account: Account) -> Site:
    """The system that is deployed at the account's target. Raises Problem when there is none of this course's."""
    target = account.target
    on_aws = target.endpoint is None
    if on_aws:
        checks.identity(account)
    stack = stacks.find(account)
    if stack is None:
        raise Problem(
            f"there is no stack {target.stack} in {target.region}: "
            + (
                f"deploy it first, with python3 -m orderlab deploy {target.arguments()}"
                if on_aws
                else "create it there first"
            )
        )
    if on_aws:
        stacks.ours(account, stack)
    if not stack.status.endswith("_COMPLETE") or stack.status == "ROLLBACK_COMPLETE":
        raise Problem(
            f"the stack {stack.name} is {stack.status}: look at it with python3 -m orderlab status {target.arguments()}"
        )
    missing = [name for name in NEEDED if name not in stack.outputs]
    if missing:
        raise Problem(f"the stack {stack.name} has no output {', '.join(missing)}: it is another version; deploy again")
    where = f"account {target.account}, {target.region}" if on_aws else str(target.endpoint)
    return Site(account.client, stack.outputs, open_door(account, stack), stack.parameters, stack.name, where, on_aws)


def open_door(account: Account, stack: stacks.Stack) -> Door:
    """The door of a stack's API. The key is asked of API Gateway, and printed nowhere.

    Raises Problem for a played account, whose stack has nothing behind it.
    """
    target, outputs = account.target, stack.outputs
    try:
        found = account.ask("apigateway", "get_api_key", apiKey=outputs["ApiKeyId"], includeValue=True)
    except ClientError as error:
        if not target.endpoint or code_of(error) != "NotFoundException":
            raise
        raise Problem(
            f"{target.endpoint} has the stack {stack.name} and no API behind it: an account that `rehearse` plays "
            "takes no orders; python3 -m orderlab demo sends them without one"
        ) from error
    stage = urlsplit(outputs["ApiUrl"]).path.rstrip("/")
    if target.endpoint:
        address = urlsplit(target.endpoint)
        host = f"{outputs['ApiId']}.execute-api.{address.netloc}"
        return Door(target.endpoint + stage, found["value"], time.monotonic, sender(target.endpoint), host)
    signer = None
    if stack.parameters.get("Authorization") == "iam":
        signer = SigV4Auth(target.session.get_credentials(), "execute-api", target.region)
    return Door(outputs["ApiUrl"], found["value"], time.monotonic, sender(outputs["ApiUrl"]), "", signer)
