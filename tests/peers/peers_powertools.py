"""Powertools for AWS Lambda as the tests of this folder drive it: its own code, on a clock and a table of the test's.

Its stores are the base classes that it publishes for that, with the conditions of its own DynamoDB stores.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

try:
    from aws_lambda_powertools.utilities.batch import (
        BatchProcessor,
        EventType,
        SqsFifoPartialProcessor,
        process_partial_response,
    )
    from aws_lambda_powertools.utilities.batch import exceptions as batch_errors
    from aws_lambda_powertools.utilities.circuit_breaker import CircuitBreakerConfig, CircuitBreakerOpenError
    from aws_lambda_powertools.utilities.circuit_breaker import base as breaker_base
    from aws_lambda_powertools.utilities.circuit_breaker import circuit_breaker as powertools_breaker
    from aws_lambda_powertools.utilities.circuit_breaker.persistence import base as breaker_layer
    from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent_function
    from aws_lambda_powertools.utilities.idempotency import base as idempotency_base
    from aws_lambda_powertools.utilities.idempotency import exceptions as idempotency_errors
    from aws_lambda_powertools.utilities.idempotency.persistence import base as idempotency_layer
    from aws_lambda_powertools.utilities.idempotency.persistence import datarecord
except ModuleNotFoundError:
    pytest.skip(
        "Powertools is no package of the course; .ci/run brings it, with .ci/peers.lock, and runs these tests",
        allow_module_level=True,
    )

__all__ = ["BatchProcessor", "EventType", "SqsFifoPartialProcessor", "batch_errors", "process_partial_response"]

EPOCH = 1_793_000_000.0


class Clock:
    """What Powertools' modules take for `datetime`. `now` is seconds since the epoch."""

    def __init__(self) -> None:
        self.now = EPOCH
        self.datetime = SimpleNamespace(now=lambda: datetime.fromtimestamp(self.now, UTC))
        self.timedelta = timedelta

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Give it to the modules that read the time."""
        for module in (breaker_base, breaker_layer, idempotency_base, idempotency_layer, datarecord):
            patch.setattr(module, "dt", self)


class Away(Exception):
    """The store does not answer."""


class BreakerTable(breaker_layer.CircuitBreakerPersistenceLayer):
    """One environment's view of a circuit's row in `rows`; `away` makes it fail."""

    def __init__(self, rows: dict[str, Any], now: Callable[[], float]) -> None:
        super().__init__()
        self.rows, self.now, self.away = rows, now, False

    def _get_record(self, name: str) -> Any:
        self._answer()
        return self.rows.get(name)

    def _put_record(self, record: Any, condition: str | None = None, expected_opened_at: int | None = None) -> None:
        self._answer()
        old = self.rows.get(record.name)
        if condition == "half_open":
            mine = old is not None and old.state == "OPEN" and old.half_open_owner is None
            mine = mine and old.opened_at == expected_opened_at
            late = old is not None and old.state == "HALF_OPEN" and old.probe_lease_expiry <= int(self.now())
            if not (mine or late):
                raise breaker_layer.CircuitBreakerExistingLockError
        self.rows[record.name] = record

    def _update_record(self, record: Any) -> None:
        self._answer()
        self.rows[record.name] = record

    def _answer(self) -> None:
        if self.away:
            raise Away


class Ignored(Exception):
    """An error that does not count."""


class Failed(Exception):
    """An error that counts."""


class Killed(BaseException):
    """The environment is gone."""


class Powertools:
    """One execution environment with Powertools' circuit breaker: its module's memory is swapped in for each call."""

    def __init__(self, rows: dict[str, Any], clock: Clock, **settings: Any) -> None:
        self.table, self.name = BreakerTable(rows, lambda: clock.now), uuid4().hex
        self.memory: dict[str, dict[str, Any]] = {
            name: {} for name in ("_LOCAL_FAILURES", "_LOCAL_SUCCESSES", "_LAST_OBSERVED_STATE")
        }
        self.config = CircuitBreakerConfig(ignored_exceptions=Ignored, **settings)

    def call(self, work: Callable[[], Any]) -> bool:
        """Call `work` under the breaker; False when it was refused. Raises what `work` raises."""
        guarded = powertools_breaker(name="it", persistence_store=self.table, config=self.config)(work)
        with self._inside():
            try:
                guarded()
            except CircuitBreakerOpenError:
                return False
        return True

    @contextmanager
    def _inside(self) -> Iterator[None]:
        mine = {**self.memory, "_probe_owner_id": lambda: self.name}
        before = {name: getattr(breaker_base, name) for name in mine}
        vars(breaker_base).update(mine)
        try:
            yield
        finally:
            vars(breaker_base).update(before)


class IdempotencyTable(idempotency_layer.BasePersistenceLayer):
    """Idempotency records in `rows`; `fails_at` names the operation that raises."""

    def __init__(self, clock: Clock, rows: dict[str, Any] | None = None, fails_at: str = "") -> None:
        super().__init__()
        self.rows: dict[str, Any] = {} if rows is None else rows
        self.clock, self.fails_at = clock, fails_at

    def _get_record(self, idempotency_key: str) -> Any:
        if idempotency_key not in self.rows:
            raise idempotency_errors.IdempotencyItemNotFoundError
        return self.rows[idempotency_key]

    def _put_record(self, data_record: Any) -> None:
        self._answer("put")
        old, now = self.rows.get(data_record.idempotency_key), self.clock.now
        if old is not None and not old.expiry_timestamp < int(now):
            lease = old.in_progress_expiry_timestamp
            if not (old._status == "INPROGRESS" and lease is not None and lease < int(now * 1000)):
                self._validate_payload(data_payload=data_record, stored_data_record=old)
                raise idempotency_errors.IdempotencyItemAlreadyExistsError(old_data_record=old)
        self.rows[data_record.idempotency_key] = data_record

    def _update_record(self, data_record: Any) -> None:
        self._answer("complete")
        self.rows[data_record.idempotency_key] = data_record

    def _delete_record(self, data_record: Any) -> None:
        self._answer("delete")
        self.rows.pop(data_record.idempotency_key, None)

    def _answer(self, operation: str) -> None:
        if operation == self.fails_at:
            raise Away


def ask_powertools(
    table: IdempotencyTable,
    work: Callable[[], Any],
    *,
    key: Any,
    payload: Any,
    expires_after: float,
    remaining: float,
    must_have_key: bool = True,
) -> Any:
    """One request under `idempotent_function`; `payload` None is not compared, `remaining` is in seconds."""
    config = IdempotencyConfig(
        event_key_jmespath="key",
        payload_validation_jmespath="" if payload is None else "payload",
        raise_on_no_idempotency_key=must_have_key,
        expires_after_seconds=expires_after,  # type: ignore[arg-type]
    )
    config.register_lambda_context(SimpleNamespace(get_remaining_time_in_millis=lambda: int(remaining * 1000)))  # type: ignore[arg-type]
    table = IdempotencyTable(table.clock, table.rows, table.fails_at)  # its settings are the first request's for ever

    def done(request: dict[str, Any]) -> Any:
        return work()

    guarded = idempotent_function(done, data_keyword_argument="request", config=config, persistence_store=table)
    return guarded(request={"key": key, "payload": payload})
