"""From what happened to what is charged: every row of a trace that AWS would put on a bill, as units of a price.

Time is the weak point. A handler's calls take 2 to 8 ms here and a cold start what a seed draws, but code that only
computes takes no time at all, so the time of a local run is a lower bound; `floor` is the least that an invocation is
taken for (seconds; AWS's own least is 1 ms). What is asked without an answer (empty polls) is no row of a trace: it is
in `facts`, by the month.
Sources: AWS's pricing pages; AWS Compute Blog, "AWS Lambda standardizes billing for INIT Phase" (2025): a cold start is
charged; SQS developer guide: one request per call, of up to ten messages and 64 KB; DynamoDB developer guide: Lambda's
reads of a stream are free; EventBridge pricing: deliveries within an account are free; Step Functions pricing: every
step that is executed, retries too. Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Iterable, Iterator, Mapping
from math import ceil

from orderlab.cloud.trace import Row

from .facts import Facts
from .meter import KB, Units, Unmetered
from .repeats import repeats
from .usage import Usage, Use, collect

AWS_LEAST = 0.001  # seconds: Lambda rounds up to a millisecond
UNCHARGED = {"INVALID_API_KEY", "MISSING_AUTHENTICATION_TOKEN", "QUOTA_EXCEEDED", "THROTTLED"}  # gateway responses
OUTBOX = "Relay"  # the function that is there for the outbox alone
TABLES = {"BreakerTable": "breaker", "NotificationsTable": "idempotency", "LedgerTable": "idempotency"}
FRAME = 26  # bytes that CloudWatch Logs adds to each event, as its PutLogEvents counts them
PLATFORM = 600  # bytes of Lambda's own lines of an invocation (platform.start, platform.report) in JSON: about
NOT_DONE = {"not done"}  # the error of a call that was never made
PATTERNS = {
    "front door": "requests to the API",
    "work": "what functions do once, if all goes well",
    "outbox": "Relay: every event is published from the row that carries it",
    "bus": "events published, and archived for a replay",
    "queues": "messages sent, received and deleted",
    "polls": "looks into empty queues",
    "idempotency": "the tables that remember what was done",
    "breaker": "the breaker's record, read before and after each charge",
    "retries": "what was done again",
    "saga": "the state machine's steps",
    "watching": "logs, traces, alarms and dashboards",
    "cache": "the price cache, by the hour",
}


def from_trace(rows: Iterable[Row], facts: Facts, metered: Mapping[int, Units], floor: float = AWS_LEAST) -> Usage:
    """All that AWS would charge for these rows. `metered` has the units of calls, as `meter.metered` notes them.

    Raises Unmetered for a call to DynamoDB or EventBridge that no meter has heard.
    """
    rows = list(rows)
    again = repeats(rows, facts.names)
    return collect(
        use
        for part in (
            gateway(rows),
            functions(rows, facts.memory, again, floor),
            calls(rows, facts, metered, again),
            messages(rows, facts),
            steps(rows),
            logs(rows),
            traced(rows, facts),
        )
        for use in part
    )


def gateway(rows: Iterable[Row]) -> Iterator[tuple[Use, float]]:
    """Requests to the API, less those that it refuses for a key or a limit, which are free."""
    use = Use("api-request", "API", "front door")
    for row in rows:
        if row.actor == "gateway" and row.kind == "request":
            yield use, 1.0
        elif row.actor == "gateway" and row.kind == "response" and row.detail.get("type") in UNCHARGED:
            yield use, -1.0


def functions(
    rows: Iterable[Row], memory: Mapping[str, int], again: Mapping[str, float] | None = None, floor: float = AWS_LEAST
) -> Iterator[tuple[Use, float]]:
    """Invocations and their GB-seconds, cold starts included, in whole milliseconds. `memory`: MB by logical id."""
    for row in rows:
        if row.kind not in ("end", "error") or row.actor not in memory:
            continue
        seconds = max(floor, ceil(round(row.detail["seconds"] * 1000, 6)) / 1000, AWS_LEAST)
        share = (again or {}).get(row.detail["request"], 0.0)
        pattern = "outbox" if row.actor == OUTBOX else "work"
        for name, part in (("retries", share), (pattern, 1.0 - share)):
            if part:
                yield Use("invocation", row.actor, name), part
                yield Use("duration", row.actor, name), part * seconds * memory[row.actor] / 1024


def calls(
    rows: Iterable[Row], facts: Facts, metered: Mapping[int, Units], again: Mapping[str, float]
) -> Iterator[tuple[Use, float]]:
    """What functions ask of DynamoDB, EventBridge and S3; a throttled call is free, and so is one that never went."""
    rows = list(rows)
    conflicts = {row.detail.get("step") for row in rows if row.kind == "fault" and row.what in ("conflict", "error")}
    throttled = {row.detail.get("step") for row in rows if row.kind == "fault" and row.what == "throttle"}
    for row in rows:
        if row.kind != "call" or row.detail.get("error") in NOT_DONE or row.detail["step"] in throttled:
            continue
        service, _, operation = row.what.partition(".")
        if service == "s3" and operation == "PutObject":
            units: Units = {"object-put": 1.0}
        elif service == "dynamodb" or row.what == "eventbridge.PutEvents":
            if row.detail["step"] in conflicts:
                units = {"row-write": 2.0} if operation.startswith("Transact") else {}
            elif row.n not in metered:
                raise Unmetered(f"row {row.n}, {row.what}, was not metered: play the day within meter.metered(cloud)")
            else:
                units = metered[row.n]
        else:
            continue
        share = 1.0 if row.detail["step"] in conflicts else again.get(row.detail["request"], 0.0)
        pattern = "bus" if service == "eventbridge" else _of_table(row.detail.get("table", ""), facts)
        for price, count in units.items():
            yield Use(price, row.actor, "retries"), count * share
            yield Use(price, row.actor, pattern), count * (1.0 - share)


def messages(rows: Iterable[Row], facts: Facts) -> Iterator[tuple[Use, float]]:
    """SQS: a request for each message that EventBridge sends, for each batch received, and for each batch deleted."""
    deleted: dict[tuple[str, float], int] = {}
    for row in rows:
        queue = facts.queues.get(row.actor, row.actor)
        if row.kind == "send":
            yield Use("sqs-request", queue, "queues"), 1.0
        elif row.kind == "receive":
            share = sum(count > 1 for count in row.detail["receives"]) / len(row.detail["receives"])
            yield Use("sqs-request", queue, "retries"), share
            yield Use("sqs-request", queue, "queues"), 1.0 - share
        elif row.kind == "delete" and "count" not in row.detail:
            deleted[queue, row.at] = deleted.get((queue, row.at), 0) + 1
    for (queue, _), count in deleted.items():
        yield Use("sqs-request", queue, "queues"), float(ceil(count / 10))


def steps(rows: Iterable[Row]) -> Iterator[tuple[Use, float]]:
    """Step Functions: each step that is entered, and each retry of one."""
    for row in rows:
        if row.kind == "state":
            then = row.detail.get("then")
            if then is None:
                yield Use("transition", row.actor, "saga"), 1.0
            elif str(then).startswith("again"):
                yield Use("transition", row.actor, "retries"), 1.0


def logs(rows: Iterable[Row]) -> Iterator[tuple[Use, float]]:
    """Log lines, and Lambda's own lines about each invocation."""
    for row in rows:
        if row.kind == "log":
            yield Use("log", row.actor, "watching"), (len(row.what.encode()) + FRAME) / KB**3
        elif row.kind in ("end", "error"):
            yield Use("log", row.actor, "watching"), PLATFORM / KB**3


def traced(rows: Iterable[Row], facts: Facts) -> Iterator[tuple[Use, float]]:
    """X-Ray: a trace begins at the API and at each batch of a stream, where functions are traced; all are recorded.

    So the most that it can be: above one trace a second X-Ray's default rule records one in twenty.
    """
    for row in rows:
        begins = row.kind == "invoke" and (row.what == "from gateway" or row.what.endswith("Mapping"))
        if begins and row.actor in facts.traced:
            yield Use("trace", row.actor, "watching"), 1.0


def _of_table(physical: str, facts: Facts) -> str:
    """The pattern that a call to these tables serves."""
    found = {facts.tables.get(name, "") for name in physical.split(",")}
    return next((TABLES[name] for name in sorted(found) if name in TABLES), "work")
