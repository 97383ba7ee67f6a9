"""What can happen to a deploy: each scenario changes what the played account answers, and names where it was seen."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .recorded import CONCURRENCY, IN_USE, NOT_EMPTY, SUBNET_IN_USE

DENIED = (
    "User: arn:aws:iam::123456789012:user/learner is not authorized to perform: cloudformation:CreateChangeSet on "
    "resource: arn:aws:cloudformation:us-east-1:123456789012:stack/orderlab/* because no identity-based policy allows "
    "the cloudformation:CreateChangeSet action"
)


@dataclass(frozen=True)
class Fault:
    """The calls of one operation that are refused: those after the first `after`, `times` of them."""

    operation: str
    code: str
    message: str
    status: int
    after: int = 0
    times: int = 1_000_000


@dataclass(frozen=True)
class Scenario:
    """A way in which an account can behave."""

    name: str
    what: str
    source: str
    failing: Mapping[str, str] = field(default_factory=dict)  # logical id: the reason of its CREATE or UPDATE_FAILED
    staying: Mapping[str, str] = field(default_factory=dict)  # ... of its DELETE_FAILED
    faults: tuple[Fault, ...] = ()
    limit: int = 1000  # concurrent executions of Lambda
    written_late: bool = False  # an object comes into the receipts' bucket while the stack is being deleted
    logged_late: bool = False  # a log group comes after the stack is gone
    taken: bool = False  # somebody else's stack has the name
    enabled: bool = True  # the region
    account: str = "123456789012"  # whose credentials these are


SCENARIOS = {
    one.name: one
    for one in (
        Scenario("smooth", "everything works", "https://github.com/aws-samples/aws-serverless-airline-booking/issues/128"),
        Scenario(
            "create-fails", "deploy --set ReservedConcurrency=on fails, and is rolled back", CONCURRENCY.source,
            failing={"PlaceOrder": CONCURRENCY.rows[0][2]},
        ),
        Scenario(
            "network-stays", "network interfaces outlast their function (with Cache=on)", IN_USE.source,
            staying={
                "PlaceOrderSecurityGroup": IN_USE.rows[0][2],
                "PrivateSubnetA": SUBNET_IN_USE.rows[0][2],
                "PrivateSubnetB": SUBNET_IN_USE.rows[0][2],
                "Vpc": SUBNET_IN_USE.rows[0][2].replace("subnet", "vpc"),
            },
        ),
        Scenario(
            "new-account", "Lambda allows ten concurrent executions",
            "https://github.com/aws-samples/s3-to-lambda-patterns/issues/36", limit=10,
        ),
        Scenario(
            "bucket-full", "a receipt is written while the stack is being deleted", NOT_EMPTY.source, written_late=True
        ),
        Scenario(
            "late-logs", "API Gateway logs once more after the stack is gone",
            "https://github.com/serverless/serverless/issues/8882", logged_late=True,
        ),
        Scenario(
            "access-denied", "the user may not make change sets", "https://github.com/aws/aws-sam-cli/issues/5567",
            faults=(Fault("CreateChangeSet", "AccessDenied", DENIED, 403),),
        ),
        Scenario(
            "expired-token", "the credentials expire in the middle, once",
            "https://github.com/eksctl-io/eksctl/issues/5968",
            faults=(
                Fault(
                    "DescribeStackEvents", "ExpiredToken", "The security token included in the request is expired", 403,
                    after=3, times=1,
                ),
            ),
        ),
        Scenario(
            "throttled", "AWS is busy with others, for a while", "https://github.com/Kotaimen/awscfncli/issues/3",
            faults=(
                Fault("DescribeStackEvents", "Throttling", "Rate exceeded", 400, after=2, times=3),
                Fault("DescribeChangeSet", "Throttling", "Rate exceeded", 400, times=2),
            ),
        ),
        Scenario(
            "too-busy", "AWS is busy with others, for long", "https://github.com/Kotaimen/awscfncli/issues/68",
            faults=(Fault("DescribeChangeSet", "Throttling", "Rate exceeded", 400),),
        ),
        Scenario(
            "name-taken", "a stack of that name is somebody else's",
            "https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html", taken=True,
        ),
        Scenario(
            "region-off", "the region is not enabled",
            "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Region.html", enabled=False,
        ),
        Scenario(
            "wrong-account", "the credentials belong to another account",
            "https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html", account="999988887777",
        ),
    )
}  # fmt: skip
