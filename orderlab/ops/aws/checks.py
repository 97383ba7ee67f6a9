"""What a deploy asks the account before it does anything: who, where, how much, and is the name free.

Taught in notebooks/12_ship_it.ipynb
"""

import re
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from orderlab.installing import Problem

from ..described import made
from . import stacks
from .account import Account, code_of
from .talk import Say

# Lambda keeps this many unreserved; in a new account, whose limit may be 10, nothing can be reserved.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
UNRESERVED = 100


def identity(account: Account) -> str:
    """The caller's ARN. Raises Problem when the credentials belong to another account than the one that was named."""
    target = account.target
    caller = account.ask("sts", "get_caller_identity")
    if caller["Account"] != target.account:
        raise Problem(
            f"these credentials belong to account {caller['Account']}, and you named {target.account}: "
            "nothing was done; name another --profile or --account"
        )
    return str(caller["Arn"])


def region(account: Account) -> None:
    """Raises Problem when the region is not enabled in the account."""
    name = account.target.region
    found = account.ask("ec2", "describe_regions", RegionNames=[name], AllRegions=True)["Regions"]
    if not found or found[0].get("OptInStatus") == "not-opted-in":
        raise Problem(f"the region {name} is not enabled in this account: enable it, or take another --region")


def limits(
    account: Account, template: Mapping[str, Any], parameters: Mapping[str, str], has: Mapping[str, str] | None = None
) -> list[str]:
    """Warnings about Lambda's concurrency. Raises Problem when AWS would refuse the reserved concurrency.

    `has`: the parameters of the stack that is there, whose own reservations are not free any more and stay its own.
    """
    asked = reserved(template, parameters)
    limit = account.ask("lambda", "get_account_settings")["AccountLimit"]
    free = int(limit["UnreservedConcurrentExecutions"]) + reserved(template, has or {})
    if asked and free - asked < UNRESERVED:
        raise Problem(
            f"ReservedConcurrency=on sets {asked} concurrent executions aside, and Lambda keeps {UNRESERVED} of the "
            f"{free} that are free in this account for all others: leave it off, or have the quota raised"
        )
    wanted = mapped(template, parameters)
    if free - asked < wanted:
        return [
            f"the queues may call {wanted} functions at once, and {free - asked} concurrent executions are free in "
            "this account: orders then wait in their queues, and none is lost"
        ]
    return []


def logging(account: Account, parameters: Mapping[str, str]) -> None:
    """Raises Problem when API Gateway may not write logs in this account, which access logs need.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
    """
    if parameters.get("AccessLogs") == "on" and not account.ask("apigateway", "get_account").get("cloudwatchRoleArn"):
        raise Problem(
            "AccessLogs=on needs a CloudWatch role for API Gateway, a setting of the whole account that this stack "
            "never makes: leave it off, or have the account's owner set it"
        )


def reserved(template: Mapping[str, Any], parameters: Mapping[str, str]) -> int:
    """The concurrent executions that the template reserves under these parameters."""
    if parameters.get("ReservedConcurrency", "off") != "on":
        return 0
    there = made(template, parameters).values()
    return sum(number(each.get("Properties", {}).get("ReservedConcurrentExecutions")) for each in there)


def mapped(template: Mapping[str, Any], parameters: Mapping[str, str]) -> int:
    """The sum of what the queues' mappings may call at once."""
    there = made(template, parameters).values()
    return sum(
        number((each.get("Properties", {}).get("ScalingConfig") or {}).get("MaximumConcurrency")) for each in there
    )


def number(value: Any) -> int:
    """The number in a property, also inside `!If [condition, 20, …]`."""
    if isinstance(value, dict):
        value = next((each for each in value.get("Fn::If", ())[1:] if isinstance(each, int)), 0)
    return int(value) if re.fullmatch(r"\d+", str(value)) else 0


def name_is_free(account: Account, stack: stacks.Stack | None) -> None:
    """Raises Problem when a stack or the bucket of our name is somebody else's."""
    if stack is not None:
        stacks.ours(account, stack)
    bucket = account.target.artifacts
    try:
        account.ask("s3", "head_bucket", Bucket=bucket)
    except ClientError as error:
        if code_of(error) in ("404", "NoSuchBucket"):
            return
        if code_of(error) in ("403", "301", "AccessDenied"):
            raise Problem(
                f"the bucket {bucket} belongs to somebody else, or these credentials may not s3:ListBucket: "
                "take another --prefix, or ask for that right"
            ) from None
        raise
    if tags(account, bucket).get(stacks.TAG) != account.target.prefix:
        raise Problem(f"the bucket {bucket} was not made by this course: take another --prefix, or delete it")


def tags(account: Account, bucket: str) -> dict[str, str]:
    """A bucket's tags."""
    try:
        found = account.ask("s3", "get_bucket_tagging", Bucket=bucket)["TagSet"]
    except ClientError as error:
        if code_of(error) == "NoSuchTagSet":
            return {}
        raise
    return {each["Key"]: each["Value"] for each in found}


def all_of(
    account: Account, template: Mapping[str, Any], parameters: Mapping[str, str], stack: stacks.Stack | None, say: Say
) -> None:
    """Everything, in the order in which it is cheapest to fail. Raises Problem."""
    region(account)
    has = stack.parameters if stack is not None and stack.status in stacks.UPDATABLE else None
    warnings = limits(account, template, parameters, has)
    logging(account, parameters)
    name_is_free(account, stack)
    for warning in warnings:
        say(f"mind: {warning}")
