"""May this service send to that queue, or invoke that function? A resource policy decides.

A service such as EventBridge or API Gateway has no identity policy in your account, so only the resource's own policy
can let it in: an explicit Deny wins, else any Allow, else no. The condition on aws:SourceArn names the one rule or API
that may ask: without it any customer's rule could. The service always comes over TLS, so a Deny for aws:SecureTransport
"false" does not touch it. A queue has one policy: the last one that was put there.
Source: IAM user guide, reference_policies_evaluation-logic and reference_policies_elements_condition_operators;
EventBridge user guide, eb-use-resource-based. An operator that is not here is refused by name, never ignored.

Taught in notebooks/12_ship_it.ipynb.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from .stack.resources import Stack
from .wire.answers import NotYet

EVENTS, GATEWAY, SNS = "events.amazonaws.com", "apigateway.amazonaws.com", "sns.amazonaws.com"


def may_send(stack: Stack, queue: Any, source_arn: str, service: str = EVENTS) -> bool:
    """May the rule or topic `source_arn` send to this queue (moto's)? Raises NotYet for a policy not understood.

    A policy set by SetQueueAttributes stands on moto's queue and counts before the template's, which came earlier.
    """
    policy = queue.policy or _template_policy(stack, queue.name)
    return allows(policy, service=service, action="sqs:SendMessage", resource=queue.queue_arn, source_arn=source_arn)


def may_invoke(function: Any, service: str, source_arn: str) -> bool:
    """Do the permissions of this `functions.Function` let the service invoke it on behalf of the rule or API method?

    They are the statements on moto's function: the template's AWS::Lambda::Permission and what AddPermission and
    RemovePermission have made of them.
    """
    policy = {"Statement": function.described.policy.statements}
    return allows(policy, service=service, action="lambda:InvokeFunction", resource=function.arn, source_arn=source_arn)


def allows(policy: Any, *, service: str, action: str, resource: str, source_arn: str) -> bool:
    """Does this policy (a document or its JSON text, None for none) let the service in? Raises NotYet."""
    document = json.loads(policy) if isinstance(policy, str) else policy or {}
    context = {
        "aws:sourcearn": source_arn,
        "aws:sourceaccount": source_arn.split(":")[4],
        "aws:securetransport": "true",
        "aws:principalisawsservice": "true",
        "aws:principalservicename": service,
    }
    effects = {
        statement.get("Effect")
        for statement in _listed(document.get("Statement"))
        if _applies(statement, service, action, resource, context)
    }
    return "Allow" in effects and "Deny" not in effects


def _template_policy(stack: Stack, queue_name: str) -> Any:
    policy = None
    for resource in stack.of_type("AWS::SQS::QueuePolicy"):
        if any(str(url).rsplit("/", 1)[-1] == queue_name for url in _listed(resource.properties.get("Queues"))):
            policy = resource.properties.get("PolicyDocument")
    return policy


def _applies(statement: Mapping[str, Any], service: str, action: str, resource: str, context: dict[str, str]) -> bool:
    for element in ("NotPrincipal", "NotAction", "NotResource"):
        if element in statement:
            raise NotYet(f"a resource policy uses {element}, which the local cloud does not judge yet")
    return (
        _names(statement.get("Principal"), service)
        and any(_like(action.lower(), str(wanted).lower()) for wanted in _listed(statement.get("Action")))
        and any(_like(resource, str(wanted)) for wanted in _listed(statement.get("Resource", "*")))
        and all(
            _holds(operator, key, wanted, context)
            for operator, keys in (statement.get("Condition") or {}).items()
            for key, wanted in keys.items()
        )
    )


def _names(principal: Any, service: str) -> bool:
    if not isinstance(principal, Mapping):
        return principal == "*"
    return "*" in _listed(principal.get("AWS")) or bool({service, "*"} & set(_listed(principal.get("Service"))))


def _holds(operator: str, key: str, wanted: Any, context: dict[str, str]) -> bool:
    """One line of a Condition: any of the wanted values must match, or none of them for a Not… operator."""
    name = operator.lower().removesuffix("ifexists")
    negated = "not" in name
    test = _OPERATORS.get(name.replace("not", ""))
    if test is None:
        raise NotYet(f"a resource policy uses the condition operator {operator}, which the local cloud does not know")
    value = context.get(key.lower())
    if value is None:
        return negated or operator.lower().endswith("ifexists")
    return any(test(value, _text(one)) for one in _listed(wanted)) is not negated


def _arn_like(value: str, wanted: str) -> bool:
    """Each of the six parts of an ARN is matched on its own; ArnEquals and ArnLike do the same."""
    values, patterns = value.split(":", 5), wanted.split(":", 5)
    return len(values) == len(patterns) and all(_like(v, p) for v, p in zip(values, patterns, strict=True))


def _like(value: str, wanted: str) -> bool:
    return _glob(wanted).fullmatch(value) is not None


@lru_cache(maxsize=1024)
def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(c) or re.escape(c) for c in pattern), re.DOTALL)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _listed(value: Any) -> Iterable[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "arnequals": _arn_like,
    "arnlike": _arn_like,
    "bool": lambda value, wanted: value.lower() == wanted.lower(),
    "stringequals": lambda value, wanted: value == wanted,
    "stringequalsignorecase": lambda value, wanted: value.lower() == wanted.lower(),
    "stringlike": _like,
}
