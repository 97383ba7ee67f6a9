"""Usage plans and the stage's settings: which API keys work, and what is allowed to whom, as the template describes it.

An API key works only if it is Enabled (it is not by default) and a UsagePlanKey puts it into a usage plan of the stage.
Source: CloudFormation reference, AWS::ApiGateway::UsagePlan, UsagePlanKey, ApiKey and Stage MethodSetting.
Refused by name: a plan's limits of single methods, a quota's Offset, caching.

Taught in notebooks/02_the_front_door.ipynb.
"""

import string
from dataclasses import dataclass
from random import Random
from typing import Any

from ..stack.resources import Stack
from ..stack.template import TemplateError
from ..wire.answers import NotYet

ACCOUNT_LIMIT = (10_000.0, 5_000.0)  # requests/s, requests
Limit = tuple[float, float]


@dataclass(frozen=True)
class Plan:
    """A usage plan on this stage."""

    id: str
    limit: Limit | None
    quota: tuple[int, str] | None  # requests, period


def by_key(stack: Stack, api_id: str, stage: str) -> dict[str, Plan]:
    """The usage plan of each API key's id. Raises NotYet for settings that are not covered."""
    plans = {}
    for plan in stack.of_type("AWS::ApiGateway::UsagePlan"):
        name, quota = plan.logical_id, plan.properties.get("Quota") or {}
        for served in plan.properties.get("ApiStages") or []:
            if (served.get("ApiId"), served.get("Stage")) != (api_id, stage):
                continue
            if served.get("Throttle"):
                raise NotYet(f"{name} limits single methods; the local cloud limits a plan as a whole")
            if int(quota.get("Offset", 0)):
                raise NotYet(f"{name} has a quota with an Offset; a period starts at its natural start here")
            limit = _limit(plan.properties.get("Throttle") or {}, "RateLimit", "BurstLimit")
            plans[plan.physical_id] = Plan(name, limit, (int(quota["Limit"]), quota["Period"]) if quota else None)
    links = [link.properties for link in stack.of_type("AWS::ApiGateway::UsagePlanKey")]
    return {link["KeyId"]: plans[link["UsagePlanId"]] for link in links if link["UsagePlanId"] in plans}


def keys(stack: Stack, plans: dict[str, Plan], rng: Random) -> dict[str, str]:
    """The keys that work, value to id. `rng` makes the values that the template leaves open."""
    return {
        key.properties.get("Value") or "".join(rng.choices(string.ascii_letters + string.digits, k=40)): key.physical_id
        for key in stack.of_type("AWS::ApiGateway::ApiKey")
        if is_true(key.properties.get("Enabled")) and key.physical_id in plans
    }


def stage_limits(stack: Stack) -> dict[str, Limit]:
    """The stage's limits by "/path/VERB", and by "*/*" for all other methods. Raises NotYet and TemplateError."""
    limits = {}
    for stage in stack.of_type("AWS::ApiGateway::Stage"):
        for settings in stage.properties.get("MethodSettings") or []:
            path, verb = settings["ResourcePath"].replace("~1", "/").strip("/"), settings["HttpMethod"]
            if is_true(settings.get("CachingEnabled")):
                raise NotYet(f"{stage.logical_id} caches {path}/{verb}; the local cloud has no cache of responses")
            if "*" in path + verb and (path, verb) != ("*", "*"):
                place = f"/{path}/{verb}"
                raise TemplateError(f"{stage.logical_id}: {place} is neither one method nor all of them, which is /*/*")
            limit = _limit(settings, "ThrottlingRateLimit", "ThrottlingBurstLimit")
            if limit is not None:
                limits["*/*" if path == "*" else f"/{path}/{verb}"] = limit
    return limits


def is_true(value: Any) -> bool:
    """CloudFormation takes true and "true"."""
    return str(value).lower() == "true"


def _limit(settings: dict[str, Any], rate: str, burst: str) -> Limit | None:
    """A rate without a burst, or a burst without a rate, is bounded by the account's."""
    told = [float(settings.get(name, -1)) for name in (rate, burst)]
    if max(told) < 0:
        return None
    return (told[0] if told[0] >= 0 else ACCOUNT_LIMIT[0], told[1] if told[1] >= 0 else ACCOUNT_LIMIT[1])
