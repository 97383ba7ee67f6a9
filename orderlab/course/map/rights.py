"""What a role allows, said as arrows between boxes of the picture.

On AWS a function may do what the policies of its role list, and nothing else. Each function here has a role of its own,
and no statement of it names a star: so a line that is not in the picture is a thing that the function cannot do.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orderlab.cloud.stack.resources import Stack

Places = dict[str, str]  # logical ids by what a resource's ARN ends in
_ENDINGS = {  # what an ARN says after the account, before the resource's name
    "AWS::Lambda::Function": "function:",
    "AWS::DynamoDB::Table": "table/",
    "AWS::Events::EventBus": "event-bus/",
    "AWS::SQS::Queue": "",
    "AWS::S3::Bucket": "",
}
_VERBS = {  # what an action is called here; what only a mapping needs is no arrow
    "dynamodb": {"Put": "write", "Update": "write", "Delete": "write", "Get": "read", "Query": "read", "Batch": "read"},
    "s3": {"PutObject": "write", "GetObject": "read"},
    "lambda": {"InvokeFunction": "ask"},
    "events": {"PutEvents": "publish"},
    "sqs": {"SendMessage": "send"},
}


def places(stack: "Stack") -> Places:
    """The logical ids of everything that an ARN in the template can point to."""
    known = [resource for resource in stack.resources.values() if resource.type in _ENDINGS]
    return {_ENDINGS[r.type] + r.physical_id.rpartition("/")[2]: r.logical_id for r in known}


def at(arn: Any, known: Places) -> str:
    """The logical id behind an ARN, or behind one of a table's stream or a bucket's objects; "" when there is none."""
    rest = str(arn).split(":", 5)[-1]
    parts = (rest, *("/".join(rest.split("/")[:n]) for n in (1, 2)))
    return next((known[name] for name in parts if name in known), "")


def function_at(name: Any, known: Places) -> str:
    """The logical id of a function, given by its name or its ARN."""
    return known.get(f"function:{str(name).rpartition(':')[2]}", "")


def allowed(role: Any, stack: "Stack", known: Places) -> Iterator[tuple[str, str]]:
    """What the role with this ARN allows: a verb, and the logical id of what it may be done to."""
    for resource in (resource for resource in stack.of_type("AWS::IAM::Role") if resource.arn == role):
        for policy in resource.properties.get("Policies") or []:
            for statement in filter(None, policy["PolicyDocument"]["Statement"]):  # None: a condition was false
                for action in _list(statement["Action"]):
                    for arn in _list(statement["Resource"]):
                        word = verb(action)
                        if word and "/stream/" not in str(arn):  # a stream is polled by its mapping
                            yield word, at(arn, known)


def verb(action: str) -> str | None:
    """What an action such as "dynamodb:PutItem" is called in the picture; None for one that is not drawn."""
    service, _, name = action.partition(":")
    return next((word for stem, word in _VERBS.get(service, {}).items() if name.startswith(stem)), None)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
