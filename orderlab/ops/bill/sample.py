"""The day that stands behind an estimate: a hundred plausible orders on the local cloud, saved as units of each price.

A deploy shows its estimate in a moment, and it must not open a local cloud, which hides credentials for good. So the
day is played beforehand and kept in infra/usage.json; a test plays it again and holds the file equal to it.
The day is a small shop's: an order every few minutes of 13 articles on average, messages that come alone rather than in
tens, a cold start now and then; nobody's card is declined and nothing fails. It is dear for an order, not cheap.
Taught in notebooks/12_ship_it.ipynb
"""

import json
from collections.abc import Mapping
from dataclasses import replace

from orderlab.cloud.trace import Row

from ..described import INFRA
from .facts import Facts
from .facts import read as read_facts
from .meter import metered
from .trace import from_trace
from .usage import Usage, Use

FILE = INFRA / "usage.json"
ORDERS, SEED = 100, 7
SAGAS = ("choreography", "orchestration")
ROWS = 3.0  # KB that an order leaves in the tables, DynamoDB's own 100 bytes a row included: a test measures it
ACCESS = 300  # bytes of a line of the access log, about
FLOOR = 0.05  # seconds that each invocation is taken for at least: on AWS Python code takes time, here it takes none


def sample(saga: str) -> Usage:
    """What ORDERS orders used, from the file. Raises KeyError for a saga that is none."""
    rows = json.loads(FILE.read_text(encoding="utf-8"))["usage"][saga]
    return Usage({Use(*row[:3]): float(row[3]) for row in rows})


def told(usage: Usage, facts: Facts) -> Usage:
    """The part of it that these facts let happen: traces of functions that are traced."""
    return Usage({use: n for use, n in usage.units.items() if use.price != "trace" or use.who in facts.traced})


def played(saga: str, **trouble: float) -> tuple[Usage, list[Row]]:
    """What ORDERS plausible orders use, played now in some 4 s, and the rows of the trace. `trouble`: see Trouble."""
    from orderlab.cloud import Cloud  # moto takes a second to load

    from ..days.plausible import plausible_day
    from ..days.play import Trouble, play

    facts = read_facts({"Saga": saga})
    facts = replace(facts, traced=frozenset(facts.memory))  # whether a stack is traced is decided when it is priced
    with Cloud(seed=SEED, parameters={"Saga": saga}) as cloud, metered(cloud) as meter:
        play(cloud, plausible_day(ORDERS, SEED), Trouble(**trouble), SEED, lambda text: None)  # type: ignore[arg-type]
    return from_trace(cloud.trace, facts, meter.rows, FLOOR), cloud.trace.rows


def text(days: Mapping[str, Usage]) -> str:
    """The file, of the days by saga."""
    head = {
        "what": f"{ORDERS} plausible orders on the local cloud, seed {SEED}: price, for whom, pattern, units",
        "made by": "python3 -m orderlab cost --refresh",
    }
    lists = [
        f"    {json.dumps(saga)}: [\n"
        + ",\n".join(f"      {json.dumps([*use, round(n, 9)])}" for use, n in day)
        + "\n    ]"
        for saga, day in days.items()
    ]
    heads = ",\n".join(f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in head.items())
    return "{\n" + heads + ',\n  "usage": {\n' + ",\n".join(lists) + "\n  }\n}\n"


def refresh() -> None:
    """Play the days again and write the file."""
    FILE.write_text(text({saga: played(saga)[0] for saga in SAGAS}), encoding="utf-8", newline="\n")
