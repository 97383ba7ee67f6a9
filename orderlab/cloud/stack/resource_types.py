"""The resource types that this cloud knows, and what it does with each of their properties.

CloudFormation makes whatever a template describes. Here a resource is either kept, property by property, or refused:
what is in none of these lists stops the stack with the resource's name. Of each type there are three lists: the
properties that take effect, those that are accepted and change nothing on this machine (`WHY` tells why), and the
attributes that `!GetAtt` reads. A name with a dot lists what a property holds inside; "*" is every property.
Source: AWS CloudFormation template reference, one page for each type.

Taught in notebooks/12_ship_it.ipynb.
"""

from typing import NamedTuple


class Known(NamedTuple):
    """One resource type: names of properties and attributes, separated by blanks."""

    honoured: str
    without_effect: str = ""
    attributes: str = ""


TYPES = {
    "AWS::ApiGateway::Account": Known("", "CloudWatchRoleArn", "Id"),
    "AWS::ApiGateway::ApiKey": Known("Enabled Name Value", "Description Tags", "APIKeyId"),
    "AWS::ApiGateway::Deployment": Known("RestApiId StageName", "Description", "DeploymentId"),
    "AWS::ApiGateway::GatewayResponse": Known(
        "ResponseParameters ResponseTemplates ResponseType RestApiId StatusCode", "", "Id"
    ),
    "AWS::ApiGateway::Method": Known(
        "ApiKeyRequired AuthorizationType HttpMethod MethodResponses RequestModels RequestParameters "
        "RequestValidatorId ResourceId RestApiId Integration.Credentials Integration.IntegrationHttpMethod "
        "Integration.IntegrationResponses Integration.PassthroughBehavior Integration.RequestParameters "
        "Integration.RequestTemplates Integration.TimeoutInMillis Integration.Type Integration.Uri",
        "OperationName",
    ),
    "AWS::ApiGateway::Model": Known("ContentType Name RestApiId Schema", "Description"),
    "AWS::ApiGateway::RequestValidator": Known(
        "Name RestApiId ValidateRequestBody ValidateRequestParameters", "", "RequestValidatorId"
    ),
    "AWS::ApiGateway::Resource": Known("ParentId PathPart RestApiId", "", "ResourceId"),
    "AWS::ApiGateway::RestApi": Known(
        "ApiKeySourceType BinaryMediaTypes Body BodyS3Location Name",
        "Description EndpointConfiguration Tags",
        "RestApiId RootResourceId",
    ),
    "AWS::ApiGateway::Stage": Known(
        "DeploymentId RestApiId StageName Variables MethodSettings.HttpMethod MethodSettings.ResourcePath "
        "MethodSettings.ThrottlingBurstLimit MethodSettings.ThrottlingRateLimit",
        "AccessLogSetting Description Tags TracingEnabled MethodSettings.DataTraceEnabled "
        "MethodSettings.LoggingLevel MethodSettings.MetricsEnabled",
    ),
    "AWS::ApiGateway::UsagePlan": Known(
        "ApiStages.ApiId ApiStages.Stage ApiStages.Throttle Quota Throttle UsagePlanName", "Description Tags", "Id"
    ),
    "AWS::ApiGateway::UsagePlanKey": Known("KeyId KeyType UsagePlanId", "", "Id"),
    "AWS::Budgets::Budget": Known("", "*"),
    "AWS::CloudWatch::Alarm": Known(
        "ActionsEnabled AlarmActions AlarmName ComparisonOperator DatapointsToAlarm Dimensions EvaluationPeriods "
        "InsufficientDataActions MetricName Namespace OKActions Period Statistic Threshold TreatMissingData",
        "AlarmDescription Tags",
        "Arn",
    ),
    "AWS::CloudWatch::Dashboard": Known("DashboardName", "DashboardBody"),
    "AWS::DynamoDB::Table": Known(
        "AttributeDefinitions GlobalSecondaryIndexes KeySchema LocalSecondaryIndexes StreamSpecification TableName "
        "TimeToLiveSpecification",
        "BillingMode DeletionProtectionEnabled OnDemandThroughput PointInTimeRecoverySpecification "
        "ProvisionedThroughput SSESpecification TableClass Tags",
        "Arn StreamArn",
    ),
    "AWS::EC2::RouteTable": Known("", "*", "RouteTableId"),
    "AWS::EC2::SecurityGroup": Known("", "*", "GroupId VpcId"),
    "AWS::EC2::Subnet": Known("", "*", "AvailabilityZone CidrBlock SubnetId VpcId"),
    "AWS::EC2::SubnetRouteTableAssociation": Known("", "*", "Id"),
    "AWS::EC2::VPC": Known("", "*", "CidrBlock VpcId"),
    "AWS::EC2::VPCEndpoint": Known("", "*", "Id"),
    "AWS::ElastiCache::ServerlessCache": Known(
        "ServerlessCacheName",
        "CacheUsageLimits Description Engine KmsKeyId MajorEngineVersion SecurityGroupIds SnapshotRetentionLimit "
        "SubnetIds Tags",
        "Endpoint.Address Endpoint.Port",
    ),
    "AWS::Events::Archive": Known("ArchiveName EventPattern RetentionDays SourceArn", "Description", "Arn"),
    "AWS::Events::EventBus": Known("Name", "Description KmsKeyIdentifier Tags", "Arn Name"),
    "AWS::Events::Rule": Known(
        "EventBusName EventPattern Name State Targets.Arn Targets.DeadLetterConfig Targets.Id Targets.Input "
        "Targets.InputPath Targets.InputTransformer Targets.RetryPolicy Targets.RoleArn Targets.SqsParameters",
        "Description Tags",
        "Arn",
    ),
    "AWS::IAM::ManagedPolicy": Known("", "*", "PolicyArn"),
    "AWS::IAM::Policy": Known("", "*"),
    "AWS::IAM::Role": Known("", "*", "Arn RoleId"),
    "AWS::Lambda::EventInvokeConfig": Known(
        "DestinationConfig FunctionName MaximumEventAgeInSeconds MaximumRetryAttempts Qualifier"
    ),
    "AWS::Lambda::EventSourceMapping": Known(
        "BatchSize BisectBatchOnFunctionError DestinationConfig Enabled EventSourceArn FilterCriteria FunctionName "
        "FunctionResponseTypes MaximumBatchingWindowInSeconds MaximumRecordAgeInSeconds MaximumRetryAttempts "
        "ParallelizationFactor ScalingConfig StartingPosition",
        "KmsKeyArn MetricsConfig Tags",
        "EventSourceMappingArn Id",
    ),
    "AWS::Lambda::Function": Known(
        "Code.S3Bucket Code.S3Key Code.ZipFile DeadLetterConfig.TargetArn Environment FunctionName Handler MemorySize "
        "PackageType ReservedConcurrentExecutions Runtime Timeout",
        "Architectures Description EphemeralStorage KmsKeyArn LoggingConfig Role Tags TracingConfig VpcConfig",
        "Arn",
    ),
    "AWS::Lambda::Permission": Known("Action FunctionName Principal SourceAccount SourceArn"),
    "AWS::Logs::LogGroup": Known("LogGroupName", "KmsKeyId LogGroupClass RetentionInDays Tags", "Arn"),
    "AWS::S3::Bucket": Known(
        "BucketName",
        "BucketEncryption LifecycleConfiguration OwnershipControls PublicAccessBlockConfiguration Tags",
        "Arn DomainName RegionalDomainName",
    ),
    "AWS::S3::BucketPolicy": Known("", "Bucket PolicyDocument"),
    "AWS::SNS::Subscription": Known(
        "Endpoint FilterPolicy FilterPolicyScope Protocol RawMessageDelivery RedrivePolicy TopicArn"
    ),
    "AWS::SNS::Topic": Known(
        "Subscription.Endpoint Subscription.Protocol TopicName",
        "DisplayName KmsMasterKeyId Tags TracingConfig",
        "TopicName",
    ),
    "AWS::SNS::TopicPolicy": Known("PolicyDocument Topics", "", "Id"),
    "AWS::SQS::Queue": Known(
        "ContentBasedDeduplication DeduplicationScope DelaySeconds FifoQueue FifoThroughputLimit MaximumMessageSize "
        "MessageRetentionPeriod QueueName ReceiveMessageWaitTimeSeconds RedriveAllowPolicy RedrivePolicy "
        "VisibilityTimeout",
        "KmsDataKeyReusePeriodSeconds KmsMasterKeyId SqsManagedSseEnabled Tags",
        "Arn QueueName QueueUrl",
    ),
    "AWS::SQS::QueuePolicy": Known("PolicyDocument Queues", "", "Id"),
    "AWS::StepFunctions::StateMachine": Known(
        "DefinitionString StateMachineName StateMachineType",
        "EncryptionConfiguration LoggingConfiguration RoleArn Tags TracingConfiguration",
        "Arn Name",
    ),
}

_LABEL = "a label for people and bills"
_NETWORK = "nothing here runs a network: whoever has the name reaches the service"
_REST = "nothing is stored beyond this process, so nothing is encrypted at rest"
_ROLE = "no identity policy is checked here; resource policies are"
_LOGS = "logs and traces are the local cloud's own trace"
_COST = "nothing costs anything here, and capacity throttles only as a fault"
_KEPT = "nothing is kept longer than this process"
WHY = {  # a property by its own name, or a whole type
    "AccessLogSetting": _LOGS,
    "AlarmDescription": _LABEL,
    "Architectures": "a handler runs in the Python that you run",
    "AWS::Budgets": _COST,
    "AWS::EC2": _NETWORK,
    "AWS::IAM": _ROLE,
    "BillingMode": _COST,
    "Bucket": _ROLE,
    "BucketEncryption": _REST,
    "CacheUsageLimits": _COST,
    "CloudWatchRoleArn": _LOGS,
    "DashboardBody": "a picture for people, of the metrics that are here",
    "DataTraceEnabled": _LOGS,
    "DeletionProtectionEnabled": _KEPT,
    "Description": _LABEL,
    "DisplayName": _LABEL,
    "EncryptionConfiguration": _REST,
    "EndpointConfiguration": _NETWORK,
    "Engine": "the cache is the Valkey server of this machine",
    "EphemeralStorage": "a handler has this machine's temporary folder",
    "KmsDataKeyReusePeriodSeconds": _REST,
    "KmsKeyArn": _REST,
    "KmsKeyId": _REST,
    "KmsKeyIdentifier": _REST,
    "KmsMasterKeyId": _REST,
    "LifecycleConfiguration": _KEPT,
    "LogGroupClass": _LOGS,
    "LoggingConfig": _LOGS,
    "LoggingConfiguration": _LOGS,
    "LoggingLevel": _LOGS,
    "MajorEngineVersion": "the cache is the Valkey server of this machine",
    "MetricsConfig": _LOGS,
    "MetricsEnabled": _LOGS,
    "OnDemandThroughput": _COST,
    "OperationName": _LABEL,
    "OwnershipControls": _ROLE,
    "PointInTimeRecoverySpecification": _KEPT,
    "PolicyDocument": "a bucket's policy is not checked here; those of queues are",
    "ProvisionedThroughput": _COST,
    "PublicAccessBlockConfiguration": _NETWORK,
    "RetentionInDays": _KEPT,
    "Role": _ROLE,
    "RoleArn": _ROLE,
    "SSESpecification": _REST,
    "SecurityGroupIds": _NETWORK,
    "SnapshotRetentionLimit": _KEPT,
    "SqsManagedSseEnabled": _REST,
    "SubnetIds": _NETWORK,
    "TableClass": _COST,
    "Tags": _LABEL,
    "TracingConfig": _LOGS,
    "TracingConfiguration": _LOGS,
    "TracingEnabled": _LOGS,
    "VpcConfig": _NETWORK,
}
