"""What the gateway makes of a body: what a model finds wrong with it, and what a mapping template writes."""

import pytest

from orderlab.cloud.gateway.models import ModelError
from orderlab.course.experiments.bodies import mapped, model_errors


def test_a_model_of_draft_4_compares_whole_items() -> None:
    """Two lines of one article are different items unless their quantities are the same, too."""
    unique, mug = {"type": "array", "uniqueItems": True}, {"sku": "mug", "quantity": 1}
    assert model_errors(unique, [mug, mug | {"quantity": 2}]) == []
    assert model_errors(unique, [mug, mug]) == ["array must not contain duplicate elements"]


def test_a_schema_of_another_draft_is_refused() -> None:
    """exclusiveMinimum is a number from draft 6 on."""
    with pytest.raises(ModelError, match="is not JSON Schema draft 4"):
        model_errors({"type": "integer", "exclusiveMinimum": 0}, 1)


def test_a_template_writes_what_it_is_told() -> None:
    """$input.path a bare text, $input.json a JSON text, escapeJavaScript one that JSON may refuse."""
    body = {"text": "it's 12\""}
    assert mapped("$input.path('$.text')", body) == "it's 12\""
    assert mapped("$input.json('$.text')", body) == '"it\'s 12\\""'
    assert mapped("$util.escapeJavaScript($input.path('$.text'))", body) == "it\\'s 12\\\""
