"""What the tests of the course share: a cloud in which a day has gone by, with an outage in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from orderlab.course.shop import open_shop, place
from orderlab.ops.play import turn_knob

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
