"""Throttling, quotas and API keys of the gateway, in virtual time."""

from collections.abc import Callable
from typing import Any

import pytest

from orderlab.cloud.gateway import plans
from orderlab.cloud.gateway.service import Gateway, Request, Response
from orderlab.cloud.scheduler import Scheduler
from orderlab.cloud.stack.resources import Resource, Stack
from orderlab.cloud.stack.template import TemplateError
from orderlab.cloud.trace import Trace
from orderlab.cloud.wire.answers import NotYet

MONDAY = 1_767_603_600.0  # 2026-01-05T09:00:00Z
DAY = 86_400.0
THROTTLED = (429, "Too Many Requests", "TooManyRequestsException")
OVER = (429, "Limit Exceeded", "LimitExceededException")


class Door:
    """GET and POST /orders and GET / that answer 200 by themselves; keys `one` and `two` in one usage plan."""

    def __init__(
        self, plan: Any = None, settings: Any = (), methods: Any = None, needs_key: bool = True, more: Any = ()
    ) -> None:
        self.scheduler = Scheduler(MONDAY, 0)
        self.trace = Trace(lambda: self.scheduler.now)
        integration = {"Type": "AWS", "Uri": "arn:aws:apigateway:us-east-1:dynamodb:action/GetItem",
                       "IntegrationHttpMethod": "POST", "Credentials": "arn:role"}  # fmt: skip
        answer = {"Integration": {**integration, "IntegrationResponses": [{"StatusCode": "200"}]},
                  "MethodResponses": [{"StatusCode": "200"}], "ApiKeyRequired": needs_key}  # fmt: skip
        stages = [{"ApiId": "api1", "Stage": "live", **({"Throttle": methods} if methods else {})}]
        made = [
            Resource("Api", "AWS::ApiGateway::RestApi", "api1", {}),
            Resource("Part", "AWS::ApiGateway::Resource", "Part", {"ParentId": "root", "PathPart": "orders"}),
            *(
                Resource(
                    f"{verb}{part}", "AWS::ApiGateway::Method", "", {"ResourceId": part, "HttpMethod": verb, **answer}
                )
                for verb, part in (("GET", "Part"), ("POST", "Part"), ("GET", "root"))
            ),
            Resource(
                "Stage", "AWS::ApiGateway::Stage", "live", {"StageName": "live", "MethodSettings": list(settings)}
            ),
            Resource("Plan", "AWS::ApiGateway::UsagePlan", "Plan", {"ApiStages": stages, **(plan or {})}),
        ]
        for key in ("one", "two"):
            link = {"KeyId": key, "KeyType": "API_KEY", "UsagePlanId": "Plan"}
            made.append(Resource(f"L{key}", "AWS::ApiGateway::UsagePlanKey", f"L{key}", link))
            made.append(Resource(key, "AWS::ApiGateway::ApiKey", key, {"Enabled": True, "Value": key * 10}))
        made += [Resource(name, f"AWS::ApiGateway::{kind}", name, what) for name, kind, what in more]
        stack = Stack(resources={resource.logical_id: resource for resource in made})
        self.gateway = Gateway(self.scheduler, self.trace, None, stack, lambda *_: (200, "{}"))  # type: ignore[arg-type]

    def at(self, seconds: float, count: int = 1, key: str = "one", verb: str = "GET", path: str = "/orders") -> int:
        """How many of `count` requests that arrive together, so many seconds after Monday, are answered 200."""
        responses: list[Response] = []
        for _ in range(count):
            request = Request.of(verb, path, headers={"x-api-key": key * 10})
            self.scheduler.at(
                MONDAY + seconds,
                lambda asked=request: self.gateway._arrive(self.gateway.api, asked, responses.append),  # type: ignore[arg-type,misc]
            )
        self.scheduler.run(MONDAY + seconds)
        self.scheduler.wait(lambda: len(responses) == count)
        refused = {(r.status, r.json()["message"], r.headers["x-amzn-ErrorType"]) for r in responses if r.status != 200}
        self.refused = next(iter(refused), None)
        assert len(refused) < 2
        return sum(response.status == 200 for response in responses)


def setting(path: str, verb: str, rate: float, burst: int) -> dict[str, Any]:
    return {"ResourcePath": path, "HttpMethod": verb, "ThrottlingRateLimit": rate, "ThrottlingBurstLimit": burst}


def test_a_bucket_holds_its_burst_and_gains_its_rate() -> None:
    """A burst of 5 at once, then 2 a second, never more than 5."""
    door = Door({"Throttle": {"RateLimit": 2, "BurstLimit": 5}})
    assert (door.at(0, 8), door.refused) == (5, THROTTLED)
    assert [door.at(t) for t in (0.4, 0.5, 0.6, 1.0, 1.0)] == [0, 1, 0, 1, 0]
    assert door.at(100, 9) == 5
    assert {row.detail["reason"] for row in door.trace.select("response") if row.what == "429"} == {"usage plan Plan"}


def test_a_steady_client_at_the_rate_is_never_throttled() -> None:
    """Whatever the floats of a large clock say: 300 requests at exactly 20 a second through a bucket of one."""
    door = Door({"Throttle": {"RateLimit": 20, "BurstLimit": 1}})
    assert sum(door.at(n * 0.05) for n in range(300)) == 300


def test_each_key_has_its_own_bucket_and_quota() -> None:
    """A usage plan limits each client, not all of them together."""
    door = Door({"Throttle": {"RateLimit": 1, "BurstLimit": 2}, "Quota": {"Limit": 3, "Period": "DAY"}})
    assert [door.at(0, 3, key) for key in ("one", "two")] == [2, 2]
    assert [door.at(60, 2, key) for key in ("one", "two")] == [1, 1]
    assert door.refused == OVER


def test_a_stage_limits_each_method_whoever_calls() -> None:
    """/* is for every method a bucket of its own; one method may have another setting."""
    door = Door(settings=[setting("/*", "*", 1, 3), setting("/~1orders", "POST", 1, 1)])
    assert [door.at(0, 5), door.at(0, 5, "two")] == [3, 0]
    assert door.at(0, 5, verb="POST") == 1
    assert door.at(0, 5, path="/") == 3
    assert {row.detail.get("reason", "stage live") for row in door.trace.select("response")} == {"stage live"}


def test_a_limit_of_zero_closes_a_method() -> None:
    """How an operator takes one out of service."""
    door = Door(settings=[setting("/orders", "GET", 0, 0)])
    assert [door.at(0), door.at(1000), door.at(1000, verb="POST")] == [0, 0, 1]


def test_without_limits_there_is_the_accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    """10,000 a second and bursts of 5,000 for all methods together; here less."""
    assert plans.ACCOUNT_LIMIT == (10_000, 5_000)
    monkeypatch.setattr(plans, "ACCOUNT_LIMIT", (1.0, 50.0))
    door = Door(needs_key=False)
    assert (door.at(0, 30), door.at(0, 30, path="/"), door.refused) == (30, 20, THROTTLED)


def test_a_method_without_key_is_in_no_plan() -> None:
    """Sending a key changes nothing."""
    door = Door(
        {"Throttle": {"RateLimit": 1, "BurstLimit": 1}, "Quota": {"Limit": 1, "Period": "DAY"}}, needs_key=False
    )
    assert door.at(0, 5) == 5


@pytest.mark.parametrize(
    ("period", "same", "next"),
    [("DAY", 14.9, 15.1), ("WEEK", 6 * 24 - 9.1, 6 * 24 - 8.9), ("MONTH", 26 * 24 + 14.9, 26 * 24 + 15.1)],
)
def test_a_quota_is_full_again_with_its_period_in_utc(period: str, same: float, next: float) -> None:
    """From Monday 5 January, 9 in the morning: midnight, Sunday's midnight, 1 February. Hours."""
    door = Door({"Quota": {"Limit": 2, "Period": period}})
    assert (door.at(0, 3), door.refused) == (2, OVER)
    assert [door.at(same * 3600), door.at(next * 3600, 3)] == [0, 2]


def test_a_week_goes_on_over_the_turn_of_the_year() -> None:
    """From Sunday 27 December 2026 to Saturday 2 January 2027."""
    door = Door({"Quota": {"Limit": 1, "Period": "WEEK"}})
    sunday = 356 * DAY - 9 * 3600
    assert [door.at(sunday + day * DAY) for day in (-0.1, 0, 1, 5, 6.9, 7)] == [1, 1, 0, 0, 0, 1]


def test_a_throttled_request_does_not_count_in_the_quota() -> None:
    """Ours: AWS does not say."""
    door = Door({"Throttle": {"RateLimit": 1, "BurstLimit": 1}, "Quota": {"Limit": 2, "Period": "DAY"}})
    assert [door.at(0, 10), door.at(60), door.at(120)] == [1, 1, 0]
    assert door.refused == OVER


def test_the_key_comes_before_the_limits_and_validation_after_them() -> None:
    """A wrong key takes no token; a request that is throttled is not validated."""
    door = Door(settings=[setting("/*", "*", 1, 1)])
    assert door.at(0, 5, "three") == 0
    assert door.refused == (403, "Forbidden", "ForbiddenException")
    assert [door.at(0), door.at(0)] == [1, 0]
    assert door.refused == THROTTLED


def test_gateway_responses_change_what_the_client_is_told() -> None:
    """THROTTLED and QUOTA_EXCEEDED are types of their own."""
    changed = ("Slow", "GatewayResponse", {"ResponseType": "THROTTLED", "StatusCode": "503"})
    quota = ("Quota", "GatewayResponse", {"ResponseType": "QUOTA_EXCEEDED", "StatusCode": "402"})
    plan = {"Throttle": {"RateLimit": 1, "BurstLimit": 1}, "Quota": {"Limit": 1, "Period": "DAY"}}
    door = Door(plan, more=[changed, quota])
    door.at(0, 2)
    assert door.refused == (503, "Too Many Requests", "TooManyRequestsException")
    door.at(9)
    assert door.refused == (402, "Limit Exceeded", "LimitExceededException")


@pytest.mark.parametrize(
    ("arguments", "error", "name"),
    [
        ({"plan": {"Quota": {"Limit": 1, "Period": "DAY", "Offset": 1}}}, NotYet, "Plan has a quota with an Offset"),
        ({"methods": {"/orders/GET": {"RateLimit": 1}}}, NotYet, "Plan limits single methods"),
        ({"settings": [{**setting("/*", "*", 1, 1), "CachingEnabled": True}]}, NotYet, "Stage caches"),
        ({"settings": [setting("/*", "GET", 1, 1)]}, TemplateError, r"Stage: /\*/GET is neither"),
    ],
)
def test_settings_that_are_not_covered_stop_the_cloud_by_name(
    arguments: dict[str, Any], error: type[Exception], name: str
) -> None:
    """One clear error when it is made."""
    with pytest.raises(error, match=name):
        Door(**arguments)


API = """
Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: api}}
Get:
  Type: AWS::ApiGateway::Method
  Properties:
    RestApiId: !Ref Api
    ResourceId: !GetAtt Api.RootResourceId
    HttpMethod: GET
    AuthorizationType: NONE
    Integration:
      Type: AWS
      IntegrationHttpMethod: POST
      Uri: arn:aws:apigateway:us-east-1:dynamodb:action/ListTables
      Credentials: arn:aws:iam::123456789012:role/any
      IntegrationResponses: [{StatusCode: 200}]
    MethodResponses: [{StatusCode: 200}]
Deployment: {Type: AWS::ApiGateway::Deployment, DependsOn: Get, Properties: {RestApiId: !Ref Api}}
Stage:
  Type: AWS::ApiGateway::Stage
  Properties:
    RestApiId: !Ref Api
    DeploymentId: !Ref Deployment
    StageName: live
    MethodSettings: [{ResourcePath: "/*", HttpMethod: "*", ThrottlingRateLimit: 1, ThrottlingBurstLimit: 2}]
"""


def test_a_reset_cloud_has_full_buckets_and_the_same_history(world: Callable[..., Any]) -> None:
    """Row for row as a new one."""
    cloud = world("", API)
    stories = []
    for _ in range(2):
        assert [cloud.request("GET", "/").status for _ in range(3)] == [200, 200, 429]
        stories.append(cloud.trace.text())
        cloud.reset()
    assert stories[0] == stories[1]
