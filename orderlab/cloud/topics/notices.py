"""What a subscriber of a topic gets, and whether its filter policy lets it.

A queue gets an envelope of JSON around the message, or the message alone with its attributes as the queue's own (raw
message delivery); a function gets the envelope's fields in a record. A filter policy looks at the message's attributes
(a String.Array is a JSON list; binary ones do not count) or, with the scope MessageBody, at a body that is a JSON
object.
Source: SNS developer guide, sns-message-and-json-formats, sns-large-payload-raw-message-delivery,
subscription-filter-policy-constraints; Lambda developer guide, with-sns; the fields as recorded in localstack's
test_sns. Departures: the signature is no signature; policies take the whole language of EventBridge rules.

Taught in notebooks/03_the_bus.ipynb.
"""

import json
from dataclasses import dataclass
from typing import Any

from .. import rules
from ..clock import iso
from ..guard import REGION
from ..wire.answers import NotYet

HOST = f"https://sns.{REGION}.amazonaws.com"


@dataclass(frozen=True)
class Notice:
    """A message that a topic took at `now`. `attributes` are {name: {"Type", "Value"}}."""

    id: str
    topic: str
    text: str
    now: float
    subject: str | None = None
    attributes: dict[str, dict[str, str]] | None = None


def wanted(notice: Notice, settings: dict[str, Any]) -> bool:
    """Does a subscription with these attributes want the message? Raises NotYet for a policy that is not understood."""
    policy = settings.get("FilterPolicy")
    if not policy:
        return True
    if settings.get("FilterPolicyScope") == "MessageBody":
        try:
            seen = json.loads(notice.text)
        except ValueError:
            return False
    else:
        seen = {name: _value(given) for name, given in (notice.attributes or {}).items() if given["Type"] != "Binary"}
    try:
        return isinstance(seen, dict) and rules.matches(policy, json.dumps(seen))
    except rules.InvalidPattern as error:
        raise NotYet(f"the filter policy of {settings['SubscriptionArn']}: {error}") from None


def _value(given: dict[str, str]) -> Any:
    try:
        return given["Value"] if given["Type"] == "String" else json.loads(given["Value"])
    except ValueError:  # a number such as 007, or a list that is none
        return given["Value"]


def body(notice: Notice, settings: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """What a queue gets, and with which attributes of its own."""
    if str(settings.get("RawMessageDelivery")).lower() != "true":
        return json.dumps(_fields(notice, settings, "URL"), indent=2, separators=(",", " : ")), {}
    kinds = {name: "BinaryValue" if given["Type"] == "Binary" else "StringValue"
             for name, given in (notice.attributes or {}).items()}  # fmt: skip
    return notice.text, {
        name: {"DataType": given["Type"], kinds[name]: given["Value"]}
        for name, given in (notice.attributes or {}).items()
    }


def record(notice: Notice, settings: dict[str, Any]) -> dict[str, Any]:
    """The event that a function gets."""
    fields = _fields(notice, settings, "Url")
    sns = {**fields, "Subject": notice.subject, "MessageAttributes": notice.attributes or {}}
    subscription = settings["SubscriptionArn"]
    return {
        "Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": subscription, "Sns": sns}]
    }


def _fields(notice: Notice, settings: dict[str, Any], url: str) -> dict[str, Any]:
    return {
        "Type": "Notification",
        "MessageId": notice.id,
        "TopicArn": notice.topic,
        **({"Subject": notice.subject} if notice.subject is not None else {}),
        "Message": notice.text,
        "Timestamp": iso(notice.now, "milliseconds"),
        "SignatureVersion": "1",
        "Signature": "EXAMPLE",
        f"SigningCert{url}": f"{HOST}/SimpleNotificationService-EXAMPLE.pem",
        f"Unsubscribe{url}": f"{HOST}/?Action=Unsubscribe&SubscriptionArn={settings['SubscriptionArn']}",
        **({"MessageAttributes": notice.attributes} if notice.attributes else {}),
    }
