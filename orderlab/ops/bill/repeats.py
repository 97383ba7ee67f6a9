"""Which invocations of a trace were done again: redelivered messages, retried events, records, steps and requests.

A retry policy has a price, and this finds what it buys. An invocation for a batch counts by the share of its messages
that were received before; one that a service tries again counts whole.
Taught in notebooks/12_ship_it.ipynb
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from orderlab.cloud.trace import Row

SOON = 1e-6  # seconds: a retry that was announced for this instant


def repeats(rows: Iterable[Row], functions: Mapping[str, str]) -> dict[str, float]:
    """The share of each invocation that is a repetition, 0 to 1, by request id. `functions`: name -> logical id."""
    found: dict[str, float] = {}
    receives: dict[str, int] = {}  # message id -> how often it was received
    due: defaultdict[str, list[float]] = defaultdict(list)  # logical id -> when it is invoked again
    records: Counter[str] = Counter()  # stream mapping -> retries announced and not yet seen
    steps: set[str] = set()  # executions of a state machine that are about to try a step again
    asked: defaultdict[str, list[bool]] = defaultdict(list)  # logical id -> is the next request to it a repetition?
    requests: Counter[tuple[str, str]] = Counter()  # (caller's request id, function) -> how often it asked
    for row in rows:
        if row.kind == "receive":
            receives.update(zip(row.detail["ids"], row.detail["receives"], strict=True))
        elif row.kind == "retry" and "records" in row.detail:
            records[row.actor] += 1
        elif row.kind == "retry" and "request" in row.detail:
            due[row.actor].append(row.at + _seconds(row.what))
        elif row.kind == "state" and str(row.detail.get("then", "")).startswith("again"):
            steps.add(row.detail["execution"])
        elif row.kind == "call" and row.what == "lambda.Invoke" and "error" not in row.detail:
            name = functions.get(row.detail.get("function", ""), "")
            again = (row.detail["request"], name)
            asked[name].append(requests[again] > 0)
            requests[again] += 1
        elif row.kind == "invoke":
            found[row.detail["request"]] = _share(row, receives, due, records, steps, asked)
    return found


def _share(
    row: Row,
    receives: Mapping[str, int],
    due: Mapping[str, list[float]],
    records: Counter[str],
    steps: set[str],
    asked: Mapping[str, list[bool]],
) -> float:
    """How much of one invocation is a repetition."""
    source = row.what.removeprefix("from ")
    if "ids" in row.detail:
        ids = row.detail["ids"]
        return sum(receives.get(each, 1) > 1 for each in ids) / len(ids)
    if source == "invoke":
        waiting = asked.get(row.actor)
        return float(waiting.pop(0)) if waiting else 0.0
    if records[source]:
        records[source] -= 1
        return 1.0
    if row.detail.get("execution") in steps:
        steps.discard(row.detail["execution"])
        return 1.0
    for moment in due.get(row.actor, ()):
        if abs(row.at - moment) <= SOON:
            due[row.actor].remove(moment)
            return 1.0
    return 0.0


def _seconds(text: str) -> float:
    """The number in "in 60 s"."""
    return float(text.removeprefix("in ").removesuffix(" s"))
