"""The whole order system on the local cloud, made once for a file of tests and reset by each."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from orderlab.ops.audit.books import books_of
from orderlab.ops.audit.findings import Expected
from orderlab.ops.audit.verdict import Audit, audit
from orderlab.ops.days.play import turn_knob, write_rows

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Shop:
    """A cloud with a shop in it, and the few things that a test does with one."""

    cloud: Any
    opening: dict[str, int]

    def knob(self, **values: float) -> None:
        """Set the stand-in provider's knob."""
        turn_knob(self.cloud.client, self.cloud.outputs, **values)

    def order(self, key: str, items: dict[str, int], customer: str = "C-1", **more: Any) -> Any:
        """Place an order and return the response."""
        body = {"customerId": customer, "items": [{"sku": sku, "quantity": n} for sku, n in items.items()]}
        headers = {"Content-Type": "application/json", "x-api-key": self.cloud.api_key, "Idempotency-Key": key}
        return self.cloud.request("POST", "/orders", body=body, headers=headers | more)

    def audit(self, *accepted: str, poison: tuple[str, ...] = ()) -> Audit:
        """The books, judged."""
        return audit(books_of(self.cloud), Expected(self.opening, accepted, poison))

    def bodies(self, queue: str) -> list[str]:
        """What lies in a queue, by its logical id."""
        return [message.body for message in self.cloud.queues.messages(self.cloud.outputs[f"{queue}Url"])]

    def calls(self, function: str, call: str) -> int:
        """How many times a function made a call to AWS."""
        return sum(row.what == call for row in self.cloud.trace.select("call", actor=function))

    def statuses(self, ids: Iterable[str]) -> set[str]:
        """The statuses that these orders have."""
        orders = books_of(self.cloud).orders
        return {orders[order_id]["ORDER"]["status"] for order_id in ids}

    def part(self, order_id: str, part: str = "ORDER") -> dict[str, Any]:
        """One row of an order, as plain values."""
        return books_of(self.cloud).orders.get(order_id, {}).get(part, {})


@pytest.fixture(scope="module")
def whole() -> Iterator[Any]:
    """The cloud of a whole file of tests."""
    from orderlab.cloud import Cloud

    with Cloud() as cloud:
        yield cloud


@pytest.fixture
def shop(whole: Any) -> Callable[..., Shop]:
    """`shop(opening, prices, seed=, faults=)` opens a shop on a cloud that is as new."""

    def open(opening: dict[str, int], prices: dict[str, int], *, seed: int = 0, faults: Any = None) -> Shop:
        whole.reset(seed=seed, faults=faults)
        tables, outputs = whole.client("dynamodb"), whole.outputs
        catalogue = [{"sku": {"S": s}, "price": {"N": str(p)}, "name": {"S": s}} for s, p in prices.items()]
        write_rows(tables, outputs["CatalogueTableName"], catalogue)
        stock = [{"sku": {"S": s}, "onHand": {"N": str(n)}} for s, n in opening.items()]
        write_rows(tables, outputs["StockTableName"], stock)
        return Shop(whole, opening)

    return open


@pytest.fixture
def mutated(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """`mutated(module, old, new, more)` opens a cloud whose deployment package has that change (and one more) in it."""
    from orderlab.cloud import Cloud

    opened: list[Any] = []

    def make(module: str, old: str, new: str, more: tuple[str, str, str] | None = None) -> Any:
        copytree(ROOT / "infra", tmp_path / "infra")
        for room in ("orders", "patterns"):
            copytree(ROOT / "orderlab" / room, tmp_path / "orderlab" / room)
        (tmp_path / "orderlab" / "__init__.py").write_bytes((ROOT / "orderlab" / "__init__.py").read_bytes())
        for name, before, after in [(module, old, new), *([more] if more else [])]:
            path = tmp_path / "orderlab" / name
            source = path.read_text(encoding="utf-8")
            assert source.count(before) == 1, f"{name} has changed: plant the bug anew"
            path.write_text(source.replace(before, after), encoding="utf-8")
        opened.append(Cloud(template=tmp_path / "infra" / "template.yaml"))
        return opened[-1]

    yield make
    for cloud in opened:
        cloud.close()
