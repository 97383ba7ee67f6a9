"""DynamoDB of one local cloud: what moto's tables do otherwise than AWS is put right while the cloud is open.

Taught in notebooks/06_where_state_lives.ipynb
"""

from collections.abc import Callable
from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType

from ..scheduler import Scheduler
from ..stack.resources import Stack
from ..trace import Trace
from ..wire.answers import NotYet, Refusal
from . import records, refusals, tokens, transactions
from .expiry import Expiry


class Tables:
    """The tables of moto's `backend`. `changed` is called after a write that was no call: look at the streams."""

    def __init__(
        self, scheduler: Scheduler, trace: Trace, stack: Stack, backend: Any, changed: Callable[[], None]
    ) -> None:
        self.scheduler, self.backend = scheduler, backend
        self.tokens = tokens.Tokens(lambda: scheduler.now)
        self.expiry = Expiry(scheduler, trace, backend, changed)
        self._described = stack.of_type("AWS::DynamoDB::Table")

    def operations(self) -> dict[tuple[str, str], Callable[[dict[str, Any]], None]]:
        """What is checked here before moto does it, and what moto does otherwise than AWS and nobody puts right."""
        return {
            ("dynamodb", "UpdateTimeToLive"): self.expiry.update,
            ("dynamodb", "ExecuteTransaction"): _execute_transaction,
        }

    def refusals(self) -> dict[tuple[str, str], Callable[[dict[str, Any]], Refusal]]:
        """The answers to faults: (service, kind) to a function from a call's parameters."""
        pick = self.scheduler.rng.randrange
        return {
            ("dynamodb", "conflict"): lambda parameters: refusals.conflict(parameters, pick),
            ("dynamodb", "throttle"): lambda parameters: refusals.throttle(parameters, pick, self.backend.tables),
        }

    def size(self, name: str, row: dict[str, Any]) -> int:
        """The bytes of the row that has this row's key now, as DynamoDB counts them; 0 if there is none."""
        table = self.backend.tables[name]
        found = table.items.get(DynamoType(row[table.hash_key_attr]))
        if found is not None and table.range_key_attr:
            found = found.get(DynamoType(row[table.range_key_attr]))
        return int(found.size()) if found is not None else 0

    def clear(self, seed: int) -> None:
        """Empty all tables and streams, forget all requests; the tables stay, set as the template has them."""
        for table in self.backend.tables.values():
            table.items.clear()
            if table.stream_shard is not None:
                table.stream_shard.items.clear()
        self.tokens.done.clear()
        self.expiry.start(seed, self._described)

    def install(self) -> None:
        """Replace moto's names; idempotent."""
        transactions.install()
        tokens.install(self.tokens)
        records.install()

    @staticmethod
    def uninstall() -> None:
        """Give them back."""
        transactions.uninstall()
        tokens.uninstall()
        records.uninstall()


def _execute_transaction(parameters: dict[str, Any]) -> None:
    raise NotYet("ExecuteTransaction (transactions in PartiQL); use TransactWriteItems or TransactGetItems")
