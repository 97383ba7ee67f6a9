"""Mapping templates: Velocity as API Gateway speaks it, and the way of a request through a non-proxy integration."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from orderlab.cloud.faults import Faults
from orderlab.cloud.functions.service import Result
from orderlab.cloud.gateway import values, velocity
from orderlab.cloud.gateway.service import Gateway, Request, Response
from orderlab.cloud.gateway.variables import Util, find
from orderlab.cloud.scheduler import Scheduler
from orderlab.cloud.stack.resources import Resource, Stack
from orderlab.cloud.stack.template import TemplateError
from orderlab.cloud.trace import Trace
from orderlab.cloud.wire.answers import NotYet

START = 1_767_603_600.0  # 2026-01-05T09:00:00Z
TABLE = "arn:aws:apigateway:us-east-1:dynamodb:action/GetItem"
FUNCTION = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:f/invocations"  # noqa: E501


class FakeFunctions:
    """One function that answers at once with what `answer` says."""

    answer: Any = None

    def resolve(self, name: str) -> Any:
        return type("Function", (), {"arn": name})

    def start(self, name: str, event: Any, done: Callable[[Result], None], *, source: str) -> None:
        told = self.answer(event)
        done(told if isinstance(told, Result) else Result(payload=json.dumps(told)))


class Front:
    """GET and POST /{x} of one method over a fake DynamoDB, which answers `told` and keeps what it was `asked`."""

    def __init__(self, *, listed: Any = (200,), answers: Any = None, variables: Any = None, **integration: Any) -> None:
        self.scheduler = Scheduler(START, 0)
        self.trace = Trace(lambda: self.scheduler.now)
        self.told: tuple[int, Any] = (200, {})
        self.asked: list[tuple[str, str]] = []
        self.seconds = 0.01
        self.functions = FakeFunctions()
        settings = {"Type": "AWS", "IntegrationHttpMethod": "POST", "Uri": TABLE, "Credentials": "arn:role"}
        settings |= {"IntegrationResponses": answers if answers is not None else [{"StatusCode": "200"}], **integration}
        method = {"ResourceId": "Part", "HttpMethod": "ANY", "Integration": settings}
        method["MethodResponses"] = [r if isinstance(r, dict) else {"StatusCode": str(r)} for r in listed]
        made = {
            "Api": Resource("Api", "AWS::ApiGateway::RestApi", "api1", {}),
            "Part": Resource("Part", "AWS::ApiGateway::Resource", "Part", {"ParentId": "r", "PathPart": "{x}"}),
            "M": Resource("M", "AWS::ApiGateway::Method", "M", method),
            "S": Resource("S", "AWS::ApiGateway::Stage", "S", {"StageName": "live", "Variables": variables or {}}),
        }
        self.gateway = Gateway(self.scheduler, self.trace, self.functions, Stack(resources=made), self.ask)  # type: ignore[arg-type]

    def ask(self, action: str, body: bytes) -> tuple[int, str]:
        self.asked.append((action, body.decode()))
        self.scheduler.sleep(self.seconds)
        status, told = self.told
        return status, told if isinstance(told, str) else json.dumps(told)

    def __call__(self, path: str = "/a", method: str = "GET", **parts: Any) -> Response:
        return self.gateway.handle(Request.of(method, path, **parts))

    @property
    def reason(self) -> str:
        return self.trace.select("response")[-1].detail.get("reason", "")


def door(request: str = "{}", response: str | None = None) -> Front:
    """A method with these two templates."""
    answer = {"StatusCode": "200", "ResponseTemplates": {"application/json": response} if response is not None else {}}
    return Front(RequestTemplates={"application/json": request}, answers=[answer])


def shown(template: str, **variables: Any) -> str:
    return velocity.render(
        velocity.compile(template), {name: values.value_of(value) for name, value in variables.items()}
    )


# the language

PATH = "#set($result = $input.path('$.json'))"
MISSING = (
    '{"body": $result, "nested": $result.nested, "isNull": #if( $result == $null )"true"#else"false"#end, '
    '"isEmptyString": #if( $result == "" )"true"#else"false"#end}'
)


@pytest.mark.parametrize(
    ("template", "body", "wanted"),
    [
        (PATH + "$result", {"foo": "bar"}, "{foo=bar}"),
        (PATH + "$result", [{"foo": "bar"}], '[{"foo":"bar"}]'),
        (PATH + "$result.nested", {"nested": {"foo": "bar"}}, "{foo=bar}"),
        (PATH + "$result.nested", {"nested": [{"foo": "bar"}]}, '[{"foo":"bar"}]'),
        (PATH + "$result[0]", [{"foo": "bar"}], "{foo=bar}"),
        (PATH + "$result[0]", [[{"foo": "bar"}]], '[{"foo":"bar"}]'),
        (PATH + "$result", {"foo": [{"nested": "bar"}]}, '{foo=[{"nested":"bar"}]}'),
        (PATH + "$result", {"bigger": "dict", "to": "test"}, "{bigger=dict, to=test}"),
        (PATH + "$result.toString()", {"list": [{"foo": "bar"}]}, '{list=[{"foo":"bar"}]}'),
        (PATH + MISSING, None, '{"body": , "nested": , "isNull": "true", "isEmptyString": "true"}'),
        (PATH + MISSING, [], '{"body": [], "nested": , "isNull": "false", "isEmptyString": "false"}'),
    ],
)
def test_values_print_as_recorded_on_aws(template: str, body: Any, wanted: str) -> None:
    """localstack's recording test_input_path_template_formatting: maps as Java prints them, lists as JSON."""
    front = door(response=template)
    front.told = 200, {"json": body}
    assert front().body == wanted


@pytest.mark.parametrize(
    ("template", "body", "wanted"),
    [
        ("#set($result = $input.body)$result", "", "{}"),
        ("#set($result = $input.body)$result", '{"some": "value"}', '{"some": "value"}'),
        ("Action=SendMessage&MessageBody=$input.body", "some raw data", "Action=SendMessage&MessageBody=some raw data"),
        ("$util.urlEncode($input.body)&$util.urlEncode($input.body.testAccess)", "", "%7B%7D&"),
        ("$util.urlEncode($input.body)", '{"some": "value"}', "%7B%22some%22%3A+%22value%22%7D"),
        ("$input.json('$.message')", "not json", '""'),
        ("$input.json('$')", '{"a": [1, {"b": null}]}', '{"a":[1,{"b":null}]}'),
    ],
)
def test_a_request_body_is_seen_as_recorded_on_aws(template: str, body: str, wanted: str) -> None:
    """localstack's recording test_input_body_formatting: an empty body is {}, a property of a text is empty."""
    front = Front(RequestTemplates={"application/json": template})
    front(method="POST", body=body)
    assert front.asked == [("GetItem", wanted)]


@pytest.mark.parametrize(
    ("template", "wanted"),
    [
        ("""$name.replaceAll("\\\\'", "'")""", "it's"),
        ("""$date.replaceAll("(\\d+)-(\\d+)", "$2/$1")""", "05/2026"),
        ('#set($q = \'a\'\'b\')#set($r = "say ""$n""")$q $r', 'a\'b say "1"'),
        ('$m.put("k-1", "v")#set($m.X-Foo = $n)$m', "{list=[1,true], k-1=v, X-Foo=1}"),
        ("#foreach($one in $m)$one#if($foreach.hasNext),#end#end", "[1,true]"),
        ("#foreach($key in $m.keySet())$key:$m.get($key).size()#end", "list:2"),
        ("#foreach($one in $m.list)#set($last = $one)#end$last", "true"),
        ('#if($n == "1" && $nothing == "" && $n > 0 && !($nothing > 0))yes#{else}no#end', "yes"),
        ("#if($nothing.length() != 0)yes#elseif($n >= 2)two#{else}no#end", "no"),
        ("$nothing${nothing.at.all}$!nothing|$5 a#b #ff0000 50% \\$n", "|$5 a#b #ff0000 50% $n"),
        ("## a comment\n#* another *#$n", "1"),
    ],
)
def test_velocity_is_spoken_as_java_speaks_it(template: str, wanted: str) -> None:
    """Where the library is a little different, this is what was put right."""
    known = {"name": "it\\'s", "date": "2026-05", "n": 1, "m": {"list": [1, True]}}
    assert shown(template, **known) == wanted


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("$name.stripMargin()", ".stripMargin.. of a text"),
        ("$m.forEach(1)", ".forEach.. of a map"),
        ("${name|'x'}", r"M: a mapping template says \$\{name\|"),
        ("#define($block)<b>#end$block", "M: a mapping template says #define"),
        ('#set($m["k"] = 1)', r"M: a mapping template says #set\(\$m\["),
        ("#set($context.requestOverride.path.x = 1)", "M: a mapping template says requestOverride"),
        ("$input.path('$..x')", r"JSONPath \$\.\.x"),
    ],
)
def test_what_the_local_cloud_does_not_know_is_refused_by_name(template: str, problem: str) -> None:
    """Never an empty text in the place of what AWS would write."""
    with pytest.raises(NotYet, match=problem):
        door(response=template.replace("$name.", "$context.stage.").replace("$m.", "$context."))()


@pytest.mark.parametrize("template", ["#if($x) a", "#if $x #end", "#set $x = 1", "#set($x = )", "#end", "#foreach($x)"])
def test_a_broken_template_stops_the_cloud_with_its_method(template: str) -> None:
    """When it is made, not at the first request."""
    with pytest.raises(TemplateError, match="M: the mapping template for application/json is no Velocity"):
        door(template)
    with pytest.raises(TemplateError, match="M: the mapping template for application/json is no Velocity"):
        door(response=template)


def test_the_library_that_others_use_is_left_as_it_is() -> None:
    """A copy is changed, not airspeed itself."""
    import airspeed

    assert shown("$nothing") == ""
    assert airspeed.Template("$nothing").merge({}) == "$nothing"


def test_utilities_are_those_of_the_guide() -> None:
    """escapeJavaScript is what Java's libraries do, single quotes and slashes included."""
    call = Util().methods
    assert call["escapeJavaScript"]('it\'s "a\\b"\n/é😀') == 'it\\\'s \\"a\\\\b\\"\\n\\/\\u00E9\\uD83D\\uDE00'
    assert call["base64Decode"](call["base64Encode"]("é {}")) == "é {}"
    assert call["urlDecode"](call["urlEncode"]("a b&c*~é")) == "a b&c*~é"
    assert call["urlEncode"]("a b*~") == "a+b*%7E"
    assert str(call["parseJson"]('{"a": {"b": [1]}}')) == "{a={b=[1]}}"


@pytest.mark.parametrize(
    ("path", "found"),
    [("$.a.b[1]", 2), ("$['a']['b'][0]", 1), ("a.b", [1, 2]), ("$.a.b[*]", [1, 2]), ("$.*.b", [[1, 2]]),
     ("$.a.c", None), ("$.a.b[7]", None), ("$", {"a": {"b": [1, 2]}}), ("$.none[*]", [])],
)  # fmt: skip
def test_a_json_path_finds_one_value_or_with_a_star_a_list(path: str, found: Any) -> None:
    """As Jayway's library has it: a definite path gives the value."""
    assert find('{"a": {"b": [1, 2]}}', path) == found


# the way of a request


def test_parameters_come_from_path_query_and_header_in_this_order() -> None:
    """$input.params; a path parameter stays as it stands in the URL, a query parameter is decoded."""
    template = (
        "$input.params('x') $input.params('q') $input.params('X-H') [$input.params('none')] $input.params().path.x"
    )
    front = Front(RequestTemplates={"application/json": template})
    front("/a%2Fb?x=no&q=1%202", headers={"x-h": "3", "q": "no"})
    assert front.asked[0][1] == "a%2Fb 1 2 3 [] a%2Fb"


@pytest.mark.parametrize(
    ("behaviour", "templates", "sent", "status"),
    [
        ("WHEN_NO_MATCH", True, "text/plain", 200),
        ("WHEN_NO_TEMPLATES", True, "text/plain", 415),
        ("WHEN_NO_TEMPLATES", False, "text/plain", 200),
        ("NEVER", False, "text/plain", 415),
        ("NEVER", True, "text/plain", 415),
        ("NEVER", True, "application/json; charset=utf-8", 200),
        ("NEVER", True, None, 200),
    ],
)
def test_the_content_type_chooses_the_template_or_the_way_through(
    behaviour: str, templates: bool, sent: str | None, status: int
) -> None:
    """The table of integration-passthrough-behaviors; no content type counts as JSON."""
    known = {"RequestTemplates": {"application/json": "{}"}} if templates else {}
    front = Front(PassthroughBehavior=behaviour, **known)
    response = front(method="POST", body="raw", headers={"content-type": sent} if sent else {})
    assert response.status == status
    assert [body for _, body in front.asked] == ([] if status == 415 else ["{}" if sent != "text/plain" else "raw"])
    if status == 415:
        assert response.json() == {"message": "Unsupported Media Type"}


SELECTION = [
    {"StatusCode": "200"},
    {"StatusCode": "404", "SelectionPattern": "4\\d{2}"},
    {"StatusCode": "502", "SelectionPattern": "5"},
]


@pytest.mark.parametrize(("backend", "status"), [(200, 200), (400, 404), (503, 200), (302, 200)])
def test_the_backends_status_selects_the_answer_as_a_whole(backend: int, status: int) -> None:
    """A pattern must fit all of it, and what no pattern fits goes to the answer without one."""
    front = Front(answers=SELECTION, listed=(200, 404, 502))
    front.told = backend, {"message": "x"}
    response = front()
    assert (response.status, response.json()) == (status, {"message": "x"})


@pytest.mark.parametrize(
    ("answers", "listed", "reason"),
    [
        (SELECTION[1:], (404,), "no match for output mapping of '200'"),
        ([], (200,), "no match"),
        (SELECTION, (404,), "invalid method response: 200"),
        (
            [{"StatusCode": "200", "ResponseTemplates": {"a/b": "$util.parseJson('{')"}}],
            (200,),
            "response template failed",
        ),
    ],
)
def test_what_cannot_be_mapped_is_a_500(answers: Any, listed: Any, reason: str) -> None:
    """The client learns nothing, the trace says why."""
    front = Front(answers=answers, listed=listed)
    response = front()
    assert (response.status, response.json()) == (500, {"message": "Internal server error"})
    assert reason in front.reason


@pytest.mark.parametrize(
    ("error", "status"), [(None, 200), ("Error: four hundred here", 405), ("other", 502), ("two\nlines", 200)]
)
def test_a_function_is_selected_by_its_error_message(error: str | None, status: int) -> None:
    """localstack's recording test_lambda_selection_patterns: never by 200, and `.` stops at a line's end."""
    answers = [
        {"StatusCode": "200"},
        {"StatusCode": "405", "SelectionPattern": ".*four hundred.*"},
        {"StatusCode": "502", "SelectionPattern": ".+"},
        {"StatusCode": "504", "SelectionPattern": "200"},
    ]
    request = {"application/json": '{"code": "$input.params(\'x\')"}'}
    front = Front(answers=answers, listed=(200, 405, 502), Uri=FUNCTION, RequestTemplates=request)
    seen: list[Any] = []

    def answer(event: Any) -> Any:
        seen.append(event)
        payload = {"errorMessage": error, "errorType": "Exception"}
        return Result(payload=json.dumps(payload), error=payload) if error else {"fine": 1}

    front.functions.answer = answer
    response = front("/400")
    assert (response.status, seen) == (status, [{"code": "400"}])
    assert response.json()["errorMessage" if error else "fine"] == (error or 1)


def test_a_function_that_is_asked_for_no_json_or_throttled_is_a_500() -> None:
    """As behind a proxy integration."""
    front = Front(Uri=FUNCTION, RequestTemplates={"application/json": "no json"})
    assert front().status == 500
    front = Front(Uri=FUNCTION)
    front.functions.answer = lambda event: Result(throttled=True)
    assert front().status == 500


def test_the_template_of_the_accepted_type_makes_the_body() -> None:
    """Else that for JSON, else the first."""
    answers = [{"StatusCode": "200", "ResponseTemplates": {"text/plain": "plain", "application/json": "json"}}]
    front = Front(answers=answers)
    assert [front(headers=h).body for h in ({}, {"Accept": "text/plain"}, {"Accept": "*/*"})] == [
        "json",
        "plain",
        "json",
    ]
    assert front(headers={"Accept": "text/plain"}).headers["Content-Type"] == "text/plain"


# overrides

OVERRIDE = """
#set($context.responseOverride.status = 444)
#set($context.responseOverride.header.foo = "bar")
#set($context.responseOverride.custom = "is also passed around")
{"statusCode": 200}
"""


def test_an_override_of_the_request_template_reaches_the_response_as_recorded_on_aws() -> None:
    """localstack's recording test_integration_mock_with_response_override_in_request_template, both ways."""
    told = '{"s": "$context.responseOverride.status", "f": "$context.responseOverride.header.foo", "c": "$context.responseOverride.custom"}'  # noqa: E501
    response = door(OVERRIDE, told)()
    assert (response.status, response.headers["foo"]) == (444, "bar")
    assert response.json() == {"s": "444", "f": "bar", "c": "is also passed around"}
    assert door(OVERRIDE)().status == 444


def test_headers_are_overridden_by_set_and_by_put_as_recorded_on_aws() -> None:
    """localstack's recording test_integration_mock_with_vtl_map_assignation."""
    request = """
    #set($name = "putfoo")
    #set($context.responseOverride.header.foo = "bar")
    $context.responseOverride.header.put($name, "putBar")
    """
    response = door(request, '$context.responseOverride.header["foo"] $context.responseOverride.header[$name]')()
    assert response.body == "bar "  # what the first template calls $name, the second does not know
    assert (response.headers["foo"], response.headers["putfoo"]) == ("bar", "putBar")


@pytest.mark.parametrize("status", ["99", "600", "'404'", "true", '""'])
def test_an_override_that_is_no_status_is_passed_over(status: str) -> None:
    """As localstack found."""
    assert door(response=f"#set($context.responseOverride.status = {status})x")().status == 200


def test_a_parameter_is_overridden_once() -> None:
    """The guide: overrides are final, a second one is a 5XX."""
    twice = "#set($context.responseOverride.header.a = 1)" * 2
    front = door(response=twice)
    assert front().status == 500
    assert "a is overridden twice" in front.reason
    both = door(
        '#set($context.responseOverride.status = 404){"statusCode": 200}', "#set($context.responseOverride.status = 1)"
    )
    assert both().status == 500


# refused


@pytest.mark.parametrize(
    ("settings", "error", "name"),
    [
        ({"Type": "HTTP"}, NotYet, "M is an integration of type HTTP"),
        ({"Type": "MOCK"}, NotYet, "M is an integration of type MOCK"),
        ({"Type": "AWS_PROXY"}, NotYet, "M is an integration of type AWS_PROXY arn.*GetItem"),
        ({"Uri": "arn:aws:apigateway:us-east-1:sqs:path/1/q"}, NotYet, "M is an integration of type AWS arn.*sqs"),
        ({"ContentHandling": "CONVERT_TO_TEXT"}, NotYet, "M has ContentHandling"),
        ({"RequestParameters": {"integration.request.header.a": "'b'"}}, NotYet, "M has RequestParameters"),
        (
            {"answers": [{"StatusCode": "200", "ResponseParameters": {"method.response.header.a": "'b'"}}]},
            NotYet,
            "M has ResponseParameters",
        ),
        ({"Credentials": None}, TemplateError, "M: DynamoDB is asked with .* Credentials"),
        ({"IntegrationHttpMethod": "GET"}, TemplateError, "M: DynamoDB is asked with IntegrationHttpMethod POST"),
        ({"PassthroughBehavior": "SOMETIMES"}, TemplateError, "M: PassthroughBehavior is SOMETIMES"),
        ({"answers": [{"StatusCode": "200", "SelectionPattern": "("}]}, TemplateError, r"M: the SelectionPattern \("),
    ],
)
def test_an_integration_that_cannot_be_served_stops_the_cloud_by_name(
    settings: dict[str, Any], error: type[Exception], name: str
) -> None:
    """One clear error when it is made."""
    with pytest.raises(error, match=name):
        Front(**settings)


def test_after_its_time_the_client_gets_504_once() -> None:
    """The call goes on, and nobody hears it."""
    front = Front(TimeoutInMillis=50)
    front.seconds = 1.0
    assert front().status == 504
    front.scheduler.run()
    assert len(front.trace.select("response")) == 1


# the whole way, over moto

TEMPLATE = """
Table:
  Type: AWS::DynamoDB::Table
  Properties:
    TableName: things
    BillingMode: PAY_PER_REQUEST
    AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
    KeySchema: [{AttributeName: id, KeyType: HASH}]
Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: api}}
"""
METHOD = """
Part{op}:
  Type: AWS::ApiGateway::Resource
  Properties: {{RestApiId: !Ref Api, ParentId: !GetAtt Api.RootResourceId, PathPart: {op}}}
Method{op}:
  Type: AWS::ApiGateway::Method
  Properties:
    RestApiId: !Ref Api
    ResourceId: !Ref Part{op}
    HttpMethod: POST
    AuthorizationType: NONE
    Integration:
      Type: AWS
      IntegrationHttpMethod: POST
      Uri: arn:aws:apigateway:us-east-1:dynamodb:action/{op}
      Credentials: arn:aws:iam::123456789012:role/any
      IntegrationResponses: [{{StatusCode: 200}}, {{StatusCode: 400, SelectionPattern: "4.."}}]
    MethodResponses: [{{StatusCode: 200}}, {{StatusCode: 400}}]
"""
TEMPLATE += "".join(METHOD.format(op=op) for op in ("PutItem", "Query", "DropTable"))
TEMPLATE += """
Deployment:
  Type: AWS::ApiGateway::Deployment
  DependsOn: [MethodPutItem, MethodQuery, MethodDropTable]
  Properties: {RestApiId: !Ref Api}
Stage:
  Type: AWS::ApiGateway::Stage
  Properties: {RestApiId: !Ref Api, DeploymentId: !Ref Deployment, StageName: live}
"""


def test_actions_of_dynamodb_answer_as_it_does(world: Callable[..., Any]) -> None:
    """Put, query and an error, as localstack's test_rest_api_to_dynamodb_integration recorded their shapes."""
    cloud = world("", TEMPLATE)
    put = cloud.request("POST", "/PutItem", body={"TableName": "things", "Item": {"id": {"S": "1"}}})
    assert (put.status, put.json(), put.headers["Content-Type"]) == (200, {}, "application/json")
    query = {
        "TableName": "things",
        "KeyConditionExpression": "id = :i",
        "ExpressionAttributeValues": {":i": {"S": "1"}},
    }
    assert cloud.request("POST", "/Query", body=query).json() == {
        "Count": 1,
        "Items": [{"id": {"S": "1"}}],
        "ScannedCount": 1,
    }
    wrong = cloud.request("POST", "/PutItem", body={"TableName": "nothings", "Item": {"id": {"S": "1"}}})
    assert (wrong.status, wrong.json()["__type"].split("#")[-1]) == (400, "ResourceNotFoundException")
    broken = cloud.request("POST", "/PutItem", body="no json")
    assert (broken.status, broken.json()["__type"].split("#")[-1]) == (400, "SerializationException")
    unknown = cloud.request("POST", "/DropTable", body={})
    assert (unknown.status, unknown.json()["__type"].split("#")[-1]) == (400, "UnknownOperationException")


def test_a_fault_on_the_way_to_dynamodb_reaches_the_client(world: Callable[..., Any]) -> None:
    """Throttled is DynamoDB's own 400; an answer that never comes is 504."""
    item = {"TableName": "things", "Item": {"id": {"S": "1"}}}
    cloud = world("", TEMPLATE, faults=Faults(steps={1: "throttle", 2: "crash-before", 3: "lost-response"}))
    answers = [cloud.request("POST", "/PutItem", body=item) for _ in range(3)]
    assert [answer.status for answer in answers] == [400, 504, 504]
    assert "ThrottlingException" in answers[0].json()["__type"]
