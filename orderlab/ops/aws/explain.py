"""One line for each way in which AWS says no: what happened, and what to do.

Taught in notebooks/12_ship_it.ipynb
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from botocore import exceptions as wrong
from botocore.parsers import ResponseParserError

from .account import THROTTLED, code_of
from .target import Target

EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
UNKNOWN_KEY = {"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "AuthFailure",
               "SignatureDoesNotMatch", "InvalidSignatureException", "InvalidToken"}  # fmt: skip
DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "Forbidden", "403"}
NO_KEYS = (
    wrong.NoCredentialsError, wrong.PartialCredentialsError, wrong.CredentialRetrievalError, wrong.TokenRetrievalError,
    wrong.SSOTokenLoadError, wrong.UnauthorizedSSOTokenError, wrong.ConfigNotFound,
)  # fmt: skip
AGAIN = "run the same command again: it goes on from there"
CANCELLED = re.compile(r"^Resource (creation|update|deletion) cancelled")
# What the reason of a failed resource says, and what to do; the first that matches.
REMEDIES = (
    (r"UnreservedConcurrentExecution|[Rr]eserved ?[Cc]oncurren",
     "this account's limit of concurrent executions is too low for it: deploy with --set ReservedConcurrency=off, "
     "or have the quota raised"),
    (r"BucketNotEmpty|bucket you tried to delete is not empty", "run destroy again: it empties the bucket first"),
    (r"(?i)already exists|BucketAlreadyOwnedByYou|AlreadyExistsException",
     "something has that name and does not belong to this stack: deploy with another --prefix, or delete it"),
    (r"(?i)deleted recently|wait 60 seconds", "SQS keeps a queue's name for 60 seconds: wait and deploy again"),
    (r"(?i)not authorized|access ?denied|is not permitted", "your user lacks that right: ask for it"),
    (r"DependencyViolation|has a dependent object|has dependencies",
     "a function's network interfaces outlast it for some 20 minutes, and what they use cannot go before: wait"),
    (r"(?i)quota|limit ?exceeded|maximum number", "a quota of the account is used up: have it raised"),
    (r"(?i)rate exceeded|throttl", "AWS was busy with others: wait a minute and deploy again"),
)  # fmt: skip


def error_of(error: BaseException, target: Target) -> str:
    """One line for an error of botocore's, with what to do."""
    code, where = code_of(error), f"account {target.account}, {target.region}"
    login = f"aws sso login --profile {target.profile}" if target.profile else "log in to AWS again"
    if isinstance(error, wrong.ProfileNotFound):
        name = error.kwargs["profile"]
        whose = "" if target.profile else ", which AWS_PROFILE names"
        return f"there is no profile {name!r} in your AWS configuration{whose}: name one that is, with --profile"
    if isinstance(error, wrong.ConfigParseError):
        return f"{clean(str(error))}: it is no AWS configuration; mend it"
    if isinstance(error, NO_KEYS):
        return f"no AWS credentials are found for {where}: {login}, or name a profile with --profile"
    if code in EXPIRED:
        return f"the AWS credentials have expired: {login}, then {AGAIN}"
    if code in UNKNOWN_KEY:
        return (
            f"AWS does not know these credentials in {target.region}: {login}; if they work elsewhere, "
            "the region is not enabled in this account"
        )
    if code in DENIED:
        return (
            f"these credentials may not {denied(error)}: ask whoever gave you the account for that right, then {AGAIN}"
        )
    if code in THROTTLED:
        return f"AWS is asked too much in {where}, and waiting did not help: wait some minutes, then {AGAIN}"
    if code:
        return f"AWS refused {operation_of(error)} with {code}: {clean(message_of(error))}"
    if isinstance(error, ResponseParserError):
        if target.endpoint:
            return f"{target.endpoint} answers, and not as AWS does: something else is at that port, name another one"
        return f"an answer came that AWS does not give: look at the network and its proxy, then {AGAIN}"
    if isinstance(error, wrong.HTTPClientError | wrong.ConnectionError):
        what = (
            f"nobody answers at {target.endpoint}" if target.endpoint else f"AWS cannot be reached in {target.region}"
        )
        remedy = "start one with: python3 -m orderlab rehearse" if target.endpoint else "check the network or the proxy"
        return f"{what}: {remedy}. What AWS has begun goes on; {AGAIN}"
    return clean(str(error))


def denied(error: BaseException) -> str:
    """The action that was denied, as IAM calls it."""
    found = re.search(r"perform:? ([a-z0-9-]+:\w+)", message_of(error))
    return found.group(1) if found else f"call {operation_of(error)}"


def operation_of(error: BaseException) -> str:
    """The operation that failed."""
    return str(getattr(error, "operation_name", "a call"))


def message_of(error: BaseException) -> str:
    """AWS's own words."""
    response: Mapping[str, Any] = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Message", "")) or str(error)


def clean(reason: str) -> str:
    """A reason in one line, without the ids of requests."""
    reason = re.sub(
        r'^Resource handler returned message: "(.*?)"( \(RequestToken.*)?$', r"\1", " ".join(reason.split())
    )
    return re.sub(r" ?\((Service|RequestToken|SDK Attempt).*$", "", reason).strip().rstrip(".")


def first_failure(events: Iterable[Mapping[str, Any]], stack_id: str) -> Mapping[str, Any] | None:
    """The event to blame: the first resource that failed by itself; else the stack's own failure."""
    failed = [each for each in events if str(each.get("ResourceStatus", "")).endswith("_FAILED")]
    failed = [each for each in failed if not CANCELLED.match(each.get("ResourceStatusReason", ""))]
    own = [each for each in failed if each.get("PhysicalResourceId") != stack_id]
    return next(iter(own or failed), None)


def left_behind(events: Iterable[Mapping[str, Any]]) -> list[str]:
    """What an update wanted to delete and could not: it is no longer the stack's, and stays."""
    return [
        f"{each['LogicalResourceId']} ({each['ResourceType']} {each['PhysicalResourceId']}): "
        f"{clean(each.get('ResourceStatusReason', ''))}"
        for each in events
        if each["ResourceStatus"] == "DELETE_FAILED"
    ]


def failure_of(event: Mapping[str, Any] | None, verb: str) -> str:
    """One line for a failed operation: the first resource that failed, why, and what to do."""
    if event is None:
        return f"the stack could not be {verb}, and AWS gives no reason: look at its events in the console"
    reason = str(event.get("ResourceStatusReason") or "no reason given")
    remedy = next((what for pattern, what in REMEDIES if re.search(pattern, reason)), "mend that and run it again")
    return (
        f"{event['LogicalResourceId']} ({event['ResourceType']}) could not be {verb}: {clean(reason)}. Remedy: {remedy}"
    )
