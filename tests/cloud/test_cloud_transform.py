"""What a target gets: recorded deliveries, the template rules one by one, and what PutTargets refuses."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orderlab.cloud.rules import InvalidTarget, render, render_text, validate_target

VECTORS = os.environ.get("ORDERLAB_VECTORS")
EVENT = {
    "source": "orders.api",
    "detail-type": "OrderPlaced",
    "time": "2026-01-02T03:04:05Z",
    "detail": {"orderId": "ORD-7", "total": 1999, "gift": True, "items": [{"sku": "MUG"}, {"sku": "HAT"}], "a/b": None},
}


def filled(template: str, **paths: str) -> Any:
    return render({"InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}, EVENT)


@pytest.mark.skipif(not VECTORS, reason="ORDERLAB_VECTORS is not set: no recorded deliveries to compare with")
def test_every_recorded_delivery_is_reproduced() -> None:
    """Bodies as AWS delivered them; None where it silently delivered nothing."""
    for row in json.loads(Path(str(VECTORS), "eventbridge_input_transformers.json").read_text("utf-8")):
        target = {key: row[key] for key in ("Input", "InputPath") if key in row}
        if "InputTemplate" in row:
            target["InputTransformer"] = {key: row[key] for key in ("InputPathsMap", "InputTemplate")}
        validate_target({"Id": "t", **target})
        assert render(target, row["event"]) == (row["body"] if row["delivered"] else None), row["name"]


def test_a_target_without_input_gets_the_event() -> None:
    """The whole event, as one compact JSON text."""
    assert render({}, EVENT) == EVENT
    assert render_text({}, EVENT) == json.dumps(EVENT, separators=(",", ":"))


def test_input_is_sent_as_it_stands() -> None:
    """A constant: spaces and all; only an object or a list is handed back as a Python value."""
    assert render_text({"Input": '{"a":  1}'}, EVENT) == '{"a":  1}'
    assert render({"Input": '{"a":  1}'}, EVENT) == {"a": 1}
    assert render({"Input": '"text"'}, EVENT) == '"text"'


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("$", None),
        ("$.detail.orderId", '"ORD-7"'),
        ("$.detail-type", '"OrderPlaced"'),
        ("$.detail.total", "1999"),
        ("$.detail.a/b", "null"),
        ("$.detail.items[1]", '{"sku":"HAT"}'),
        ("$.detail.items[1].sku", '"HAT"'),
        ("$.detail.items[*].sku", '["MUG","HAT"]'),
        ("$.detail.items.*", '[{"sku":"MUG"},{"sku":"HAT"}]'),
        ("$.detail.items[9].sku", '""'),
        ("$.detail.nothing.here", '""'),
        ("$.detail.orderId.deeper", '""'),
    ],
)
def test_a_path_picks_a_part_of_the_event(path: str, text: str | None) -> None:
    """Dots, dashes, slashes, indices and stars; what is not there is an empty string."""
    validate_target({"Id": "t", "InputPath": path})
    assert render_text({"InputPath": path}, EVENT) == (text or render_text({}, EVENT))


def test_outside_quotes_a_name_stands_for_json() -> None:
    """Each type as itself, a missing value as the empty string."""
    names = {"id": "$.detail.orderId", "total": "$.detail.total", "gift": "$.detail.gift", "none": "$.nothing"}
    template = '{"id": <id>, "total": <total>, "gift": [<gift>], "none": <none>, "items": <items>}'
    assert filled(template, **names, items="$.detail.items") == {
        **{"id": "ORD-7", "total": 1999, "gift": [True], "none": ""},
        "items": [{"sku": "MUG"}, {"sku": "HAT"}],
    }
    assert filled("<id>", id="$.detail.orderId") == '"ORD-7"'


def test_inside_quotes_of_json_only_plain_values_survive() -> None:
    """A string or a number goes in; an object breaks the JSON and nothing is delivered."""
    assert filled('{"key": "orders/<id>/<n>"}', id="$.detail.orderId", n="$.detail.total") == {
        "key": "orders/ORD-7/1999"
    }
    assert filled('{"key": "<items>"}', items="$.detail.items") is None
    assert filled('{"key": "<none>"}', none="$.nothing") == {"key": ""}


def test_inside_a_text_objects_lose_their_quotes() -> None:
    """The text itself keeps its own, on every line."""
    assert filled('"<items> <gift><none>!"', items="$.detail.items", gift="$.detail.gift", none="$.x") == (
        '"[{sku:MUG},{sku:HAT}] true!"'
    )
    assert filled('"first <id>"\n"second"', id="$.detail.orderId") == '"first ORD-7"\n"second"'


def test_an_escaped_quote_does_not_end_a_string() -> None:
    r"""\" stands inside the string, so the name behind it is still quoted."""
    assert filled(r'{"say": "the \"<id>\" order"}', id="$.detail.orderId") == {"say": 'the "ORD-7" order'}


def test_predefined_names_need_no_map() -> None:
    """The rule, the time of arrival, and the event with or without its detail."""
    template = (
        '{"rule": <aws.events.rule-name>, "arn": <aws.events.rule-arn>, "at": <aws.events.event.ingestion-time>, '
        '"all": <aws.events.event.json>, "envelope": <aws.events.event>}'
    )
    target = {"Id": "t", "InputTransformer": {"InputTemplate": template}}
    validate_target(target)
    rule = {"rule_name": "big", "rule_arn": "arn:aws:events:::rule/big", "ingestion_time": "2026-01-02T03:04:06Z"}
    envelope = {key: value for key, value in EVENT.items() if key != "detail"}
    assert render(target, EVENT, **rule) == {
        **{"rule": "big", "arn": "arn:aws:events:::rule/big", "at": "2026-01-02T03:04:06Z"},
        **{"all": EVENT, "envelope": envelope},
    }
    assert render(target, EVENT)["at"] == EVENT["time"]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (
            {"Input": "{}", "InputPath": "$.detail"},
            "Only one of Input, InputPath, or InputTransformer must be provided for target t.",
        ),
        ({"Input": "{"}, "Input for target t is not a valid JSON text."),
        ({"InputPath": "detail"}, "Invalid InputPath for target t: detail."),
        ({"InputPath": "$.a b"}, "Invalid InputPath for target t: $.a b."),
        (
            {"InputTransformer": {"InputPathsMap": {"a": "$.a"}, "InputTemplate": '{"x": <b>}'}},
            "InputTemplate for target t contains invalid placeholder b.",
        ),
        ({"InputTransformer": {"InputTemplate": '{"x": <event>}'}}, "contains invalid placeholder event."),
        ({"InputTransformer": {"InputTemplate": '{"x": <aws.events.id>}'}}, "invalid placeholder aws.events.id."),
        ({"InputTransformer": {"InputPathsMap": {"a b": "$.a"}, "InputTemplate": "1"}}, "contains invalid key a b"),
        ({"InputTransformer": {"InputPathsMap": {"a": "a"}, "InputTemplate": "1"}}, "contains invalid path a for a."),
        ({"InputTransformer": {"InputTemplate": ""}}, "must have 1 to 8192 characters"),
        ({"InputTransformer": {"InputTemplate": '"' + "x" * 8192 + '"'}}, "must have 1 to 8192 characters"),
        (
            {"InputTransformer": {"InputPathsMap": {f"k{n}": "$.a" for n in range(101)}, "InputTemplate": "1"}},
            "has 101 entries, more than 100",
        ),
        ({"InputTransformer": {"InputTemplate": "Order placed"}}, "Invalid InputTemplate for target t"),
        (
            {"InputTransformer": {"InputPathsMap": {"a": "$.a"}, "InputTemplate": '{<a>: "x"}'}},
            "Invalid InputTemplate for target t",
        ),
    ],
)
def test_a_target_that_put_targets_refuses_is_refused(target: dict[str, Any], message: str) -> None:
    """One sentence that names the target and what is wrong with it."""
    with pytest.raises(InvalidTarget) as refusal:
        validate_target({"Id": "t", "Arn": "arn:aws:sqs:eu-west-1:123456789012:q", **target})
    assert message in str(refusal.value)


json_values = st.recursive(
    st.one_of(st.text(max_size=8), st.integers(), st.booleans(), st.none()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(json_values, st.text(max_size=8))
def test_any_value_survives_a_json_template(value: Any, text: str) -> None:
    """Outside quotes every JSON value, inside quotes every string, whatever characters it has."""
    target = {
        "InputTransformer": {
            "InputPathsMap": {"v": "$.detail.value", "t": "$.detail.text"},
            "InputTemplate": '{"v": <v>, "t": "(<t>)"}',
        }
    }
    assert render(target, {"detail": {"value": value, "text": text}}) == {"v": value, "t": f"({text})"}
