"""One JSON line per fact, printed: Lambda sends it to CloudWatch Logs, where Insights reads the fields.

Only ids and numbers: no customer, no body, no card. Python's `logging` is not used, because a handler that is added to
a logger stays for the next invocation of the environment.
Taught in notebooks/01_ask_or_tell.ipynb
"""

import json
from typing import Any, Protocol


class Say(Protocol):
    """Writes one line."""

    def __call__(self, level: str, message: str, order_id: str | None = None, **facts: Any) -> None: ...


def logger(context: Any) -> Say:
    """What one invocation logs with: every line has the function's name and the request id."""
    function, request = getattr(context, "function_name", ""), getattr(context, "aws_request_id", "")

    def say(level: str, message: str, order_id: str | None = None, **facts: Any) -> None:
        line = {"level": level, "message": message, "orderId": order_id, "function": function, "requestId": request}
        print(json.dumps({**line, **facts}, default=str))

    return say


def metric(name: str, value: float, at: float, **dimensions: str) -> None:
    """One data point of the namespace OrderLab, `at` seconds since the epoch: CloudWatch makes it from the log line.

    Source: CloudWatch user guide, embedded metric format specification.
    """
    made = {"Namespace": "OrderLab", "Dimensions": [list(dimensions)], "Metrics": [{"Name": name, "Unit": "Count"}]}
    line = {"_aws": {"Timestamp": int(at * 1000), "CloudWatchMetrics": [made]}, **dimensions, name: value}
    print(json.dumps(line))
