"""Partial batch responses: Powertools' answers, what AWS makes of them, and the clock that runs out."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderlab.patterns.batch import BatchProcessingError, identifier, mode_of, process

MODES = {"standard": "standard", "fifo": "fifo", "fifo_skip_group": "fifo-by-group"}
QUEUE = "arn:aws:sqs:us-east-1:123456789012:orders"


def batch(size: int, groups: list[str] | None = None) -> dict[str, Any]:
    """An event with messages m0, m1, …, as SQS sends them."""
    records = [{"messageId": f"m{n}", "body": str(n), "eventSource": "aws:sqs", "attributes": {}} for n in range(size)]
    for record, group in zip(records, groups or [], strict=False):
        record["attributes"]["MessageGroupId"] = group
    return {"Records": records}


def stream(size: int) -> dict[str, Any]:
    """An event of a DynamoDB stream with sequence numbers 100, 101, …"""
    return {"Records": [{"eventID": f"e{n}", "dynamodb": {"SequenceNumber": str(100 + n)}} for n in range(size)]}


class Handler:
    """Fails for some, and remembers for which it was called."""

    def __init__(self, fails_for: set[int] | list[int] = ()) -> None:
        self.fails_for, self.called_for = fails_for, []

    def __call__(self, record: dict[str, Any]) -> None:
        """Handle a record."""
        number = int(record["body"]) if "body" in record else int(record["dynamodb"]["SequenceNumber"]) - 100
        self.called_for.append(number)
        if number in self.fails_for:
            raise ValueError(f"number {number}")


def kept(answer: dict[str, Any]) -> list[str]:
    """The ids in an answer, which must have the one right shape."""
    assert list(answer) == ["batchItemFailures"]
    assert all(list(item) == ["itemIdentifier"] for item in answer["batchItemFailures"])
    return [item["itemIdentifier"] for item in answer["batchItemFailures"]]


def test_it_agrees_with_powertools_on_every_batch(vectors):
    """The answer or the error, and for which records the handler was called, in all three modes."""
    for row in vectors("batch_responses.json"):
        handler = Handler(row["handler_fails_for"])
        seen: dict[str, Any] = {}
        try:
            seen["response"] = process(batch(row["n"], row["groups"]), handler, mode=MODES[row["mode"]])
        except BatchProcessingError as error:
            seen["raises"] = type(error).__name__
        assert seen == row["expected"], f"row {row['id']}"
        assert handler.called_for == row["handler_called_for"], f"row {row['id']}"


def test_what_it_answers_deletes_exactly_what_succeeded(vectors):
    """Read back by AWS's own rules for the answer: no row's meaning is "the whole batch" by accident."""
    facts = vectors("aws_semantics.json")["sqs_esm_partial_batch"]
    meaning = {
        tuple(item["itemIdentifier"] for item in case["response"]["batchItemFailures"]): case["deleted"]
        for case in facts["cases"]
        if (case.get("response") or {}).get("batchItemFailures") is not None
        and case.get("report_batch_item_failures_enabled", True)
        and all("itemIdentifier" in item for item in case["response"]["batchItemFailures"])
    }
    event = {"Records": [{"messageId": name, "body": str(n)} for n, name in enumerate(facts["batch"])]}
    for fails_for, deleted in (([], facts["batch"]), ([1], ["m1", "m3"])):
        assert meaning[tuple(kept(process(event, Handler(fails_for))))] == deleted


def test_an_empty_batch_is_a_success():
    """Nothing failed, so nothing is raised either."""
    assert process({"Records": []}, Handler()) == {"batchItemFailures": []}


def test_when_all_fail_the_errors_come_along():
    """As an exception group, so that a log shows each with its traceback."""
    with pytest.raises(BatchProcessingError, match="all 3 records of the batch failed") as raised:
        process(batch(3), Handler([0, 1, 2]))
    assert [str(error) for error in raised.value.exceptions] == ["number 0", "number 1", "number 2"]
    assert all(error.__traceback__ for error in raised.value.exceptions)


def test_the_hook_is_told_each_failure_and_its_error():
    """Those that raised, not those that were never tried."""
    told = []
    answer = process(
        batch(5), Handler([1, 3]), mode="fifo", on_failure=lambda record, error: told.append((record, error))
    )
    assert kept(answer) == ["m1", "m2", "m3", "m4"]
    assert [(record["messageId"], str(error)) for record, error in told] == [("m1", "number 1")]


def test_a_stream_is_answered_with_the_one_number_to_go_on_from():
    """The first failure, by its sequence number, even when it is the first record: that repeats the whole batch."""
    for fails_for, expected, called in (([2, 4], ["102"], [0, 1, 2]), ([0], ["100"], [0]), ([], [], [0, 1, 2, 3, 4])):
        handler = Handler(fails_for)
        assert kept(process(stream(5), handler)) == expected
        assert handler.called_for == called


def test_a_stream_read_as_standard_reports_every_failure_as_powertools_would():
    """AWS goes on from the lowest, so what came after it is repeated."""
    assert kept(process(stream(4), Handler([1, 3]), mode="standard")) == ["101", "103"]


def test_the_mode_is_the_one_that_the_records_call_for():
    """A FIFO queue by its ARN: treating it as a standard one would lose its order. A group alone is no FIFO queue."""
    assert mode_of([]) == "standard"
    for arn, mode in ((QUEUE, "standard"), (QUEUE + ".fifo", "fifo")):
        event = batch(4, ["a", "b", "a", "b"])
        for record in event["Records"]:
            record["eventSourceARN"] = arn
        assert mode_of(event["Records"]) == mode
        assert kept(process(event, Handler([1]))) == (["m1"] if mode == "standard" else ["m1", "m2", "m3"])
    assert mode_of(stream(1)["Records"]) == "stream"
    assert mode_of([{"kinesis": {"sequenceNumber": "7"}}]) == "stream"


def test_a_record_without_a_group_blocks_no_other():
    """In fifo-by-group; as in Powertools."""
    event = batch(4, ["", "a"])
    assert kept(process(event, Handler([0, 1]), mode="fifo-by-group")) == ["m0", "m1"]


class Clock:
    """Seconds that are left; each record takes three."""

    def __init__(self, left: float) -> None:
        self.left = left

    def __call__(self) -> float:
        """Left."""
        return self.left

    def work(self, record: dict[str, Any]) -> None:
        """Three seconds of it."""
        self.left -= 3


@pytest.mark.parametrize("mode", ["standard", "fifo", "fifo-by-group"])
def test_no_record_is_begun_with_less_time_than_the_reserve(mode):
    """10 s left, 3 s each, reserve 3 s: three are done, the fourth would begin with 1 s."""
    clock = Clock(10)
    answer = process(batch(5, list("abcde")), clock.work, mode=mode, remaining=clock, reserve=3.0)
    assert kept(answer) == ["m3", "m4"]
    assert clock.left == 1


def test_exactly_the_reserve_is_enough():
    """Less than, not less or equal."""
    clock = Clock(6)
    assert kept(process(batch(3), clock.work, remaining=clock, reserve=3.0)) == ["m2"]


def test_a_stream_goes_on_from_the_first_record_that_was_not_begun():
    """So nothing is skipped."""
    clock = Clock(7)
    assert kept(process(stream(5), clock.work, remaining=clock, reserve=3.0)) == ["102"]


@pytest.mark.parametrize("left", [0.0, 3.5])
def test_a_shortage_of_time_never_raises(left):
    """Not when nothing was begun, and not when the one that was begun failed."""

    def fail(record: dict[str, Any]) -> None:
        clock.left -= 3
        raise ValueError

    clock = Clock(left)
    assert kept(process(batch(3), fail, remaining=clock, reserve=3.0)) == ["m0", "m1", "m2"]


def test_what_kills_the_invocation_is_no_failed_record():
    """SystemExit and the like end it, and Lambda keeps the whole batch."""

    def exit_at_once(record: dict[str, Any]) -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        process(batch(2), exit_at_once)


@pytest.mark.parametrize("event", [{}, {"Records": None}, {"Records": "m1"}, [], None, {"detail": {}}])
def test_an_event_without_records_is_refused(event):
    """Probably the wrong trigger, and the error says so."""
    with pytest.raises(ValueError, match="the event has no list of Records"):
        process(event, Handler())


@pytest.mark.parametrize("record", [{"body": "0"}, {"body": "0", "messageId": ""}, {"body": "0", "messageId": None}])
def test_a_failed_record_without_an_id_is_an_error_not_an_empty_id(record):
    """An empty id would fail the whole batch anyway, without a word."""
    with pytest.raises(ValueError, match="neither messageId nor a sequence number"):
        process({"Records": [*batch(1)["Records"], record]}, lambda r: 1 / (r is not record))


def test_ids_can_be_found_by_the_caller():
    """For sources that this module does not know."""
    event = {"Records": [{"body": "0", "offset": 7}, {"body": "1", "offset": 8}]}
    assert kept(process(event, Handler([1]), identify=lambda record: str(record["offset"]))) == ["8"]
    assert identifier({"kinesis": {"sequenceNumber": "495"}}) == "495"


def test_an_unknown_mode_is_refused():
    """By name."""
    with pytest.raises(ValueError, match="mode is standard, fifo, fifo-by-group, stream or None, got 'lifo'"):
        process(batch(1), Handler(), mode="lifo")


@given(
    st.lists(st.tuples(st.sampled_from(["", "A", "B"]), st.booleans()), max_size=12),
    st.sampled_from(["standard", "fifo", "fifo-by-group", "stream"]),
    st.integers(0, 14),
)
def test_it_agrees_with_a_ten_line_model(records, mode, begun_at_most):
    """Which records are tried, which come back, and when it raises, for any failures, groups and time."""
    tried, back, stopped = [], [], False
    for number, (group, fails) in enumerate(records):
        blocked = {
            "fifo": bool(back),
            "stream": bool(back),
            "fifo-by-group": group in {records[n][0] for n in back} - {""},
        }
        stopped = stopped or (len(tried) >= begun_at_most and not (mode in ("fifo", "stream") and back))
        if stopped or blocked.get(mode, False):
            back.append(number)
        else:
            tried.append(number)
            back += [number] if fails else []
    failing = {number for number, (_, fails) in enumerate(records) if fails}
    handler = Handler(failing)
    event = batch(len(records), [group for group, _ in records])
    try:
        seen = kept(process(event, handler, mode=mode, remaining=lambda: begun_at_most - len(handler.called_for) - 0.5))
    except BatchProcessingError:
        seen = "raised"
    all_failed = bool(back) and len(back) == len(records) and not stopped and mode != "stream"
    assert seen == ("raised" if all_failed else [f"m{n}" for n in (back[:1] if mode == "stream" else back)])
    assert handler.called_for == tried
