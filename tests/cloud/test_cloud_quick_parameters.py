"""A quick yes is botocore's yes too, and whatever it does not say yes to is left to botocore."""

from typing import Any

import botocore.session
import pytest
from botocore.model import Shape
from botocore.validate import ParamValidator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orderlab.cloud import quick_parameters as quick

SESSION = botocore.session.Session()
CALLS = {
    "dynamodb": "PutItem GetItem UpdateItem Query TransactWriteItems BatchWriteItem",
    "sqs": "SendMessage SendMessageBatch CreateQueue SetQueueAttributes",
    "events": "PutEvents PutRule PutTargets",
    "lambda": "Invoke CreateFunction",
    "s3": "PutObject PutBucketLifecycleConfiguration",
    "stepfunctions": "StartExecution CreateStateMachine",
}
INPUTS = [
    pytest.param(SESSION.get_service_model(service).operation_model(name).input_shape, id=f"{service}.{name}")
    for service, names in CALLS.items()
    for name in names.split()
]
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.floats(0, 1), st.text(max_size=2), st.binary(max_size=2),
    st.just([]), st.just({}), st.just(()), st.just({"unknown": 1}), st.just(object()),
)  # fmt: skip
PLAIN = {
    "string": "aé1",
    "integer": 5,
    "long": 5,
    "boolean": True,
    "blob": b"b",
    "timestamp": 0,
    "float": 0.5,
    "double": 1,
}


@st.composite
def values(draw: Any, shape: Shape, depth: int = 0, odd: bool = True) -> Any:
    """Something that fits the shape, or now and then something odd in its place."""
    if odd and draw(st.integers(0, 14)) == 0:
        return draw(ODD)
    if shape.type_name == "structure":
        required = set(shape.metadata.get("required", ()))
        chosen = {name for name in shape.members if depth < 4 and draw(st.integers(0, 5)) == 0}
        wanted = [name for name in shape.members if name in required | chosen and (name in chosen or depth < 6)]
        return {name: draw(values(shape.members[name], depth + 1, odd)) for name in wanted}
    if shape.type_name == "list":
        most = 2 if depth < 6 else 0
        return [draw(values(shape.member, depth + 1, odd)) for _ in range(draw(st.integers(0, most)))]
    if shape.type_name == "map":
        most = 2 if depth < 6 else 0
        return {f"k{n}": draw(values(shape.value, depth + 1, odd)) for n in range(draw(st.integers(0, most)))}
    return PLAIN[shape.type_name]


@pytest.mark.parametrize("shape", INPUTS)
def test_the_report_is_botocores_letter_by_letter(shape: Shape) -> None:
    """For parameters that fit and for parameters that do not."""

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(values(shape))
    def same(params: Any) -> None:
        found = quick._validate(ParamValidator(), params, shape)
        expected = quick._validated(ParamValidator(), params, shape)
        assert found.generate_report() == expected.generate_report()

    same()


def test_what_the_shop_sends_is_settled_by_the_quick_yes() -> None:
    """Otherwise nothing would be gained: a write of a row, a transaction, an event, a message."""
    row = {"id": {"S": "a"}, "n": {"N": "1"}, "items": {"L": [{"M": {"sku": {"S": "mug"}}}]}}
    sent = [
        ("dynamodb", "PutItem", {"TableName": "t", "Item": row, "ConditionExpression": "attribute_not_exists(id)"}),
        ("dynamodb", "TransactWriteItems", {"TransactItems": [{"Put": {"TableName": "t", "Item": row}}]}),
        ("events", "PutEvents", {"Entries": [{"Source": "orders.api", "DetailType": "OrderPlaced", "Detail": "{}"}]}),
        ("sqs", "SendMessage", {"QueueUrl": "q", "MessageBody": "{}"}),
    ]
    for service, name, params in sent:
        assert quick.fits(SESSION.get_service_model(service).operation_model(name).input_shape)(params), name
    least = SESSION.get_service_model("events").operation_model("PutEvents").input_shape
    assert not quick.fits(least)({"Entries": []})
