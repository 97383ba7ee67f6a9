"""Some of the batch failed: give back only those.

AWS Lambda hands an SQS batch to one invocation and deletes all of it when that ends well, none of it when it raises.
With `ReportBatchItemFailures` on the mapping, the answer `{"batchItemFailures": [{"itemIdentifier": id}, ...]}` keeps
the listed messages and deletes the rest. An id that is not in the batch, an empty one or a wrong key fails the whole
batch; with the flag off the answer is ignored and everything is deleted. A FIFO queue needs back all that follow a
failure too, or order is lost. A stream is read on from the lowest sequence number in the answer, so one is enough.
Answers and errors for queues are those of Powertools for AWS Lambda 3.37. Different here: a stream stops at its first
failure; a FIFO queue is known by its ARN; an empty batch is a success; a record without an id is an error.

Source: Lambda Developer Guide, "Handling errors for an SQS event source"; for streams, "Configuring partial batch
response with DynamoDB and Lambda". Taught in notebooks/05_some_of_them_failed.ipynb.
"""

from collections.abc import Callable
from typing import Any, Literal

Record = dict[str, Any]
Mode = Literal["standard", "fifo", "fifo-by-group", "stream"]


class BatchProcessingError(ExceptionGroup[Exception]):
    """Every record failed, so the invocation fails too, for its metric and alarm. `exceptions` has what they raised."""


def process(
    event: dict[str, Any],
    handler: Callable[[Record], Any],
    *,
    mode: Mode | None = None,
    remaining: Callable[[], float] | None = None,
    reserve: float = 0.0,
    identify: Callable[[Record], str] | None = None,
    on_failure: Callable[[Record, Exception], None] | None = None,
) -> dict[str, list[dict[str, str]]]:
    """Call `handler` for each record, in order, and answer Lambda which of them to keep: those that raised.

    mode        "standard"       every record is tried
                "fifo"           nothing is tried after a failure: that record and all after it are kept
                "fifo-by-group"  nothing of the same message group is tried after a failure of it
                "stream"         nothing is tried after a failure, and only its sequence number is answered
                None             as the records say: see `mode_of`
    remaining   seconds that the invocation has left: no record is begun with less than `reserve` of them; what was
                not begun is kept. (A time-out would bring back the whole batch, done or not.)
    identify    a record's id; `identifier` unless given
    on_failure  is told each record that raised, and its error

    Raises BatchProcessingError when all records failed (never for want of time, and not for streams, where it would
    change nothing), and ValueError for an event without records or a record without an id.
    """
    records = _records(event)
    mode = mode or mode_of(records)
    if mode not in ("standard", "fifo", "fifo-by-group", "stream"):
        raise ValueError(f"mode is standard, fifo, fifo-by-group, stream or None, got {mode!r}")
    kept: list[Record] = []
    errors: list[Exception] = []
    failed_groups: set[str] = set()
    in_time = True
    for number, record in enumerate(records):
        if remaining is not None and remaining() < reserve:
            in_time = False
            kept += records[number:]
            break
        if failed_groups and _group(record) in failed_groups:
            kept.append(record)
            continue
        try:
            handler(record)
        except Exception as error:
            errors.append(error)
            kept.append(record)
            if on_failure is not None:
                on_failure(record, error)
            if mode == "fifo-by-group":
                failed_groups |= {_group(record)} - {""}
            elif mode != "standard":
                kept += records[number + 1 :]
                break
    if mode == "stream":
        kept = kept[:1]
    elif in_time and errors and len(kept) == len(records):
        raise BatchProcessingError(f"all {len(records)} records of the batch failed", errors)
    return {"batchItemFailures": [{"itemIdentifier": (identify or identifier)(record)} for record in kept]}


def mode_of(records: list[Record]) -> Mode:
    """What the first record says: a queue whose ARN ends in .fifo is "fifo", a stream "stream", else "standard"."""
    if not records:
        return "standard"
    if "dynamodb" in records[0] or "kinesis" in records[0]:
        return "stream"
    return "fifo" if str(records[0].get("eventSourceARN", "")).endswith(".fifo") else "standard"


def identifier(record: Record) -> str:
    """The id that Lambda knows a record by: messageId (SQS) or sequence number (DynamoDB, Kinesis). ValueError."""
    for found in (
        record.get("messageId"),
        record.get("dynamodb", {}).get("SequenceNumber"),
        record.get("kinesis", {}).get("sequenceNumber"),
    ):
        if found:
            return str(found)
    raise ValueError("a record has neither messageId nor a sequence number: without its id it cannot be given back")


def _group(record: Record) -> str:
    return str(record.get("attributes", {}).get("MessageGroupId") or "")


def _records(event: dict[str, Any]) -> list[Record]:
    records = event.get("Records") if isinstance(event, dict) else None
    if not isinstance(records, list):
        raise ValueError("the event has no list of Records: is this function's trigger a queue or a stream?")
    return records
