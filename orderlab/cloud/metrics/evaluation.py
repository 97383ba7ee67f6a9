"""From data points to an alarm's state: M out of N, and what a missing data point counts as.

CloudWatch looks at more periods than the alarm needs (the evaluation range). Of the real data points in it the newest
N are judged; only if there are fewer, missing ones are filled in as TreatMissingData says. If every real one breaches,
and the oldest of them is M periods old or older, `missing` goes to ALARM as well; if it is younger, the next data
point may still be good, and nothing changes.
Source: CloudWatch user guide, alarms-and-missing-data (its two tables are tests); the texts of the reasons as in
alarms' notifications that were published.
Departure: AWS publishes a range of 5 for 3 periods and no rule; here always 2 more.

Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import ge, gt, le, lt

OK, ALARM, INSUFFICIENT = "OK", "ALARM", "INSUFFICIENT_DATA"
EXTRA = 2  # periods of the evaluation range beyond EvaluationPeriods
COMPARISONS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (ge, "greater than or equal to"),
    "GreaterThanThreshold": (gt, "greater than"),
    "LessThanThreshold": (lt, "less than"),
    "LessThanOrEqualToThreshold": (le, "less than or equal to"),
}
_TREATED = {"breaching": "Breaching", "notBreaching": "NonBreaching"}


@dataclass(frozen=True)
class Criterion:
    """What an alarm asks of N periods; `to_alarm` is its DatapointsToAlarm, None when it names none (then all N)."""

    comparison: str
    threshold: float
    periods: int
    to_alarm: int | None = None
    missing: str = "missing"

    @property
    def reach(self) -> int:
        """How many periods it looks back."""
        return self.periods + EXTRA


def judge(test: Criterion, points: list[tuple[float, float | None]]) -> tuple[str, str] | None:
    """The state and its reason; None when the state stays what it is.

    `points` are (start of the period, statistic or None) of the evaluation range, newest first.
    """
    breaches = COMPARISONS[test.comparison][0]
    needed = test.to_alarm or test.periods
    real = [(at, value, age) for age, (at, value) in enumerate(points, 1) if value is not None][: test.periods]
    filled = test.periods - len(real)
    bad = [(at, value) for at, value, _ in real if breaches(value, test.threshold)]
    good = [(at, value) for at, value, _ in real if not breaches(value, test.threshold)]
    if not real and test.missing == "missing":
        return INSUFFICIENT, f"Insufficient Data: {_number(filled, 'unknown')}."
    if not real and test.missing == "ignore":
        return None
    if len(bad) + (filled if test.missing == "breaching" else 0) >= needed:
        return ALARM, _reason(test, bad, filled, needed, ALARM)
    if filled and bad and not good and test.missing in ("missing", "ignore"):
        old_enough = test.missing == "missing" and real[-1][2] >= needed
        return (ALARM, _reason(test, bad, 0, needed, ALARM)) if old_enough else None
    return OK, _reason(test, good, filled, test.periods - needed + 1, OK)


def _reason(test: Criterion, points: list[tuple[float, float]], filled: int, least: int, state: str) -> str:
    """CloudWatch's sentence; an alarm that names DatapointsToAlarm gets the longer one."""
    treated = f"{_number(filled, f'treated as [{_TREATED.get(test.missing)}]', 'missing ')}" if filled else ""
    treated = treated if test.missing in _TREATED else ""
    if not points:
        periods = f"{test.periods} period{'' if test.periods == 1 else 's'}"
        return f"Threshold Crossed: no datapoints were received for {periods} and {treated}."
    n, was = len(points), "was" if len(points) == 1 else "were"
    values = ", ".join(f"{v} ({datetime.fromtimestamp(at, UTC):%d/%m/%y %H:%M:%S})" for at, v in points)
    words = ("" if state == ALARM else "not ") + COMPARISONS[test.comparison][1]
    count = f"{n} datapoint{'' if n == 1 else 's'}"
    end = f" and {treated}" if treated else ""
    if test.to_alarm is not None:
        count = f"{n} out of the last {test.periods} datapoints"
        way = "OK -> ALARM" if state == ALARM else "ALARM -> OK"
        end += f" (minimum {least} datapoint{'' if least == 1 else 's'} for {way} transition)"
    return f"Threshold Crossed: {count} [{values}] {was} {words} the threshold ({test.threshold}){end}."


def _number(n: int, what: str, kind: str = "") -> str:
    return f"{n} {kind}datapoint{' was' if n == 1 else 's were'} {what}"
