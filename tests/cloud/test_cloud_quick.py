"""What stands for moto's own way with rows, conditions and endpoints does the same: random rows, both ways."""

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.regions import EndpointRulesetResolver
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws
from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.exceptions import ItemSizeTooLarge
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict

from orderlab.cloud import speed
from orderlab.cloud.tables import quick_expressions
from orderlab.cloud.tables import quick_rows as quick

REGIONS = ("us-east-1", "eu-west-1")
NAMES = st.text(min_size=1, max_size=6)
SCALARS = st.one_of(
    st.builds(lambda text: {"S": text}, st.text(max_size=12)),
    st.builds(lambda number: {"N": str(number)}, st.integers()),
    st.builds(lambda flag: {"BOOL": flag}, st.booleans()),
    st.just({"NULL": True}),
    st.just({"B": "AAEC"}),
    st.builds(lambda texts: {"SS": sorted(texts)}, st.sets(NAMES, min_size=1, max_size=3)),
    st.just({"NS": ["1", "2.5"]}),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.builds(lambda each: {"L": each}, st.lists(inner, max_size=3)),
        st.builds(lambda each: {"M": each}, st.dictionaries(NAMES, inner, max_size=3)),
    ),
    max_leaves=8,
)
TYPED = VALUES.map(DynamoType)
ROWS = st.dictionaries(NAMES, VALUES, max_size=5)


def trees(value: Any) -> list[Any]:
    """All values in a value, itself included, by identity."""
    inner = value.value
    below = inner.values() if isinstance(inner, dict) else inner if isinstance(inner, list) else ()
    return [value, *(one for each in below if isinstance(each, DynamoType) for one in trees(each))]


@settings(max_examples=60, deadline=None)
@given(VALUES)
def test_a_value_is_copied_counted_and_written_as_moto_does(described: dict[str, Any]) -> None:
    """Equal, nothing shared; the same size; the same JSON."""
    value = DynamoType(described)
    copy = quick.copied(value)
    assert (copy, copy.to_regular_json()) == (deepcopy(value), value.to_regular_json())
    assert not {id(one) for one in trees(copy)} & {id(one) for one in trees(value)}
    assert quick.size(value) == value.size()
    assert quick.to_regular_json(value) == value.to_regular_json()


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(NAMES, st.one_of(VALUES.map(DynamoType), st.lists(VALUES.map(DynamoType), max_size=2), st.none()))
)
def test_an_answer_is_taken_apart_as_moto_does(found: dict[str, Any]) -> None:
    """Rows, lists of them, binary values, nothing, dates."""
    found["made"] = datetime(2026, 1, 1, tzinfo=UTC)
    assert quick.in_answer(found) == quick._in_answer(found)


@settings(max_examples=40, deadline=None)
@given(ROWS, ROWS)
def test_a_row_that_was_copied_lives_on_its_own(first: dict[str, Any], second: dict[str, Any]) -> None:
    """What is set in the copy is not seen in the row, and a row without a range key has none."""
    row = Item(DynamoType({"S": "k"}), None, first)
    copy = quick.copied_row(row)
    assert copy == row and type(copy.attrs) is LimitedSizeDict and copy.range_key is None
    for name, value in second.items():
        copy.attrs[name] = DynamoType(value)
    assert row == Item(DynamoType({"S": "k"}), None, first)
    both = Item(DynamoType({"S": "k"}), DynamoType({"N": "1"}), first)
    assert quick.copied_row(both).range_key == both.range_key is not quick.copied_row(both).range_key


@pytest.mark.parametrize("letter", ["x", "ü"])
@pytest.mark.parametrize("beyond", [0, 1])
def test_a_row_ends_where_motos_ends(letter: str, beyond: int) -> None:
    """405,000 bytes, names included, in letters of one byte or of two."""
    width = len(letter.encode())
    text = letter * ((405_000 - 2 * width - len("a")) // width) + "x" * ((405_000 - len("a")) % width)
    for set_attribute in (LimitedSizeDict.__setitem__, quick.set_attribute):
        row = LimitedSizeDict()
        set_attribute(row, "a", DynamoType({"S": text}))
        if beyond:
            with pytest.raises(ItemSizeTooLarge):
                set_attribute(row, "b", DynamoType({"S": letter * 3}))
        else:
            set_attribute(row, "b", DynamoType({"S": "x" * (2 * width - 1)}))
        assert len(row) == 2 - beyond


CONDITIONS = [
    ("attribute_not_exists(id)", None, None),
    ("#s = :pending OR attribute_not_exists(#s)", {"#s": "status"}, {":pending": {"S": "PENDING"}}),
    ("#s = :pending OR attribute_not_exists(#s)", {"#s": "status"}, {":pending": {"S": "DONE"}}),
    ("#s = :pending OR attribute_not_exists(#s)", {"#s": "id"}, {":pending": {"S": "PENDING"}}),
    ("n BETWEEN :low AND :high", None, {":low": {"N": "1"}, ":high": {"N": "3"}}),
    ("", None, None),
]


def test_a_condition_read_again_judges_as_the_first_time() -> None:
    """Of other names, other values and another text it is another one; the names and values in it are told as well."""
    rows = [None, *({"id": {"S": "1"}, "status": {"S": s}, "n": {"N": n}} for s in ("PENDING", "DONE") for n in "159")]
    items = [row and Item(DynamoType({"S": "1"}), None, row) for row in rows]

    def judged(parse: Any) -> list[Any]:
        seen = []
        for condition in CONDITIONS:
            parser = ConditionExpressionParser(*condition)
            found = parse(parser)
            told = parser.expr_attr_names_found, parser.expr_attr_values_found
            seen.append(([found.expr(item) for item in items if item or ":low" not in condition[0]], told))
        return seen

    expected = judged(quick_expressions._parse)
    assert judged(quick_expressions.parse) == judged(quick_expressions.parse) == expected


def test_a_condition_that_cannot_be_read_is_refused_every_time() -> None:
    """A refusal is not remembered, and is moto's own."""
    for _ in range(2):
        with pytest.raises(ValueError, match="Bad BETWEEN"):
            quick_expressions.parse(ConditionExpressionParser("a BETWEEN", None, None))


def test_an_endpoint_that_is_remembered_is_the_one_that_botocore_works_out() -> None:
    """For each client, operation and parameter that chooses one; S3 is never remembered."""
    calls = [
        ("dynamodb", "GetItem", {"TableName": "a"}),
        ("dynamodb", "GetItem", {"TableName": "arn:aws:dynamodb:us-east-1:123456789012:table/a"}),
        ("dynamodb", "TransactWriteItems", {"TransactItems": [{"Put": {"TableName": "a"}}]}),
        ("events", "PutEvents", {"EndpointId": "abc.veo", "Entries": []}),
        ("events", "PutEvents", {"Entries": []}),
        ("sqs", "SendMessage", {"QueueUrl": "q"}),
        ("s3", "PutObject", {"Bucket": "one", "Key": "k"}),
        ("s3", "PutObject", {"Bucket": "two", "Key": "k"}),
    ]
    clients = {(name, region): boto3.client(name, region_name=region) for name, _, _ in calls for region in REGIONS}

    def endpoints() -> list[Any]:
        found = []
        for region in REGIONS:
            for name, operation, arguments in calls:
                client = clients[name, region]
                model = client.meta.service_model.operation_model(operation)
                found.append(client._ruleset_resolver.construct_endpoint(model, arguments, {}))
        return found

    expected = endpoints()
    speed.install()
    try:
        assert EndpointRulesetResolver.construct_endpoint.__module__ == "orderlab.cloud.speed"
        assert endpoints() == endpoints() == expected
    finally:
        speed.uninstall()
    assert len({each.url for each in expected}) >= 8


def test_an_update_that_passed_once_is_judged_anew_for_other_names_and_another_table() -> None:
    """Two clauses, overlapping paths, the table's own key: refused as moto does, first and again, whatever passed."""
    updates = [
        ("SET #a = :n", {"#a": "n"}),
        ("SET #a = :n", {"#a": "id"}),
        ("SET #a = :n, #b = :n", {"#a": "n", "#b": "m"}),
        ("SET #a = :n, #b = :n", {"#a": "n", "#b": "n"}),
        ("SET a.b = :n, #a = :n", {"#a": "n"}),
        ("SET a.b = :n, a.b.c = :n", {}),
        ("SET n = :n SET m = :n", {}),
        ("SET other = :n", {}),
    ]

    def judged() -> list[Any]:
        seen: list[Any] = []
        with mock_aws():
            client = boto3.client("dynamodb", region_name="us-east-1")
            for table, key in (("t", "id"), ("u", "other")):
                kind = [{"AttributeName": key, "AttributeType": "S"}]
                schema = [{"AttributeName": key, "KeyType": "HASH"}]
                client.create_table(
                    TableName=table, BillingMode="PAY_PER_REQUEST", KeySchema=schema, AttributeDefinitions=kind
                )
                for text, names in updates * 2:
                    wanted: dict[str, Any] = {"ExpressionAttributeNames": names} if names else {}
                    try:
                        answer = client.update_item(
                            TableName=table, Key={key: {"S": "1"}}, UpdateExpression=text, ReturnValues="ALL_NEW",
                            ExpressionAttributeValues={":n": {"N": "1"}}, **wanted,
                        )  # fmt: skip
                        seen.append(answer["Attributes"])
                    except ClientError as error:
                        seen.append(str(error))
        return seen

    expected = judged()
    speed.install()
    try:
        assert judged() == judged() == expected
    finally:
        speed.uninstall()
    assert sum(isinstance(each, str) for each in expected) >= 12
