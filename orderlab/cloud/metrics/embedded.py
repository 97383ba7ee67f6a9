"""The embedded metric format: a log line that is also a metric.

A function prints one JSON object whose member `_aws` says which of the other members are metrics, in which namespace
and by which dimensions; CloudWatch Logs takes the metrics out, without a call and without a wait. A line that is not
valid is a log line and nothing else: no error reaches the function.
Source: CloudWatch user guide, CloudWatch_Embedded_Metric_Format_Specification.
Departures: an invalid document gives no metric at all; StorageResolution is ignored (all is kept as it was).
Taught in notebooks/12_ship_it.ipynb
"""

import json
import math
from collections.abc import Iterator
from typing import Any

from .data import Metric

MAX_VALUES, MAX_METRICS, MAX_DIMENSIONS = 100, 100, 30


def metrics_of(line: str) -> list[tuple[Metric, float, float, str]]:
    """(metric, time, value, unit) of each value in a log line; none for a line that is no valid document.

    Lambda may put a timestamp and a request id before the document, so it begins at the first brace.
    """
    try:
        document = json.loads(line[line.index("{") :])
        at = document["_aws"]["Timestamp"] / 1000
        directives = document["_aws"]["CloudWatchMetrics"]
        return [found for directive in directives for found in _directive(document, directive, at)]
    except (KeyError, TypeError, ValueError, AttributeError):
        return []


def _directive(document: dict[str, Any], directive: dict[str, Any], at: float) -> Iterator[tuple[Any, ...]]:
    namespace, sets, metrics = directive["Namespace"], directive["Dimensions"], directive["Metrics"]
    if not isinstance(namespace, str) or not 1 <= len(namespace) <= 1024 or len(metrics) > MAX_METRICS:
        raise ValueError("Namespace or Metrics out of bounds")
    for names in sets:
        if not isinstance(names, list) or len(names) > MAX_DIMENSIONS:
            raise ValueError("a dimension set is a list of at most 30 names")
        dimensions = {name: document[name] for name in names}
        if not all(isinstance(value, str) and value for value in dimensions.values()):
            raise ValueError("a dimension's value is text")
        for metric in metrics:
            target = document[metric["Name"]]
            values = target if isinstance(target, list) else [target]
            if len(values) > MAX_VALUES or not all(map(_is_number, values)):
                raise ValueError("a metric's value is a number, or a list of at most 100")
            for value in values:
                yield Metric.of(namespace, metric["Name"], dimensions), at, float(value), metric.get("Unit", "None")


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)
