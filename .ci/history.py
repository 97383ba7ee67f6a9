"""Print a troubled day's history as hashes: every row of the trace, and the books, for both sagas and some seeds.

The same seed gives the same bytes, on every Python that the course supports and whatever PYTHONHASHSEED is: versions.py
compares what this prints. Every kind of fault strikes, the provider fails and declines, a message is poison, alarms go
off, and the day's events are replayed. With --rows it prints the rows themselves, for whoever looks for a difference.
Usage: history.py [--rows] [SEED ...]
"""

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from orderlab.cloud import Cloud, Faults  # noqa: E402
from orderlab.ops.audit.books import Letter, books_of  # noqa: E402
from orderlab.ops.days.play import put_poison, turn_knob, write_rows  # noqa: E402

SAGAS = ("choreography", "orchestration")
SEEDS = (0, 1, 2)
OPENING = {"mug": 9, "lamp": 3}
PRICES = {"mug": 700, "lamp": 100_000}
FAULTS: dict[str, dict[str, Any]] = {
    "duplicate": {"rate": 0.2},
    "reorder": {"rate": 0.2},
    "delay": {"rate": 0.1, "seconds": 7.0},
    "crash-before": {"rate": 0.02},
    "crash-after": {"rate": 0.02},
    "lost-response": {"rate": 0.02},
    "throttle": {"rate": 0.03},
    "conflict": {"rate": 0.05},
    "error": {"rate": 0.02},
    "slow": {"rate": 0.1, "seconds": 0.4},
    "put-events": {"rate": 0.1},
    "cold-start": {"rate": 0.1},
    "clock-skew": {"rate": 0.3, "seconds": 2.5},
}


def main(arguments: list[str]) -> int:
    """Print one line a day, or with --rows every row of every day."""
    rows, seeds = arguments[:1] == ["--rows"], arguments[arguments[:1] == ["--rows"] :]
    if not all(seed.isdecimal() for seed in seeds):
        print("usage: history.py [--rows] [SEED ...]", file=sys.stderr)
        return 2
    for name, told in days(seeds=tuple(map(int, seeds)) or SEEDS):
        text = "\n".join(told)
        print(text if rows else f"{name}: {len(told)} lines, sha256 {hashlib.sha256(text.encode()).hexdigest()}")
    return 0


def days(sagas: tuple[str, ...] = SAGAS, seeds: tuple[int, ...] = SEEDS) -> Iterator[tuple[str, list[str]]]:
    """Each day's name and its history, line by line."""
    for saga in sagas:
        with Cloud(parameters={"Saga": saga}) as cloud:
            for seed in seeds:
                play(cloud, seed)
                yield f"{saga} {seed}", lines(cloud)


def play(cloud: Cloud, seed: int) -> None:
    """The troubled day, to its end and an hour more, and the replay of all its events."""
    faults = Faults(seed)
    for kind, how in FAULTS.items():
        faults.at_rate(kind, **how)
    cloud.reset(seed=seed, faults=faults)
    begin, tables, outputs = cloud.now, cloud.client("dynamodb"), cloud.outputs
    write_rows(tables, outputs["CatalogueTableName"],
               [{"sku": {"S": s}, "price": {"N": str(p)}, "name": {"S": s}} for s, p in PRICES.items()])  # fmt: skip
    write_rows(tables, outputs["StockTableName"],
               [{"sku": {"S": s}, "onHand": {"N": str(n)}} for s, n in OPENING.items()])  # fmt: skip
    turn_knob(cloud.client, outputs, declineRate=0.3, errorRate=0.1, latency=0.2, downUntil=begin + 20)
    for n in range(8):
        body = {"customerId": f"C-{n % 3}", "items": [{"sku": ("mug", "lamp")[n % 3 == 1], "quantity": 1 + n % 2}]}
        headers = {"content-type": "application/json", "x-api-key": cloud.api_key, "idempotency-key": f"k{n}"}
        for again in (0.0, 1.7):  # a client that asks twice
            cloud.request_at(begin + 0.3 * n + again, "POST", "/orders", body=json.dumps(body), headers=headers)
    put_poison(cloud.client, outputs, [f"ORD-{'0' * 20}"], "2026-01-05T09:00:00+00:00")
    cloud.run()
    cloud.advance(3_600)
    cloud.faults.stop()
    events, bus = cloud.client("events"), cloud.stack.resources["Bus"].arn
    archive = events.describe_archive(ArchiveName=cloud.stack.resources["Archive"].physical_id)["ArchiveArn"]
    events.start_replay(
        ReplayName="again", EventSourceArn=archive, EventStartTime=begin, EventEndTime=cloud.now + 1,
        Destination={"Arn": bus},
    )  # fmt: skip
    cloud.run()
    cloud.advance(600)


def lines(cloud: Cloud) -> list[str]:
    """Every row of the trace, every detail as repr has it, and then the books."""
    rows = [f"{row.n} {row.at!r} {row.kind} {row.actor} {row.what} {row.detail!r}" for row in cloud.trace]
    return rows + [f"{name} {_ordered(value)!r}" for name, value in vars(books_of(cloud)).items()]


def _ordered(value: Any) -> Any:
    """A set has no order that could be compared; everything else keeps its own."""
    if isinstance(value, Letter):
        return [value.queue, sorted(value.orders), sorted(value.types), value.text]
    if isinstance(value, tuple):
        return [_ordered(one) for one in value]
    return sorted(value) if isinstance(value, frozenset) else value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
