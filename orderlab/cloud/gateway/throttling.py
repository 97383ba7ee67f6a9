"""Throttling and quotas: how fast, and how often, a stage answers a client.

Each limit is a token bucket: it holds `burst` requests and gains `rate` of them a second; an empty one answers 429 "Too
Many Requests". They are looked at in this order: the usage plan's, for each key (its setting for one method stands in
for the plan's own), the stage's for each method, the account's 10,000 a second with bursts of 5,000. A quota counts a
key's requests of a day, week (from Sunday) or month in UTC; beyond it the answer is 429 "Limit Exceeded".
Source: API Gateway developer guide, api-gateway-request-throttling, api-gateway-api-usage-plans; CloudFormation
reference, AWS::ApiGateway::UsagePlan and Stage MethodSetting.
Departures: for AWS these are targets on a best-effort basis, which it may overshoot for a while and asks not to rely
on for cost or protection; here they hold to the request. Not documented, so ours: they come after the key and before
validation, a throttled request does not count in the quota, `/*` gives every method a bucket of its own.

Taught in notebooks/02_the_front_door.ipynb.
"""

import time
from dataclasses import dataclass
from typing import Any

from ..stack import Stack, TemplateError
from ..wire import NotYet
from . import responses
from .exchange import Call
from .responses import Refusal

ACCOUNT_LIMIT = (10_000.0, 5_000.0)  # requests/s, requests
Limit = tuple[float, float]


@dataclass(frozen=True)
class Plan:
    """A usage plan on this stage. `methods` holds its limits of single methods, by "/path/VERB"."""

    id: str
    limit: Limit | None
    methods: dict[str, Limit]
    quota: tuple[int, str] | None  # requests, period


class Throttle:
    """The buckets and counts of one API's stage. Raises NotYet for settings that are not covered."""

    def __init__(self, stack: Stack, api_id: str, stage: str) -> None:
        self.plans = _plans(stack, api_id, stage)
        self.limits = _stage_limits(stack)
        self.clear()

    def clear(self) -> None:
        """Full buckets, and nothing counted."""
        self._tokens: dict[Any, tuple[float, float]] = {}  # bucket to its tokens and when they were counted
        self._counts: dict[tuple[str, str], int] = {}  # key id and period to requests

    def check(self, call: Call) -> Refusal | None:
        """Why this request gets no further now; one that gets further is counted."""
        assert call.method is not None
        place = f"{call.method.path}/{call.method.verb}"
        key = call.api.keys[call.key] if call.key is not None else None
        plan = self.plans.get(key) if key is not None else None
        if plan is not None:
            own = plan.methods.get(place)
            if not self._take((key, place if own else ""), own or plan.limit, call.at):
                return responses.throttled(f"usage plan {plan.id}")
        if not self._take(place, self.limits.get(place) or self.limits.get("*/*"), call.at):
            return responses.throttled(f"stage {call.api.stage}")
        if not self._take("account", ACCOUNT_LIMIT, call.at):
            return responses.throttled("account")
        if plan is not None and plan.quota is not None:
            most, period = plan.quota
            counted = (str(key), _period(period, call.at))
            if self._counts.get(counted, 0) >= most:
                return responses.QUOTA
            self._counts[counted] = self._counts.get(counted, 0) + 1
        return None

    def _take(self, bucket: Any, limit: Limit | None, now: float) -> bool:
        if limit is None:
            return True
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


def _limit(settings: dict[str, Any], rate: str, burst: str) -> Limit | None:
    """A rate without a burst, or a burst without a rate, is bounded by the account's."""
    told = [float(settings.get(name, -1)) for name in (rate, burst)]
    if max(told) < 0:
        return None
    return (told[0] if told[0] >= 0 else ACCOUNT_LIMIT[0], told[1] if told[1] >= 0 else ACCOUNT_LIMIT[1])


def _plans(stack: Stack, api_id: str, stage: str) -> dict[str, Plan]:
    """The usage plan of each API key's id."""
    plans = {}
    for plan in stack.of_type("AWS::ApiGateway::UsagePlan"):
        served = [s for s in plan.properties.get("ApiStages") or [] if (s["ApiId"], s["Stage"]) == (api_id, stage)]
        for settings in served:
            methods = {
                _place(name): limit
                for name, values in (settings.get("Throttle") or {}).items()
                if (limit := _limit(values, "RateLimit", "BurstLimit")) is not None
            }
            quota = plan.properties.get("Quota")
            if quota and int(quota.get("Offset", 0)):
                raise NotYet(f"{plan.logical_id} has a quota with an Offset; a period starts at its natural start here")
            plans[plan.physical_id] = Plan(
                plan.logical_id,
                _limit(plan.properties.get("Throttle") or {}, "RateLimit", "BurstLimit"),
                methods,
                (int(quota["Limit"]), quota["Period"]) if quota else None,
            )
    keys = [key.properties for key in stack.of_type("AWS::ApiGateway::UsagePlanKey")]
    return {key["KeyId"]: plans[key["UsagePlanId"]] for key in keys if key["UsagePlanId"] in plans}


def _stage_limits(stack: Stack) -> dict[str, Limit]:
    """The stage's limits by "/path/VERB", and by "*/*" for all other methods."""
    limits = {}
    for stage in stack.of_type("AWS::ApiGateway::Stage"):
        for settings in stage.properties.get("MethodSettings") or []:
            place = _place(f"{settings['ResourcePath']}/{settings['HttpMethod']}")
            if settings.get("CachingEnabled") in (True, "true"):
                raise NotYet(f"{stage.logical_id} caches {place}; the local cloud has no cache of responses")
            if "*" in place and place != "/*/*":
                raise TemplateError(f"{stage.logical_id}: {place} is neither one method nor all of them, which is /*/*")
            limit = _limit(settings, "ThrottlingRateLimit", "ThrottlingBurstLimit")
            if limit is not None:
                limits["*/*" if place == "/*/*" else place] = limit
    return limits


def _place(name: str) -> str:
    """ "/~1orders/POST" and "orders/POST" are "/orders/POST"; the root's is "//POST"."""
    path, _, verb = name.replace("~1", "/").rpartition("/")
    return f"/{path.strip('/')}/{verb}"
