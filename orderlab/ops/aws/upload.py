"""The bucket that holds the code and the template while the stack exists.

CloudFormation takes 51,200 bytes of template inline and this one is larger, and Lambda takes its code from a bucket of
the same region. The bucket is private, encrypted, refuses plain HTTP, and is deleted with the stack.

Taught in notebooks/12_ship_it.ipynb
"""

import hashlib
import json
import re

from botocore.exceptions import ClientError

from orderlab.installing import Problem

from .account import Account, code_of
from .stacks import TAG
from .stage import CODE_URI, Stage

_CODE_LINE = re.compile(rf"^(\s*CodeUri:\s*){re.escape(CODE_URI)}\s*$", re.M)
BLOCKED = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
SUFFIX = {"cn": "amazonaws.com.cn"}  # by the region's first word; elsewhere amazonaws.com


def make_bucket(account: Account) -> None:
    """Make the bucket, or go on with the one that an earlier deploy made; every setting is set again."""
    target, bucket = account.target, account.target.artifacts
    place = {} if target.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": target.region}}
    try:
        account.ask("s3", "create_bucket", Bucket=bucket, **place)
    except ClientError as error:
        if code_of(error) != "BucketAlreadyOwnedByYou":
            raise
    whose = {"Bucket": bucket, "ExpectedBucketOwner": target.account}
    tags = [{"Key": TAG, "Value": target.prefix}]
    account.ask("s3", "put_bucket_tagging", Tagging={"TagSet": tags}, **whose)
    account.ask("s3", "put_public_access_block", PublicAccessBlockConfiguration=BLOCKED, **whose)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    account.ask("s3", "put_bucket_encryption", ServerSideEncryptionConfiguration={"Rules": [rule]}, **whose)
    account.ask("s3", "put_bucket_policy", Policy=json.dumps(policy(bucket, target.region)), **whose)


def policy(bucket: str, region: str) -> dict[str, object]:
    """Nobody reads or writes it over plain HTTP."""
    partition = next((name for first, name in PARTITIONS.items() if region.startswith(first)), "aws")
    arn = f"arn:{partition}:s3:::{bucket}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [arn, f"{arn}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }  # fmt: skip


def upload(account: Account, staged: Stage, template: str) -> str:
    """Put the code and the template there, named after their contents; returns the template's address."""
    bucket, code = account.target.artifacts, f"code-{staged.digest[:16]}.zip"
    text, places = _CODE_LINE.subn(rf"\g<1>s3://{bucket}/{code}", template)
    if places != 1:
        raise Problem(f"the template has {places} lines 'CodeUri: {CODE_URI}', and a deploy needs one")
    name = f"template-{hashlib.sha256(text.encode()).hexdigest()[:16]}.yaml"
    for key, body in ((code, staged.zipped()), (name, text.encode())):
        account.ask("s3", "put_object", Bucket=bucket, Key=key, Body=body, ExpectedBucketOwner=account.target.account)
    suffix = SUFFIX.get(account.target.region.split("-")[0], "amazonaws.com")
    return f"https://{bucket}.s3.{account.target.region}.{suffix}/{name}"
