"""The proof that nothing is left: AWS is asked by tag and by name, type by type, and every answer is shown.

CloudFormation puts the stack's tags on what can be tagged, so one call finds most of it. What that call does not know
(roles, subscriptions, late log groups) is found by its name. A queue's name and a tag can be reported for a minute
after the deletion, so what seems left is asked for again before it is called left. A question that these credentials
may not ask (budgets, where an account keeps its bill to itself) is told, and proves nothing.

Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from .account import Account, code_of
from .explain import DENIED
from .names import Names
from .stacks import TAG
from .talk import table

TRIES, WAIT = 20, 6.0  # tries, seconds: two minutes
# Type: service, operation, where the names stand in its answer (JMESPath), and what the call must be told.
LISTS: dict[str, tuple[str, str, str, dict[str, str | int]]] = {
    "AWS::ApiGateway::ApiKey": ("apigateway", "get_api_keys", "items[].name", {}),
    "AWS::ApiGateway::RestApi": ("apigateway", "get_rest_apis", "items[].name", {}),
    "AWS::ApiGateway::UsagePlan": ("apigateway", "get_usage_plans", "items[].name", {}),
    "AWS::Budgets::Budget": ("budgets", "describe_budgets", "Budgets[].BudgetName", {"AccountId": "account"}),
    "AWS::CloudFormation::Stack": ("cloudformation", "describe_stacks", "Stacks[].StackName", {}),
    "AWS::CloudWatch::Alarm": ("cloudwatch", "describe_alarms", "MetricAlarms[].AlarmName", {}),
    "AWS::CloudWatch::Dashboard": ("cloudwatch", "list_dashboards", "DashboardEntries[].DashboardName", {}),
    "AWS::DynamoDB::Table": ("dynamodb", "list_tables", "TableNames", {}),
    "AWS::ElastiCache::ServerlessCache": (
        "elasticache", "describe_serverless_caches", "ServerlessCaches[].ServerlessCacheName", {}),
    "AWS::Events::Archive": ("events", "list_archives", "Archives[].ArchiveName", {"NamePrefix": "prefix"}),
    "AWS::Events::EventBus": ("events", "list_event_buses", "EventBuses[].Name", {"NamePrefix": "prefix"}),
    "AWS::IAM::Role": ("iam", "list_roles", "Roles[].RoleName", {}),
    "AWS::Lambda::EventSourceMapping": (
        "lambda", "list_event_source_mappings", "EventSourceMappings[].FunctionArn", {}),
    "AWS::Lambda::Function": ("lambda", "list_functions", "Functions[].FunctionName", {}),
    "AWS::Logs::LogGroup": ("logs", "describe_log_groups", "logGroups[].logGroupName", {}),
    "AWS::S3::Bucket": ("s3", "list_buckets", "Buckets[].Name", {}),
    "AWS::SNS::Topic": ("sns", "list_topics", "Topics[].TopicArn", {}),
    "AWS::SQS::Queue": ("sqs", "list_queues", "QueueUrls", {"QueueNamePrefix": "prefix", "MaxResults": 1000}),
    "AWS::StepFunctions::StateMachine": ("stepfunctions", "list_state_machines", "stateMachines[].name", {}),
}  # fmt: skip
# What has no name of its own and carries the stack's tags.
TAGGED = {
    "AWS::EC2::VPC", "AWS::EC2::Subnet", "AWS::EC2::RouteTable", "AWS::EC2::SecurityGroup", "AWS::EC2::VPCEndpoint",
}  # fmt: skip
# What cannot be there without the thing that it is part of: type and that thing's type.
PARTS = {
    "AWS::ApiGateway::Deployment": "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::GatewayResponse": "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Method": "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Model": "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::RequestValidator": "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Resource": "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage": "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::UsagePlanKey": "AWS::ApiGateway::UsagePlan",
    "AWS::EC2::SubnetRouteTableAssociation": "AWS::EC2::Subnet",
    "AWS::Events::EventBusPolicy": "AWS::Events::EventBus",
    "AWS::Events::Rule": "AWS::Events::EventBus",
    "AWS::IAM::Policy": "AWS::IAM::Role",
    "AWS::Lambda::EventInvokeConfig": "AWS::Lambda::Function",
    "AWS::Lambda::Permission": "AWS::Lambda::Function",
    "AWS::S3::BucketPolicy": "AWS::S3::Bucket",
    "AWS::SNS::Subscription": "AWS::SNS::Topic",
    "AWS::SNS::TopicPolicy": "AWS::SNS::Topic",
    "AWS::SQS::QueuePolicy": "AWS::SQS::Queue",
}


@dataclass(frozen=True)
class Proof:
    """How each question was asked, and what it found that is ours; None where these credentials may not ask."""

    answers: Mapping[str, tuple[str, tuple[str, ...] | None]]

    @property
    def left(self) -> tuple[str, ...]:
        """Everything that is left, by name, ARN or id."""
        return tuple(dict.fromkeys(name for _, found in self.answers.values() for name in found or ()))

    @property
    def unasked(self) -> tuple[str, ...]:
        """The questions that could not be asked."""
        return tuple(what for what, (_, found) in self.answers.items() if found is None)

    def __str__(self) -> str:
        rows = [(what, how, "?" if found is None else str(len(found))) for what, (how, found) in self.answers.items()]
        return table(("what", "asked by", "left"), rows)


def prove(account: Account, names: Names, types: set[str]) -> Proof:
    """Ask until nothing is left, for two minutes at most. `types` are those that the template makes."""
    for _ in range(TRIES):
        proof = look(account, names, types)
        if not proof.left:
            break
        account.pause(WAIT)
    return proof


def look(account: Account, names: Names, types: set[str]) -> Proof:
    """Ask once."""
    answers: dict[str, tuple[str, tuple[str, ...] | None]] = {
        f"tag {TAG}={account.target.prefix}": (
            "resourcegroupstaggingapi get_resources", _if_allowed(lambda: by_tag(account))
        )
    }  # fmt: skip
    for type in sorted({"AWS::CloudFormation::Stack", "AWS::S3::Bucket", *types} & {*LISTS}):
        service, operation, *_ = LISTS[type]
        found = _if_allowed(lambda type=type: by_name(account, names, type))  # type: ignore[misc]
        answers[type] = (f"{service} {operation}", found)
    return Proof(answers)


def _if_allowed(question: Callable[[], tuple[str, ...]]) -> tuple[str, ...] | None:
    try:
        return question()
    except ClientError as error:
        if code_of(error) in DENIED:
            return None
        raise


def by_tag(account: Account) -> tuple[str, ...]:
    """ARNs of everything with our tag."""
    tags = [{"Key": TAG, "Values": [account.target.prefix]}]
    path = "ResourceTagMappingList[].ResourceARN"
    return tuple(account.every("resourcegroupstaggingapi", "get_resources", path, TagFilters=tags))


def by_name(account: Account, names: Names, type: str) -> tuple[str, ...]:
    """The names of this type that are ours."""
    service, operation, path, told = LISTS[type]
    request: dict[str, Any] = {
        key: getattr(account.target, value) if isinstance(value, str) else value for key, value in told.items()
    }
    if type == "AWS::CloudFormation::Stack":
        return tuple(name for name in account.every(service, operation, path) if name == account.target.stack)
    ours = dict.fromkeys(name for name in account.every(service, operation, path, **request) if names.has(type, name))
    return tuple(name for name in ours if type != "AWS::IAM::Role" or is_here(account, name))


def is_here(account: Account, role: str) -> bool:
    """Is a role of this region's stack? Roles are the whole account's, and the same prefix may be used in two regions.

    CloudFormation tags a role with its stack's id, which names the region; a role without that tag counts as ours.
    """
    try:
        tags = account.every("iam", "list_role_tags", "Tags[]", RoleName=role)
    except ClientError as error:
        if code_of(error) in DENIED:
            return True
        if code_of(error) == "NoSuchEntity":  # gone since the roles were listed
            return False
        raise
    stack = next((each["Value"] for each in tags if each["Key"] == "aws:cloudformation:stack-id"), "")
    return not stack or stack.split(":")[3] == account.target.region


def unproved(types: set[str]) -> set[str]:
    """The types that none of these questions would find; a test holds this empty for the template."""
    return types - {*LISTS} - TAGGED - {part for part, whole in PARTS.items() if whole in {*LISTS, *TAGGED}}
