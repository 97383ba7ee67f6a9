"""`bill()`: what AWS would charge for the requests and invocations in a trace, at the list prices of infra/prices.json.

API Gateway charges each request that it takes; not those that it refuses for a missing key or by a throttle. Lambda
charges each invocation, and its memory for its time, cold start included, in whole milliseconds. Tables, queues and
events are left out: `orderlab.ops.bill`, on which this rests, counts them too. Durations here are drawn from a seed,
and code that only computes takes no time at all: a floor.
Source: AWS's pricing pages; AWS Compute Blog, "AWS Lambda standardizes billing for INIT Phase" (2025); re:Post, "will i
get charged for these invalid api key quota exceeded or throttled request errors".

Taught in notebooks/02_the_front_door.ipynb
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orderlab.ops.bill.trace import functions, gateway
from orderlab.ops.bill.usage import collect
from orderlab.ops.prices import price

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orderlab.cloud import Cloud
    from orderlab.cloud.trace import Row


@dataclass(frozen=True, repr=False)
class Bill:
    """Requests to the API, invocations of functions, and their GB-seconds. Amounts are in US dollars."""

    requests: float
    invocations: float
    gb_seconds: float

    @property
    def gateway(self) -> float:
        """API Gateway's part."""
        return price("api-request").of(self.requests)

    @property
    def functions(self) -> float:
        """Lambda's part."""
        return price("invocation").of(self.invocations) + price("duration").of(self.gb_seconds)

    @property
    def dollars(self) -> float:
        """Both together."""
        return self.gateway + self.functions

    def times(self, factor: float) -> "Bill":
        """The bill for so many times as much of the same."""
        return Bill(self.requests * factor, self.invocations * factor, self.gb_seconds * factor)

    def __repr__(self) -> str:
        lines = [
            ("API Gateway", self.requests, "requests", self.gateway),
            ("Lambda", self.invocations, "invocations", price("invocation").of(self.invocations)),
            ("", self.gb_seconds, "GB-seconds", price("duration").of(self.gb_seconds)),
        ]
        told = [f"{who:<12}{units:>11,.0f} {unit:<12}${amount:>6.2f}" for who, units, unit, amount in lines]
        return "\n".join([*told, f"{'sum':<36}${self.dollars:>6.2f}"])


def bill(cloud: "Cloud") -> Bill:
    """Add up what the trace of a cloud has of them so far."""
    used = collect((*gateway(cloud.trace), *functions(cloud.trace, _memory(cloud))))
    return Bill(*map(used.of, ("api-request", "invocation", "duration")))


def billed(cloud: "Cloud", ends: "Sequence[Row]") -> float:
    """GB-seconds of the runs that these rows of the trace, "end" and "error", ended."""
    return collect(functions(ends, _memory(cloud))).of("duration")


def _memory(cloud: "Cloud") -> dict[str, int]:
    """MB by function."""
    return {one.logical_id: int(one.properties["MemorySize"]) for one in cloud.stack.of_type("AWS::Lambda::Function")}
