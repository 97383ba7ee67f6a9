"""Exercise 12.3: the log groups of an account, page by page, and what an answer finds in it.

The client takes what boto3's takes, and refuses what it refuses: its parameters are judged by botocore's own model of
the service, and its paginator is botocore's. No call leaves the process.
Source: CloudWatch Logs API reference, DescribeLogGroups.
Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from orderlab.course.answers.exercise import uncounted

from ..answers.exercise import Case, Observed

PAGE = 3  # log groups on a page; AWS's has 50, and 50 at most
CALL = "DescribeLogGroups"
OURS = ("orderlab-place-order", "orderlab-relay")


class Logs:
    """As much of boto3's client for CloudWatch Logs as a clean-up needs, with pages of a few groups."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = sorted(names)
        self._model, self._pages = described()

    def describe_log_groups(self, **given: Any) -> dict[str, Any]:
        """One page, and where the next one begins, if there is one. Raises what boto3 raises."""
        from botocore.exceptions import ClientError, ParamValidationError
        from botocore.validate import ParamValidator

        report = ParamValidator().validate(given, self._model.input_shape)
        if report.has_errors():
            raise ParamValidationError(report=report.generate_report())
        prefix, part = given.get("logGroupNamePrefix", ""), given.get("logGroupNamePattern", "").lower()
        names = [name for name in self._names if name.startswith(prefix) and part in name.lower()]
        tokens = {f"from-{start}": start for start in range(0, len(names) + 1)}
        if given.get("nextToken", "from-0") not in tokens:
            error = {"Code": "InvalidParameterException", "Message": "The specified nextToken is invalid."}
            raise ClientError({"Error": error}, CALL)
        start, size = tokens[given.get("nextToken", "from-0")], min(PAGE, given.get("limit", PAGE))
        answer: dict[str, Any] = {"logGroups": [{"logGroupName": name} for name in names[start : start + size]]}
        return {**answer, "nextToken": f"from-{start + size}"} if start + size < len(names) else answer

    def get_paginator(self, operation: str) -> Any:
        """boto3's paginator of the one operation."""
        from botocore.exceptions import OperationNotPageableError
        from botocore.paginate import Paginator

        if operation != "describe_log_groups":
            raise OperationNotPageableError(operation_name=operation)
        return Paginator(self.describe_log_groups, self._pages, self._model)


@cache
def described() -> tuple[Any, dict[str, Any]]:
    """The call, and how it is paged, as botocore's data has them."""
    from botocore.session import Session

    with uncounted():
        session = Session()
        pages = session.get_component("data_loader").load_service_model("logs", "paginators-1")
        return session.get_service_model("logs").operation_model(CALL), pages["pagination"][CALL]


def remains(answer: Any, there: list[str], functions: list[str]) -> Any:
    """What the answer finds, in order; as it is, if that is no collection of texts."""
    names = tuple(functions)
    found = answer(Logs(there), functions)
    if isinstance(found, str | bytes | dict) or not hasattr(found, "__iter__"):
        return found
    found = list(found)
    if tuple(functions) != names:
        return f"functions has become {functions}"
    return sorted(found) if all(isinstance(name, str) for name in found) else found


def accounts() -> Sequence[Case]:
    """The cases of exercise 12.3."""

    def case(about: str, there: Sequence[str], wanted: Sequence[str]) -> Case:
        group = [name if name.startswith("/") else f"/aws/lambda/{name}" for name in there]
        return Case(about, {"there": group, "functions": [*OURS]}, [f"/aws/lambda/{name}" for name in wanted])

    others = [f"billing-{letter}" for letter in "abcdefghijklm"]
    return [
        case("two groups, both ours", OURS, OURS),
        case("nothing at all", [], []),
        case("one of them is gone", OURS[1:], OURS[1:]),
        case("neighbours in the same account", [*OURS, "orderlab-ann-relay", "orderlab-relay-2"], OURS),
        case("names that look like ours", ["my-orderlab-relay", "Orderlab-Relay", "/ecs/orderlab-relay"], []),
        case("a full account", [*others, *OURS], OURS),
        case("a full account, without ours", others, []),
    ]


def fewer(case: Case, seen: Observed) -> bool:
    """Did it miss some, of an account with more than a page?"""
    return len(case.given["there"]) > PAGE and _texts(seen) and set(seen.value) < set(case.wanted)


def more(case: Case, seen: Observed) -> bool:
    """Did it take what is there, and somebody else's?"""
    return _texts(seen) and bool((set(seen.value) & set(case.given["there"])) - set(case.wanted))


def unseen(case: Case, seen: Observed) -> bool:
    """Did it find what is not there?"""
    return _texts(seen) and bool(set(seen.value) - set(case.given["there"]))


def twice(case: Case, seen: Observed) -> bool:
    """Did it find the right ones more than once?"""
    return _texts(seen) and len(seen.value) > len(set(seen.value)) and set(seen.value) == set(case.wanted)


def nameless(case: Case, seen: Observed) -> bool:
    """Is it something else than a list of texts?"""
    return seen.ended == "returned" and not _texts(seen)


def bare(case: Case, seen: Observed) -> bool:
    """Are they the functions' names?"""
    return _texts(seen) and bool(seen.value) and set(seen.value) <= set(case.given["functions"])


def _texts(seen: Observed) -> bool:
    return isinstance(seen.value, list) and all(isinstance(one, str) for one in seen.value)
