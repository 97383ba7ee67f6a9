"""What a target gets of an event: the event itself, a constant, a part of it, or a template filled in.

On AWS a target may have one of three things. Input is sent as it stands. InputPath picks a part of the event.
InputTransformer names parts (InputPathsMap) and puts them into a template (InputTemplate) for each <name>:
- outside quotes, as JSON; a name that the event has no value for is "";
- inside quotes of a JSON template, a string goes in without its quotes, anything else as JSON. That usually breaks
  the JSON, and then nothing is delivered and the producer hears nothing (a dead-letter queue gets INVALID_JSON);
- inside quotes of a text (a template that starts with a quote), objects and lists lose all their quotes.
A text arrives with the quotes around it. Source: AWS docs eb-transform-target-input; deliveries recorded on AWS.

Taught in notebooks/03_the_bus.ipynb.
"""

import json
import re
from typing import Any

_NAME = re.compile(r"<([A-Za-z0-9_.-]+)>")
_TOKEN = re.compile(rf'{_NAME.pattern}|\\.|"', re.DOTALL)
_PATH = re.compile(r"\$(?:\.[\w/-]+|\.\*|\[(?:\d+|\*)\])*")
_STEP = re.compile(r"\.([\w/-]+)|\[(\d+)\]|(\*)")
_OWN_NAMES = {f"aws.events.{name}" for name in ("rule-arn", "rule-name", "event", "event.json", "event.ingestion-time")}

MAX_NAMES = 100
"""Entries of an InputPathsMap (AWS docs, API_InputTransformer)."""
MAX_TEMPLATE = 8192
"""Characters of an InputTemplate (the same)."""


class InvalidTarget(ValueError):
    """A target whose input PutTargets refuses with ValidationException; the text is AWS's where it was recorded."""


def render(target: dict[str, Any], event: dict[str, Any], **rule: str) -> Any:
    """The body that a target gets: an object or a list as Python value, everything else as the text that is sent.

    None if AWS delivers nothing. For `rule` see `render_text`.
    """
    text = render_text(target, event, **rule)
    return text if text is None or not text.lstrip().startswith(("{", "[")) else json.loads(text)


def render_text(
    target: dict[str, Any],
    event: dict[str, Any],
    *,
    rule_arn: str = "",
    rule_name: str = "",
    ingestion_time: str = "",
) -> str | None:
    """The very text that a target gets, or None if AWS delivers nothing because a filled template is not JSON.

    `rule_arn`, `rule_name` and `ingestion_time` (ISO 8601; the event's own time by default) are what the names
    <aws.events.rule-arn>, <aws.events.rule-name> and <aws.events.event.ingestion-time> stand for.
    """
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        return _json(_found(event, target["InputPath"]))
    if "InputTransformer" not in target:
        return _json(event)
    paths = target["InputTransformer"].get("InputPathsMap") or {}
    parts = {name: _found(event, path) for name, path in paths.items()} | {
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_name,
        "aws.events.event.ingestion-time": ingestion_time or event.get("time", ""),
        "aws.events.event": {key: value for key, value in event.items() if key != "detail"},
        "aws.events.event.json": event,
    }
    return _filled(target["InputTransformer"]["InputTemplate"], parts)


def _filled(template: str, parts: dict[str, Any]) -> str | None:
    is_text = template.lstrip().startswith('"')
    quoted = False

    def fill(token: re.Match[str]) -> str:
        nonlocal quoted
        if token[0] == '"':
            quoted = not quoted
        if token[1] is None:
            return token[0]  # a quote, or an escaped character
        value = parts.get(token[1], "")
        if not quoted:
            return _json(value)
        if is_text:
            return _bare(value)
        return _json(value)[1:-1] if isinstance(value, str) else _json(value)

    text = _TOKEN.sub(fill, template)
    return text if is_text or _is_json(text) else None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _bare(value: Any) -> str:
    """JSON without a quote in it, as AWS writes values into a text: {id:7,tags:[a,b]}."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{_bare(key)}:{_bare(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_bare, value)) + "]"
    return _json(value)[1:-1] if isinstance(value, str) else _json(value)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _found(event: Any, path: str) -> Any:
    """The value at a path such as $.detail.items[0].sku or $.detail.items[*].sku (a list); "" where there is none."""
    nodes, many = [event], False
    for key, index, star in _STEP.findall(path):
        many = many or bool(star)
        onward: list[Any] = []
        for node in nodes:
            if star:
                onward += node.values() if isinstance(node, dict) else node if isinstance(node, list) else []
            elif index and isinstance(node, list) and int(index) < len(node):
                onward.append(node[int(index)])
            elif key and isinstance(node, dict) and key in node:
                onward.append(node[key])
        nodes = onward
    return nodes if many else nodes[0] if nodes else ""


def validate_target(target: dict[str, Any]) -> None:
    """Refuses what PutTargets refuses in a target's input; raises InvalidTarget, naming the target."""
    name = target.get("Id")
    given = [key for key in ("Input", "InputPath", "InputTransformer") if target.get(key) is not None]
    if len(given) > 1:
        raise InvalidTarget(f"Only one of Input, InputPath, or InputTransformer must be provided for target {name}.")
    if "Input" in given and not _is_json(target["Input"]):
        raise InvalidTarget(f"Input for target {name} is not a valid JSON text.")
    if "InputPath" in given and not _PATH.fullmatch(target["InputPath"]):
        raise InvalidTarget(f"Invalid InputPath for target {name}: {target['InputPath']}.")
    if "InputTransformer" in given:
        _validate_transformer(f"target {name}", target["InputTransformer"])


def _validate_transformer(where: str, transformer: dict[str, Any]) -> None:
    paths, template = transformer.get("InputPathsMap") or {}, transformer.get("InputTemplate")
    if not template or len(template) > MAX_TEMPLATE:
        raise InvalidTarget(f"InputTemplate for {where} must have 1 to {MAX_TEMPLATE} characters.")
    if len(paths) > MAX_NAMES:
        raise InvalidTarget(f"InputPathsMap for {where} has {len(paths)} entries, more than {MAX_NAMES}.")
    for key, path in paths.items():
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", key):
            raise InvalidTarget(f"InputPathsMap for {where} contains invalid key {key}: use letters, digits, _ and -.")
        if not _PATH.fullmatch(path):
            raise InvalidTarget(f"InputPathsMap for {where} contains invalid path {path} for {key}.")
    for key in _NAME.findall(template):
        if key not in paths and key not in _OWN_NAMES:
            raise InvalidTarget(f"InputTemplate for {where} contains invalid placeholder {key}.")
    try:  # AWS parses the first value of the template with null for every name, so a text needs quotes around it
        json.JSONDecoder().raw_decode(_NAME.sub("null", template).lstrip())
    except ValueError as error:
        raise InvalidTarget(f"Invalid InputTemplate for {where} : {error}.") from None
