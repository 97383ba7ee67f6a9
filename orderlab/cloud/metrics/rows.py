"""What AWS's services tell CloudWatch of themselves, read off the trace: every row once, when somebody looks.

Lambda reports each invocation at the time it began, so a long one appears in the past. Errors and 4XXError are 0 as
well as 1: their average is a rate. IteratorAge is the age of a stream's last record when its batch is handed over, each
time that it is. EventBridge and Step Functions report only what happened, never a zero.
Source: Lambda developer guide, monitoring-metrics-types; API Gateway developer guide, api-gateway-metrics-and-
dimensions; EventBridge user guide, eb-monitoring; Step Functions developer guide, procedure-cw-metrics.
Departures: Duration and Latency are the trace's, so Duration has the cold start in it. No dimensions by version, alias
or API method. An AWS metric that is not in NAMES is refused by name.

Taught in notebooks/12_ship_it.ipynb
"""

from ..stack.resources import Stack
from ..trace import Row
from ..wire.answers import NotYet
from .data import Data, Metric
from .embedded import metrics_of

NAMES = {
    "AWS/ApiGateway": {"Count", "4XXError", "5XXError", "Latency"},
    "AWS/Events": {"MatchedEvents", "Invocations", "FailedInvocations", "InvocationsSentToDlq"},
    "AWS/Lambda": {"Invocations", "Errors", "Throttles", "Duration", "AsyncEventsReceived", "IteratorAge"},
    "AWS/SQS": {f"ApproximateNumberOfMessages{state}" for state in ("Visible", "NotVisible", "Delayed")}
    | {f"NumberOfMessages{done}" for done in ("Sent", "Received", "Deleted")}
    | {"ApproximateAgeOfOldestMessage"},
    "AWS/States": {f"Executions{how}" for how in ("Started", "Succeeded", "Failed", "TimedOut", "Aborted")},
}
_EACH = {  # kind of row: the metric that counts it
    "invoke": ("AWS/Lambda", "Invocations"),
    "throttled": ("AWS/Lambda", "Throttles"),
    "queued": ("AWS/Lambda", "AsyncEventsReceived"),
    "response": ("AWS/ApiGateway", "Count"),
    "match": ("AWS/Events", "MatchedEvents"),
    "deliver": ("AWS/Events", "Invocations"),
    "undeliverable": ("AWS/Events", "Invocations"),
}


def check(metric: Metric) -> Metric:
    """The metric. Raises NotYet for one of AWS's own that nobody reports here, since it would be quiet for ever."""
    if metric.namespace.startswith("AWS/") and metric.name not in NAMES.get(metric.namespace, ()):
        raise NotYet(f"the metric {metric.namespace} {metric.name}, which nothing in the local cloud reports")
    return metric


class Rows:
    """Turns rows into data points. It remembers which metrics an actor reports to: there is one row per hop."""

    def __init__(self, stack: Stack, data: Data) -> None:
        self.stack, self.data = stack, data
        self.metrics: dict[tuple[str, str, str], list[Metric]] = {}

    def read(self, row: Row) -> None:
        """The data points of one row."""
        if row.kind == "undeliverable" and "rule" not in row.detail:
            return  # a topic's, not a rule's
        if row.kind in _EACH:
            self._add(*_EACH[row.kind], row)
        if row.kind == "invoke" and "age" in row.detail:
            self._add("AWS/Lambda", "IteratorAge", row, 1000 * row.detail["age"], unit="Milliseconds")
        if row.kind in ("end", "error") and ("AWS/Lambda", "Invocations", row.actor) in self.metrics:  # it had begun
            seconds = float(row.detail.get("seconds", 0.0))
            self._add("AWS/Lambda", "Errors", row, float(row.kind == "error"), row.at - seconds)
            self._add("AWS/Lambda", "Duration", row, seconds * 1000, row.at - seconds, "Milliseconds")
        elif row.kind == "response":
            self._add("AWS/ApiGateway", "4XXError", row, float(row.what[:1] == "4"))
            self._add("AWS/ApiGateway", "5XXError", row, float(row.what[:1] == "5"))
            self._add("AWS/ApiGateway", "Latency", row, 1000 * row.detail.get("seconds", 0.0), unit="Milliseconds")
        elif row.kind == "undeliverable":
            self._add("AWS/Events", "FailedInvocations", row)
            if "to" in row.detail:
                self._add("AWS/Events", "InvocationsSentToDlq", row)
        elif row.kind == "execution" and row.what != "redriven":
            self._add("AWS/States", f"Executions{row.what.title().replace(' ', '')}", row)
        elif row.kind == "log" and '"_aws"' in row.what:
            for metric, at, value, unit in metrics_of(row.what):
                self.data.add(metric, at, value, unit)

    def _add(
        self, namespace: str, name: str, row: Row, value: float = 1.0, at: float | None = None, unit: str = "Count"
    ) -> None:
        key = (namespace, name, row.actor)
        if key not in self.metrics:
            self.metrics[key] = [Metric.of(namespace, name, each) for each in self._dimensions(namespace, row.actor)]
        for metric in self.metrics[key]:
            self.data.add(metric, row.at if at is None else at, value, unit)

    def _dimensions(self, namespace: str, actor: str) -> list[dict[str, str]]:
        """The dimension sets by which a namespace reports an actor of the trace."""
        found = self.stack.resources.get(actor)
        physical = found.physical_id if found is not None else actor
        if namespace == "AWS/Lambda":
            return [{"FunctionName": physical}, {}]
        if namespace == "AWS/States":
            return [{"StateMachineArn": physical}]
        if namespace == "AWS/Events":
            rules = (r for r in self.stack.of_type("AWS::Events::Rule") if r.physical_id.rpartition("|")[2] == actor)
            bus = next((r.properties.get("EventBusName") for r in rules), None)
            custom = {"EventBusName": str(bus).rsplit("/", 1)[-1]} if bus and bus != "default" else {}
            return [{"RuleName": actor, **custom}]
        api = next(iter(self.stack.of_type("AWS::ApiGateway::RestApi")))
        name = {"ApiName": str(api.properties.get("Name", api.logical_id))}
        staged = [*self.stack.of_type("AWS::ApiGateway::Stage"), *self.stack.of_type("AWS::ApiGateway::Deployment")]
        stage = next(str(r.properties["StageName"]) for r in staged if "StageName" in r.properties)
        return [name, {**name, "Stage": stage}]
