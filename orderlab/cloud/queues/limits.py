"""What SQS refuses: sizes, characters, names and batches, in AWS's words.

A message is 1 byte to 1 MiB of allowed Unicode, attributes included; a batch is 1 to 10 entries with distinct ids and
1 MiB in all. Source: SQS developer guide, quotas-messages; API reference, SendMessage, SendMessageBatch; the texts as
AWS gave them in recorded calls.
"""

import base64
import re
from collections.abc import Sequence
from typing import Any

from ..wire.answers import Refusal

LIMIT = 1_048_576  # bytes in a message, and in a batch
LONGEST_VISIBILITY = 43_200  # seconds
_SHAPES = {  # the exceptions that boto3 knows by name: the code in the error, and the HTTP status
    "QueueDoesNotExist": ("AWS.SimpleQueueService.NonExistentQueue", 400),
    "BatchEntryIdsNotDistinct": ("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", 400),
    "BatchRequestTooLong": ("AWS.SimpleQueueService.BatchRequestTooLong", 400),
    "EmptyBatchRequest": ("AWS.SimpleQueueService.EmptyBatchRequest", 400),
    "InvalidBatchEntryId": ("AWS.SimpleQueueService.InvalidBatchEntryId", 400),
    "PurgeQueueInProgress": ("AWS.SimpleQueueService.PurgeQueueInProgress", 403),
    "TooManyEntriesInBatchRequest": ("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", 400),
    "ResourceNotFoundException": ("ResourceNotFoundException", 404),
    "ReceiptHandleIsInvalid": ("ReceiptHandleIsInvalid", 404),
}
_NOT_ALLOWED = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_FIFO_ID = re.compile(r"[A-Za-z0-9!-/:-@\[-`{-~]{1,128}")
_ATTRIBUTE_NAME = re.compile(r"(?!(aws|amazon)\.)(?!\.)(?!.*\.\.)(?!.*\.$)[\w.-]{1,256}", re.IGNORECASE)
_DATA_TYPE = re.compile(r"(String|Number|Binary)(\..{1,248})?")


def refusal(code: str, message: str) -> Refusal:
    """SQS's error of this name. `shape` on it is what boto3 calls it (`client.exceptions.QueueDoesNotExist`)."""
    query_code, status = _SHAPES.get(code, (code, 400))
    error = Refusal(query_code, message, status)
    error.shape = code  # type: ignore[attr-defined]
    return error


def invalid(value: Any, parameter: str, reason: str) -> Refusal:
    """The error for a parameter that SQS does not accept."""
    return refusal("InvalidParameterValue", f"Value {value} for parameter {parameter} is invalid. Reason: {reason}")


def need(parameters: dict[str, Any], *names: str) -> None:
    """Refuse a call, or an entry of a batch, that lacks one of these parameters."""
    for name in names:
        if parameters.get(name) in (None, ""):
            raise refusal("MissingParameter", f"The request must contain the parameter {name}.")


def number(parameters: dict[str, Any], name: str, low: int, high: int) -> int | None:
    """An optional whole number between `low` and `high`."""
    value = parameters.get(name)
    if value is None or low <= value <= high:
        return value
    words = f"Must be between {low} and {high}, if provided."
    if name == "WaitTimeSeconds":
        words = f"Must be >= {low} and <= {high}, if provided."
    if name == "DelaySeconds":
        words = f"DelaySeconds must be >= {low} and <= {high}."
    raise invalid(value, name, words)


def check_message(parameters: dict[str, Any], maximum: int) -> None:
    """Refuse a SendMessage, or one entry of a batch, that breaks a limit. `maximum` is the queue's own, in bytes."""
    body = parameters.get("MessageBody") or ""
    attributes = parameters.get("MessageAttributes") or {}
    need(parameters, "MessageBody")
    if size(parameters) > maximum:
        reason = f"Message must be shorter than {maximum} bytes."
        raise refusal("InvalidParameterValue", f"One or more parameters are invalid. Reason: {reason}")
    if _NOT_ALLOWED.search(body):
        allowed = "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"
        reason = f"Invalid characters found. Valid unicode characters are {allowed}"
        raise refusal("InvalidMessageContents", reason)
    if len(attributes) > 10:
        reason = f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [10]."
        raise refusal("InvalidParameterValue", reason)
    for name, attribute in attributes.items():
        _check_attribute(name, attribute)
    for name in ("MessageGroupId", "MessageDeduplicationId"):
        if parameters.get(name) is not None and not _FIFO_ID.fullmatch(parameters[name]):
            reason = f"{name} can only include alphanumeric and punctuation characters. 1 to 128 in length."
            raise invalid(parameters[name], name, reason)


def _check_attribute(name: str, attribute: dict[str, Any]) -> None:
    kind = attribute.get("DataType") or ""
    value = attribute.get("BinaryValue" if kind.startswith("Binary") else "StringValue")
    if not _ATTRIBUTE_NAME.fullmatch(name):
        reason = (
            "A name has up to 256 letters, digits, underscores, hyphens and periods, no period at either end nor two "
            "in a row, and does not begin with AWS. or Amazon."
        )
    elif not _DATA_TYPE.fullmatch(kind):
        reason = f"Its DataType must begin with String, Number or Binary, but is: {kind}"
    elif not value:
        reason = f"must contain a non-empty value of type '{kind}'."
        raise refusal("InvalidParameterValue", f"Message (user) attribute '{name}' {reason}")
    elif isinstance(value, str) and _NOT_ALLOWED.search(value):
        reason = "Its value contains characters that SQS does not allow."
    else:
        return
    raise refusal("InvalidParameterValue", f"Message (user) attribute '{name}' is invalid. Reason: {reason}")


def check_batch(operation: str, entries: Sequence[dict[str, Any]]) -> None:
    """Refuse a whole batch that is empty, too long, or has ids that are malformed or used twice."""
    if not entries:
        message = f"There should be at least one {operation}RequestEntry in the request."
        raise refusal("EmptyBatchRequest", message)
    if len(entries) > 10:
        message = f"Maximum number of entries per request are 10. You have sent {len(entries)}."
        raise refusal("TooManyEntriesInBatchRequest", message)
    seen: set[str] = set()
    for entry in entries:
        if not _ENTRY_ID.fullmatch(entry.get("Id") or ""):
            message = "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
            raise refusal("InvalidBatchEntryId", message + "It can be at most 80 letters long.")
        if entry["Id"] in seen:
            raise refusal("BatchEntryIdsNotDistinct", f"Id {entry['Id']} repeated.")
        seen.add(entry["Id"])


def check_batch_size(entries: Sequence[dict[str, Any]]) -> None:
    """Refuse a batch of messages that is longer than 1 MiB in all."""
    total = sum(size(entry) for entry in entries)
    if total > LIMIT:
        message = f"Batch requests cannot be longer than {LIMIT} bytes. You have sent {total} bytes."
        raise refusal("BatchRequestTooLong", message)


def size(parameters: dict[str, Any]) -> int:
    """Bytes that a message counts for: its body, and the names, types and values of its attributes."""
    total = _bytes(parameters.get("MessageBody") or "")
    for name, attribute in (parameters.get("MessageAttributes") or {}).items():
        total += _bytes(name) + _bytes(attribute.get("DataType") or "") + _bytes(attribute.get("StringValue") or "")
        total += len(base64.b64decode(attribute.get("BinaryValue") or ""))
    return total


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
