"""What an open breaker saved, from the trace: charges that were not tried while the provider was down.

Each charge asks the breaker first, by reading its record. A read that no request to the provider follows is a charge
that the breaker refused. What it saved is at least one failed attempt: the provider's invocation, and the time in which
its caller waits for it, which is billed too. What the breaker costs, its reads and writes, is the pattern "breaker".
Taught in notebooks/12_ship_it.ipynb
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from orderlab.cloud.trace import Row

from .facts import Facts
from .trace import functions
from .usage import Usage, collect

PROVIDER, TABLE = "PaymentProvider", "BreakerTable"
# A charge that was let pass: read, perhaps take the probe, invoke the provider, read, perhaps write what came of it.
_ASKED = re.compile("GP?IG?P?")


@dataclass(frozen=True)
class Saved:
    """Charges that an open breaker refused, attempts that failed although it let them pass, and what one of those used.

    `usage` is `refused` times that: what the breaker saved at least.
    """

    refused: int
    failed: int
    attempt: Usage

    @property
    def usage(self) -> Usage:
        """What so many attempts would have used."""
        return self.attempt * self.refused


def saved(rows: Iterable[Row], facts: Facts) -> Saved:
    """Count the refusals, and average over the failed attempts of the same trace; without one, nothing is known."""
    rows = list(rows)
    spelt: defaultdict[str, list[str]] = defaultdict(list)  # request id -> what it did with breaker and provider
    caller = ""
    for row in rows:
        if row.kind == "call" and facts.tables.get(row.detail.get("table", "")) == TABLE:
            spelt[row.detail["request"]].append("P" if row.what.endswith("PutItem") else "G")
        elif row.kind == "call" and row.what == "lambda.Invoke" and row.detail.get("error") != "not done":
            spelt[row.detail["request"]].append("I")
            caller = caller or row.actor
    refused = sum(_ASKED.sub("", "".join(calls)).count("G") for calls in spelt.values())
    bad = [row for row in rows if row.kind == "error" and row.actor == PROVIDER]
    if not bad or not caller:
        return Saved(refused, len(bad), Usage())
    spent = collect(functions(bad, facts.memory))
    waiting = collect((use._replace(who=caller), units) for use, units in spent if use.price == "duration")
    return Saved(refused, len(bad), (spent + waiting) * (1 / len(bad)))
