"""The article's timestamp: the time of day in UTC, which does not say so.

Its readers make two times of it: boto3 takes a time without a zone for UTC, Python for local time (and refuses to
compare it with one that has a zone). In Lambda local time is UTC, so there all is well. Mended to local time, without a
zone again, boto3 is wrong instead. The shipped way, orders.events.timestamp, writes the zone. `datetime.utcnow`, which
the article calls, is deprecated since Python 3.12; this says the same. Source: botocore 1.44.5, utils.
Taught in notebooks/03_the_bus.ipynb
"""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from botocore.utils import parse_to_aware_datetime


def timestamp(now: float, zone: tzinfo | None = UTC) -> str:
    """`now`, in seconds since the epoch, as `datetime.utcnow()` says it; `datetime.now()` for a zone or (None) here."""
    return datetime.fromtimestamp(now, zone).replace(tzinfo=None).isoformat()


@dataclass(frozen=True)
class Reading:
    """By how many seconds boto3, and a consumer in Python, take a timestamp for later than it was."""

    boto3: float
    python: float


def reading(text: str, now: float, zone: tzinfo | None = None) -> Reading:
    """How the timestamp `text` of the moment `now` is taken on a machine in `zone` or (None) here."""
    at = datetime.fromisoformat(text)
    local = at if at.tzinfo or zone is None else at.replace(tzinfo=zone)
    return Reading(parse_to_aware_datetime(text).timestamp() - now, local.timestamp() - now)
