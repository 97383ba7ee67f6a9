"""How SQS describes a message: its attributes, and the digests by which a consumer can tell that it arrived whole.

Source: SQS API reference, ReceiveMessage; SQS developer guide, sqs-message-metadata.
Departure: every sender has the same SenderId.
"""

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

from .lines import Message

SENDER = "AIDACKCEVSQ6C2EXAMPLE"  # the id that AWS's documentation uses


def system_attributes(message: Message) -> dict[str, str]:
    """What SQS itself knows of a message, by AWS's names; times in milliseconds."""
    known = {
        "SenderId": SENDER,
        "SentTimestamp": str(int(message.sent_at * 1000)),
        "ApproximateReceiveCount": str(message.receives),
        "ApproximateFirstReceiveTimestamp": str(int((message.first_received_at or 0) * 1000)),
        "MessageGroupId": message.group,
        "MessageDeduplicationId": message.dedup,
        "SequenceNumber": message.sequence,
        "AWSTraceHeader": message.system.get("AWSTraceHeader", {}).get("StringValue"),
        "DeadLetterQueueSourceArn": message.source_queue,
    }
    return {name: value for name, value in known.items() if value is not None}


def md5(text: str) -> str:
    """The digest of a body."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def md5_of_attributes(attributes: dict[str, Any]) -> str:
    """The digest of message attributes: each part with its length before it, in the order of the names.

    Source: SQS developer guide, sqs-message-metadata, "Calculating the MD5 message digest for message attributes".
    """
    digest = hashlib.md5(usedforsecurity=False)
    for name in sorted(attributes):
        given = attributes[name]
        kind, binary = given["DataType"], given["DataType"].startswith("Binary")
        value = base64.b64decode(given["BinaryValue"]) if binary else given["StringValue"].encode()
        for part in (name.encode(), kind.encode()):
            digest.update(len(part).to_bytes(4, "big") + part)
        digest.update((b"\x02" if binary else b"\x01") + len(value).to_bytes(4, "big") + value)
    return digest.hexdigest()


def describe(message: Message, parameters: dict[str, Any]) -> dict[str, Any]:
    """A message as ReceiveMessage gives it, with the attributes that were asked for."""
    system = [*parameters.get("AttributeNames", ()), *parameters.get("MessageSystemAttributeNames", ())]
    answer: dict[str, Any] = {
        "MessageId": message.id,
        "ReceiptHandle": message.handle,
        "MD5OfBody": md5(message.body),
        "Body": message.body,
    }
    known = system_attributes(message)
    shown = {name: value for name, value in known.items() if "All" in system or name in system}
    if shown:
        answer["Attributes"] = shown
    wanted = parameters.get("MessageAttributeNames", ())
    attributes = {name: value for name, value in message.attributes.items() if _is_wanted(name, wanted)}
    if attributes:
        answer["MessageAttributes"], answer["MD5OfMessageAttributes"] = attributes, md5_of_attributes(attributes)
    return answer


def _is_wanted(name: str, wanted: Sequence[str]) -> bool:
    return any(each in (name, "All", "*") or (each.endswith(".*") and name.startswith(each[:-2])) for each in wanted)
