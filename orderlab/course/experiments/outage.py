"""`hanging()`: a day of orders on which the payment provider hangs for ten minutes at noon, and what that costs.

It hangs: each call is taken, and no answer comes before the caller's time-out of one second. Orders come every two
hours from nine to five, and at noon, in a sale, every 40 seconds. The books are held against each other by the audit.
The costs are those of ChargePayment alone, since the provider is somebody else's: its stand-in here is a function, and
its hanging calls end with that function's time-out of five seconds.

Taught in notebooks/09_knowing_when_to_stop.ipynb
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orderlab.ops.days.play import turn_knob, write_rows
from orderlab.ops.prices import price

from ..billing import billed
from ..shop import audited, open_shop, order_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlab.cloud import Cloud

FUNCTION, PROVIDER = "ChargePayment", "PaymentProvider"
USUAL, SALE = 7200.0, 40.0  # seconds between two orders, over the day and at noon
NOON, CLOSES = 3 * 3600.0, 8 * 3600.0  # seconds since the opening at nine
HANGS = 30.0  # seconds: longer than anybody waits


@dataclass(frozen=True, repr=False)
class Outage:
    """What a day with an outage came to. `findings` are the audit's counts.

    `asked` is how often the provider was called while it hung, `runs` how often ChargePayment ran then, `seconds` how
    long it ran in all then, `gb_seconds` what Lambda charges for that; `reads` and `writes` are those of the
    breaker's row over the whole day; `settled` is in seconds after the provider's return.
    """

    name: str
    seed: int
    orders: int
    confirmed: int
    findings: dict[str, int]
    minutes: float
    asked: int
    runs: int
    seconds: float
    gb_seconds: float
    reads: int
    writes: int
    settled: float

    @property
    def each(self) -> float:
        """Seconds that one run holds its execution."""
        return self.seconds / self.runs

    @property
    def dollars(self) -> float:
        """For a million such days: Lambda's price for the outage, and DynamoDB's for the breaker's row."""
        functions = price("invocation").of(self.runs) + price("duration").of(self.gb_seconds)
        return 1e6 * (functions + price("row-read").of(self.reads) + price("row-write").of(self.writes))

    def __repr__(self) -> str:
        wrong = ", ".join(f"{name.replace('_', ' ')} {number}" for name, number in self.findings.items())
        return (
            f"{self.name}: {self.confirmed} of {self.orders} orders confirmed; {wrong}\n"
            f"  in the outage: provider asked {self.asked} times; {self.runs} runs held for {self.each:.2f} s each\n"
            f"  the breaker's row: {self.reads} reads and {self.writes} writes over the day\n"
            f"  a million such days: ${self.dollars:.0f} for these runs, reads and writes\n"
            f"  last order settled {self.settled:.0f} s after the provider's return"
        )


def hanging(cloud: "Cloud", handler: "Callable[[Any, Any], Any]", minutes: float = 10.0) -> Outage:
    """Begin the world anew, put the handler in ChargePayment's place, and let the module's day pass."""
    cloud.replace(FUNCTION, handler)
    cloud.reset()
    opening = open_shop(cloud) | {"mug": 1000}
    rows = [{"sku": {"S": "mug"}, "onHand": {"N": "1000"}}]
    write_rows(cloud.client("dynamodb"), cloud.outputs["StockTableName"], rows)
    begun = cloud.now + NOON
    ended = begun + minutes * 60
    times = [cloud.now + n * USUAL for n in range(int(CLOSES / USUAL))]
    times += [begun + 1 + n * SALE for n in range(int(minutes * 60 / SALE))]
    pending = [
        cloud.request_at(at, "POST", "/orders", **order_request(cloud, f"order-{n}", {"mug": 1}, f"C-{n}"))
        for n, at in enumerate(times, 1)
    ]
    cloud.run(until=begun)
    turn_knob(cloud.client, cloud.outputs, latency=HANGS)
    cloud.run(until=ended)
    turn_knob(cloud.client, cloud.outputs, latency=0.0)
    cloud.run()
    ids = [str(one.response.json()["orderId"]) for one in pending if one.response]
    return _read(cloud, handler.__module__.rpartition(".")[2], opening, ids, begun, ended)


def _read(cloud: "Cloud", name: str, opening: dict[str, int], ids: list[str], begun: float, ended: float) -> Outage:
    """What came of it, out of the trace and the books."""
    trace = cloud.trace
    books = audited(cloud, opening, ids)
    starts = {row.detail["request"]: row.at for row in trace.select("invoke", actor=FUNCTION)}
    ends = [row for row in trace.select("end", "error", actor=FUNCTION)
            if begun <= starts[row.detail["request"]] < ended]  # fmt: skip
    table = cloud.stack.resources["BreakerTable"].physical_id
    row = [call.what for call in trace.select("call") if call.detail.get("table") == table]
    charged = [call.at for call in trace.select("end", actor=FUNCTION) if call.at - ended < USUAL / 4]
    return Outage(
        name,
        cloud.seed,
        len(ids),
        sum(end.state == "confirmed" for end in books.ends.values()),
        dict(books.counts),
        (ended - begun) / 60,
        sum(begun <= one.at < ended for one in trace.select("invoke", actor=PROVIDER)),
        len(ends),
        sum(end.detail["seconds"] for end in ends),
        billed(cloud, ends),
        sum("Get" in what for what in row),
        sum("Put" in what for what in row),
        max(charged) - ended,
    )
