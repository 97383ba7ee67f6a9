"""Exercise 4.3's queue: as much of SQS as a receive loop needs, on a clock of its own.

Taught in notebooks/04_the_queue.ipynb
"""

from collections import Counter
from typing import Any

LENT, CALL, NEXT = 30.0, 0.05, 60.0  # seconds: visibility timeout, one call, until the loop starts again


class Sqs:
    """As much of boto3's SQS client as a receive loop needs, with one queue and its own clock, in seconds."""

    def __init__(self, arrivals: dict[str, float]) -> None:
        self.now, self.handles, self.deletions = 0.0, 0, 0
        self.there: dict[str, dict[str, Any]] = {body: {"from": at, "handle": ""} for body, at in arrivals.items()}

    def receive_message(self, *, QueueUrl: str, MaxNumberOfMessages: int = 1, WaitTimeSeconds: int = 0,
                        VisibilityTimeout: float = LENT, **more: Any) -> dict[str, Any]:  # fmt: skip
        """Up to so many messages; an empty answer has no "Messages", as boto3's has none."""
        if not 1 <= MaxNumberOfMessages <= 10 or not 0 <= WaitTimeSeconds <= 20:
            raise ValueError("InvalidParameterValue: at most 10 messages, and a wait of at most 20 seconds")
        self.now += CALL
        first = min((one["from"] for one in self.there.values()), default=float("inf"))
        self.now = max(self.now, min(first, self.now + WaitTimeSeconds))
        answer: dict[str, Any] = {"ResponseMetadata": {"HTTPStatusCode": 200}}
        found = [body for body, one in self.there.items() if one["from"] <= self.now][:MaxNumberOfMessages]
        for body in found:
            self.handles += 1
            self.there[body] = {"from": self.now + VisibilityTimeout, "handle": f"handle-{self.handles}"}
        messages = [
            {"MessageId": f"id-{body}", "ReceiptHandle": self.there[body]["handle"], "Body": body} for body in found
        ]
        return {**answer, "Messages": messages} if messages else answer

    def delete_message(self, *, QueueUrl: str, ReceiptHandle: str) -> None:
        """Delete by the newest handle; an older one does nothing, and what is no handle is refused."""
        self.now += CALL
        if not str(ReceiptHandle).startswith("handle-"):
            raise ValueError(f"ReceiptHandleIsInvalid: {ReceiptHandle}")
        self.deletions += 1
        self.there = {body: one for body, one in self.there.items() if one["handle"] != ReceiptHandle}

    def delete_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:
        """Delete several."""
        for entry in Entries:
            self.delete_message(QueueUrl=QueueUrl, ReceiptHandle=entry["ReceiptHandle"])
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}

    def change_message_visibility(self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: float) -> None:
        """Hide a message for so long from now on."""
        for one in self.there.values():
            if one["handle"] == ReceiptHandle:
                one["from"] = self.now + VisibilityTimeout


def consume(answer: Any, arrivals: dict[str, float], fails: dict[str, int], runs: int) -> dict[str, Any]:
    """Run a receive loop `runs` times, a minute apart: how often each message was done, what was lost, what is left.

    `arrivals` are seconds by message; `fails` is how often the work on a message fails at first.
    """
    sqs, tries, done, early = Sqs(arrivals), Counter[str](), Counter[str](), False

    def work(body: str) -> None:
        nonlocal early
        early = early or body not in sqs.there
        sqs.now += 2.0
        tries[body] += 1
        if tries[body] <= fails.get(body, 0):
            raise RuntimeError(f"{body} cannot be done now")
        done[body] += 1

    for _ in range(runs):
        answer(sqs, "https://sqs.example/orders", work)
        sqs.now += NEXT
    lost = [body for body in arrivals if body not in sqs.there and not done[body]]
    return {
        "done": dict(done),
        "lost": lost,
        "in the queue": list(sqs.there),
        "early": early,
        "deletions": sqs.deletions,
    }
