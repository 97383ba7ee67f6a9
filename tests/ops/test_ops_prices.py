"""Prices and limits are dated data in one file: each with a page of AWS's, and read as what it is."""

import json
from datetime import date

import pytest

from orderlab.course import charges
from orderlab.ops.prices import FILE, Limit, Price, price, read


def test_every_figure_has_a_page_of_aws_and_a_name_of_its_own() -> None:
    """And the file has a date."""
    data = json.loads(FILE.read_text(encoding="utf-8"))
    every = [*data["prices"], *data["limits"]]
    assert date.fromisoformat(data["as of"]) <= date.today()
    assert len({each["id"] for each in every}) == len(every) == len(read().prices) + len(read().limits)
    for each in every:
        assert each["source"].startswith(("https://aws.amazon.com/", "https://docs.aws.amazon.com/")), each["id"]
        assert each.get("price", each.get("value")) > 0, each["id"]


def test_a_price_is_for_so_many_units() -> None:
    """2,500,000 requests at 3.50 for a million; and each is written as a bill would."""
    requests = Price("r", "API Gateway", "request", 3.5, 1_000_000, "requests", "")
    assert requests.of(2_500_000) == pytest.approx(8.75)
    assert str(requests) == "$3.50 per 1,000,000 requests"
    assert str(Price("w", "DynamoDB", "write", 0.625, 1_000_000, "units", "")) == "$0.625 per 1,000,000 units"
    assert str(Price("d", "Lambda", "duration", 0.0000133334, 1, "GB-seconds", "")) == "$0.0000133334 per GB-second"
    assert str(Limit("w", "SQS", "wait", 120_000, "messages", "")) == "120,000 messages"


def test_what_is_not_there_is_refused_by_name() -> None:
    """The error lists what there is; a limit is no price."""
    with pytest.raises(KeyError, match="no price and no limit is called 'lambda'; there are api-request"):
        price("lambda")
    with pytest.raises(KeyError, match="'sqs-retention' is a limit"):
        price("sqs-retention")
    with pytest.raises(KeyError, match="nothing"):
        charges("nothing")


def test_a_lesson_prints_a_table_with_its_date() -> None:
    """A line for each figure, in the order that was asked for."""
    lines = repr(charges("sqs-request", "sqs-retention")).splitlines()
    assert lines[0] == f"AWS's list prices and limits, us-east-1, as of {read().as_of}; they change."
    assert [line.split()[0] for line in lines[1:]] == ["SQS", "SQS"]
    assert lines[2].endswith("14 days")
