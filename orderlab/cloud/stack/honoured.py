"""What a template says is either done or refused: nothing in it is skipped without a word.

CloudFormation refuses a template before it makes anything: a reference to nothing, a function that it does not know,
resources that need each other in a circle. moto takes all of these, and leaves out types and properties in silence. So
a template is judged here first, and one clear error names the resource: unknown sections, attributes, types and
properties (see `resource_types`), references, circles; and once the stack is made and every value is known, the
function whose handler its package does not hold, the event source that nobody polls. A rule's targets are judged in
`bus.checks`, which knows what is delivered.
Source: CloudFormation user guide, template-anatomy, intrinsic-function-reference, resource attribute reference.
Departure: a reference to a resource whose condition is false is refused on AWS, and is not noticed here.

Taught in notebooks/12_ship_it.ipynb.
"""

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from ..functions import package
from .references import circle, functions, is_function, references
from .resource_types import TYPES, WHY, Known
from .template import TemplateError

SECTIONS = {"AWSTemplateFormatVersion", "Conditions", "Description", "Globals", "Mappings", "Metadata", "Outputs",
            "Parameters", "Resources", "Transform"}  # fmt: skip
SAM = "AWS::Serverless-2016-10-31"
ATTRIBUTES = {"Condition", "DeletionPolicy", "DependsOn", "Metadata", "Properties", "Type", "UpdateReplacePolicy"}
FUNCTIONS = {"Fn::Base64", "Fn::FindInMap", "Fn::GetAtt", "Fn::GetAZs", "Fn::If", "Fn::Join", "Fn::Select", "Fn::Split",
             "Fn::Sub", "Fn::And", "Fn::Equals", "Fn::Not", "Fn::Or"}  # fmt: skip
SOURCES = {"sqs", "dynamodb"}  # the services of an ARN that event source mappings poll here
INSTEAD = "change it, or take it away with an override"


def check_shape(template: dict[str, Any]) -> None:
    """Judge the template as it stands in the file, before AWS SAM reads it. Raises TemplateError."""
    for section in template.keys() - SECTIONS:
        raise TemplateError(f"the template's section {section} is not read by the local cloud: {INSTEAD}")
    transforms = template.get("Transform") or []
    for transform in transforms if isinstance(transforms, list) else [transforms]:
        if transform != SAM:
            raise TemplateError(f"the template's Transform {transform} is not known: only {SAM} is")
    for name, described in template["Resources"].items():
        if not isinstance(described, dict):
            raise TemplateError(f"{name} is not a mapping with a Type and Properties")
        if not isinstance(described.get("Type"), str):
            raise TemplateError(f"{name} has no Type: every resource needs one, such as AWS::SQS::Queue")
        if not isinstance(described.get("Properties", {}), dict):
            raise TemplateError(f"{name}: its Properties are not a mapping")
        for attribute in sorted(described.keys() - ATTRIBUTES):
            raise TemplateError(f"{name}: the resource attribute {attribute} has no effect here: {INSTEAD}")
        _check_functions(name, described)
    for section in ("Conditions", "Outputs"):
        _check_functions(section, template.get(section))


@lru_cache(maxsize=32)
def check(translated: str) -> None:
    """Judge what AWS SAM has made of a template (JSON text), each text once. Raises TemplateError."""
    template = json.loads(translated)
    resources = template["Resources"]
    for name, described in resources.items():
        kind = described["Type"]
        if kind not in TYPES:
            raise TemplateError(
                f"{name} is a {kind}, which the local cloud does not run: it would be missing without a word, so the "
                f'stack is not created. Take it away (overrides={{"{name}": None}})'
            )
        properties = described.get("Properties") or {}
        _check_properties(name, kind, TYPES[kind], properties)
        _check_values(name, kind, properties)
    needs = {name: references(name, described, template) for name, described in resources.items()}
    for name, output in (template.get("Outputs") or {}).items():
        references(f"the output {name}", output, template)
    needing = circle(needs)
    if needing:
        raise TemplateError(f"circular dependency between resources: {' -> '.join(needing)}; one must go without")


def check_made(name: str, kind: str, properties: dict[str, Any], made: Any) -> None:
    """Judge a resource whose values are all known; `made` is what moto made of it. Raises TemplateError."""
    if kind == "AWS::Lambda::Function":
        runtime = str(properties.get("Runtime"))
        if properties.get("PackageType", "Zip") != "Zip" or not re.fullmatch(r"python3\.\d+", runtime):
            raise TemplateError(f"{name}: only functions in Python from a zip file run here, not the Runtime {runtime}")
        wrong = package.missing(made.code_bytes, str(properties.get("Handler")))
        if wrong:
            raise TemplateError(f"{name}: its Handler {properties.get('Handler')} cannot be loaded: {wrong}")
    _check_values(name, kind, properties)


def without_effect(kind: str, name: str) -> str:
    """Why this property of this type changes nothing on this machine."""
    return WHY[kind.rpartition("::")[0] if name == "*" else name.rpartition(".")[2]]


def _check_values(name: str, kind: str, properties: dict[str, Any]) -> None:
    """What can be told from single values, as far as they are known."""
    if kind == "AWS::Lambda::EventSourceMapping":
        arn = properties.get("EventSourceArn")
        parts = str(arn).split(":")
        if not isinstance(arn, dict) and (len(parts) < 6 or parts[2] not in SOURCES):
            known = " and ".join(sorted(SOURCES))
            raise TemplateError(f"{name}: the event source {arn} is not served here, only {known} are: {INSTEAD}")
    elif kind == "AWS::Events::Rule" and not properties.get("EventPattern"):
        raise TemplateError(f"{name}: a rule without an EventPattern matches nothing, and schedules are not run here")


def _check_functions(name: str, value: Any) -> None:
    for function, _ in functions(value):
        if function not in FUNCTIONS and function != "Ref":
            raise TemplateError(f"{name} uses {function}, a function that the local cloud does not know: {INSTEAD}")


def _check_properties(name: str, kind: str, known: Known, properties: dict[str, Any]) -> None:
    allowed = f"{known.honoured} {known.without_effect}".split()
    if "*" in allowed:
        return
    inside: dict[str, set[str]] = {}
    for path in allowed:
        outer, _, inner = path.partition(".")
        inside.setdefault(outer, set()).update([inner] if inner else [])
    for prop, value in properties.items():
        if prop not in inside:
            raise TemplateError(f"{name} ({kind}): its property {prop} is not honoured here: {INSTEAD}")
        for part in _parts(value) if inside[prop] else ():
            for inner in part.keys() - inside[prop]:
                raise TemplateError(f"{name} ({kind}): {prop}.{inner} is not honoured here: {INSTEAD}")


def _parts(value: Any) -> Iterator[dict[str, Any]]:
    """The mappings that a property is, or lists, also behind Fn::If; other functions are known later."""
    if isinstance(value, list):
        for each in value:
            yield from _parts(each)
    elif isinstance(value, dict) and "Fn::If" in value:
        yield from _parts(value["Fn::If"][1:])
    elif isinstance(value, dict) and not any(is_function(key) for key in value):
        yield value
