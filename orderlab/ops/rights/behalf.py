"""The rights that AWS itself uses under a role, by what was seen to happen in a run.

Lambda writes a function's log, polls its queue or stream, keeps what failed and joins a VPC, all under the function's
role; Step Functions calls the steps of a machine and EventBridge starts it, each under a role of its own. None of this
is a call of the code. So the trace tells that it happened, and this table which rights it takes, with its source.
EC2's interfaces and X-Ray know no resource: there "*" is what AWS itself asks for.

Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from .actions import Needed

if TYPE_CHECKING:
    from orderlab.cloud import Cloud
    from orderlab.cloud.stack.resources import Resource, Stack

_LAMBDA = "https://docs.aws.amazon.com/lambda/latest/dg/"
_STEPS = "https://docs.aws.amazon.com/step-functions/latest/dg/"


class Rights(NamedTuple):
    """What AWS does under a role, the actions that this takes, and the page that says so."""

    what: str
    actions: str
    source: str

    def on(self, resource: str) -> list[Needed]:
        """Each of the actions with this resource."""
        return [(action, resource) for action in self.actions.split()]


LOG = Rights(
    "Lambda writes the log", "logs:CreateLogStream logs:PutLogEvents", _LAMBDA + "monitoring-cloudwatchlogs.html"
)
TRACES = Rights("Lambda sends traces", "xray:PutTraceSegments xray:PutTelemetryRecords", _LAMBDA + "services-xray.html")
NETWORK = Rights(
    "Lambda joins the VPC",
    "ec2:CreateNetworkInterface ec2:DescribeNetworkInterfaces ec2:DescribeSubnets ec2:DeleteNetworkInterface "
    "ec2:AssignPrivateIpAddresses ec2:UnassignPrivateIpAddresses",
    _LAMBDA + "configuration-vpc.html",
)
QUEUE = Rights(
    "Lambda polls the queue",
    "sqs:ReceiveMessage sqs:DeleteMessage sqs:GetQueueAttributes",
    _LAMBDA + "services-sqs-configure.html",
)
STREAM = Rights(
    "Lambda polls the stream",
    "dynamodb:DescribeStream dynamodb:GetRecords dynamodb:GetShardIterator dynamodb:ListStreams",
    _LAMBDA + "services-ddb.html",
)
BATCH = Rights("Lambda keeps a batch that failed", "s3:PutObject", _LAMBDA + "services-dynamodb-errors.html")
BUCKET = Rights("Lambda keeps a batch that failed", "s3:ListBucket", _LAMBDA + "services-dynamodb-errors.html")
FAILED = Rights(
    "Lambda keeps an event that failed", "sqs:SendMessage", _LAMBDA + "invocation-async-retain-records.html"
)
STEP = Rights("Step Functions calls a step", "lambda:InvokeFunction", _STEPS + "connect-lambda.html")
SAMPLES = Rights(
    "Step Functions sends traces",
    "xray:PutTraceSegments xray:PutTelemetryRecords xray:GetSamplingRules xray:GetSamplingTargets",
    _STEPS + "xray-iam.html",
)
START = Rights(
    "EventBridge starts the machine",
    "states:StartExecution",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-identity-based.html",
)


def used(cloud: "Cloud") -> Iterator[tuple[str, Rights, Needed]]:
    """For each role (its ARN) what AWS was seen to do under it, with the action and the resource."""
    stack, trace = cloud.stack, cloud.trace
    invoked = {(row.actor, row.what.removeprefix("from ")) for row in trace.select("invoke")}
    for function in stack.of_type("AWS::Lambda::Function"):
        sources = {source for actor, source in invoked if actor == function.logical_id}
        if sources:
            yield from _for_function(function, stack)
        for mapping in _mappings(function, stack):
            yield from _polled(mapping, function, sources, stack, trace)
        kept = {row.what for row in trace.select("destination", actor=function.logical_id)}
        for queue in stack.of_type("AWS::SQS::Queue"):
            if str(queue.properties.get("QueueName")) in kept:
                yield from _each(function.properties["Role"], FAILED, str(queue.arn))
    yield from _machines(stack, trace, invoked)


def _for_function(function: "Resource", stack: "Stack") -> Iterator[tuple[str, Rights, Needed]]:
    role, given = function.properties["Role"], function.properties
    name = (given.get("LoggingConfig") or {}).get("LogGroup", f"/aws/lambda/{function.physical_id}")
    for group in (group for group in stack.of_type("AWS::Logs::LogGroup") if group.physical_id == name):
        yield from _each(role, LOG, str(group.arn))
    if (given.get("TracingConfig") or {}).get("Mode") == "Active":
        yield from _each(role, TRACES, "*")
    if given.get("VpcConfig"):
        yield from _each(role, NETWORK, "*")


def _mappings(function: "Resource", stack: "Stack") -> Iterator["Resource"]:
    for mapping in stack.of_type("AWS::Lambda::EventSourceMapping"):
        if mapping.properties["FunctionName"] == function.physical_id:
            yield mapping


def _polled(
    mapping: "Resource", function: "Resource", sources: set[str], stack: "Stack", trace: Any
) -> Iterator[tuple[str, Rights, Needed]]:
    """The trace names a stream's mapping by its logical id, and a queue's by the name of its queue."""
    role, arn = function.properties["Role"], str(mapping.properties["EventSourceArn"])
    if ":sqs:" in arn and arn.rpartition(":")[2] in sources:
        yield from _each(role, QUEUE, arn)
    if "/stream/" in arn and mapping.logical_id in sources:
        yield from _each(role, STREAM, f"{arn.partition('/stream/')[0]}/stream/*")
    if trace.select("destination", actor=mapping.logical_id):
        bucket = mapping.properties["DestinationConfig"]["OnFailure"]["Destination"]
        yield from _each(role, BATCH, f"{bucket}/*")
        yield from _each(role, BUCKET, bucket)


def _machines(stack: "Stack", trace: Any, invoked: set[tuple[str, str]]) -> Iterator[tuple[str, Rights, Needed]]:
    arns = {function.logical_id: str(function.arn) for function in stack.of_type("AWS::Lambda::Function")}
    for machine in stack.of_type("AWS::StepFunctions::StateMachine"):
        role = machine.properties["RoleArn"]
        called = {actor for actor, source in invoked if source == machine.logical_id}
        for function in called:
            yield from _each(role, STEP, arns[function])
        if called and (machine.properties.get("TracingConfiguration") or {}).get("Enabled") is True:
            yield from _each(role, SAMPLES, "*")
        for rule in stack.of_type("AWS::Events::Rule"):
            for target in rule.properties["Targets"]:
                if target["Arn"] == machine.arn and trace.select("deliver", actor=rule.physical_id):
                    yield from _each(target["RoleArn"], START, str(machine.arn))


def _each(role: str, rights: Rights, resource: str) -> Iterator[tuple[str, Rights, Needed]]:
    for needed in rights.on(resource):
        yield role, rights, needed
