"""The AWS clients, each with an explicit Config, made when first used and kept by the execution environment.

botocore's defaults are not made for a Lambda function: 60 s for a connection, 60 s for an answer, and a mode of
retrying that depends on the version. Here every client has the standard mode (full jitter, its own retry quota), 3
attempts and time-outs of its own. The one that calls the payment provider has 1 attempt: botocore takes a read time-out
for one more reason to try again, and orderlab.orders.asking is in charge of that.
Taught in notebooks/08_waiting_well.ipynb
"""

import os
from functools import cache
from typing import Any

import boto3
from botocore.config import Config


def make(service: str, *, attempts: int, connect: float, read: float) -> Any:
    """A client of `service` in the function's region; `attempts` in all, time-outs in seconds."""
    config = Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=connect,
        read_timeout=read,
        account_id_endpoint_mode="disabled",  # one host for all accounts: what endpoints and policies expect
    )
    return boto3.client(service, region_name=os.environ["AWS_REGION"], config=config)


@cache
def dynamodb() -> Any:
    """DynamoDB answers in milliseconds, a transaction of 100 rows in a few hundred."""
    return make("dynamodb", attempts=3, connect=0.5, read=1.5)


@cache
def events() -> Any:
    """EventBridge."""
    return make("events", attempts=3, connect=0.5, read=2.0)


@cache
def queues() -> Any:
    """SQS."""
    return make("sqs", attempts=3, connect=0.5, read=2.0)


@cache
def buckets() -> Any:
    """S3."""
    return make("s3", attempts=3, connect=0.5, read=2.0)


@cache
def provider() -> Any:
    """Lambda, for the synchronous call of the payment provider: 1 s for an answer, and nothing behind our back."""
    return make("lambda", attempts=1, connect=0.3, read=1.0)
