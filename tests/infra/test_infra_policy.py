"""The template keeps every rule of the project's policy, and the policy notices when it does not."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from orderlab.ops.policy import findings
from orderlab.ops.policy.front import check_source
from orderlab.ops.policy.template import deployment_id, source


def test_the_template_has_no_findings() -> None:
    """Queues, rules, mappings, rights, API, buckets and network, under every parameter; and the machine of the saga."""
    assert findings(source()) == []


def test_the_deployment_is_called_after_the_content_of_the_api() -> None:
    """CloudFormation publishes a changed API only under a new logical id; the finding says which."""
    assert [finding for finding in check_source(source()) if "Deployment" in finding] == []
    changed = source()
    changed["Resources"]["PostOrder"]["Properties"]["ApiKeyRequired"] = False
    assert any(deployment_id(changed) in finding for finding in check_source(changed))
    elsewhere = source()
    elsewhere["Resources"]["StockQueue"]["Properties"]["VisibilityTimeout"] = 61
    assert deployment_id(elsewhere) == deployment_id(source())


Resources = dict[str, Any]
Defect = Callable[[Resources], object]


def put(logical_id: str, *path: str | int, value: Any) -> Defect:
    """A defect: this property of this resource has another value. `path` begins under Properties."""

    def plant(resources: Resources) -> None:
        place = resources[logical_id]["Properties"]
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return plant


def take(logical_id: str, *path: str | int) -> Defect:
    """A defect: this property is missing; without a path, the whole resource."""

    def plant(resources: Resources) -> None:
        if not path:
            del resources[logical_id]
            return
        place = resources[logical_id]["Properties"]
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]

    return plant


def add(logical_id: str, **resource: Any) -> Defect:
    """A defect: one resource too many."""
    return lambda resources: resources.update({logical_id: resource})


def allow(role: str, action: Any, resource: Any) -> Defect:
    """A defect: a role may do one thing more."""
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return lambda resources: resources[role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].append(
        statement
    )


def allow_all_but(role: str, **statement: Any) -> Defect:
    """A defect: a role may do, or reach, all but something."""
    return lambda resources: resources[role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].append(
        {"Effect": "Allow", **statement}
    )


def redefine(*path: str | int, value: Any) -> Defect:
    """A defect: the saga's machine says something else here; None: nothing. `path` begins under States."""

    def plant(resources: Resources) -> None:
        place = resources["SagaMachine"]["Properties"]["DefinitionString"]
        definition = json.loads(place["Fn::Sub"])
        part = definition["States"]
        for step in path[:-1]:
            part = part[step]
        if value is None:
            del part[path[-1]]
        else:
            part[path[-1]] = value
        place["Fn::Sub"] = json.dumps(definition)

    return plant


STATEMENT = ("PolicyDocument", "Statement")
ROLE_STATEMENT = ("Policies", 0, "PolicyDocument", "Statement")
EVENT = {"Type": "Api", "Properties": {"Path": "/", "Method": "get"}}
SECOND_POLICY = {"Queues": [{"Ref": "StockQueue"}], "PolicyDocument": {"Version": "2012-10-17", "Statement": []}}

SECOND_RIGHTS = {
    "PolicyName": "more",
    "PolicyDocument": {
        "Statement": [
            {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": {"Fn::GetAtt": "NotificationsTable.Arn"}}
        ]
    },
}
EVERYBODY = {"Effect": "Allow", "Principal": "*", "Action": "events:PutEvents", "Resource": "*"}

DEFECTS: dict[str, tuple[Defect, str]] = {
    # messages
    "visibility below six timeouts": (
        put("StockQueue", "VisibilityTimeout", value=30),
        "ReserveStockMapping: its queue",
    ),
    "visibility left to its default": (take("PaymentQueue", "VisibilityTimeout"), "ChargePaymentMapping: its queue"),
    "a window that the visibility does not cover": (
        put("ReserveStockMapping", "MaximumBatchingWindowInSeconds", value=5),
        "ReserveStockMapping: its queue",
    ),
    "a longer timeout under the old visibility": (
        put("SettleOrder", "Timeout", value=20),
        "SettleOrderMapping: its queue",
    ),
    "no dead-letter queue": (take("StockQueue", "RedrivePolicy"), "StockQueue: is consumed"),
    "too few receives": (put("StockQueue", "RedrivePolicy", "maxReceiveCount", value=2), "StockQueue: gives up"),
    "dead letters kept as short as the work": (
        put("StockDeadQueue", "MessageRetentionPeriod", value=345600),
        "StockQueue: its dead-letter queue keeps",
    ),
    "a dead-letter queue that takes from anyone": (
        put("StockDeadQueue", "RedriveAllowPolicy", value={"redrivePermission": "allowAll"}),
        "StockQueue: its dead-letter queue's",
    ),
    "partial batch failures not reported": (
        take("ReserveStockMapping", "FunctionResponseTypes"),
        "ReserveStockMapping: ignores",
    ),
    "partial failures of a stream not reported": (
        take("RelayMapping", "FunctionResponseTypes"),
        "RelayMapping: ignores",
    ),
    "no maximum concurrency": (take("ChargePaymentMapping", "ScalingConfig"), "ChargePaymentMapping: has no Maximum"),
    "more pollers than reserved executions": (
        put("ReserveStockMapping", "ScalingConfig", "MaximumConcurrency", value=50),
        "ReserveStockMapping: polls",
    ),
    "a stream read from its end": (put("RelayMapping", "StartingPosition", value="LATEST"), "RelayMapping: would miss"),
    "a stream that is never bisected": (take("RelayMapping", "BisectBatchOnFunctionError"), "RelayMapping: one bad"),
    "a stream that retries for ever": (take("RelayMapping", "MaximumRecordAgeInSeconds"), "RelayMapping: retries"),
    "a stream's failures sent nowhere": (take("ProjectSalesMapping", "DestinationConfig"), "ProjectSalesMapping: what"),
    "a stream's failures sent to a queue": (
        put(
            "RelayMapping", "DestinationConfig", "OnFailure", "Destination", value={"Fn::GetAtt": "RelayDeadQueue.Arn"}
        ),
        "RelayMapping: what",
    ),
    "a target without a dead-letter queue": (
        take("NotifyRule", "Targets", 0, "DeadLetterConfig"),
        "NotifyRule: target",
    ),
    "a target without a retry policy": (take("UndoRule", "Targets", 1, "RetryPolicy"), "UndoRule: target payment"),
    "a rule on the default bus": (take("OutcomesRule", "EventBusName"), "OutcomesRule: listens"),
    "an asynchronous function without a destination": (take("NotifyInvokeConfig"), "Notify: is invoked asynch"),
    "a rule that may not invoke": (take("NotifyPermission"), "NotifyRule: is not allowed"),
    "a queue without encryption": (take("ReviewQueue", "SqsManagedSseEnabled"), "ReviewQueue: is not encrypted"),
    "a queue without a policy": (take("StockQueuePolicy"), "StockQueue: has 0 policies"),
    "a second policy for a queue": (
        add("OtherPolicy", Type="AWS::SQS::QueuePolicy", Properties=SECOND_POLICY),
        "StockQueue: has 2 policies",
    ),
    "a policy that forgets a rule": (
        put(
            "PaymentQueuePolicy",
            *STATEMENT,
            0,
            "Condition",
            "ArnEquals",
            "aws:SourceArn",
            value=[{"Fn::GetAtt": "OrderPlacedRule.Arn"}],
        ),
        "PaymentQueue: its policy does not let UndoRule",
    ),
    "a policy that names the wrong rule": (
        put(
            "SettlementQueuePolicy",
            *STATEMENT,
            0,
            "Condition",
            "ArnEquals",
            "aws:SourceArn",
            value=[{"Fn::GetAtt": "ReviewRule.Arn"}],
        ),
        "SettlementQueue: its policy lets",
    ),
    "a policy open to every rule": (
        take("ReviewQueuePolicy", *STATEMENT, 0, "Condition"),
        "ReviewQueue: its policy lets any",
    ),
    "a policy open to every service": (
        put("ReviewQueuePolicy", *STATEMENT, 0, "Principal", value="*"),
        "ReviewQueue: its policy allows more",
    ),
    "a queue that takes plain HTTP": (
        take("UndeliveredQueuePolicy", *STATEMENT, 1),
        "UndeliveredQueue: its policy does",
    ),
    "a policy for another queue": (
        put("StockQueuePolicy", *STATEMENT, 0, "Resource", value={"Fn::GetAtt": "PaymentQueue.Arn"}),
        "StockQueue: its policy speaks",
    ),
    "dead letters that nobody hears of": (take("NotifyDeadAlarm"), "NotifyDeadQueue: messages wait"),
    # rights
    "all actions but one": (
        allow_all_but("NotifyRole", NotAction="iam:*", Resource={"Fn::GetAtt": "NotificationsTable.Arn"}),
        "NotifyRole: may do *: name the actions",
    ),
    "all resources but one": (
        allow_all_but("NotifyRole", Action="dynamodb:PutItem", NotResource={"Fn::GetAtt": "OrdersTable.Arn"}),
        "NotifyRole: may do dynamodb:PutItem on *: name the resource",
    ),
    "a star action": (allow("RelayRole", "events:*", {"Fn::GetAtt": "Bus.Arn"}), "RelayRole: may do events:*"),
    "a star resource": (allow("NotifyRole", "dynamodb:PutItem", "*"), "NotifyRole: may do dynamodb:PutItem on *"),
    "a star on EC2 for a function without a VPC": (
        allow("RelayRole", "ec2:DescribeSubnets", "*"),
        "RelayRole: may do ec2:DescribeSubnets",
    ),
    "a wildcard over every name": (
        allow("NotifyRole", "dynamodb:PutItem", {"Fn::Sub": "arn:aws:dynamodb:*:*:table/${NamePrefix}-*"}),
        "NotifyRole: may do dynamodb:PutItem on arn",
    ),
    "a managed policy": (
        put("RelayRole", "ManagedPolicyArns", value=["arn:aws:iam::aws:policy/AmazonSQSFullAccess"]),
        "RelayRole: has a managed policy",
    ),
    "a role that anyone may assume": (
        put("RelayRole", "AssumeRolePolicyDocument", "Statement", 0, "Principal", value={"AWS": "*"}),
        "RelayRole: can be assumed",
    ),
    "a role shared by two functions": (
        put("GetOrder", "Role", value={"Fn::GetAtt": "PlaceOrderRole.Arn"}),
        "PlaceOrderRole: is shared",
    ),
    "rights left to SAM": (
        put("GetOrder", "Policies", value=["AmazonDynamoDBFullAccess"]),
        "GetOrder: leaves Policies",
    ),
    "a role left to SAM": (
        lambda resources: (take("GetOrder", "Role")(resources), take("GetOrderRole")(resources)),
        "GetOrderRole: has a managed policy",
    ),
    "rights on a table that is not its own": (
        allow("NotifyRole", "dynamodb:GetItem", {"Fn::GetAtt": "LedgerTable.Arn"}),
        "Notify: may do dynamodb:GetItem",
    ),
    "no right on its own table": (take("ProjectSalesRole", *ROLE_STATEMENT, 1), "ProjectSales: is told of SalesTable"),
    "no right to send what failed": (
        take("NotifyRole", *ROLE_STATEMENT, 2),
        "Notify: AWS itself needs sqs:SendMessage",
    ),
    "no right to delete from its queue": (
        put("SettleOrderRole", *ROLE_STATEMENT, 2, "Action", value=["sqs:ReceiveMessage", "sqs:GetQueueAttributes"]),
        "SettleOrder: AWS itself needs sqs:DeleteMessage",
    ),
    "no right to keep a failed batch": (take("RelayRole", *ROLE_STATEMENT, 5), "Relay: AWS itself needs s3:ListBucket"),
    "a right that the VPC cannot reach": (
        allow("PlaceOrderRole", "events:PutEvents", {"Fn::GetAtt": "Bus.Arn"}),
        "PlaceOrder: may do events:PutEvents on ${Bus.Arn}, which its VPC",
    ),
    "a permission for every API": (take("PlaceOrderPermission", "SourceArn"), "PlaceOrderPermission: lets every"),
    "a permission for another method": (
        put(
            "PlaceOrderPermission",
            "SourceArn",
            value={"Fn::Sub": "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/live/GET/orders/*"},
        ),
        "PlaceOrderPermission: is not for PostOrder alone",
    ),
    "a permission for every method of the API": (
        put("GetOrderPermission", "SourceArn", value={"Fn::Sub": "arn:aws:execute-api:*:*:${Api}/*"}),
        "GetOrderPermission: is not for GetOrderMethod alone",
    ),
    "logs kept for ever": (take("RelayLogs", "RetentionInDays"), "RelayLogs: is kept for ever"),
    "logs kept for a month": (put("RelayLogs", "RetentionInDays", value=30), "RelayLogs: is kept for 30 days, and 14"),
    "a log group that Lambda makes": (take("RelayLogs"), "Relay: writes to a log group"),
    "an old runtime": (put("Notify", "Runtime", value="python3.9"), "Notify: runtime python3.9"),
    "a runtime near its end": (put("Notify", "Runtime", value="python3.11"), "Notify: runtime python3.11 is near"),
    "traces that may not be sent": (
        lambda resources: resources["NotifyRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].pop(),
        "Notify: AWS itself needs xray:PutT",
    ),
    "traces of a machine that may not be sent": (
        take("SagaMachineRole", *ROLE_STATEMENT, 1),
        "SagaMachine: may not do xray:GetSamplingRules",
    ),
    "a star on X-Ray where nothing is traced": (
        allow("RelayRole", "xray:PutTraceSegments", "*"),
        "RelayRole: may do xray:PutTraceSegments on *",
    ),
    "a network that its function leaves behind": (
        lambda resources: resources["PrivateSubnetB"].pop("DependsOn"),
        "PlaceOrder: leaves PrivateSubnetB behind",
    ),
    "rights beside a role": (
        add("Beside", Type="AWS::IAM::Policy", Properties={"Roles": [{"Ref": "NotifyRole"}], **SECOND_RIGHTS}),
        "Beside: rights stand in the role itself",
    ),
    "a cache without TLS": (
        put(
            "PlaceOrder",
            "Environment",
            "Variables",
            "CACHE_URL",
            value={"Fn::If": ["CacheOn", {"Fn::Sub": "valkey://${PriceCache.Endpoint.Address}:6379"}, ""]},
        ),
        "PlaceOrder: speaks to its cache without TLS",
    ),
    "a private network without a way to the tables": (
        take("DynamoDBEndpoint"),
        "PlaceOrder: may do dynamodb:BatchGetItem on ${CatalogueTable.Arn}, which its VPC",
    ),
    "an endpoint that lets too little through": (
        put("DynamoDBEndpoint", *STATEMENT, 0, "Action", value=["dynamodb:PutItem", "dynamodb:GetItem"]),
        "PlaceOrder: may do dynamodb:BatchGetItem on ${CatalogueTable.Arn}, which its VPC",
    ),
    "a function that outlives the gateway": (put("PlaceOrder", "Timeout", value=60), "PlaceOrder: may run for 60 s"),
    # the orchestrated saga
    "a task that is never retried": (
        redefine("Charge", "Retry", value=None),
        "SagaMachine: Charge does not retry Unknown",
    ),
    "a task that is retried as long as by default": (
        redefine("UndoCharge", "Retry", 1, value={"ErrorEquals": ["States.ALL"], "JitterStrategy": "FULL"}),
        "SagaMachine: UndoCharge gives up on Open",
    ),
    "too few retries for the outage": (
        redefine("Charge", "Retry", 1, "MaxAttempts", value=14),
        "SagaMachine: Charge gives up on Unknown",
    ),
    "an error that nobody thought of": (
        redefine("Charge", "Retry", 1, "ErrorEquals", value=["Unknown", "Busy"]),
        "SagaMachine: Charge gives up on Lambda.TooManyRequestsException",
    ),
    "retries without jitter": (
        redefine("Reserve", "Retry", 1, "JitterStrategy", value=None),
        "SagaMachine: Reserve retries Busy without jitter",
    ),
    "waits without an end": (
        redefine("Settle", "Retry", 1, "MaxDelaySeconds", value=None),
        "SagaMachine: Settle waits ever longer",
    ),
    "a poisoned event that is retried": (
        redefine("Reserve", "Retry", 0, "ErrorEquals", value=["Contradiction"]),
        "SagaMachine: Reserve retries Invalid",
    ),
    "a refusal that is not caught": (redefine("Charge", "Catch", value=None), "SagaMachine: Charge does not catch"),
    "silence taken for an answer": (
        redefine("Charge", "Catch", 0, "ErrorEquals", value=["Refused", "Unknown"]),
        "SagaMachine: Charge undoes an order because",
    ),
    "an error that replaces the order": (
        redefine("Charge", "Catch", 0, "ResultPath", value=None),
        "SagaMachine: Charge loses the order",
    ),
    "stock released before the charge is undone": (
        redefine("Charge", "Catch", 0, "Next", value="ReleaseStock"),
        "SagaMachine: Charge is undone by SagaRelease, SagaSettle",
    ),
    "a machine that may call anything": (
        allow("SagaMachineRole", "lambda:InvokeFunction", "*"),
        "SagaMachineRole: may do lambda:InvokeFunction on *",
    ),
    "a machine that may call another function": (
        allow("SagaMachineRole", "lambda:InvokeFunction", {"Fn::GetAtt": "PaymentProvider.Arn"}),
        "SagaMachine: may do lambda:InvokeFunction on ${PaymentProvider.Arn}",
    ),
    "a machine that may not call a step": (
        put(
            "SagaMachineRole",
            *ROLE_STATEMENT,
            0,
            "Resource",
            value=[{"Fn::GetAtt": f"{name}.Arn"} for name in ("SagaReserve", "SagaCharge", "SagaSettle")],
        ),
        "SagaMachine: may not do lambda:InvokeFunction on ${SagaRelease.Arn}",
    ),
    "an express machine": (
        put("SagaMachine", "StateMachineType", value="EXPRESS"),
        "SagaMachine: is no STANDARD",
    ),
    "a start that is lost": (take("SagaRule", "Targets", 0, "DeadLetterConfig"), "SagaRule: target saga has no dead"),
    "a rule without a role": (take("SagaRule", "Targets", 0, "RoleArn"), "SagaRule: its role must be allowed"),
    "a rule that may start anything": (
        allow("SagaRuleRole", "states:StartExecution", "*"),
        "SagaRule: its role must be allowed",
    ),
    "an envelope in the place of an order": (
        take("SagaRule", "Targets", 0, "InputPath"),
        "SagaRule: gives SagaMachine the envelope",
    ),
    "dead letters of the saga's rule refused": (
        take("UndeliveredQueuePolicy", *STATEMENT, 0, "Condition", "ArnEquals", "aws:SourceArn", 5),
        "UndeliveredQueue: its policy does not let SagaRule",
    ),
    "executions that fail unheard": (take("SagaFailedAlarm"), "SagaMachine: its executions fail"),
    # the front
    "an open method": (put("GetOrderMethod", "ApiKeyRequired", value=False), "GetOrderMethod: is open"),
    "one method that lets in who does not sign": (
        put("GetOrderMethod", "AuthorizationType", value="NONE"),
        "GetOrderMethod: lets in who does not sign",
    ),
    "a stage that keeps its old deployment": (
        put("Stage", "DeploymentId", value={"Ref": deployment_id(source())}),
        "Stage: serves a deployment that is not there",
    ),
    "a key of no plan": (take("UsagePlanKey"), "ApiKey: is a key of no usage plan"),
    "a body that is not validated": (take("PostOrder", "RequestValidatorId"), "PostOrder: its body"),
    "a validator of parameters only": (
        put("OrderValidator", "ValidateRequestBody", value=False),
        "PostOrder: its body",
    ),
    "a method that may not invoke": (take("GetOrderPermission"), "GetOrderMethod: is not allowed"),
    "a body passed on to DynamoDB": (
        take("GetProductMethod", "Integration", "PassthroughBehavior"),
        "GetProductMethod: passes",
    ),
    "a deployment without its new name": (put("GetOrderMethod", "HttpMethod", value="HEAD"), "Deployment"),
    "no throttle": (take("Stage", "MethodSettings", 0, "ThrottlingRateLimit"), "Stage: has no throttle"),
    "bodies in the log": (put("Stage", "MethodSettings", 0, "DataTraceEnabled", value=True), "Stage: writes bodies"),
    "no quota": (take("UsagePlan", "Quota"), "Stage: has no usage plan"),
    "an imported API": (put("Api", "Body", value={"openapi": "3.0.1"}), "Api: is imported"),
    "SAM's events": (put("GetOrder", "Events", value={"Get": EVENT}), "GetOrder: leaves Events"),
    "an endless list": (
        take("OrderRequest", "Schema", "properties", "items", "maxItems"),
        "OrderRequest: items has no minItems",
    ),
    "unknown fields": (
        take("OrderRequest", "Schema", "additionalProperties"),
        "OrderRequest: the body may have fields",
    ),
    "an endless text": (
        take("OrderRequest", "Schema", "properties", "customerId", "pattern"),
        "OrderRequest: customerId has no limit",
    ),
    "a public bucket": (
        put("ReceiptsBucket", "PublicAccessBlockConfiguration", "BlockPublicPolicy", value=False),
        "ReceiptsBucket: can be made public",
    ),
    "a bucket without a policy": (take("FailedRecordsBucketPolicy"), "FailedRecordsBucket: its policy"),
    "a bucket that keeps everything": (take("ReceiptsBucket", "LifecycleConfiguration"), "ReceiptsBucket: keeps"),
    "a table that is paid by the hour": (take("SalesTable", "BillingMode"), "SalesTable: costs money"),
    "a table that may cost without a limit": (take("LedgerTable", "OnDemandThroughput"), "LedgerTable: a mistake may"),
    "a bucket without encryption": (take("ReceiptsBucket", "BucketEncryption"), "ReceiptsBucket: does not say how"),
    "a bucket that outlives the lab": (
        lambda resources: resources["ReceiptsBucket"].update(DeletionPolicy="Retain"),
        "ReceiptsBucket: would be left",
    ),
    # the account
    "a setting of the whole account": (
        add("Account", Type="AWS::ApiGateway::Account", Properties={"CloudWatchRoleArn": "arn:aws:iam::1:role/r"}),
        "Account: is a setting of the whole account",
    ),
    "an access log kept for ever": (take("AccessLog", "RetentionInDays"), "AccessLog: is kept for ever"),
    "an access log that tells who called": (
        put(
            "Stage",
            "AccessLogSetting",
            "Fn::If",
            1,
            "Format",
            value='{"id": "$context.requestId", "who": "$context.identity.sourceIp"}',
        ),
        "Stage: its access log tells of people",
    ),
    "an access log of somebody else": (
        put("Stage", "AccessLogSetting", "Fn::If", 1, "DestinationArn", value="arn:aws:logs:us-east-1:1:log-group:x"),
        "Stage: its access log goes",
    ),
    "a dashboard that is never free": (
        put(
            "Overview",
            "DashboardBody",
            value=json.dumps({"widgets": [{"properties": {"metrics": [["AWS/SQS", str(n)] for n in range(51)]}}]}),
        ),
        "Overview: shows 51 metrics",
    ),
    "a dashboard without a queue": (
        lambda resources: put(
            "Overview",
            "DashboardBody",
            value={
                "Fn::Sub": resources["Overview"]["Properties"]["DashboardBody"]["Fn::Sub"].replace(
                    "${PaymentDeadQueue.QueueName}", "payment-dead"
                )
            },
        )(resources),
        "Overview: does not show PaymentDeadQueue",
    ),
    "a budget that tells nobody": (take("MonthBudget", "NotificationsWithSubscribers"), "MonthBudget: tells nobody"),
    "a table that outlives the lab": (
        lambda resources: resources["OrdersTable"].update(DeletionPolicy="Retain"),
        "OrdersTable: would be left",
    ),
    "a way out of the private network": (
        add("Nat", Type="AWS::EC2::NatGateway", Properties={}),
        "Nat: the private network",
    ),
    "a cache open to the world": (
        put("CacheSecurityGroup", "SecurityGroupIngress", value=[{"IpProtocol": "tcp", "CidrIp": "0.0.0.0/0"}]),
        "CacheSecurityGroup: lets the whole",
    ),
    "an endpoint for every table": (take("DynamoDBEndpoint", "PolicyDocument"), "DynamoDBEndpoint: lets everything"),
    # alarms that stay silent, or never end
    "an alarm on what SQS never counts": (
        put("StockDeadAlarm", "MetricName", value="NumberOfMessagesSent"),
        "StockDeadQueue: messages wait",
    ),
    "an alarm on a misspelt dimension": (
        put("StockDeadAlarm", "Dimensions", 0, "Name", value="Queue"),
        "StockDeadQueue: messages wait",
    ),
    "an alarm on a queue's address": (
        put("StockDeadAlarm", "Dimensions", 0, "Value", value={"Ref": "StockDeadQueue"}),
        "StockDeadQueue: messages wait",
    ),
    "an alarm after a thousand": (put("NotifyDeadAlarm", "Threshold", value=1000), "NotifyDeadAlarm: stays silent"),
    "an alarm that is the wrong way round": (
        put("ReviewAgeAlarm", "ComparisonOperator", value="LessThanThreshold"),
        "ReviewAgeAlarm: stays silent",
    ),
    "an alarm on the least of a minute": (put("SagaFailedAlarm", "Statistic", value="Minimum"), "SagaMachine: its"),
    "an alarm that a quiet hour sets off": (
        put("UndeliveredAlarm", "TreatMissingData", value="breaching"),
        "UndeliveredAlarm: must say",
    ),
    "an alarm that never ends": (take("BreakerAlarm", "TreatMissingData"), "BreakerAlarm: must say"),
    "a stream that stands still unheard": (take("RelayLateAlarm"), "RelayMapping: events wait behind"),
    "an alarm on the youngest of a stream": (
        put("RelayLateAlarm", "Statistic", value="Minimum"),
        "RelayMapping: events wait behind",
    ),
    "a breaker that opens unheard": (take("BreakerAlarm"), "BreakerTable: a breaker"),
    # side doors
    "a function with an address of its own": (
        add("Url", Type="AWS::Lambda::Url", Properties={"TargetFunctionArn": {"Ref": "Relay"}, "AuthType": "NONE"}),
        "Url: is a second front door",
    ),
    "a permission for everybody": (put("NotifyPermission", "Principal", value="*"), "NotifyPermission: lets * do"),
    "a permission to do anything": (
        put("NotifyPermission", "Action", value="lambda:*"),
        "NotifyPermission: lets events.amazonaws.com do lambda:*",
    ),
    "a bus for everybody": (
        add("Open", Type="AWS::Events::EventBusPolicy", Properties={"StatementId": "all", "Statement": EVERYBODY}),
        "Open: its policy lets in everybody",
    ),
    "a bus opened by itself": (put("Bus", "Policy", value=EVERYBODY), "Bus: its policy lets in everybody"),
    "a table for everybody": (
        put("OrdersTable", "ResourcePolicy", value={"PolicyDocument": {"Statement": [EVERYBODY]}}),
        "OrdersTable: its policy lets in everybody",
    ),
    "a bucket for everybody": (
        lambda resources: resources["ReceiptsBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"].append(
            EVERYBODY
        ),
        "ReceiptsBucketPolicy: its policy lets in everybody",
    ),
    "a bucket opened by its list": (
        put("ReceiptsBucket", "AccessControl", value="PublicRead"),
        "ReceiptsBucket: is opened by",
    ),
    "code of a stranger": (
        put("PlaceOrder", "Layers", value=["arn:aws:lambda:us-east-1:111122223333:layer:tools:1"]),
        "PlaceOrder: runs code of somebody else",
    ),
    "a secret in a variable": (
        put("PaymentProvider", "Environment", "Variables", "PROVIDER_SECRET", value="correct horse"),
        "PaymentProvider: has a secret in PROVIDER_SECRET",
    ),
    "a secret under a harmless name": (
        put("PaymentProvider", "Environment", "Variables", "SIGNED_AS", value="AKIA" + "ABCD" * 4),
        "PaymentProvider: has a secret in SIGNED_AS",
    ),
    "a role for another service": (
        put("RelayRole", "AssumeRolePolicyDocument", "Statement", 0, "Principal", "Service", value="ec2.amazonaws.com"),
        "RelayRole: is to be assumed by lambda.amazonaws.com",
    ),
    "a machine's role for functions": (
        put(
            *("SagaMachineRole", "AssumeRolePolicyDocument", "Statement", 0, "Principal", "Service"),
            value="lambda.amazonaws.com",
        ),
        "SagaMachineRole: is to be assumed by states.amazonaws.com",
    ),
    "an API key that everybody reads": (put("ApiKey", "Value", value="k" * 20), "ApiKey: its value stands"),
    "an API key that is off": (put("ApiKey", "Enabled", value=False), "ApiKey: is a key of no usage plan"),
    "a second stage": (put(deployment_id(source()), "StageName", value="open"), "Deployment"),
    # limits that are none
    "a throttle that is none": (put("Stage", "MethodSettings", 0, "ThrottlingBurstLimit", value=-1), "Stage: has no"),
    "one method without a throttle": (
        lambda resources: resources["Stage"]["Properties"]["MethodSettings"].append(
            {"ResourcePath": "/orders", "HttpMethod": "POST"}
        ),
        "Stage: has no throttle for POST /orders",
    ),
    "a log that API Gateway makes": (
        put("Stage", "MethodSettings", 0, "LoggingLevel", value="INFO"),
        "Stage: its execution log",
    ),
    "an archive of every event ever": (take("Archive", "RetentionDays"), "Archive: keeps every event"),
    "a bucket whose rule is off": (
        put("ReceiptsBucket", "LifecycleConfiguration", "Rules", 0, "Status", value="Disabled"),
        "ReceiptsBucket: keeps everything",
    ),
    "a cache without a limit": (take("PriceCache", "CacheUsageLimits"), "PriceCache: a mistake may"),
    "an endpoint paid by the hour": (
        put("DynamoDBEndpoint", "VpcEndpointType", value="Interface"),
        "DynamoDBEndpoint: is paid",
    ),
    "an endpoint for every role": (
        put("DynamoDBEndpoint", *STATEMENT, 0, "Condition", value={"ArnLike": {"aws:PrincipalArn": "*"}}),
        "DynamoDBEndpoint: lets everything",
    ),
    "a cache open to the world of IPv6": (
        put("CacheSecurityGroup", "SecurityGroupIngress", value=[{"IpProtocol": "tcp", "CidrIpv6": "::/0"}]),
        "CacheSecurityGroup: lets the whole",
    ),
    "a door beside the security group": (
        add("Door", Type="AWS::EC2::SecurityGroupIngress", Properties={"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}),
        "Door: lets the whole",
    ),
    "a table that cannot be deleted": (
        put("OrdersTable", "DeletionProtectionEnabled", value=True),
        "OrdersTable: cannot be deleted",
    ),
    # policies that say less than they seem to
    "only one action refused without TLS": (
        put("StockQueuePolicy", *STATEMENT, 1, "Action", value="sqs:GetQueueUrl"),
        "StockQueue: its policy does not refuse",
    ),
    "a bucket that refuses TLS": (
        put("ReceiptsBucketPolicy", *STATEMENT, 0, "Condition", "Bool", "aws:SecureTransport", value="true"),
        "ReceiptsBucket: its policy does not refuse",
    ),
    "a bucket that refuses its owner": (
        take("ReceiptsBucketPolicy", *STATEMENT, 0, "Condition"),
        "ReceiptsBucket: its policy does not refuse",
    ),
    "a queue under AWS's own key": (
        put("StockQueue", "KmsMasterKeyId", value="alias/aws/sqs"),
        "StockQueue: EventBridge cannot send",
    ),
    # messages that are lost all the same
    "a stream that drops before it is kept": (
        put("RelayMapping", "MaximumRecordAgeInSeconds", value=86_400),
        "RelayMapping: retries until the stream",
    ),
    "a stream without the old image": (
        put("OrdersTable", "StreamSpecification", "StreamViewType", value="NEW_IMAGE"),
        "RelayMapping: cannot tell",
    ),
    "a mapping that is off": (put("SettleOrderMapping", "Enabled", value=False), "SettleOrderMapping: is switched"),
    "a filter that deletes": (
        put("ReserveStockMapping", "FilterCriteria", value={"Filters": [{"Pattern": "{}"}]}),
        "ReserveStockMapping: Lambda deletes",
    ),
    "a delivery tried once": (
        put("ReviewRule", "Targets", 0, "RetryPolicy", "MaximumRetryAttempts", value=0),
        "ReviewRule: target review is given up",
    ),
    "an event tried once": (put("NotifyInvokeConfig", "MaximumRetryAttempts", value=0), "Notify: an event is given"),
    "a FIFO queue for dead letters": (put("UndeliveredQueue", "FifoQueue", value=True), "UndeliveredQueue: is FIFO"),
    # names
    "a table that every learner calls the same": (
        put("StockTable", "TableName", value="stock"),
        "StockTable: is called stock",
    ),
    "a bus that every learner calls the same": (put("Bus", "Name", value="orders"), "Bus: is called orders"),
    "a dashboard of two regions": (
        put("Overview", "DashboardName", value={"Fn::Sub": "${NamePrefix}-overview"}),
        "Overview: is called the same in every region",
    ),
    "a budget of two regions": (
        put("MonthBudget", "Budget", "BudgetName", value={"Fn::Sub": "${NamePrefix}-month"}),
        "MonthBudget: is called the same in every region",
    ),
    "a dashboard without a function": (
        lambda resources: put(
            "Overview",
            "DashboardBody",
            value={
                "Fn::Sub": resources["Overview"]["Properties"]["DashboardBody"]["Fn::Sub"].replace("${GetOrder}", "get")
            },
        )(resources),
        "Overview: does not show GetOrder",
    ),
}


def alone(*path: str | int) -> Defect:
    """A statement that stands without its list, which IAM takes too; `path` ends at the document."""

    def plant(resources: Resources) -> None:
        document = resources[path[0]]["Properties"]
        for step in path[1:]:
            document = document[step]
        (document["Statement"],) = document["Statement"]

    return plant


NO_TARGET = {
    "Name": {"Fn::Sub": "${NamePrefix}-all"},
    "EventBusName": {"Ref": "Bus"},
    "EventPattern": {"source": ["x"]},
}
SHARE = {
    "AlarmName": {"Fn::Sub": "${NamePrefix}-share"},
    "Metrics": [{"Id": "share", "Expression": 'SELECT MAX(Errors) FROM "AWS/Lambda"', "Period": 60}],
    "TreatMissingData": "notBreaching",
}
SOUND: dict[str, Defect] = {
    "a trust without a list": alone("RelayRole", "AssumeRolePolicyDocument"),
    "a queue's policy without a list": alone("StockDeadQueuePolicy", "PolicyDocument"),
    "a bucket's policy without a list": alone("ReceiptsBucketPolicy", "PolicyDocument"),
    "everybody, written as AWS: *": put("StockQueuePolicy", *STATEMENT, 1, "Principal", value={"AWS": "*"}),
    "false, not in quotation marks": put(
        "StockQueuePolicy", *STATEMENT, 1, "Condition", "Bool", "aws:SecureTransport", value=False
    ),
    "objects first, then their bucket": lambda resources: resources["ReceiptsBucketPolicy"]["Properties"][
        "PolicyDocument"
    ]["Statement"][0]["Resource"].reverse(),
    "a list of one service": put(
        *("RelayRole", "AssumeRolePolicyDocument", "Statement", 0, "Principal", "Service"),
        value=["lambda.amazonaws.com"],
    ),
    "a trust in one account": put(
        *("SagaMachineRole", "AssumeRolePolicyDocument", "Statement", 0, "Condition"),
        value={"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
    ),
    "an alarm by the queue's written name": put(
        "StockDeadAlarm", "Dimensions", 0, "Value", value={"Fn::Sub": "${NamePrefix}-stock-dead"}
    ),
    "an alarm from one message on": lambda resources: resources["StockDeadAlarm"]["Properties"].update(
        ComparisonOperator="GreaterThanOrEqualToThreshold", Threshold=1
    ),
    "an alarm on a calculation": add("Share", Type="AWS::CloudWatch::Alarm", Properties=SHARE),
    "a text on the dashboard": lambda resources: resources["Overview"]["Properties"]["DashboardBody"].update(
        {
            "Fn::Sub": resources["Overview"]["Properties"]["DashboardBody"]["Fn::Sub"].replace(
                '"widgets": [', '"widgets": [{"type": "text", "properties": {"markdown": "Made by a template"}},'
            )
        }
    ),
    "a rule without a target": add("All", Type="AWS::Events::Rule", Properties=NO_TARGET),
    "a number under the name of a secret": put(
        "PaymentProvider", "Environment", "Variables", "TOKEN_SECONDS", value="900"
    ),
}


def test_a_queue_policy_may_name_its_rules_in_the_other_ways_that_iam_has() -> None:
    """Of a whole ARN ArnLike and StringEquals say what ArnEquals says, and a list of one says what the one says."""
    template = source()
    statement = template["Resources"]["ReviewQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"][0]
    statement.update(Principal={"Service": ["events.amazonaws.com"]}, Action=["sqs:SendMessage"])
    for test in ("ArnLike", "StringEquals"):
        statement["Condition"] = {test: {"aws:SourceArn": {"Fn::GetAtt": "ReviewRule.Arn"}}}
        assert findings(template, settings=({},)) == []


def test_a_runtime_is_renewed_a_year_before_its_end() -> None:
    """Python 3.13 is patched until the end of June 2029; a course that is deployed later must have moved on."""
    assert not [one for one in findings(source(), date(2028, 6, 29)) if "runtime" in one]
    assert len([one for one in findings(source(), date(2028, 7, 1)) if "runtime" in one]) == 14


@pytest.mark.parametrize("name", DEFECTS)
def test_the_policy_finds_a_planted_defect(name: str) -> None:
    """One defect in an otherwise sound template is found, and the finding names the resource."""
    plant, finding = DEFECTS[name]
    template = source()
    plant(template["Resources"])
    found = findings(template)
    assert any(one.startswith(finding) for one in found), found


@pytest.mark.parametrize("name", SOUND)
def test_the_policy_takes_what_aws_takes_for_the_same(name: str) -> None:
    """Another way to write it, or more of it, is no finding, and stops no check."""
    template = source()
    SOUND[name](template["Resources"])
    assert findings(template) == []


def test_a_method_without_a_function_is_judged_like_any_other() -> None:
    """One that the gateway answers by itself has no Uri."""
    template = source()
    template["Resources"]["Options"] = {
        "Type": "AWS::ApiGateway::Method",
        "Properties": {
            "ResourceId": {"Ref": "OrdersResource"},
            "HttpMethod": "OPTIONS",
            "AuthorizationType": "NONE",
            "Integration": {"Type": "MOCK"},
        },
    }
    assert "Options: is open to everyone: neither authorisation nor API key" in findings(template)
