"""What a row of the fidelity table is, and small steps that its probes share."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fidelity_worlds import World


@dataclass(frozen=True)
class Rule:
    """One row: the rule in a sentence, AWS's answer to the probe, and the source of both."""

    id: str
    area: str
    rule: str
    aws: str
    source: str
    probe: Callable[[World], str]

    @property
    def known(self) -> str:
        """How AWS's answer is known: "recorded", "documented", or "our reading" of what the source leaves open."""
        return (
            "our reading" if self.source.startswith("our reading")
            else "recorded" if "recorded on AWS" in self.source
            else "documented"
        )  # fmt: skip


def finish(w: World, queue: str, messages: list[dict[str, Any]]) -> None:
    """Delete messages."""
    for message in messages:
        w.client("sqs").delete_message(QueueUrl=w.url(queue), ReceiptHandle=message["ReceiptHandle"])


def soon(w: World, queue: str) -> list[dict[str, Any]]:
    """What comes into a queue within some seconds; deleted. In real time a world may need all of them."""
    for _ in range(3):
        w.wait(4.5)
        if found := w.receive(queue):
            finish(w, queue, found)
            return found
    return []


def compact(body: str) -> str:
    """A body without blanks; a whole event, which has an id of its own, in words."""
    try:
        read = json.loads(body)
    except ValueError:
        return body
    if isinstance(read, dict) and "detail-type" in read:
        return "the whole event: " + " ".join(sorted(read))
    return json.dumps(read, separators=(",", ":"))
