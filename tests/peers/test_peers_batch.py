"""Powertools' batch processors and ours on the same batches: the same answers but for the differences named here."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from peers_powertools import (
    BatchProcessor,
    EventType,
    Failed,
    SqsFifoPartialProcessor,
    batch_errors,
    process_partial_response,
)

from orderlab.patterns.batch import BatchProcessingError, process

THEIRS: dict[str, Callable[[], Any]] = {
    "standard": lambda: BatchProcessor(EventType.SQS),
    "fifo": SqsFifoPartialProcessor,
    "fifo-by-group": lambda: SqsFifoPartialProcessor(skip_group_on_error=True),
    "stream": lambda: BatchProcessor(EventType.DynamoDBStreams),
}


def messages(groups: list[str | None]) -> dict[str, Any]:
    """A batch of SQS, one message for each group."""
    return {
        "Records": [
            {"messageId": f"m{n}", "body": str(n), "attributes": {"MessageGroupId": group} if group else {}}
            for n, group in enumerate(groups)
        ]
    }


def changes(size: int) -> dict[str, Any]:
    """A batch of a stream."""
    return {"Records": [{"eventID": str(n), "dynamodb": {"SequenceNumber": str(100 + n)}} for n in range(size)]}


def number(record: Any) -> int:
    """Which of the batch it is."""
    return int(record["body"]) if "body" in record else int(record["dynamodb"]["SequenceNumber"]) - 100


def run(event: dict[str, Any], fails: set[int], mode: str, ours: bool) -> tuple[Any, list[int]]:
    """The answer, or "raised" with how many errors; and for which records the handler was called."""
    called: list[int] = []

    def handle(record: Any) -> None:
        called.append(number(record))
        if called[-1] in fails:
            raise Failed

    try:
        if ours:
            return process(event, handle, mode=mode), called  # type: ignore[arg-type]
        return process_partial_response(event, handle, THEIRS[mode](), None), called  # type: ignore[arg-type]
    except (BatchProcessingError, batch_errors.BatchProcessingError) as error:
        return f"raised {type(error).__name__}", called


def test_they_agree_on_random_batches() -> None:
    """Messages with and without groups, any of which fail, in all three modes of SQS."""
    raised = 0
    for seed in range(1500):
        rng = random.Random(seed)
        groups = [rng.choice(["A", "B", "C", None]) for _ in range(rng.randint(1, 10))]
        fails = {n for n in range(len(groups)) if rng.random() < rng.choice([0.1, 0.5, 1.0])}
        mode = rng.choice(["standard", "fifo", "fifo-by-group"])
        theirs, ours = run(messages(groups), fails, mode, False), run(messages(groups), fails, mode, True)
        assert theirs == ours, f"seed {seed}: {mode}, {groups}, {fails}"
        raised += ours[0] == "raised BatchProcessingError"
    assert 100 < raised < 1400


def test_a_stream_is_answered_with_one_number_and_nothing_is_tried_after_it() -> None:
    """Theirs goes on and names each failure; AWS reads on from the lowest, so that is work done twice."""
    assert run(changes(4), {1, 3}, "stream", False) == (
        {"batchItemFailures": [{"itemIdentifier": "101"}, {"itemIdentifier": "103"}]},
        [0, 1, 2, 3],
    )
    assert run(changes(4), {1, 3}, "stream", True) == ({"batchItemFailures": [{"itemIdentifier": "101"}]}, [0, 1])


def test_a_stream_that_fails_whole_raises_there_and_not_here() -> None:
    """To Lambda it is the same: the batch comes back."""
    assert run(changes(2), {0, 1}, "stream", False)[0] == "raised BatchProcessingError"
    assert run(changes(2), {0, 1}, "stream", True)[0] == {"batchItemFailures": [{"itemIdentifier": "100"}]}


def test_an_empty_batch_is_an_error_there_and_a_success_here() -> None:
    """Lambda sends none."""
    assert run({"Records": []}, set(), "standard", False)[0] == "raised UnexpectedBatchTypeError"
    assert run({"Records": []}, set(), "standard", True)[0] == {"batchItemFailures": []}


def test_a_record_without_an_id_is_given_back_without_one_there_and_is_an_error_here() -> None:
    """An empty id makes AWS take the whole batch back, without a word of why."""
    event = messages([None, None])
    event["Records"][0]["messageId"] = ""
    assert run(event, {0}, "standard", False)[0] == {"batchItemFailures": [{"itemIdentifier": ""}]}
    with pytest.raises(ValueError, match="a record has neither messageId nor a sequence number"):
        run(event, {0}, "standard", True)


def test_fifo_is_read_from_the_queues_name_here() -> None:
    """There it is a class that is chosen, or forgotten; ours takes it from the ARN unless told otherwise."""
    event = messages(["A", "A", "A"])
    for record in event["Records"]:
        record["eventSourceARN"] = "arn:aws:sqs:us-east-1:123456789012:orders.fifo"
    assert len(run(event, {0, 1}, "standard", False)[0]["batchItemFailures"]) == 2

    def handle(record: Any) -> None:
        if number(record) == 1:
            raise Failed

    assert process(event, handle) == {"batchItemFailures": [{"itemIdentifier": "m1"}, {"itemIdentifier": "m2"}]}
