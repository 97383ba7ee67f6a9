"""What CloudFormation was seen to say: reasons and orders of events, each from a recording that somebody published.

The rehearsal speaks in these words, and the tests hold what it plays against these orders. Ids, accounts and names were
replaced; nothing else was.
"""

from dataclasses import dataclass

STARTED = "User Initiated"
INITIATED = "Resource creation Initiated"
CANCELLED = "Resource creation cancelled"
UPDATE_CANCELLED = "Resource update cancelled"
NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


@dataclass(frozen=True)
class Recording:
    """Statuses in the order in which they came, by kind of event ("stack", "resource"), with reason; and the source."""

    source: str
    rows: tuple[tuple[str, str, str], ...]


# A resource says twice that it is in progress, the second time with its physical id; then that it is complete.
CREATED = Recording(
    "https://github.com/aws-samples/aws-serverless-airline-booking/issues/128",
    (
        ("resource", "CREATE_IN_PROGRESS", ""),
        ("resource", "CREATE_IN_PROGRESS", INITIATED),
        ("resource", "CREATE_COMPLETE", ""),
    ),
)
# One resource fails; what is still being made is cancelled; the stack says which failed; what was made is deleted.
FAILED = Recording(
    "https://github.com/ks888/LambStatus/issues/6",
    (
        ("resource", "CREATE_FAILED", "Data returned must be an object"),
        ("resource", "CREATE_FAILED", CANCELLED),
        ("stack", "ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [A, B]. . Rollback requested…"),
        ("resource", "DELETE_IN_PROGRESS", ""),
    ),
)  # fmt: skip
# How a rollback ends: the last resource, then the stack, whose event has a UUID for an id where a resource's has
# its name, the status and the time.
ROLLED_BACK = Recording(
    "https://github.com/aws/serverless-application-model/issues/58",
    (("resource", "DELETE_COMPLETE", ""), ("stack", "ROLLBACK_COMPLETE", "")),
)
NOT_EMPTY = Recording(
    "https://github.com/aws/aws-cdk/issues/21776",
    (
        (
            "resource",
            "DELETE_FAILED",
            "The bucket you tried to delete is not empty (Service: Amazon S3; Status Code: 409; Error Code: "
            "BucketNotEmpty; Request ID: 13B5WKE8TCT9VS8K; S3 Extended Request ID: /7/TL8ibQg7k=; Proxy: null)",
        ),
    ),
)
NOT_DELETED = Recording(
    "https://github.com/F5Networks/f5-aws-cloudformation/issues/52",
    (("stack", "DELETE_FAILED", "The following resource(s) failed to delete: [S3Bucket]. "),),
)
CONCURRENCY = Recording(
    "https://github.com/aws-samples/sample-one-click-generative-ai-solutions/issues/3",
    (
        (
            "resource",
            "CREATE_FAILED",
            'Resource handler returned message: "Specified ReservedConcurrentExecutions for function decreases '
            "account's UnreservedConcurrentExecution below its minimum value of [10]. (Service: Lambda, Status Code: "
            '400, Request ID: 2cf9e525-9405-4614-8856-7eb848e31575) (SDK Attempt Count: 1)" (RequestToken: '
            "31669d06-fa9d-ba9f-ce44-a2e5bbfbbfc1, HandlerErrorCode: InvalidRequest)",
        ),
    ),
)
UPDATED = Recording(  # an update ends with a clean-up before it is complete
    "https://github.com/ansible/ansible/issues/32396",
    (("stack", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", ""), ("stack", "UPDATE_COMPLETE", "")),
)
# What is new in an update is created like everything else.
ADDED = Recording(
    "https://github.com/dougmoscrop/serverless-plugin-split-stacks/issues/24",
    (("stack", "UPDATE_IN_PROGRESS", ""), ("resource", "CREATE_IN_PROGRESS", ""), ("resource", "CREATE_COMPLETE", "")),
)
# An update that fails: what is beside it is cancelled, and the stack names what failed to create, then to update.
UPDATE_FAILED = Recording(
    "https://github.com/aws-amplify/amplify-cli/issues/2621",
    (
        ("resource", "UPDATE_FAILED", "Parameters: [CreateAPIKey] do not exist in the template"),
        ("resource", "CREATE_FAILED", CANCELLED),
        (
            "stack",
            "UPDATE_ROLLBACK_IN_PROGRESS",
            "The following resource(s) failed to create: [functionexampleLambda]. The following resource(s) failed to "
            "update: [apiroundin]. ",
        ),
    ),
)
# ... what had been updated goes back, what had been created is deleted, and the stack is as it was.
UPDATE_ROLLED_BACK = Recording(
    "https://github.com/ansible/ansible/pull/26225",
    (
        ("stack", "UPDATE_ROLLBACK_IN_PROGRESS", ""),
        ("stack", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", ""),
        ("resource", "DELETE_COMPLETE", ""),
        ("stack", "UPDATE_ROLLBACK_COMPLETE", ""),
    ),
)
# What an update no longer wants and cannot delete is nobody's: the update succeeds, and says so in half a sentence.
LEFT_BEHIND = Recording(
    "https://github.com/serverless/serverless/issues/9144",
    (
        ("resource", "DELETE_FAILED", "The domain is not configured for this user pool. (Service: AWSCognito…"),
        ("stack", "UPDATE_COMPLETE", "Update successful. One or more resources could not be deleted."),
    ),
)
# A function in a network leaves its interfaces there for a while, and what they use cannot be deleted.
IN_USE = Recording(
    "https://github.com/binxio/cfn-postgresql-user-provider/issues/9",
    (
        (
            "resource",
            "DELETE_FAILED",
            "resource sg-0b8b2fcf05a0509b6 has a dependent object (Service: AmazonEC2; Status Code: 400; Error Code: "
            "DependencyViolation; Request ID: b4bd0dec-0300-42c1-bccc-c7ea5093ba1a)",
        ),
    ),
)
SUBNET_IN_USE = Recording(
    "https://github.com/aws/aws-cdk/issues/14456",
    (
        (
            "resource",
            "DELETE_FAILED",
            "The subnet 'subnet-00974e267b4554553' has dependencies and cannot be deleted. (Service: AmazonEC2; Status "
            "Code: 400; Error Code: DependencyViolation; Request ID: 517031bf-dbb6-4f54-8149-7e431bc3f7cc)",
        ),
    ),
)
EMPTY = Recording(
    "https://github.com/elias5000/clouds-aws/issues/9",
    (("change set", "FAILED", NO_CHANGES),),
)
# A stack under review has an event of its own; a change set for a new stack makes it.
REVIEWED = Recording(
    "https://github.com/aws/serverless-application-model/issues/58",
    (("stack", "REVIEW_IN_PROGRESS", STARTED),),
)
