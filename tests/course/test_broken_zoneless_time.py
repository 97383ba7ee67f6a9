"""The article's timestamp: its two readers disagree outside UTC, and a text that names its zone is read alike."""

import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from orderlab.course.broken.zoneless_time import Reading, reading, timestamp
from orderlab.orders import events

NOW = 1767603600.0  # 2026-01-05T09:00:00Z
ZONES = {  # as POSIX says it, which needs no database of zones: its sign is the other way round
    "UTC0": UTC,
    "CET-1": timezone(timedelta(hours=1)),
    "EST5": timezone(timedelta(hours=-5)),
    "IST-5:30": timezone(timedelta(hours=5, minutes=30)),
}
LATE = {"UTC0": 0.0, "CET-1": -3600.0, "EST5": 18000.0, "IST-5:30": -19800.0}


@pytest.fixture(params=ZONES)
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """This very machine in another zone. Windows has no tzset: there the zone is an argument, as in the test above."""
    if not hasattr(time, "tzset"):
        pytest.skip("this system cannot change its zone in a running process")
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(scope="module")
def sent() -> Callable[[Any], float]:
    """A function from a value to the Time that boto3 puts on the wire for it: seconds since the epoch."""
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "endpoint_url": "http://127.0.0.1:9"}
    client: Any = boto3.client("events", "us-east-1", **keys)
    bodies: list[bytes] = []

    def respond(request: Any, **_: Any) -> AWSResponse:
        bodies.append(request.body)
        return AWSResponse(request.url, 200, {}, SimpleNamespace(stream=lambda: iter([b'{"Entries": []}'])))

    def send(value: Any) -> float:
        client.put_events(Entries=[{"Source": "s", "DetailType": "t", "Detail": "{}", "Time": value}])
        return float(json.loads(bodies.pop())["Entries"][0]["Time"])

    client.meta.events.register("before-send.events", respond)
    return send


@pytest.mark.parametrize("name", ZONES)
def test_its_readers_disagree_by_the_distance_from_utc(name: str) -> None:
    """In New York a new order is five hours from now, in Berlin an hour old; boto3 sees nothing of it."""
    assert reading(timestamp(NOW), NOW, ZONES[name]) == Reading(0.0, LATE[name])


@pytest.mark.parametrize("name", ZONES)
def test_local_time_without_a_zone_moves_the_error_to_boto3(name: str) -> None:
    """The usual mend, `datetime.now()`."""
    assert reading(timestamp(NOW, ZONES[name]), NOW, ZONES[name]) == Reading(0.0 - LATE[name], 0.0)


@pytest.mark.parametrize("name", ZONES)
def test_the_shipped_timestamp_is_read_alike_everywhere(name: str) -> None:
    """It says +00:00."""
    assert reading(events.timestamp(NOW), NOW, ZONES[name]) == Reading(0.0, 0.0)


def test_on_a_machine_in_that_zone_it_is_the_same(machine: str) -> None:
    """With the zone of the process instead of an argument; and our text is what `datetime.utcnow()` writes."""
    assert reading(timestamp(NOW), NOW) == Reading(0.0, LATE[machine])
    assert reading(timestamp(NOW, None), NOW) == Reading(0.0 - LATE[machine], 0.0)
    assert reading(events.timestamp(NOW), NOW) == Reading(0.0, 0.0)
    assert os.environ["TZ"] == machine


def test_what_boto3_puts_on_the_wire_is_what_is_said_of_it(machine: str, sent: Callable[[Any], float]) -> None:
    """For a text and for a datetime alike, through the real client, in each zone."""
    for text in (timestamp(NOW), timestamp(NOW, None), events.timestamp(NOW)):
        for value in (text, datetime.fromisoformat(text)):
            assert sent(value) - NOW == reading(text, NOW).boto3


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
def test_the_snippet_says_what_utcnow_says() -> None:
    """Without its deprecation warning; `datetime.now()` likewise."""
    for ask, text in ((datetime.utcnow, timestamp), (datetime.now, lambda now: timestamp(now, None))):
        before, said, after = time.time(), ask().isoformat(timespec="microseconds"), time.time()
        assert text(before)[:19] <= said[:19] <= text(after)[:19]
        assert datetime.fromisoformat(said).tzinfo is None


def test_it_cannot_be_compared_with_a_time_that_has_its_zone() -> None:
    """So a consumer that is careful itself fails on it; the shipped text is fine."""
    now = datetime.fromtimestamp(NOW, UTC)
    with pytest.raises(TypeError, match="offset-naive and offset-aware"):
        assert datetime.fromisoformat(timestamp(NOW)) <= now
    assert datetime.fromisoformat(events.timestamp(NOW)) <= now
