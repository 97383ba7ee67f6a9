"""API Gateway: routes, keys, request validation, gateway responses, the proxy event and the proxy answer."""

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from moto.awslambda.policy import Policy

from orderlab.cloud.functions.service import Result
from orderlab.cloud.gateway.models import RequestModels
from orderlab.cloud.gateway.service import Gateway, Pending, Request, Response
from orderlab.cloud.scheduler import Scheduler
from orderlab.cloud.stack.resources import Resource, Stack
from orderlab.cloud.stack.template import TemplateError
from orderlab.cloud.trace import Trace
from orderlab.cloud.wire.answers import NotYet, Refusal

START = 1_767_603_600.0  # 2026-01-05T09:00:00Z
ARN = "arn:aws:lambda:us-east-1:123456789012:function:"
MODELS = "https://apigateway.amazonaws.com/restapis/api1/models/"
OK = {"statusCode": 200, "body": "{}"}
NO_TYPE = "does not match any allowed primitive type"


class FakeFunctions:
    """Answers with `answer` (a payload, a Result, or a function of the event) after `seconds`."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler, self.answer, self.seconds, self.events, self.ended = scheduler, OK, 0.1, [], 0
        self.answer: Any
        self.events: list[dict[str, Any]]
        self.policy = Policy(SimpleNamespace(function_arn=ARN + "place"))  # moto's own

    def resolve(self, name: str) -> SimpleNamespace:
        if not name.endswith("place"):
            raise Refusal("ResourceNotFoundException", name, 404)
        return SimpleNamespace(name="place", arn=ARN + "place", described=SimpleNamespace(policy=self.policy))

    def start(self, name: str, event: Any, done: Callable[[Result], None], *, source: str) -> None:
        assert name == ARN + "place"
        self.events.append(json.loads(json.dumps(event)))
        told = self.answer(event) if callable(self.answer) else self.answer
        result = (
            told if isinstance(told, Result) else Result(payload=told if isinstance(told, str) else json.dumps(told))
        )

        def end() -> None:
            self.ended += 1
            done(result)

        self.scheduler.after(self.seconds, end)


class Front:
    """A gateway over a stack that a test writes down resource by resource."""

    def __init__(self, *resources: tuple[str, str, dict[str, Any]], seed: int = 0) -> None:
        self.scheduler = Scheduler(START, seed)
        self.trace = Trace(lambda: self.scheduler.now)
        self.functions = FakeFunctions(self.scheduler)
        made = {name: Resource(name, f"AWS::{kind}", properties.get("Name", name), properties)
                for name, kind, properties in resources}  # fmt: skip
        for _, kind, properties in resources:
            if kind == "Lambda::Permission":
                self.functions.policy.add_statement(json.dumps(properties))
        self.gateway = Gateway(self.scheduler, self.trace, self.functions, Stack(resources=made))  # type: ignore[arg-type]

    def __call__(self, method: str, path: str, **parts: Any) -> Response:
        return self.gateway.handle(Request.of(method, path, **parts))

    @property
    def event(self) -> dict[str, Any]:
        return self.functions.events[-1]


def api(**properties: Any) -> list[tuple[str, str, dict[str, Any]]]:
    """An API with a stage, and the permission to invoke the function `place`."""
    permission = {"FunctionName": "place", "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com",
                  "SourceArn": "arn:aws:execute-api:us-east-1:123456789012:api1/live/*"}  # fmt: skip
    return [
        ("Api", "ApiGateway::RestApi", {"Name": "api1", **properties}),
        ("Stage", "ApiGateway::Stage", {"StageName": "live", "DeploymentId": "dep1"}),
        ("May", "Lambda::Permission", permission),
    ]


def part(name: str, path: str, parent: str = "root") -> tuple[str, str, dict[str, Any]]:
    return name, "ApiGateway::Resource", {"ParentId": parent, "PathPart": path}


def method(
    resource: str, verb: str = "POST", function: str = "place", **properties: Any
) -> tuple[str, str, dict[str, Any]]:
    integration = {
        "Type": "AWS_PROXY",
        "IntegrationHttpMethod": "POST",
        "Uri": f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{ARN}{function}/invocations",
        **properties.pop("Integration", {}),
    }
    what = {"ResourceId": resource, "HttpMethod": verb, "Integration": integration, **properties}
    return f"{verb}{resource}", "ApiGateway::Method", what


def validator(body: bool = True, parameters: bool = True) -> tuple[str, str, dict[str, Any]]:
    return "V", "ApiGateway::RequestValidator", {"ValidateRequestBody": body, "ValidateRequestParameters": parameters}


def model(name: str, schema: Any) -> tuple[str, str, dict[str, Any]]:
    return f"Model{name}", "ApiGateway::Model", {"Name": name, "Schema": schema, "ContentType": "application/json"}


def answer_type(kind: str, **properties: Any) -> tuple[str, str, dict[str, Any]]:
    return f"Answer{kind}", "ApiGateway::GatewayResponse", {"ResponseType": kind, **properties}


def orders(*more: tuple[str, str, dict[str, Any]], schema: Any = None, **properties: Any) -> Front:
    """POST /orders with a model, and whatever else."""
    item = {"type": "object", "required": ["items"], "properties": {"items": {"type": "array", "minItems": 1}}}
    checked = {"RequestValidatorId": "V", "RequestModels": {"application/json": "Order"}, **properties}
    made = [part("orders", "orders"), method("orders", **checked), validator(), model("Order", schema or item)]
    return Front(*api(), *made, *more)


def messages(response: Response) -> tuple[int, str]:
    return response.status, response.json()["message"]


# validation


def test_requests_are_validated_as_recorded_on_aws(vectors: Callable[[str], Any]) -> None:
    """Every row of the recorded request validations."""
    table = vectors("aws_semantics.json")["apigw_request_validation"]
    names = [entry.split() for entry in table["required_params"]]
    for case in table["cases"]:
        front = Front(
            *api(),
            part("nested", "nested"),
            part("test", "{test}", "nested"),
            method("test", RequestValidatorId="V", RequestModels={"application/json": "Schema"},
                   RequestParameters={f"method.request.{place}.{name}": True for place, name in names}),
            model("Schema", table["schema"]),
            validator(*([False, False] if case.get("validator_disabled") else [True, True])),
        )  # fmt: skip
        body = case.get("body_text", case.get("body"))
        response = front("POST", "/nested/value", body=body, headers=case["headers"], query=case["qs"])
        assert response.status == case["status"], case
        if "message" in case:
            assert response.json() == {"message": case["message"]}
        if "message_prefix" in case:
            assert response.json()["message"].startswith(case["message_prefix"])
        assert len(front.functions.events) == (case["status"] == 200)


def test_missing_parameters_are_named_headers_first_then_path_then_query() -> None:
    """As recorded; and they are missed before the body is looked at."""
    asked = ("querystring.qs1", "path.issuer", "header.x-shop", "header.x-customer")
    front = orders(RequestParameters={f"method.request.{name}": True for name in asked})
    assert messages(front("POST", "/orders", body={})) == (
        400,
        "Missing required request parameters: [x-customer, x-shop, issuer, qs1]",
    )


def test_a_parameter_must_be_there_and_not_blank_whatever_the_case_of_its_name() -> None:
    """Its type is never looked at."""
    front = orders(
        RequestParameters={"method.request.header.Idempotency-Key": "true", "method.request.header.X": False}
    )
    body = {"items": [1]}
    assert front("POST", "/orders", body=body, headers={"idempotency-KEY": "k"}).status == 200
    assert front("POST", "/orders", body=body, headers={"Idempotency-Key": "  "}).status == 400
    assert front("POST", "/orders", body=body).status == 400


def test_the_content_type_chooses_the_model() -> None:
    """Parameters of the content type do not matter; a type without a model walks through; $default takes the rest."""
    front = orders()
    assert front("POST", "/orders", body={}, headers={"Content-Type": "Application/JSON; charset=utf-8"}).status == 400
    assert front("POST", "/orders", body="{}").status == 400
    assert front("POST", "/orders", body="{}", headers={"Content-Type": "text/plain"}).status == 200
    front = orders(RequestModels={"application/json": "Order", "$default": "Order"})
    assert front("POST", "/orders", body="{}", headers={"Content-Type": "text/plain"}).status == 400


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "null", '"{}"', '{"items": []}', '{"items": [NaN]}', b'{"items": [1]}\xff']
)
def test_a_body_that_is_no_order_never_reaches_the_function(body: Any) -> None:
    """Empty, not JSON, not an object, against the schema."""
    front = orders()
    assert messages(front("POST", "/orders", body=body)) == (400, "Invalid request body")
    assert front.functions.events == []


def test_an_empty_body_counts_as_an_empty_object() -> None:
    """As it does in mapping templates, recorded; a model that asks for nothing lets it pass."""
    assert orders(schema={"type": "object"})("POST", "/orders").status == 200
    assert orders(schema={"type": "array"})("POST", "/orders").status == 400


def test_a_method_without_validator_checks_nothing() -> None:
    """RequestModels alone are documentation."""
    assert orders(RequestValidatorId="")("POST", "/orders", body="nonsense").status == 200
    front = Front(*api(), part("orders", "orders"), method("orders", RequestValidatorId="V"), validator())
    assert front("POST", "/orders", body="nonsense").status == 200


def test_models_refer_to_each_other_by_their_url() -> None:
    """Through arrays and oneOf with null, as recorded."""
    item = model("Item", {"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}}})
    either = {"oneOf": [{"type": "null"}, {"$ref": MODELS + "Item"}]}
    schema = {"properties": {"gift": either, "items": {"type": "array", "items": {"$ref": MODELS + "Item"}}}}
    front = orders(item, schema=json.dumps({"type": "object", **schema, "required": ["gift"]}))
    assert front("POST", "/orders", body={"gift": None, "items": [{"sku": "a"}]}).status == 200
    assert front("POST", "/orders", body={"gift": {"sku": "a"}}).status == 200
    assert front("POST", "/orders", body={"gift": {}}).status == 400
    assert front("POST", "/orders", body={"gift": None, "items": [{"sku": "a"}, {"sku": 1}]}).status == 400
    assert front("POST", "/orders", body={"items": []}).status == 400


def test_the_limits_of_arrays_in_a_raw_model_hold() -> None:
    """Imported models lose minItems and maxItems; raw ones keep them."""
    schema = {"type": "object", "properties": {"items": {"type": "array", "minItems": 1, "maxItems": 99}}}
    front = orders(schema=schema)
    assert [front("POST", "/orders", body={"items": [1] * n}).status for n in (0, 1, 99, 100)] == [400, 200, 200, 400]


# routing


def test_an_unknown_path_and_a_wrong_method_look_the_same() -> None:
    """Recorded: both 403, no 404 and no 405."""
    front = orders()
    for verb, path in (("POST", "/order"), ("GET", "/orders"), ("POST", "/orders/1"), ("POST", "/")):
        response = front(verb, path)
        assert messages(response) == (403, "Missing Authentication Token")
        assert response.header("X-Amzn-ErrorType") == "MissingAuthenticationTokenException"


def test_the_most_specific_resource_answers() -> None:
    """A literal before a parameter, that before a greedy one; ANY takes every verb."""
    parts = [part("all", "{rest+}"), part("orders", "orders"), part("one", "{orderId}", "orders")]
    front = Front(
        *api(), *parts, part("new", "new", "orders"), method("all", "ANY"), method("one", "GET"), method("new", "GET")
    )
    for path, resource, parameters in (
        ("/orders/new", "/orders/new", None),
        ("/orders/7", "/orders/{orderId}", {"orderId": "7"}),
        ("/orders/7/items", "/{rest+}", {"rest": "orders/7/items"}),
        ("/a//b", "/{rest+}", {"rest": "a//b"}),
        ("//orders/7/", "/orders/{orderId}", {"orderId": "7"}),
        ("/orders/a%2Bb@x", "/orders/{orderId}", {"orderId": "a%2Bb@x"}),
    ):
        assert front("GET", path).status == 200
        assert (front.event["resource"], front.event["pathParameters"]) == (resource, parameters)
    assert front("GET", "//orders/7/").status == 200
    assert (front.event["path"], front.event["requestContext"]["path"]) == ("/orders/7/", "/live//orders/7/")
    assert front("DELETE", "/orders/7").status == 200
    assert front.event["resource"] == "/{rest+}"
    assert front("GET", "/").status == 403


def test_the_root_can_have_a_method() -> None:
    """Its ResourceId is the API's RootResourceId, which is no resource of the template."""
    front = Front(*api(), method("root9", "GET"))
    assert front("GET", "/").status == 200
    assert front.event["resource"] == "/"


# keys


def keyed(*, enabled: Any = True, planned: bool = True, stage: str = "live", **key: Any) -> Front:
    plan = ("Plan", "ApiGateway::UsagePlan", {"ApiStages": [{"ApiId": "api1", "Stage": stage}]})
    link = ("Link", "ApiGateway::UsagePlanKey", {"KeyId": "Key", "KeyType": "API_KEY", "UsagePlanId": "Plan"})
    made = ("Key", "ApiGateway::ApiKey", {"Enabled": enabled, **key})
    return orders(made, plan, *([link] if planned else []), ApiKeyRequired=True)


def test_a_method_may_ask_for_an_api_key() -> None:
    """The header x-api-key, before anything is validated; the function learns which key it was."""
    front = keyed(Value="secret-key-of-twenty-characters")
    assert front.gateway.key == "secret-key-of-twenty-characters"
    assert messages(front("POST", "/orders")) == (403, "Forbidden")
    assert messages(front("POST", "/orders", headers={"x-api-key": "other"})) == (403, "Forbidden")
    assert front("POST", "/orders", headers={"X-Api-Key": front.gateway.key}).status == 400
    assert front("POST", "/orders", body={"items": [1]}, headers={"X-Api-Key": front.gateway.key}).status == 200
    identity = front.event["requestContext"]["identity"]
    assert (identity["apiKey"], identity["apiKeyId"]) == ("secret-key-of-twenty-characters", "Key")


@pytest.mark.parametrize("broken", [{"enabled": False}, {"enabled": "false"}, {"planned": False}, {"stage": "test"}])
def test_a_key_must_be_enabled_and_in_a_plan_of_the_stage(broken: dict[str, Any]) -> None:
    """Three ways to make a key that opens nothing."""
    front = keyed(Value="k" * 20, **broken)
    assert front("POST", "/orders", headers={"x-api-key": "k" * 20}).status == 403
    with pytest.raises(LookupError, match="UsagePlanKey"):
        _ = front.gateway.key


def test_a_key_without_a_value_gets_a_seeded_one() -> None:
    """AWS makes 40 letters and digits."""
    front = keyed()
    assert len(front.gateway.key) == 40
    assert front.gateway.key.isalnum()
    assert front("POST", "/orders", body={"items": [1]}, headers={"x-api-key": front.gateway.key}).status == 200


# gateway responses


def test_a_gateway_response_changes_status_headers_and_body() -> None:
    """The validator's findings are for who asks for them."""
    found = '"why": "$context.error.validationErrorString", "message": $context.error.messageString'
    changes = answer_type(
        "BAD_REQUEST_BODY",
        StatusCode="422",
        ResponseTemplates={"application/json": f'{{{found}, "id": "$context.requestId"}}'},
        ResponseParameters={
            "gatewayresponse.header.Access-Control-Allow-Origin": "'*'",
            "gatewayresponse.header.X-Echo": "method.request.header.x-shop",
            "gatewayresponse.header.X-Stage": "context.stage",
        },
    )
    front = orders(changes)
    response = front("POST", "/orders", body={"item": 1}, headers={"X-Shop": "north"})
    assert response.status == 422
    assert response.json()["why"] == '[object has missing required properties (["items"])]'
    assert response.json()["message"] == "Invalid request body"
    assert response.json()["id"] == response.header("x-amzn-requestid")
    names = ("access-control-allow-origin", "x-echo", "x-stage", "content-type", "x-amzn-errortype")
    assert [response.header(name) for name in names] == [
        "*",
        "north",
        "live",
        "application/json",
        "BadRequestException",
    ]


def test_default_responses_stand_in_for_types_that_are_not_given() -> None:
    """DEFAULT_4XX and DEFAULT_5XX; a type of its own wins, with its own default status."""
    front = orders(
        answer_type("DEFAULT_4XX", StatusCode=418, ResponseTemplates={"text/plain": "$context.error.responseType"}),
        answer_type("DEFAULT_5XX", ResponseTemplates={"application/json": "{}"}),
        answer_type("BAD_REQUEST_BODY", ResponseParameters={"gatewayresponse.header.X": "'own'"}),
    )
    response = front("GET", "/nothing")
    assert (response.status, response.body) == (418, "MISSING_AUTHENTICATION_TOKEN")
    assert response.header("content-type") == "text/plain"
    response = front("POST", "/orders", body={})
    assert (response.status, response.header("x"), response.json()) == (400, "own", {"message": "Invalid request body"})
    front.functions.answer = "no proxy answer"
    response = front("POST", "/orders", body={"items": [1]})
    assert (response.status, response.body) == (502, "{}")


def test_unknown_variables_are_empty_and_texts_cannot_break_out_of_the_json() -> None:
    """A path parameter with a quote in it stays a text."""
    template = '{"a": "$context.authorizer.name", "b": "$stageVariables.none", "c": "$method.request.header.x-odd"}'
    front = orders(answer_type("BAD_REQUEST_BODY", ResponseTemplates={"application/json": template}))
    response = front("POST", "/orders", body={}, headers={"x-odd": 'say "hi"'})
    assert response.json() == {"a": "", "b": "", "c": 'say "hi"'}


def test_an_unknown_mapping_of_a_gateway_response_is_refused_by_name() -> None:
    """Never half-built."""
    front = orders(answer_type("DEFAULT_4XX", ResponseParameters={"gatewayresponse.header.X": "method.request.body"}))
    with pytest.raises(NotYet, match=r"gatewayresponse\.header\.X from method\.request\.body"):
        front("GET", "/nothing")


# proxy event


def test_the_function_gets_the_whole_proxy_event() -> None:
    """Payload format 1.0 with the fields that were recorded on AWS, and no others."""
    stage = (
        "Stage",
        "ApiGateway::Stage",
        {"StageName": "live", "DeploymentId": "dep1", "Variables": {"shop": "north"}},
    )
    front = Front(*api(), stage, part("orders", "orders"), part("one", "{orderId}", "orders"), method("one", "GET"))
    headers = {"aUThorization": "t", "tEsT": ["a", "b"], "User-Agent": "me", "content-length": "3", "Connection": "x"}
    query = "?category=electronics&category=books&plus=a+b&email=x%2By@z&empty="
    assert front("get", f"/orders/ORD-1/{query}", headers=headers).status == 200
    event, context = front.event, front.event["requestContext"]
    assert {name: event[name] for name in event if name not in ("headers", "multiValueHeaders", "requestContext")} == {
        "resource": "/orders/{orderId}",
        "path": "/orders/ORD-1/",
        "httpMethod": "GET",
        "queryStringParameters": {"category": "books", "plus": "a b", "email": "x+y@z", "empty": ""},
        "multiValueQueryStringParameters": {
            "category": ["electronics", "books"], "plus": ["a b"], "email": ["x+y@z"], "empty": [""],
        },
        "pathParameters": {"orderId": "ORD-1"},
        "stageVariables": {"shop": "north"},
        "body": None,
        "isBase64Encoded": False,
    }  # fmt: skip
    own = {"Host", "X-Amzn-Trace-Id", "X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto"}
    assert set(event["headers"]) == own | {"Authorization", "tEsT", "User-Agent"} == set(event["multiValueHeaders"])
    assert (event["headers"]["tEsT"], event["multiValueHeaders"]["tEsT"]) == ("b", ["a", "b"])
    assert set(context) == {
        "accountId", "apiId", "deploymentId", "domainName", "domainPrefix", "extendedRequestId", "httpMethod",
        "identity", "path", "protocol", "requestId", "requestTime", "requestTimeEpoch", "resourceId", "resourcePath",
        "stage",
    }  # fmt: skip
    assert set(context["identity"]) == {
        "accessKey", "accountId", "caller", "cognitoAuthenticationProvider", "cognitoAuthenticationType",
        "cognitoIdentityId", "cognitoIdentityPoolId", "principalOrgId", "sourceIp", "user", "userAgent", "userArn",
    }  # fmt: skip
    assert (context["path"], context["resourcePath"]) == ("/live/orders/ORD-1/", "/orders/{orderId}")
    assert (context["stage"], context["deploymentId"]) == ("live", "dep1")
    assert (context["identity"]["sourceIp"], context["identity"]["userAgent"]) == ("127.0.0.1", "me")
    assert context["requestTime"] == "05/Jan/2026:09:00:00 +0000"
    assert START * 1000 < context["requestTimeEpoch"] < START * 1000 + 20


def test_without_anything_the_event_says_null() -> None:
    """Not empty objects: handlers trip over it on AWS, so they must here."""
    front = Front(*api(), part("orders", "orders"), method("orders", "GET"))
    front("GET", "/orders")
    nulls = ("queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "stageVariables", "body")
    assert [front.event[name] for name in nulls] == [None] * 5


def test_a_body_is_text() -> None:
    """What is no UTF-8 is damaged, as on AWS without BinaryMediaTypes."""
    front = Front(*api(), part("orders", "orders"), method("orders"))
    for body, seen in (("pound £", "pound £"), (b"\xff", "\ufffd")):
        front("POST", "/orders", body=body, headers={"Content-Type": "text/plain"})
        assert (front.event["body"], front.event["isBase64Encoded"]) == (seen, False)


# proxy answer


def answered(answer: Any, front: Front | None = None, **parts: Any) -> Response:
    front = front or Front(*api(), part("orders", "orders"), method("orders"))
    front.functions.answer = answer
    return front("POST", "/orders", **parts)


@pytest.mark.parametrize(
    "answer",
    [
        "", "not json", "null", '"text"', "[]", "200",
        {"statusCode": 200, "wrongValue": "value"},
        {"statusCode": "test"}, {"statusCode": True}, {"statusCode": 20}, {"statusCode": 600}, {"statusCode": None},
        {"statusCode": 200, "body": {"id": 1}}, {"statusCode": 200, "body": 7},
        {"statusCode": 200, "headers": {"x": 1}}, {"statusCode": 200, "headers": ["x"]},
        {"statusCode": 200, "multiValueHeaders": {"x": "value"}}, {"statusCode": 200, "multiValueHeaders": {"x": [1]}},
        Result(error={"errorType": "ValueError", "errorMessage": "m"}),
        Result(error={"errorType": "Sandbox.Timedout"}, timed_out=True),
    ],
)  # fmt: skip
def test_a_function_error_or_a_malformed_answer_is_a_502(answer: Any) -> None:
    """The client learns nothing; the trace does."""
    front = Front(*api(), part("orders", "orders"), method("orders"))
    assert messages(answered(answer, front)) == (502, "Internal server error")
    assert front.trace.select("response")[0].detail["reason"]


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        ({"statusCode": 202, "body": "x"}, 202, "x"),
        ({"statusCode": "201"}, 201, ""),
        ({"headers": {"x": "y"}}, 200, ""),
        (
            {"statusCode": 200, "headers": None, "multiValueHeaders": None, "body": None, "isBase64Encoded": False},
            200,
            "",
        ),
        ({"statusCode": 200, "body": "aGk=", "isBase64Encoded": True}, 200, "aGk="),
    ],
)
def test_what_counts_as_a_proxy_answer(answer: Any, status: int, body: str) -> None:
    """Recorded: no field is required, and base64 stays as it is where nobody accepts a binary type."""
    response = answered(answer)
    assert (response.status, response.body, response.header("content-type")) == (status, body, "application/json")


def test_headers_of_both_kinds_are_merged() -> None:
    """Recorded: the name as in multiValueHeaders, its values first; booleans become words."""
    single, several = (
        {"test-multi": "solo", "Location": "/orders/1", "yes": True},
        {"tesT-Multi": ["a", "b"], "c": ["d"]},
    )
    headers = answered({"statusCode": 202, "headers": single, "multiValueHeaders": several}).headers
    assert {name: headers[name] for name in ("tesT-Multi", "Location", "yes", "c")} == {
        "tesT-Multi": "a, b, solo", "Location": "/orders/1", "yes": "true", "c": "d",
    }  # fmt: skip
    assert "test-multi" not in headers
    assert {"X-Amzn-Trace-Id", "x-amzn-RequestId", "x-amz-apigw-id", "Content-Type"} <= set(headers)


def test_a_base64_answer_is_not_decoded() -> None:
    """Without BinaryMediaTypes the client gets the base64."""
    answer = {"statusCode": 200, "body": "iVBORw==", "isBase64Encoded": True}
    assert answered(answer, headers={"Accept": "image/png, */*"}).body == "iVBORw=="


# when it fails


def test_a_throttled_function_is_a_500_not_a_429() -> None:
    """Lambda developer guide, services-apigateway-errors: a refused invoke is an internal error of the API."""
    front = Front(*api(), part("orders", "orders"), method("orders"))
    assert messages(answered(Result(throttled=True), front)) == (500, "Internal server error")
    told = front.trace.select("response")[0].detail
    assert (told["type"], told["reason"]) == ("INTEGRATION_FAILURE", "the function is throttled")


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (method("orders", function="gone"), "no function"),
        (method("orders", Integration={"IntegrationHttpMethod": "GET"}), "must be POST"),
        (method("orders", "PUT"), "AWS::Lambda::Permission"),
    ],
)
def test_a_wrong_integration_is_a_500_when_it_is_used(broken: tuple[str, str, dict[str, Any]], reason: str) -> None:
    """No such function, a wrong verb for the invoke, no permission: AWS finds out only now."""
    only_post = {"FunctionName": "place", "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com",
                 "SourceArn": "arn:aws:execute-api:us-east-1:123456789012:api1/*/POST/orders"}  # fmt: skip
    front = Front(*api()[:2], ("May", "Lambda::Permission", only_post), part("orders", "orders"), broken)
    assert messages(front(broken[2]["HttpMethod"], "/orders")) == (500, "Internal server error")
    assert reason in front.trace.select("response")[0].detail["reason"]
    assert front.functions.events == []


def test_a_role_of_the_integration_needs_no_permission() -> None:
    """Credentials: the API invokes as that role."""
    role = {"Credentials": "arn:aws:iam::123456789012:role/api"}
    front = Front(*api()[:2], part("orders", "orders"), method("orders", Integration=role))
    assert front("POST", "/orders").status == 200


def test_after_29_seconds_the_client_gets_504_and_the_function_goes_on() -> None:
    """A time-out means unknown, never "it did not happen"."""
    front = Front(*api(), part("orders", "orders"), method("orders"))
    front.functions.seconds = 40.0
    response = front("POST", "/orders")
    assert messages(response) == (504, "Endpoint request timed out")
    assert 29.01 < front.scheduler.now - START < 29.04
    assert front.functions.ended == 0
    front.scheduler.run()
    assert front.functions.ended == 1
    assert [row.what for row in front.trace.select("response")] == ["504"]


def test_a_method_may_give_up_sooner() -> None:
    """TimeoutInMillis; a function that answers just then is too late."""
    front = Front(*api(), part("orders", "orders"), method("orders", Integration={"TimeoutInMillis": 1000}))
    front.functions.seconds = 1.0
    assert front("POST", "/orders").status == 504
    front.functions.seconds = 0.999
    assert front("POST", "/orders").status == 200


def test_an_answered_request_leaves_nothing_that_moves_the_clock() -> None:
    """The timer of the 29 seconds is gone."""
    front = Front(*api(), part("orders", "orders"), method("orders"))
    front("POST", "/orders")
    now = front.scheduler.now
    front.scheduler.run()
    assert front.scheduler.now == now
    assert 0.11 <= now - START <= 0.13


def test_a_request_that_is_too_large_is_a_413() -> None:
    """10 MB for the API, 6 MB for the invoke behind it."""
    front = Front(*api(), part("orders", "orders"), method("orders"))
    for size, status in ((10 * 1024 * 1024 + 1, 413), (6 * 1024 * 1024, 413), (5 * 1024 * 1024, 200)):
        response = front("POST", "/orders", body=b"x" * size)
        assert response.status == status
    assert len(front.functions.events) == 1


# what cannot be served


@pytest.mark.parametrize(
    ("resources", "error", "name"),
    [
        (api(Body={}), NotYet, "Api has a Body"),
        (api(ApiKeySourceType="AUTHORIZER"), NotYet, "Api takes API keys"),
        (api()[:1], NotYet, "exactly one stage"),
        (api(Policy={}), NotYet, "Api has a Policy"),
        (api(BinaryMediaTypes=["image/*"]), NotYet, "Api has a BinaryMediaTypes"),
        (
            [*api(), method("root", Integration={"Type": "HTTP_PROXY"})],
            NotYet,
            "POSTroot is an integration of type HTTP",
        ),
        ([*api(), method("root", Integration={"Type": None})], NotYet, "POSTroot is an integration of type None"),
        ([*api(), ("Api2", "ApiGateway::RestApi", {})], NotYet, "Api and Api2"),
        ([*api(), method("root", AuthorizationType="CUSTOM")], NotYet, "POSTroot asks for authorization CUSTOM"),
        ([*api(), method("root", RequestValidatorId="W")], TemplateError, "POSTroot names the request validator W"),
        ([*api(), method("root", RequestModels={"a": "Gone"})], TemplateError, "POSTroot names the model Gone"),
        ([*api(), model("Odd", {"type": "orders"})], TemplateError, "Api: model Odd is not JSON Schema draft 4"),
        ([*api(), model("Odd", {"$ref": MODELS + "No"})], TemplateError, "Odd refers to .*/No, which is no model"),
    ],
)
def test_an_api_that_cannot_be_served_stops_the_cloud_by_name(
    resources: Any, error: type[Exception], name: str
) -> None:
    """One clear error when it is made, not a surprise later."""
    with pytest.raises(error, match=name):
        Front(*resources)


def test_a_template_without_an_api_is_fine_until_a_request_comes() -> None:
    """A lesson about queues has none."""
    with pytest.raises(NotYet, match="no AWS::ApiGateway::RestApi"):
        Front()("GET", "/orders")


# time and chance


def story(seed: int) -> str:
    front = Front(*api(), part("orders", "orders"), method("orders"), seed=seed)
    waiting = [Pending() for _ in range(5)]
    for pending in waiting:
        front.gateway.start(Request.of("POST", "/orders"), pending.answer)
    assert [pending.response for pending in waiting] == [None] * 5
    front.scheduler.run()
    return front.trace.text() + "".join(json.dumps(pending.response.headers) for pending in waiting if pending.response)


def test_requests_overlap_in_virtual_time_and_the_same_seed_gives_the_same_history() -> None:
    """Ids, latencies and headers included."""
    assert story(3) == story(3) != story(4)
    assert "response" not in story(3).split("\n")[4]


def test_plain_values_make_a_request() -> None:
    """Query in the path and beside it, one header under two spellings, a body that is no text."""
    request = Request.of("post", "/a?x=1&y", query={"x": ["2", "3"]}, headers={"K": "1", "k": "2"}, body=[1])
    assert request == Request("POST", "/a", {"K": ["1", "2"]}, {"x": ["1", "2", "3"], "y": [""]}, b"[1]")


def texts(schema: Any, body: Any) -> list[str]:
    return RequestModels("api1", {"M": schema}).errors("M", json.dumps(body))


@pytest.mark.parametrize(
    ("schema", "body", "text"),
    [
        ({"type": "number"}, "x", f'instance type (string) {NO_TYPE} (allowed: ["integer","number"])'),
        ({"type": "string"}, None, f'instance type (null) {NO_TYPE} (allowed: ["string"])'),
        ({"required": ["b", "a"]}, {}, 'object has missing required properties (["a","b"])'),
        ({"additionalProperties": False, "properties": {"a": {}}}, {"a": 1, "z": 1, "y": 1},
         'object instance has properties which are not allowed by the schema: ["y","z"]'),
        ({"minItems": 2}, [1], "array is too short: must have at least 2 elements but instance has 1 elements"),
        ({"maxItems": 1}, [1, 2], "array is too long: must have at most 1 elements but instance has 2 elements"),
        ({"minLength": 2}, "a", 'string "a" is too short (length: 1, required minimum: 2)'),
        ({"maxLength": 1}, "ab", 'string "ab" is too long (length: 2, maximum allowed: 1)'),
        ({"minimum": 1}, 0, "numeric instance is lower than the required minimum (minimum: 1, found: 0)"),
        ({"maximum": 9}, 10, "numeric instance is greater than the required maximum (maximum: 9, found: 10)"),
        ({"minimum": 1, "exclusiveMinimum": True}, 1,
         "numeric instance is not strictly greater than the required minimum 1"),
        ({"maximum": 9, "exclusiveMaximum": True}, 9,
         "numeric instance is not strictly lower than the required maximum 9"),
        ({"pattern": "^a"}, "b", 'ECMA 262 regex "^a" does not match input string "b"'),
        ({"enum": ["a", 1]}, "b", 'instance value ("b") not found in enum (possible values: ["a",1])'),
        ({"uniqueItems": True}, [1, 1], "array must not contain duplicate elements"),
    ],
)  # fmt: skip
def test_a_validation_error_reads_as_in_the_logs_of_the_service(schema: Any, body: Any, text: str) -> None:
    """The manner of the Java validator behind the service."""
    assert texts(schema, body) == [text]


def test_every_error_of_a_body_is_told() -> None:
    """One text for all missing properties of an object, one for every other finding."""
    schema = {"required": ["a", "b"], "properties": {"c": {"required": ["d", "e"]}, "f": {"type": "string"}}}
    assert sorted(texts(schema, {"c": {}, "f": 1})) == sorted([
        'object has missing required properties (["a","b"])',
        'object has missing required properties (["d","e"])',
        'instance type (integer) does not match any allowed primitive type (allowed: ["string"])',
    ])  # fmt: skip


TEMPLATE = """
App: {Type: AWS::Serverless::Function, Properties: {FunctionName: app, Handler: app.handler}}
Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: shop}}
Orders:
  Type: AWS::ApiGateway::Resource
  Properties: {RestApiId: !Ref Api, ParentId: !GetAtt Api.RootResourceId, PathPart: orders}
Order:
  Type: AWS::ApiGateway::Resource
  Properties: {RestApiId: !Ref Api, ParentId: !Ref Orders, PathPart: "{orderId}"}
Item: {Type: AWS::ApiGateway::Model, Properties: {RestApiId: !Ref Api, Schema: {type: object, required: [sku]}}}
Items:
  Type: AWS::ApiGateway::Model
  Properties:
    RestApiId: !Ref Api
    Name: Items
    Schema: {type: array, items: {$ref: !Sub "https://apigateway.amazonaws.com/restapis/${Api}/models/${Item}"}}
Both: {Type: AWS::ApiGateway::RequestValidator, Properties: {RestApiId: !Ref Api, ValidateRequestBody: true}}
Post:
  Type: AWS::ApiGateway::Method
  Properties:
    RestApiId: !Ref Api
    ResourceId: !Ref Order
    HttpMethod: POST
    AuthorizationType: NONE
    ApiKeyRequired: true
    RequestValidatorId: !Ref Both
    RequestModels: {application/json: !Ref Items}
    Integration:
      Type: AWS_PROXY
      IntegrationHttpMethod: POST
      Uri: !Sub "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${App.Arn}/invocations"
Deployment: {Type: AWS::ApiGateway::Deployment, DependsOn: Post, Properties: {RestApiId: !Ref Api}}
Stage:
  Type: AWS::ApiGateway::Stage
  Properties: {RestApiId: !Ref Api, DeploymentId: !Ref Deployment, StageName: live}
Key: {Type: AWS::ApiGateway::ApiKey, Properties: {Enabled: true}}
Plan: {Type: AWS::ApiGateway::UsagePlan, Properties: {ApiStages: [{ApiId: !Ref Api, Stage: !Ref Stage}]}}
PlanKey:
  Type: AWS::ApiGateway::UsagePlanKey
  Properties: {KeyId: !Ref Key, KeyType: API_KEY, UsagePlanId: !Ref Plan}
May:
  Type: AWS::Lambda::Permission
  Properties:
    FunctionName: !Ref App
    Action: lambda:InvokeFunction
    Principal: apigateway.amazonaws.com
    SourceArn: !Sub "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/live/POST/orders/*"
"""


def test_a_template_of_raw_resources_is_served(world: Callable[..., Any]) -> None:
    """References between the resources, and a real function behind them."""
    app = """
    def handler(event, context):
        return {"statusCode": 202, "body": event["pathParameters"]["orderId"] + event["body"]}
    """
    cloud = world(app, TEMPLATE)
    headers = {"x-api-key": cloud.api_key}
    response = cloud.request("POST", "/orders/7", body=[{"sku": "a"}], headers=headers)
    assert (response.status, response.body) == (202, '7[{"sku": "a"}]')
    assert messages(cloud.request("POST", "/orders/7", body=[{}], headers=headers)) == (400, "Invalid request body")
    assert messages(cloud.request("POST", "/orders/7", body=[{}])) == (403, "Forbidden")
