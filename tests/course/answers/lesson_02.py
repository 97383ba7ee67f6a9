"""Answers to the exercises of lesson 02: further right ones, and one wrong one for each misconception of the lesson."""

from decimal import Decimal
from typing import Any

Schema = dict[str, Any]

ORDER_ID = {"type": "string", "pattern": "^ORD-[0-9a-f]{20}$"}
REASON = {"type": "string", "enum": ["broken", "wrong", "unwanted"]}
QUANTITY = {"type": "integer", "minimum": 1}


def model(**changed: Any) -> Schema:
    """A right model, with parts of it changed; None takes a part away."""
    whole = {
        "type": "object",
        "required": ["orderId", "reason", "quantity"],
        "additionalProperties": False,
        "properties": {"orderId": ORDER_ID, "reason": REASON, "quantity": QUANTITY},
    }
    return {name: value for name, value in (whole | changed).items() if value is not None}


def with_property(**changed: Any) -> Schema:
    """A right model, but for one of its properties."""
    return model(properties={"orderId": ORDER_ID, "reason": REASON, "quantity": QUANTITY} | changed)


def plain() -> Schema:
    """Right: as the lesson would write it."""
    return model()


def strictly_more_than_none() -> Schema:
    """Right: draft 4's own way to say more than 0."""
    return with_property(quantity={"type": "integer", "minimum": 0, "exclusiveMinimum": True})


def one_of() -> Schema:
    """Right: the reasons one by one, and the count of properties in place of additionalProperties."""
    return model(
        additionalProperties=None,
        maxProperties=3,
        properties={
            "orderId": ORDER_ID,
            "reason": {"oneOf": [{"enum": [word]} for word in ("broken", "wrong", "unwanted")]},
            "quantity": QUANTITY,
        },
    )


def newer_draft() -> Schema:
    """Wrong: exclusiveMinimum is a number from draft 6 on."""
    return with_property(quantity={"type": "integer", "exclusiveMinimum": 0})


def older_draft() -> Schema:
    """Wrong: required was a mark at each property in draft 3."""
    return with_property(orderId={**ORDER_ID, "required": True})


def nothing_required() -> Schema:
    """Wrong: described, not required."""
    return model(required=None)


def open_to_more() -> Schema:
    """Wrong: other fields are welcome."""
    return model(additionalProperties=None)


def loose_pattern() -> Schema:
    """Wrong: the pattern may stand anywhere."""
    return with_property(orderId={"type": "string", "pattern": "ORD-[0-9a-f]{20}"})


def no_least() -> Schema:
    """Wrong: no lower bound."""
    return with_property(quantity={"type": "integer"})


def any_number() -> Schema:
    """Wrong: fractions are numbers."""
    return with_property(quantity={"type": "number", "minimum": 1})


def no_type() -> Schema:
    """Wrong: a list is no object, and walks past."""
    return model(type=None)


def constants() -> Schema:
    """Wrong: const is of draft 6, and draft 4 passes over it."""
    return with_property(reason={"anyOf": [{"const": word} for word in ("broken", "wrong", "unwanted")]})


def too_strict() -> Schema:
    """Wrong: only one unit at a time."""
    return with_property(quantity={"type": "integer", "minimum": 1, "maximum": 1})


def as_json() -> str:
    """Right: $input.json writes quotation marks and all."""
    return """{"TableName": "wishes", "Item": {
        "customerId": {"S": $input.json('$.customerId')}, "text": {"S": $input.json('$.text')}}}"""


def escaped() -> str:
    """Right: the shop's own way."""
    return r"""{"TableName": "wishes", "Item": {
        "customerId": {"S": "$util.escapeJavaScript($input.path('$.customerId')).replaceAll("\\'", "'")"},
        "text": {"S": "$util.escapeJavaScript($input.path('$.text')).replaceAll("\\'", "'")"}}}"""


def bare() -> str:
    """Wrong: the template as the lesson gives it."""
    return """{"TableName": "wishes", "Item": {
        "customerId": {"S": "$input.path('$.customerId')"}, "text": {"S": "$input.path('$.text')"}}}"""


def half_mended() -> str:
    """Wrong: the text is written as JSON, the customer is not."""
    return """{"TableName": "wishes", "Item": {
        "customerId": {"S": "$input.path('$.customerId')"}, "text": {"S": $input.json('$.text')}}}"""


def quoted_twice() -> str:
    """Wrong: $input.json inside of quotation marks."""
    return """{"TableName": "wishes", "Item": {
        "customerId": {"S": "$input.json('$.customerId')"}, "text": {"S": "$input.json('$.text')"}}}"""


def java_script() -> str:
    """Wrong: an apostrophe becomes \\', which is no JSON."""
    return """{"TableName": "wishes", "Item": {
        "customerId": {"S": "$util.escapeJavaScript($input.path('$.customerId'))"},
        "text": {"S": "$util.escapeJavaScript($input.path('$.text'))"}}}"""


def taken_out() -> str:
    """Wrong: what is dangerous is thrown away, and the wish with it."""
    return r"""{"TableName": "wishes", "Item": {
        "customerId": {"S": $input.json('$.customerId')},
        "text": {"S": "$input.path('$.text').replaceAll("[^\w -]", "")"}}}"""


RIGHT: dict[str, list[Any]] = {
    "2.1": [4.2, 4.20, Decimal("4.20"), 0.2 + 0.3 * 13.3334],
    "2.2": [plain, strictly_more_than_none, one_of],
    "2.3": [as_json, escaped],
}
WRONG: dict[str, list[tuple[Any, str]]] = {  # the answer, and words of the message that it must get
    "2.1": [
        (7.7, "charged in both cases"),
        (3.5, "What comes on top"),
        (4.0, "charges each invocation"),
        (0.2, "the memory for its time"),
        (2.2, "the bill for 512 MB"),
        (4000.22, "300 are milliseconds"),
    ],
    "2.2": [
        (newer_draft, "no JSON Schema of draft 4"),
        (older_draft, "no JSON Schema of draft 4"),
        (nothing_required, "Which ones must be there"),
        (open_to_more, "A field that nobody knows"),
        (loose_pattern, "^ and $ tie it"),
        (no_least, "how few units"),
        (any_number, "1.5 is a number"),
        (no_type, "a list walks past"),
        (constants, "`enum` is the one to use"),
        (too_strict, "It refuses a good return"),
    ],
    "2.3": [
        (bare, "becomes a part of the request"),
        (half_mended, "becomes a part of the request"),
        (quoted_twice, "two pairs"),
        (java_script, "JSON knows no"),
        (taken_out, "nothing taken out"),
    ],
}
