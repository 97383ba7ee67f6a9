"""A local cloud as a deployed system: for a rehearsal, the same commands on its API, its clients and its virtual time.

The API is asked over loopback HTTP. Whoever waits lets the virtual world go on, so a minute costs a moment.
Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .door import Door, sender
from .site import Site

if TYPE_CHECKING:
    from orderlab.cloud import Cloud


@contextmanager
def deployed(cloud: "Cloud", on_aws: bool = False) -> Iterator[Site]:
    """The site of this cloud. `on_aws`: as if it were one, for which a yes is asked."""

    def clock() -> float:
        return cloud.now

    with cloud.serve() as url:
        door = Door(url, cloud.api_key, clock, sender(url))
        told = {"Saga": "choreography", "NamePrefix": "orderlab"}
        yield Site(
            cloud.client, cloud.outputs, door, told, "orderlab", "this machine", on_aws, cloud.advance, clock, clock
        )
