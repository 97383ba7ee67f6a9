"""Request models: JSON Schema draft 4, by which API Gateway refuses a bad body before any function runs.

A method with a validator checks the body against the model of its content type; a model may refer to another model of
the API by its URL. A body without a model for its content type walks through unchecked, and an empty body counts as {}.
Source: API Gateway developer guide, models-mappings-models, api-gateway-method-request-validation; draft 4: re:Post.
The service's error text is that of a Java validator. The keywords below give it in that manner, as seen in execution
logs; any other keyword's text, the order of several and the text for a body that is not JSON are not known: ours.
`format` is not checked: whether AWS checks it is told both ways.

Taught in notebooks/02_the_front_door.ipynb.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft4Validator
from jsonschema.exceptions import SchemaError, ValidationError
from referencing import Registry
from referencing.jsonschema import DRAFT4

BUILT_IN = {  # every API has these two
    "Empty": {"title": "Empty Schema", "type": "object"},
    "Error": {"title": "Error Schema", "type": "object", "properties": {"message": {"type": "string"}}},
}


class ModelError(ValueError):
    """A model that cannot be used; the message names it and says why."""


class RequestModels:
    """The models of one API, by name."""

    def __init__(self, api_id: str, schemas: dict[str, Any]) -> None:
        """`schemas` holds each model's schema, as an object or as JSON text. Raises ModelError."""
        base = f"https://apigateway.amazonaws.com/restapis/{api_id}/models/"
        read = {name: json.loads(s) if isinstance(s, str) else s for name, s in {**BUILT_IN, **schemas}.items()}
        known = {base + name: DRAFT4.create_resource(schema) for name, schema in read.items()}
        registry: Registry[Any] = Registry().with_resources(known.items())
        for name, schema in read.items():
            _check(name, schema, known)
        self._validators = {name: Draft4Validator(schema, registry=registry) for name, schema in read.items()}

    def __contains__(self, name: str) -> bool:
        return name in self._validators

    def errors(self, name: str, body: str) -> list[str]:
        """What is wrong with this body, one text each; an empty list when it is valid."""
        try:
            value = json.loads(body or "{}", parse_constant=_refuse_constant)
        except ValueError as broken:
            return [f"the body is not JSON: {broken}"]
        texts: list[str] = []
        together: set[tuple[str, ...]] = set()  # jsonschema reports each missing property; AWS lists them in one text
        for error in self._validators[name].iter_errors(value):
            place = (*map(str, error.absolute_path), "", *map(str, error.absolute_schema_path))
            if error.validator != "required" or place not in together:
                together.add(place)
                texts.append(_text(error))
        return texts


def _check(name: str, schema: Any, known: dict[str, Any]) -> None:
    try:
        Draft4Validator.check_schema(schema)
    except SchemaError as error:
        raise ModelError(f"model {name} is not JSON Schema draft 4: {error.message}") from None
    for reference in _references(schema):
        if not reference.startswith("#") and reference.split("#")[0] not in known:
            raise ModelError(f"model {name} refers to {reference}, which is no model of this API")


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        schema = list(schema.values())
    for part in schema if isinstance(schema, list) else []:
        yield from _references(part)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _text(error: ValidationError) -> str:
    found, wanted, schema = error.instance, error.validator_value, error.schema
    match error.validator:
        case "type":
            types = set(wanted if isinstance(wanted, list) else [wanted])
            allowed = _compact(sorted(types | ({"integer"} if "number" in types else set())))
            return f"instance type ({_type(found)}) does not match any allowed primitive type (allowed: {allowed})"
        case "required":
            return f"object has missing required properties ({_compact(sorted(set(wanted) - set(found)))})"
        case "additionalProperties":
            declared, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
            odd = [name for name in found if name not in declared and not any(re.search(p, name) for p in patterns)]
            return f"object instance has properties which are not allowed by the schema: {_compact(sorted(odd))}"
        case "enum":
            return f"instance value ({_compact(found)}) not found in enum (possible values: {_compact(wanted)})"
        case "minimum" | "maximum" as limit:
            low, strictly = ("lower", "greater") if limit == "minimum" else ("greater", "lower")
            if found == wanted:
                return f"numeric instance is not strictly {strictly} than the required {limit} {wanted}"
            return f"numeric instance is {low} than the required {limit} ({limit}: {wanted}, found: {found})"
    size = len(found) if isinstance(found, str | list) else 0
    told = _TEXTS.get(str(error.validator))
    return told.format(found=found, wanted=wanted, size=size) if told else error.message


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _type(value: Any) -> str:
    names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}
    return names.get(type(value), "null")


_TEXTS = {
    "minItems": "array is too short: must have at least {wanted} elements but instance has {size} elements",
    "maxItems": "array is too long: must have at most {wanted} elements but instance has {size} elements",
    "minLength": 'string "{found}" is too short (length: {size}, required minimum: {wanted})',
    "maxLength": 'string "{found}" is too long (length: {size}, maximum allowed: {wanted})',
    "pattern": 'ECMA 262 regex "{wanted}" does not match input string "{found}"',
    "uniqueItems": "array must not contain duplicate elements",
}
