"""Resource policies: who may send to a queue and invoke a function."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.awslambda.policy import Policy

from orderlab.cloud.access import EVENTS, GATEWAY, allows, may_invoke, may_send
from orderlab.cloud.stack.resources import Resource, Stack
from orderlab.cloud.wire.answers import NotYet

QUEUE = "arn:aws:sqs:us-east-1:123456789012:stock"
NOTIFY = "arn:aws:lambda:us-east-1:123456789012:function:notify"
RULE = "arn:aws:events:us-east-1:123456789012:rule/orders/placed"
ALLOW = {
    "Effect": "Allow",
    "Principal": {"Service": "events.amazonaws.com"},
    "Action": "sqs:SendMessage",
    "Resource": QUEUE,
    "Condition": {"ArnEquals": {"aws:SourceArn": RULE}},
}
NO_TLS = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "sqs:*",
    "Resource": QUEUE,
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


def asked(*statements: dict[str, Any], rule: str = RULE) -> bool:
    policy = {"Version": "2012-10-17", "Statement": list(statements)}
    return allows(policy, service=EVENTS, action="sqs:SendMessage", resource=QUEUE, source_arn=rule)


def changed(**parts: Any) -> dict[str, Any]:
    return {**ALLOW, **parts}


def test_no_policy_lets_nobody_in() -> None:
    """A service has no other permission."""
    assert not allows(None, service=EVENTS, action="sqs:SendMessage", resource=QUEUE, source_arn=RULE)
    assert not asked()


def test_the_rule_that_the_condition_names_may_send_and_no_other() -> None:
    """Without aws:SourceArn any rule of any account could."""
    assert asked(ALLOW)
    assert not asked(ALLOW, rule=RULE + "-else")
    assert not asked(changed(Condition={"ArnEquals": {"aws:SourceArn": [RULE[:-1], RULE + "x"]}}))
    assert asked(changed(Condition={"ArnEquals": {"aws:SourceArn": [RULE + "x", RULE]}}))
    assert asked({key: value for key, value in ALLOW.items() if key != "Condition"}, rule=RULE + "-else")


def test_a_deny_for_calls_without_tls_does_not_touch_a_service() -> None:
    """EventBridge always comes over TLS."""
    assert asked(ALLOW, NO_TLS)
    assert asked(ALLOW, {**NO_TLS, "Condition": {"Bool": {"aws:SecureTransport": False}}})
    assert not asked(ALLOW, {**NO_TLS, "Condition": {"Bool": {"aws:SecureTransport": "true"}}})


@given(st.permutations([ALLOW, NO_TLS, {**NO_TLS, "Condition": {}}]))
def test_a_deny_wins_wherever_it_stands(statements: list[dict[str, Any]]) -> None:
    """IAM looks at all statements before it decides."""
    assert not asked(*statements)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"Action": "sqs:*"}, True),
        ({"Action": ["sqs:ReceiveMessage", "SQS:sendmessage"]}, True),
        ({"Action": "*"}, True),
        ({"Action": "sqs:Send?essage"}, True),
        ({"Action": "sqs:ReceiveMessage"}, False),
        ({"Resource": "*"}, True),
        ({"Resource": "arn:aws:sqs:*:*:st*"}, True),
        ({"Resource": [QUEUE + "-dead"]}, False),
        ({"Principal": "*"}, True),
        ({"Principal": {"AWS": "*"}}, True),
        ({"Principal": {"Service": ["sns.amazonaws.com", EVENTS]}}, True),
        ({"Principal": {"Service": "sns.amazonaws.com"}}, False),
        ({"Principal": {"AWS": "123456789012"}}, False),
        ({"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:events:*:*:rule/orders/*"}}}, True),
        ({"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:*"}}}, False),
        ({"Condition": {"StringEquals": {"AWS:SourceArn": RULE}}}, True),
        ({"Condition": {"StringLike": {"aws:SourceArn": "arn:aws:*"}}}, True),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}}}, True),
        ({"Condition": {"StringNotEquals": {"aws:SourceAccount": "123456789012"}}}, False),
        ({"Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}}, True),
        ({"Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}}, False),
        ({"Condition": {"StringEqualsIfExists": {"aws:SourceVpc": "vpc-1"}}}, True),
        ({"Condition": {"ArnEquals": {"aws:SourceArn": RULE}, "Bool": {"aws:SecureTransport": "false"}}}, False),
    ],
)
def test_each_element_of_a_statement_must_fit(parts: dict[str, Any], expected: bool) -> None:
    """Wildcards in actions and resources, lists of alternatives, all conditions together."""
    assert asked(changed(**parts)) is expected


@pytest.mark.parametrize(
    "parts", [{"NotAction": "sqs:*"}, {"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}]
)
def test_what_is_not_understood_is_refused_by_name(parts: dict[str, Any]) -> None:
    """A policy must never be judged by half."""
    with pytest.raises(NotYet, match=next(iter(parts.get("Condition", parts)))):
        asked(changed(**parts))


def stack(*resources: tuple[str, dict[str, Any]]) -> Stack:
    made = {f"R{n}": Resource(f"R{n}", kind, f"r{n}", properties) for n, (kind, properties) in enumerate(resources)}
    return Stack(resources=made)


def policy(*statements: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    url = "https://sqs.us-east-1.amazonaws.com/123456789012/stock"
    return "AWS::SQS::QueuePolicy", {"Queues": [url], "PolicyDocument": {"Statement": list(statements)}}


def test_the_last_policy_of_a_queue_overwrites_the_others() -> None:
    """Two AWS::SQS::QueuePolicy on one queue: a well-known way to lose events."""
    queue = SimpleNamespace(name="stock", queue_arn=QUEUE, policy=None)
    assert may_send(stack(policy(NO_TLS), policy(ALLOW)), queue, RULE)
    assert not may_send(stack(policy(ALLOW), policy(NO_TLS)), queue, RULE)
    other = SimpleNamespace(name="payment", queue_arn=QUEUE.replace("stock", "payment"), policy=None)
    assert not may_send(stack(policy(ALLOW)), other, RULE)


def test_a_policy_set_by_the_api_replaces_the_templates() -> None:
    """SetQueueAttributes comes later than the stack."""
    queue = SimpleNamespace(name="stock", queue_arn=QUEUE, policy=json.dumps({"Statement": [NO_TLS]}))
    assert not may_send(stack(policy(ALLOW)), queue, RULE)


def function(*permissions: dict[str, Any]) -> SimpleNamespace:
    policy = Policy(SimpleNamespace(function_arn=NOTIFY))  # moto's own: what AddPermission and CloudFormation make
    for permission in permissions:
        policy.add_statement(json.dumps(permission))
    return SimpleNamespace(arn=NOTIFY, described=SimpleNamespace(policy=policy))


def test_a_lambda_permission_names_service_action_and_source() -> None:
    """AWS::Lambda::Permission is the function's policy, one statement each."""
    given = {"FunctionName": "notify", "Action": "lambda:InvokeFunction", "Principal": EVENTS, "SourceArn": RULE}
    assert may_invoke(function(given), EVENTS, RULE)
    assert may_invoke(function({**given, "FunctionName": NOTIFY}), EVENTS, RULE)
    assert may_invoke(function({**given, "SourceAccount": "123456789012"}), EVENTS, RULE)
    assert not may_invoke(function({**given, "SourceAccount": "999999999999"}), EVENTS, RULE)
    assert not may_invoke(function(given), GATEWAY, RULE)
    assert not may_invoke(function(given), EVENTS, RULE + "-else")
    assert not may_invoke(function({**given, "Action": "lambda:GetFunction"}), EVENTS, RULE)
    assert not may_invoke(function(), EVENTS, RULE)
