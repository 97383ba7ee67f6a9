"""Empty what CloudFormation does not delete: buckets that have objects in them, and late log groups.

Taught in notebooks/12_ship_it.ipynb
"""

from botocore.exceptions import ClientError

from orderlab.installing import Problem

from .account import Account, code_of
from .explain import clean
from .names import GROUP, Names

GONE = {"NoSuchBucket", "404"}
AT_ONCE = 1000  # keys that DeleteObjects takes


def empty(account: Account, bucket: str) -> int:
    """Delete every version of every object; returns how many, 0 also when there is no such bucket.

    Raises Problem when S3 refuses to delete one of them.
    """
    whose = {"Bucket": bucket, "ExpectedBucketOwner": account.target.account}
    path = "[Versions, DeleteMarkers][][].{Key: Key, VersionId: VersionId}"
    try:
        keys = account.every("s3", "list_object_versions", path, **whose)
        for start in range(0, len(keys), AT_ONCE):
            some = keys[start : start + AT_ONCE]
            refused = account.ask("s3", "delete_objects", Delete={"Objects": some, "Quiet": True}, **whose).get(
                "Errors"
            )
            if refused:
                why = f"{refused[0].get('Code')}: {clean(refused[0].get('Message', ''))}"
                raise Problem(
                    f"{refused[0]['Key']} in the bucket {bucket} cannot be deleted ({why}): "
                    "see to that and run destroy again"
                )
    except ClientError as error:
        if code_of(error) in GONE:
            return 0
        raise
    return len(keys)


def delete_bucket(account: Account, bucket: str) -> bool:
    """Empty and delete a bucket; False when there is none."""
    empty(account, bucket)
    try:
        account.ask("s3", "delete_bucket", Bucket=bucket, ExpectedBucketOwner=account.target.account)
    except ClientError as error:
        if code_of(error) in GONE:
            return False
        raise
    return True


def log_groups(account: Account, names: Names, apis: tuple[str, ...] = ()) -> list[str]:
    """The log groups that carry a name of ours, or of one of these APIs' execution logs."""
    found = account.every("logs", "describe_log_groups", "logGroups[].logGroupName")
    ends = tuple(f"API-Gateway-Execution-Logs_{api}/" for api in apis)
    return [name for name in found if names.has(GROUP, name) or (ends and name.startswith(ends))]


def delete_log_groups(account: Account, groups: list[str]) -> None:
    """Delete log groups; one that is gone already is fine."""
    for name in groups:
        try:
            account.ask("logs", "delete_log_group", logGroupName=name)
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise
