"""Throttling and quotas: how fast, and how often, a stage answers a client.

Each limit is a token bucket: it holds `burst` requests and gains `rate` of them a second; an empty one answers 429 "Too
Many Requests". They are looked at in this order: the usage plan's, for each key, the stage's for each method, the
account's 10,000 a second with bursts of 5,000. A quota counts a key's requests of a day, week (from Sunday) or month in
UTC; beyond it the answer is 429 "Limit Exceeded".
Source: API Gateway developer guide, api-gateway-request-throttling, api-gateway-api-usage-plans.
Departures: for AWS these are targets on a best-effort basis, which it may overshoot for a while and asks not to rely
on for cost or protection; here they hold to the request. Not documented, so ours: they come after the key and before
validation, a throttled request does not count in the quota, `/*` gives every method a bucket of its own.

Taught in notebooks/02_the_front_door.ipynb.
"""

import time
from typing import Any

from . import plans, responses
from .exchange import Call
from .responses import Refusal


class Throttle:
    """The buckets and counts of one API's stage."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Full buckets, and nothing counted."""
        self._tokens: dict[Any, tuple[float, float]] = {}  # bucket to its tokens and when they were counted
        self._counts: dict[tuple[str, str], int] = {}  # key id and period to requests

    def check(self, call: Call) -> Refusal | None:
        """Why this request gets no further now; one that gets further is counted."""
        assert call.method is not None
        api, place = call.api, f"/{call.method.path.strip('/')}/{call.method.verb}"
        key = api.keys[call.key] if call.key is not None else ""
        plan = api.plans.get(key)
        for bucket, limit, whose in (
            (("key", key), plan.limit if plan else None, f"usage plan {plan.id if plan else ''}"),
            (place, api.limits.get(place) or api.limits.get("*/*"), f"stage {api.stage}"),
            ("account", plans.ACCOUNT_LIMIT, "account"),
        ):
            if limit is not None and not self._take(bucket, limit, call.at):
                return responses.THROTTLED.because(whose)
        if plan is not None and plan.quota is not None:
            most, period = plan.quota
            counted = (key, _period(period, call.at))
            if self._counts.get(counted, 0) >= most:
                return responses.QUOTA
            self._counts[counted] = self._counts.get(counted, 0) + 1
        return None

    def _take(self, bucket: Any, limit: plans.Limit, now: float) -> bool:
        rate, burst = limit
        tokens, counted = self._tokens.get(bucket, (burst, now))
        tokens = min(burst, tokens + (now - counted) * rate)
        enough = tokens >= 1 - 1e-4  # 0.05 s at 20 requests/s are one request, whatever the floats say
        self._tokens[bucket] = (tokens - 1 if enough else tokens, now)
        return enough


def _period(period: str, at: float) -> str:
    if period == "WEEK":
        return f"week {(int(at) // 86_400 + 4) // 7}"  # day 0 was a Thursday
    return time.strftime("%Y-%m-%d" if period == "DAY" else "%Y-%m", time.gmtime(at))
