"""What the tests of the course share: a cloud in which a day has gone by, with an outage in it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from orderlab.cloud.trace import Trace
from orderlab.course.shop import open_shop, place
from orderlab.ops.days.play import turn_knob

if TYPE_CHECKING:
    from orderlab.cloud import Cloud


@dataclass(frozen=True)
class Played:
    """A closed cloud whose trace stays: one order that went well, four in an outage, one that fails for good."""

    cloud: "Cloud"
    fine: str
    troubled: list[str]
    declined: str
    down: tuple[float, float]


@pytest.fixture(scope="session")
def played() -> Iterator[Played]:
    """The day, played once for all tests that only read it."""
    from orderlab.cloud import Cloud

    with Cloud(seed=0) as cloud:
        open_shop(cloud)
        fine = place(cloud, "fine", {"mug": 2}).json()["orderId"]
        cloud.run()
        turn_knob(cloud.client, cloud.outputs, declineRate=1.0)
        declined = place(cloud, "declined", {"lamp": 1}).json()["orderId"]
        cloud.run()
        down = (cloud.now, cloud.now + 300.0)
        turn_knob(cloud.client, cloud.outputs, declineRate=0.0, downUntil=down[1])
        troubled = []
        for n in range(4):
            troubled.append(place(cloud, f"troubled-{n}", {"mug": 1}).json()["orderId"])
            cloud.advance(20)
        cloud.run()
    yield Played(cloud, fine, troubled, declined, down)


@pytest.fixture(scope="session")
def given_up() -> "Iterator[tuple[Cloud, str, float]]":
    """A closed cloud in which an order was given up after an hour's outage, when that was, and then brought home."""
    from orderlab.cloud import Cloud

    with Cloud(seed=0) as cloud:
        open_shop(cloud)
        turn_knob(cloud.client, cloud.outputs, downUntil=cloud.now + 3600)
        order_id = place(cloud, "dead", {"mug": 1}).json()["orderId"]
        cloud.run()
        moment = cloud.now
        cloud.advance(3600)
        queues, url = cloud.client("sqs"), cloud.outputs["PaymentDeadQueueUrl"]
        arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        queues.start_message_move_task(SourceArn=arn)
        cloud.run()
    yield cloud, order_id, moment


@pytest.fixture(scope="session")
def earlier() -> "Callable[[Cloud, float], Any]":
    """A function from a cloud to what it was at an earlier moment: rows are only ever added to a trace."""

    def at(cloud: "Cloud", moment: float) -> Any:
        trace = Trace(lambda: moment)
        trace.rows = [row for row in cloud.trace if row.at <= moment]
        return SimpleNamespace(trace=trace, now=moment, seed=cloud.seed, stack=cloud.stack)

    return at
