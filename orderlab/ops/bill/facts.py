"""What of the template costs: the memory of each function, the queues that are polled, and what costs by the month.

It is read as it stands, without an account and without a cloud: conditions and parameters are resolved here, as far as
prices need them. Every type of resource is either priced, or named in FREE, or told as unpriced.
Source: the pricing pages in infra/prices.json; Lambda developer guide, services-sqs-scaling (five pollers at least look
at a queue), SQS developer guide (a long poll waits 20 seconds at most).
Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orderlab.cloud.stack.text import parse

from ..described import TEMPLATE, defaults, holds, made

HOURS = 730.0  # of a month, as AWS's own calculator counts
POLLERS, WAIT = 5, 20.0  # long polls at a time of one mapping, and the seconds that each takes while the queue is empty
POLLS = POLLERS * HOURS * 3600 / WAIT  # a month and queue: 657,000
MONTHLY = {  # type of resource: a price's id and its units a month
    "AWS::CloudWatch::Alarm": ("alarm", 1.0),
    "AWS::CloudWatch::CompositeAlarm": ("composite-alarm", 1.0),
    "AWS::CloudWatch::Dashboard": ("dashboard", 1.0),
    # GB-hours: the least that Valkey is charged for
    "AWS::ElastiCache::ServerlessCache": ("cache-storage", 0.1 * HOURS),
    "AWS::KMS::Key": ("key", 1.0),
}
_FREE = {  # nothing is charged for these themselves; what goes through some of them is, and the trace has it
    "ApiGateway": "RestApi Resource Model RequestValidator GatewayResponse Method Deployment Stage ApiKey UsagePlan "
    "UsagePlanKey Account",
    "Budgets": "Budget",
    "DynamoDB": "Table",
    "EC2": "VPC Subnet RouteTable SubnetRouteTableAssociation SecurityGroup SecurityGroupIngress SecurityGroupEgress "
    "VPCEndpoint",  # the endpoint is a gateway, which is free; an interface is not
    "Events": "EventBus Rule Archive EventBusPolicy",
    "IAM": "Role Policy ManagedPolicy",
    "Lambda": "Function Permission EventSourceMapping EventInvokeConfig Version Alias",
    "Logs": "LogGroup MetricFilter",
    "ResourceGroups": "Group",
    "S3": "Bucket BucketPolicy",
    "Serverless": "Function",
    "SNS": "Topic TopicPolicy Subscription",
    "SQS": "Queue QueuePolicy",
    "StepFunctions": "StateMachine",
    "XRay": "SamplingRule Group",
}
FREE = {f"AWS::{service}::{name}" for service, names in _FREE.items() for name in names.split()}


@dataclass(frozen=True)
class Facts:
    """MB by function, functions that X-Ray traces, queues by the function that polls them, and units a month."""

    memory: Mapping[str, int]  # logical id -> MB
    names: Mapping[str, str]  # physical name -> logical id, of functions
    tables: Mapping[str, str]  # of tables
    queues: Mapping[str, str]  # of queues
    traced: frozenset[str]
    polled: Mapping[str, str]  # function's logical id -> queue's logical id
    monthly: Mapping[str, float]  # a price's id -> units
    unpriced: tuple[str, ...] = ()  # types of resources that nobody has priced


def read(parameters: Mapping[str, str] | None = None, template: Path = TEMPLATE) -> Facts:
    """The facts of the template under these parameters (default: its own). Raises KeyError for one it does not have."""
    described = parse(template.read_text(encoding="utf-8"))
    values = defaults(described)
    for name, value in (parameters or {}).items():
        if name not in values:
            raise KeyError(f"the template has no parameter {name}; it has {', '.join(sorted(values))}")
        values[name] = str(value)
    world = {"AWS::Region": "us-east-1", "AWS::Partition": "aws", "AWS::AccountId": "123456789012", **values}
    conditions = described.get("Conditions", {})
    there = {
        name: (one["Type"], resolve(one.get("Properties") or {}, world, conditions))
        for name, one in made(described, world).items()
    }
    shared = resolve(described.get("Globals", {}).get("Function", {}), world, conditions)
    return _facts(there, shared)


def _facts(there: Mapping[str, tuple[str, Any]], shared: Mapping[str, Any]) -> Facts:
    functions = {
        name: {**shared, **given}
        for name, (kind, given) in there.items()
        if kind in ("AWS::Serverless::Function", "AWS::Lambda::Function")
    }
    mappings = [given for kind, given in there.values() if kind == "AWS::Lambda::EventSourceMapping"]
    arns = [(one["FunctionName"], one["EventSourceArn"]) for one in mappings]
    monthly: dict[str, float] = {}
    for kind, _ in there.values():
        if kind in MONTHLY:
            price, units = MONTHLY[kind]
            monthly[price] = monthly.get(price, 0.0) + units
    return Facts(
        memory={name: int(one.get("MemorySize", 128)) for name, one in functions.items()},
        names=_names(there, "FunctionName", "AWS::Serverless::Function", "AWS::Lambda::Function"),
        tables=_names(there, "TableName", "AWS::DynamoDB::Table"),
        queues=_names(there, "QueueName", "AWS::SQS::Queue"),
        traced=frozenset(name for name, one in functions.items() if _is_traced(one)),
        polled={
            function["Ref"]: queue[0]
            for function, arn in arns
            if isinstance(queue := _attribute(arn), list) and there[queue[0]][0] == "AWS::SQS::Queue"
        },
        monthly=monthly,
        unpriced=tuple(sorted({kind for kind, _ in there.values()} - FREE - MONTHLY.keys())),
    )


def _names(there: Mapping[str, tuple[str, Any]], attribute: str, *kinds: str) -> dict[str, str]:
    return {str(given.get(attribute, name)): name for name, (kind, given) in there.items() if kind in kinds}


def _is_traced(function: Mapping[str, Any]) -> bool:
    return "Active" in (function.get("Tracing"), (function.get("TracingConfig") or {}).get("Mode"))


def _attribute(arn: Any) -> Any:
    found = arn.get("Fn::GetAtt") if isinstance(arn, dict) else None
    return found.split(".") if isinstance(found, str) else found


def resolve(value: Any, values: Mapping[str, str], conditions: Mapping[str, Any]) -> Any:
    """A property with its parameters and !If resolved; references to resources stay as they are."""
    if isinstance(value, list):
        return [resolve(one, values, conditions) for one in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        (kind, given), *_ = value.items()
        if kind == "Ref" and given in values:
            return values[given]
        if kind == "Fn::If":
            name, yes, no = given
            return resolve(yes if holds({"Condition": name}, values, conditions) else no, values, conditions)
        if kind == "Fn::Sub" and isinstance(given, str):
            for name, said in values.items():
                given = given.replace(f"${{{name}}}", said)
            return given
    return {name: resolve(one, values, conditions) for name, one in value.items()}
