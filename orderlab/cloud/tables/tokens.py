"""ClientRequestToken: a transaction that succeeded is not done again when it is asked for again.

A request that succeeded is remembered by its token for 10 minutes: the same request is answered again and changes
nothing, another one under that token is an IdempotentParameterMismatchException; later it is a new request. botocore
makes up a token for every call, and repeats it when it retries by itself: an answer that is lost does no harm. It is no
idempotency key for an order: that one must hold for longer, and for a request that is made anew.
A transaction has 1 to 100 actions, and rows of 4 MB in all. moto ignores the token and the 4 MB.
Source: API_TransactWriteItems; developer guide, transaction-apis; github.com/paritysuite/dynamodb-conformance.
Departures: the texts of the mismatch and of the 4 MB refusal are ours; a put row counts whole and any other action with
its key; what capacity a repeated request has read is not told.
Taught in notebooks/06_where_state_lives.ipynb
"""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.dynamodb.exceptions import ERROR_TYPE_PREFIX, MockValidationException
from moto.dynamodb.models import DynamoType
from moto.dynamodb.responses import DynamoHandler

LIFE = 600.0  # seconds after the first request with it has completed
MOST_ACTIONS, MOST_BYTES, LONGEST = 100, 4 * 1024 * 1024, 36
WRONG = "1 validation error detected: Value at '{}' failed to satisfy constraint: Member must have length {} than or equal to {}"  # noqa: E501


class Tokens:
    """The requests of the last ten minutes that succeeded, by their tokens. `now` gives seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.done: OrderedDict[str, tuple[float, str]] = OrderedDict()

    def once(self, body: dict[str, Any], act: Callable[[], ActionResult]) -> ActionResult:
        """Do `act`, unless this very request has succeeded already. Raises what DynamoDB refuses."""
        text = json.dumps({**body, "ClientRequestToken": None}, sort_keys=True, default=repr)
        token: str | None = body.get("ClientRequestToken")
        _check(body.get("TransactItems") or [], token, len(text))
        while self.done and next(iter(self.done.values()))[0] <= self._now() - LIFE:
            self.done.popitem(last=False)
        digest = hashlib.sha256(text.encode()).hexdigest()
        if token is not None and token in self.done:
            if self.done[token][1] != digest:
                code = ERROR_TYPE_PREFIX + "IdempotentParameterMismatchException"
                raise JsonRESTError(code, "Another request had this ClientRequestToken in the last 10 minutes")
            return ActionResult({})
        answer = act()
        if token is not None:
            self.done[token] = self._now(), digest
        return answer


def _check(actions: list[dict[str, Any]], token: str | None, length: int) -> None:
    """What DynamoDB checks before it looks at any table; `length` is the request's, in characters."""
    if token is not None and not 1 <= len(token) <= LONGEST:
        bound = ("less", LONGEST) if token else ("greater", 1)
        raise MockValidationException(WRONG.format("ClientRequestToken", *bound))
    if not 1 <= len(actions) <= MOST_ACTIONS:
        bound = ("less", MOST_ACTIONS) if actions else ("greater", 1)
        raise MockValidationException(WRONG.format("TransactItems", *bound))
    if length > MOST_BYTES and sum(map(_size, actions)) > MOST_BYTES:
        raise MockValidationException("The items of a transaction have more than 4 MB together")


def _size(action: dict[str, Any]) -> int:
    """The bytes of a put row, or of another action's key."""
    [what] = action.values()
    row = what.get("Item") or what.get("Key") or {}
    return sum(len(name.encode()) + DynamoType(value).size() for name, value in row.items())


_moto_handler = DynamoHandler.transact_write_items


def install(tokens: Tokens) -> None:
    """Put the tokens before moto's handler; idempotent."""

    def transact_write_items(self: DynamoHandler) -> ActionResult:
        return tokens.once(self.body, lambda: _moto_handler(self))

    DynamoHandler.transact_write_items = transact_write_items  # type: ignore[method-assign]


def uninstall() -> None:
    """Give moto its own handler back."""
    DynamoHandler.transact_write_items = _moto_handler  # type: ignore[method-assign]
