"""The proof that nothing is left: AWS is asked by tag and by name, type by type, and every answer is shown.

CloudFormation puts the stack's tags on what can be tagged, so one call finds most of it. What that call does not know
(roles, subscriptions, late log groups) is found by its name. A queue's name and a tag can be reported for a minute
after the deletion, so what seems left is asked for again before it is called left.

Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .account import Account
from .names import Names
from .stacks import TAG
from .talk import table

TRIES, WAIT = 20, 6.0  # tries, seconds: two minutes
# Type: service, operation, where the names stand in its answer (JMESPath), and what the call must be told.
LISTS: dict[str, tuple[str, str, str, dict[str, str]]] = {
    "AWS::ApiGateway::ApiKey": ("apigateway", "get_api_keys", "items[].name", {}),
    "AWS::ApiGateway::RestApi": ("apigateway", "get_rest_apis", "items[].name", {}),
    "AWS::ApiGateway::UsagePlan": ("apigateway", "get_usage_plans", "items[].name", {}),
    "AWS::Budgets::Budget": ("budgets", "describe_budgets", "Budgets[].BudgetName", {"AccountId": "account"}),
    "AWS::CloudFormation::Stack": ("cloudformation", "describe_stacks", "Stacks[].StackName", {}),
    "AWS::CloudWatch::Alarm": ("cloudwatch", "describe_alarms", "MetricAlarms[].AlarmName", {}),
    "AWS::CloudWatch::CompositeAlarm": ("cloudwatch", "describe_alarms", "CompositeAlarms[].AlarmName", {}),
    "AWS::CloudWatch::Dashboard": ("cloudwatch", "list_dashboards", "DashboardEntries[].DashboardName", {}),
    "AWS::DynamoDB::Table": ("dynamodb", "list_tables", "TableNames", {}),
    "AWS::ElastiCache::ServerlessCache": (
        "elasticache", "describe_serverless_caches", "ServerlessCaches[].ServerlessCacheName", {}),
    "AWS::Events::Archive": ("events", "list_archives", "Archives[].ArchiveName", {}),
    "AWS::Events::EventBus": ("events", "list_event_buses", "EventBuses[].Name", {}),
    "AWS::IAM::Role": ("iam", "list_roles", "Roles[].RoleName", {}),
    "AWS::Lambda::EventSourceMapping": (
        "lambda", "list_event_source_mappings", "EventSourceMappings[].FunctionArn", {}),
    "AWS::Lambda::Function": ("lambda", "list_functions", "Functions[].FunctionName", {}),
    "AWS::Logs::LogGroup": ("logs", "describe_log_groups", "logGroups[].logGroupName", {}),
    "AWS::S3::Bucket": ("s3", "list_buckets", "Buckets[].Name", {}),
    "AWS::SNS::Topic": ("sns", "list_topics", "Topics[].TopicArn", {}),
    "AWS::SQS::Queue": ("sqs", "list_queues", "QueueUrls", {}),
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
    "AWS::Lambda::EventInvokeConfig": "AWS::Lambda::Function",
    "AWS::Lambda::Permission": "AWS::Lambda::Function",
    "AWS::S3::BucketPolicy": "AWS::S3::Bucket",
    "AWS::SNS::Subscription": "AWS::SNS::Topic",
    "AWS::SNS::TopicPolicy": "AWS::SNS::Topic",
    "AWS::SQS::QueuePolicy": "AWS::SQS::Queue",
}


@dataclass(frozen=True)
class Proof:
    """How each question was asked, and what it found that is ours."""

    answers: Mapping[str, tuple[str, tuple[str, ...]]]

    @property
    def left(self) -> tuple[str, ...]:
        """Everything that is left, by name, ARN or id."""
        return tuple(dict.fromkeys(name for _, found in self.answers.values() for name in found))

    def __str__(self) -> str:
        rows = [(what, how, str(len(found))) for what, (how, found) in self.answers.items()]
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
    answers = {f"tag {TAG}={account.target.prefix}": ("resourcegroupstaggingapi get_resources", by_tag(account))}
    for type in sorted({"AWS::CloudFormation::Stack", "AWS::S3::Bucket", *types} & {*LISTS}):
        service, operation, *_ = LISTS[type]
        answers[type] = (f"{service} {operation}", by_name(account, names, type))
    return Proof(answers)


def by_tag(account: Account) -> tuple[str, ...]:
    """ARNs of everything with our tag."""
    tags = [{"Key": TAG, "Values": [account.target.prefix]}]
    path = "ResourceTagMappingList[].ResourceARN"
    return tuple(account.every("resourcegroupstaggingapi", "get_resources", path, TagFilters=tags))


def by_name(account: Account, names: Names, type: str) -> tuple[str, ...]:
    """The names of this type that are ours."""
    service, operation, path, told = LISTS[type]
    request: dict[str, Any] = {key: getattr(account.target, value) for key, value in told.items()}
    if type == "AWS::CloudFormation::Stack":
        return tuple(name for name in account.every(service, operation, path) if name == account.target.stack)
    return tuple(dict.fromkeys(name for name in account.every(service, operation, path, **request) if names.has(name)))


def unproved(types: set[str]) -> set[str]:
    """The types that none of these questions would find; a test holds this empty for the template."""
    return types - {*LISTS} - TAGGED - {part for part, whole in PARTS.items() if whole in {*LISTS, *TAGGED}}
