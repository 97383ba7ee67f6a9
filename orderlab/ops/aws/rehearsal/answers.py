"""Answers as AWS's own models describe them: checked before they are sent, so that a rehearsal cannot invent a field.

botocore ships the model of every service: each operation's members, their types and the values that an enumeration may
have. An answer that does not fit its model is a mistake in the rehearsal and is never sent.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from botocore.model import ListShape, OperationModel, Shape, StructureShape
from botocore.validate import ParamValidator
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model


class Refusal(Exception):
    """What AWS says instead of an answer: an error's code, its message and the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


class Unlike(ValueError):
    """An answer that AWS could not give: the model says otherwise."""


# What was seen on AWS and is not in its model: a stack's own events tell the stack's status.
# https://github.com/aws/serverless-application-model/issues/58, https://github.com/ansible/ansible/pull/26225
SEEN = {
    "ResourceStatus": {
        "REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE",
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
    }
}  # fmt: skip


def write(service: str, name: str, answer: Mapping[str, Any]) -> tuple[int, dict[str, str], bytes]:
    """The HTTP answer: status, headers, body. Raises Unlike when the model does not know such an answer."""
    model: OperationModel = get_service_model(service).operation_model(name)
    if model.output_shape is not None:
        mistakes = [*wrong(model.output_shape, answer)]
        if mistakes:
            raise Unlike(f"{service} {name}: {'; '.join(mistakes)}")
    serializer = get_serializer_class(service, str(model.service_model.resolved_protocol))
    sent = serializer(model).serialize(dict(answer))
    body = sent["body"]
    return sent["status_code"], dict(sent["headers"]), body.encode() if isinstance(body, str) else body


def refuse(refusal: Refusal) -> tuple[int, dict[str, str], bytes]:
    """The HTTP answer of a query service that says no."""
    error = f"<Type>Sender</Type><Code>{refusal.code}</Code><Message>{_escaped(refusal.message)}</Message>"
    body = f"<ErrorResponse><Error>{error}</Error><RequestId>rehearsal</RequestId></ErrorResponse>"
    return refusal.status, {"content-type": "text/xml"}, body.encode()


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def wrong(shape: Shape, answer: Any) -> Iterator[str]:
    """What of an answer does not fit its shape: types, members that are missing or unknown, values of enumerations."""
    report = ParamValidator().validate(answer, shape)
    if report.has_errors():
        yield report.generate_report()
    yield from _enumerations(shape, answer)


def _enumerations(shape: Shape, value: Any) -> Iterator[str]:
    allowed = getattr(shape, "enum", None)
    if allowed and value not in {*allowed, *SEEN.get(shape.name, ())}:
        yield f"{value!r} is no {shape.name}"
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        for name, each in value.items():
            if name in shape.members:
                yield from _enumerations(shape.members[name], each)
    elif isinstance(shape, ListShape) and isinstance(value, list):
        for each in value:
            yield from _enumerations(shape.member, each)


def read_query(body: bytes) -> dict[str, Any]:
    """A query request's parameters, nested: "Tags.member.1.Key=a" becomes {"Tags": [{"Key": "a"}]}."""
    nested: dict[str, Any] = {}
    for name, value in parse_qsl(body.decode(), keep_blank_values=True):
        *path, last = name.split(".")
        here = nested
        for part in path:
            here = here.setdefault(part, {})
        here[last] = value
    return {name: _listed(value) for name, value in nested.items()}


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if set(value) == {"member"}:
        members = value["member"]
        return [_listed(members[key]) for key in sorted(members, key=int)]
    return {name: _listed(each) for name, each in value.items()}
