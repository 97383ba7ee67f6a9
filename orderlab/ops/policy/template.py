"""Reading infra/template.yaml the way AWS does: translated by SAM, its conditions decided, its references as text.

Taught in notebooks/12_ship_it.ipynb
"""

import copy
import hashlib
import json
import logging
import os
import re
from typing import Any

from orderlab.cloud.loading import quickly

with quickly():
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator

from orderlab.cloud.stack.text import parse

from ..described import TEMPLATE, defaults, holds

Template = dict[str, Any]
Resources = dict[str, dict[str, Any]]

_GONE = object()


def source() -> Template:
    """The template as it stands in the file; a fresh copy, to be changed at will."""
    return copy.deepcopy(parse(TEMPLATE.read_text(encoding="utf-8")))


def translate(template: Template) -> Template:
    """What AWS SAM makes of a template whose package has been uploaded. Changes nothing in `template`."""
    uploaded = copy.deepcopy(template)
    uploaded["Globals"]["Function"]["CodeUri"] = "s3://packages/build.zip"
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it warns of metrics that it did not send to anybody
    translated: Template = Translator({}, Parser()).translate(uploaded, defaults(uploaded))
    return translated


def settle(translated: Template, **parameters: str) -> Template:
    """A translated template under these parameters: `Fn::If` and `Condition` are decided, every reference is text.

    `!Ref X`, `!GetAtt X.Arn` and `!Sub "${X.Arn}/*"` become what `!Sub` would say: "${X}", "${X.Arn}", "${X.Arn}/*".
    """
    chosen = defaults(translated) | parameters
    conditions = translated["Conditions"]
    true = {name: holds(condition, chosen, conditions) for name, condition in conditions.items()}
    kept = {
        name: _plain(resource, true)
        for name, resource in translated["Resources"].items()
        if "Condition" not in resource or true[resource["Condition"]]
    }
    for policy in of_type(kept, "AWS::IAM::Policy").values():  # beside its roles, and read as a part of them
        for role in policy["Roles"]:
            kept[named(role)]["Properties"].setdefault("Policies", []).append(policy)
    outputs = {n: o for n, o in translated["Outputs"].items() if "Condition" not in o or true[o["Condition"]]}
    return {"Resources": kept, "Outputs": _plain(outputs, true)}


def _plain(value: Any, true: dict[str, bool]) -> Any:
    if isinstance(value, list):
        return [plain for plain in (_plain(entry, true) for entry in value) if plain is not _GONE]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        (function, argument), *_ = value.items()
        if function == "Ref":
            return _GONE if argument == "AWS::NoValue" else f"${{{argument}}}"
        if function == "Fn::GetAtt":
            return f"${{{argument if isinstance(argument, str) else '.'.join(argument)}}}"
        if function == "Fn::Sub":
            return argument
        if function == "Fn::If":
            name, then, otherwise = argument
            return _plain(then if true[name] else otherwise, true)
    plain = {name: _plain(entry, true) for name, entry in value.items()}
    return {name: entry for name, entry in plain.items() if entry is not _GONE}


def of_type(resources: Resources, type: str) -> dict[str, dict[str, Any]]:
    """The properties of the resources of one CloudFormation type, by logical id."""
    return {name: r.get("Properties", {}) for name, r in resources.items() if r["Type"] == type}


def named(text: Any) -> str:
    """The logical id in the first reference of a text: "StockQueue" in "${StockQueue.Arn}"; "" where there is none."""
    found = re.search(r"\$\{(\w+)", text) if isinstance(text, str) else None
    return found.group(1) if found else ""


def consumed(resources: Resources) -> set[str]:
    """The queues and tables that a function is invoked from."""
    return {named(m["EventSourceArn"]) for m in of_type(resources, "AWS::Lambda::EventSourceMapping").values()}


def as_list(value: Any) -> list[Any]:
    """A value that may stand alone or in a list, as a list."""
    return value if isinstance(value, list) else [value]


def statements(policy: Any) -> list[dict[str, Any]]:
    """The statements of a resource's PolicyDocument (or of one given as such); IAM takes one without its list too."""
    document = policy.get("PolicyDocument", policy)
    return [statement for statement in as_list(document.get("Statement", [])) if isinstance(statement, dict)]


def anyone(statement: dict[str, Any]) -> bool:
    """Does a statement speak of everybody? IAM has three ways to write it."""
    return statement.get("Principal") in ("*", {"AWS": "*"}, {"AWS": ["*"]})


def refuses_plain(statement: dict[str, Any], actions: str) -> bool:
    """Does a statement refuse everybody all `actions` ("sqs:*") of a request without TLS, and of no other?"""
    condition = statement.get("Condition") or {}
    secure = condition.get("Bool", {})
    plain = condition.keys() == {"Bool"} and secure.keys() == {"aws:SecureTransport"}
    plain = plain and str(secure["aws:SecureTransport"]).lower() == "false"
    return plain and anyone(statement) and statement["Effect"] == "Deny" and statement.get("Action") in (actions, "*")


API_PARTS = {
    "AWS::ApiGateway::" + kind
    for kind in ("RestApi", "Resource", "Method", "Model", "RequestValidator", "GatewayResponse")
}


def deployment_id(template: Template) -> str:
    """The logical id that the API's Deployment must have: it ends in a hash of what a deployment is a snapshot of."""
    parts = {name: r for name, r in template["Resources"].items() if r["Type"] in API_PARTS}
    content = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return "Deployment" + hashlib.sha256(content.encode()).hexdigest()[:8]
