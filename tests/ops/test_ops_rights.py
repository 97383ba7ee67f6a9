"""Every role of the template may do what was measured, and no more."""

import json
from dataclasses import replace

import pytest

from orderlab.cloud import Cloud
from orderlab.cloud.stack.template import TEMPLATE, read
from orderlab.ops.rights import Role, actions, behalf, compare, findings, heard, measure, rights_table, roles
from orderlab.ops.rights.compare import seen

BY_AWS = [one for one in vars(behalf).values() if isinstance(one, behalf.Rights)]
SETTINGS = {"everything on": {"Cache": "on", "Tracing": "on"}, "as by default": {}}


@pytest.fixture(scope="module", params=SETTINGS)
def measured(request: pytest.FixtureRequest) -> list[Role]:
    """The roles of the stack, with what both sagas and every kind of trouble needed of them."""
    return measure(SETTINGS[request.param])


def test_allowed_is_needed_and_needed_is_allowed(measured: list[Role]) -> None:
    """Every role of the template, both ways: nothing is allowed that no run needed, and nothing needed is missing."""
    assert findings(measured) == []
    in_the_template = {name for name, r in read(TEMPLATE)["Resources"].items() if r["Type"] == "AWS::IAM::Role"}
    assert {role.name for role in measured} == in_the_template
    assert all(role.allowed and role.allowed == role.needed.keys() for role in measured)


def test_each_right_that_is_taken_away_is_missed(measured: list[Role]) -> None:
    """One after the other, some hundred times: the finding names the role, the action and the resource."""
    for role in measured:
        for action, what in role.allowed:
            fewer = replace(role, allowed=role.allowed - {(action, what)})
            (found,) = findings([replace(other) if other is not role else fewer for other in measured])
            assert found.startswith(f"{role.name}: needs {action} on {what} (")


def test_each_right_of_one_role_is_too_many_for_another(measured: list[Role]) -> None:
    """What any other role may do is found when this one may do it too."""
    every = {right for role in measured for right in role.allowed}
    for role in measured:
        for action, what in every - role.allowed:
            more = replace(role, allowed=role.allowed | {(action, what)})
            assert findings([more]) == [f"{role.name}: may do {action} on {what}, which no run needed"]


def test_a_wider_resource_is_not_the_same_right(measured: list[Role]) -> None:
    """All objects where one folder is needed: too much, and as written not what was needed."""
    (role,) = [role for role in measured if role.name == "ChargePaymentRole"]
    folder = ("s3:PutObject", "ReceiptsBucket/receipts/*")
    for wider in ("ReceiptsBucket/*", "*"):
        found = findings([replace(role, allowed=role.allowed - {folder} | {("s3:PutObject", wider)})])
        assert len(found) == 2 and f"may do s3:PutObject on {wider}" in found[0]


def test_every_right_has_a_page_of_aws_behind_it() -> None:
    """The tables say where it is documented, for calls of the code and for what AWS does itself."""
    for row in (*actions.TABLE.values(), *BY_AWS):
        assert row.source.startswith("https://docs.aws.amazon.com/"), row


def test_the_table_says_why(measured: list[Role]) -> None:
    """One line a right; what is too much and what is missing is marked."""
    text = rights_table(measured, only="GetOrder")
    assert "GetOrderRole  logs:PutLogEvents" in text and "Lambda writes the log" in text
    assert "GetOrderRole  dynamodb:GetItem" in text and "GetOrder calls it" in text
    (role,) = [role for role in measured if role.name == "GetOrderRole"]
    wrong = replace(role, allowed=frozenset({("dynamodb:Scan", "OrdersTable")}))
    marked = rights_table([wrong])
    assert "NOTHING NEEDED IT" in marked and "MISSING: GetOrder calls it" in marked


ALLOWED_TOO_MUCH = {"Effect": "Allow", "Action": "dynamodb:Scan", "Resource": {"Fn::GetAtt": ["LedgerTable", "Arn"]}}


def test_defects_planted_in_the_template_are_found() -> None:
    """A statement too many, one too few, and a star in the place of a table, in a run of their own."""
    described = read(TEMPLATE)["Resources"]
    notify, settle, get = (
        described[name]["Properties"]["Policies"] for name in ("NotifyRole", "SettleOrderRole", "GetOrderRole")
    )
    notify[0]["PolicyDocument"]["Statement"].append(ALLOWED_TOO_MUCH)
    del settle[0]["PolicyDocument"]["Statement"][1]
    get[0]["PolicyDocument"]["Statement"][1]["Resource"] = "*"
    overrides = {"NotifyRole": notify, "SettleOrderRole": settle, "GetOrderRole": get}
    planted = {name: {"Policies": policies} for name, policies in overrides.items()}
    found = findings(measure(sagas=["choreography"], orders=8, overrides=planted))
    assert "NotifyRole: may do dynamodb:Scan on LedgerTable, which no run needed" in found
    assert "SettleOrderRole: needs dynamodb:UpdateItem on OrdersTable (SettleOrder calls it), and may not" in found
    assert "GetOrderRole: may do dynamodb:GetItem on *, which no run needed" in found
    assert "GetOrderRole: needs dynamodb:GetItem on OrdersTable (GetOrder calls it), and may not" in found


def test_a_new_call_in_the_code_is_found() -> None:
    """A function that reads one table more needs one right more; nothing is listed by hand."""

    def handler(event: object, context: object) -> dict[str, object]:
        import boto3

        boto3.client("dynamodb", region_name="us-east-1").get_item(TableName="orderlab-ledger", Key={"key": {"S": "k"}})
        return {"statusCode": 200}

    with Cloud() as cloud, heard.listening(cloud) as calls:
        cloud.replace("GetOrder", handler)
        cloud.request("GET", "/orders/ORD-1", headers={"x-api-key": cloud.api_key})
        (role,) = [role for role in seen(cloud, calls) if role.name == "GetOrderRole"]
    assert role.missing == [("dynamodb:GetItem", "LedgerTable")]
    assert role.unused == [("dynamodb:GetItem", "OrdersTable")]


def test_a_transaction_needs_the_rights_of_its_parts() -> None:
    """On each of its tables, by AWS's documentation; the name TransactWriteItems is no action of IAM."""
    parts = [{"Put": {"TableName": "a"}}, {"ConditionCheck": {"TableName": "b"}}, {"Delete": {"TableName": "a"}}]
    call = heard.Call("F", "dynamodb.TransactWriteItems", {"TransactItems": parts})
    table = "arn:aws:dynamodb:us-east-1:123456789012:table/"
    assert actions.needs(call) == {
        ("dynamodb:PutItem", table + "a"),
        ("dynamodb:ConditionCheckItem", table + "b"),
        ("dynamodb:DeleteItem", table + "a"),
    }


def test_a_call_that_nobody_has_looked_up_is_an_error() -> None:
    """It says who made it and where the row is to be added."""
    with pytest.raises(actions.Unknown, match=r"F calls dynamodb.Query, .*actions.py .* add a row"):
        actions.needs(heard.Call("F", "dynamodb.Query", {}))


def test_runs_are_compared_together() -> None:
    """What one saga needs and the other does not is needed."""
    right = ("sqs:SendMessage", "Q")
    one, other = Role("R", frozenset({right})), Role("R", frozenset({right}), {right: "F calls it"})
    assert findings(compare([[one]])) and findings(compare([[one], [other]])) == []


def test_actions_are_spelt_as_iam_spells_them() -> None:
    """botocore's models have each operation behind the actions of the tables; a misspelt action allows nothing."""
    import botocore.session

    session, models = botocore.session.get_session(), {"sqs": "sqs", "xray": "xray", "ec2": "ec2", "logs": "logs"}
    listed = {action for rights in BY_AWS for action in rights.actions.split()}
    assert len(listed) > 20
    for action in sorted(listed):
        service, _, name = action.partition(":")
        if action in ("lambda:InvokeFunction", "s3:ListBucket"):  # actions of another name than their operation
            continue
        service = models.get(service) or {"states": "stepfunctions"}.get(service, service)
        known = set(session.get_service_model(service).operation_names)
        if service == "dynamodb":
            known |= set(session.get_service_model("dynamodbstreams").operation_names)
        assert name in known, action


def test_statements_of_false_conditions_allow_nothing() -> None:
    """The local CloudFormation leaves None in their place."""
    document = {"Statement": [None, {"Effect": "Deny", "Action": "a:B", "Resource": "r"}]}
    assert roles.allowed({"Policies": [{"PolicyDocument": json.loads(json.dumps(document))}]}) == set()
