"""What AWS's services tell CloudWatch of themselves, read off the trace: every row once, when somebody looks.

Lambda reports each invocation at the time it began, so a long one appears in the past. Errors and 4XXError are 0 as
well as 1: their average is a rate. EventBridge and Step Functions report only what happened, never a zero.
Source: Lambda developer guide, monitoring-metrics-types; API Gateway developer guide, api-gateway-metrics-and-
dimensions; EventBridge user guide, eb-monitoring; Step Functions developer guide, procedure-cw-metrics.
Departures: Duration and Latency are the trace's, so Duration has the cold start in it. Not there: dimensions by
version, alias or API method, and the metrics that are not in `read` below.

Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Callable

from ..stack import Resource, Stack
from ..trace import Row
from .data import Data, Metric
from .embedded import metrics_of

_EXECUTIONS = {
    "started": "ExecutionsStarted",
    "succeeded": "ExecutionsSucceeded",
    "failed": "ExecutionsFailed",
    "timed out": "ExecutionsTimedOut",
    "aborted": "ExecutionsAborted",
}


class Rows:
    """Turns rows into data points. It remembers how many invocations of each function are running."""

    def __init__(self, stack: Stack, data: Data) -> None:
        self.stack, self.data = stack, data
        self.running: dict[str, int] = {}
        self.metrics: dict[tuple[str, str], list[Metric]] = {}
        self.kinds: dict[str, Callable[[Row], None]] = {
            "invoke": self._invoke,
            "end": self._end,
            "error": self._end,
            "throttled": lambda row: self._add("AWS/Lambda", "Throttles", row),
            "queued": lambda row: self._add("AWS/Lambda", "AsyncEventsReceived", row),
            "response": self._response,
            "match": lambda row: self._add("AWS/Events", "MatchedEvents", row),
            "deliver": lambda row: self._add("AWS/Events", "Invocations", row),
            "undeliverable": self._undeliverable,
            "execution": lambda row: self._add("AWS/States", _EXECUTIONS.get(row.what, ""), row),
            "log": self._log,
        }

    def read(self, row: Row) -> None:
        """The data points of one row."""
        if row.kind in self.kinds:
            self.kinds[row.kind](row)

    def _invoke(self, row: Row) -> None:
        self.running[row.actor] = self.running.get(row.actor, 0) + 1
        self._add("AWS/Lambda", "Invocations", row)
        own, account = self._metrics("AWS/Lambda", "ConcurrentExecutions", row.actor)
        self.data.add(own, row.at, self.running[row.actor])
        self.data.add(account, row.at, sum(self.running.values()))

    def _end(self, row: Row) -> None:
        if row.actor in self.running:
            self.running[row.actor] -= 1
            seconds = float(row.detail.get("seconds", 0.0))
            self._add("AWS/Lambda", "Errors", row, float(row.kind == "error"), row.at - seconds)
            self._add("AWS/Lambda", "Duration", row, seconds * 1000, row.at - seconds, "Milliseconds")

    def _response(self, row: Row) -> None:
        self._add("AWS/ApiGateway", "Count", row)
        self._add("AWS/ApiGateway", "4XXError", row, float(row.what[:1] == "4"))
        self._add("AWS/ApiGateway", "5XXError", row, float(row.what[:1] == "5"))
        self._add("AWS/ApiGateway", "Latency", row, 1000 * row.detail.get("seconds", 0.0), None, "Milliseconds")

    def _undeliverable(self, row: Row) -> None:
        self._add("AWS/Events", "Invocations", row)
        self._add("AWS/Events", "FailedInvocations", row)
        if "to" in row.detail:
            self._add("AWS/Events", "InvocationsSentToDlq", row)

    def _log(self, row: Row) -> None:
        if '"_aws"' in row.what:
            for metric, at, value, unit in metrics_of(row.what):
                self.data.add(metric, at, value, unit)

    def _add(
        self, namespace: str, name: str, row: Row, value: float = 1.0, at: float | None = None, unit: str = "Count"
    ) -> None:
        for metric in self._metrics(namespace, name, row.actor):
            self.data.add(metric, row.at if at is None else at, value, unit)

    def _metrics(self, namespace: str, name: str, actor: str) -> list[Metric]:
        """The metrics of this name that an actor of the trace reports to; remembered, for there is one row per hop."""
        key = (name, actor)
        if key not in self.metrics:
            sets = self._dimensions(namespace, actor) if name else []
            self.metrics[key] = [Metric.of(namespace, name, dimensions) for dimensions in sets]
        return self.metrics[key]

    def _dimensions(self, namespace: str, actor: str) -> list[dict[str, str]]:
        """The dimension sets by which a namespace reports an actor of the trace."""
        found = self.stack.resources.get(actor)
        physical = found.physical_id if found is not None else actor
        if namespace == "AWS/Lambda":
            return [{"FunctionName": physical}, {}]
        if namespace == "AWS/States":
            return [{"StateMachineArn": physical}]
        if namespace == "AWS/Events":
            bus = next((r.properties.get("EventBusName") for r in self._rules(actor)), None)
            custom = {"EventBusName": str(bus).rsplit("/", 1)[-1]} if bus and bus != "default" else {}
            return [{"RuleName": actor, **custom}]
        api = next(iter(self.stack.of_type("AWS::ApiGateway::RestApi")))
        name = {"ApiName": str(api.properties.get("Name", api.logical_id))}
        staged = [*self.stack.of_type("AWS::ApiGateway::Stage"), *self.stack.of_type("AWS::ApiGateway::Deployment")]
        stage = next(str(r.properties["StageName"]) for r in staged if "StageName" in r.properties)
        return [name, {**name, "Stage": stage}]

    def _rules(self, name: str) -> list[Resource]:
        return [r for r in self.stack.of_type("AWS::Events::Rule") if r.physical_id.rpartition("|")[2] == name]
