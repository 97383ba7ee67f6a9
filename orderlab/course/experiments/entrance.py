"""Who stops a request at the front door: API Gateway, the function behind it, a crash of that, or nobody.

`send_day()` sends a day's requests, flaws and all, and `crowd()` a crowd at one instant; `stopped()` draws who stopped
the bad ones. Everything goes through the front door, and the trace tells who answered.

Taught in notebooks/02_the_front_door.ipynb
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orderlab.ops.days import play
from orderlab.ops.days.day import opening_stock

from ..billing import Bill
from ..drawing import style
from ..drawing.figures import Plot
from ..shop import headers, open_shop, order_request

if TYPE_CHECKING:
    from orderlab.cloud import Cloud
    from orderlab.ops.days.day import Day

GATEWAY, FUNCTION, CRASH, NOBODY = "the gateway", "PlaceOrder", "a crash (502)", "nobody"
LOOKS = {  # who stops: colour, hatch, colour of the words
    GATEWAY: (style.CONCEPTS["not asked"], "", "black"),
    FUNCTION: (style.CONCEPTS["function"], "", "white"),
    CRASH: (style.BLACK, "", "white"),
    NOBODY: (style.CONCEPTS["failed"], "//", "black"),
}
REFUSAL = 0.020  # seconds that a refusal by a function is taken to be billed for; 1 ms to 100 ms tells the same story
MEMORY = 0.5  # GB, as the template has it


@dataclass(frozen=True, repr=False)
class Entrance:
    """What became of requests: the flaw of each ("clean" for none) and who stopped it; and how often PlaceOrder ran."""

    ends: tuple[tuple[str, str], ...]
    woken: int

    def by(self, who: str) -> int:
        """How many bad requests were stopped by one of LOOKS."""
        return sum(end == who and flaw != "clean" for flaw, end in self.ends)

    @property
    def per_million(self) -> float:
        """US dollars for a million bad requests with this mix, each REFUSAL seconds long where a function runs."""
        bad = [end for flaw, end in self.ends if flaw != "clean"]
        share = sum(end != GATEWAY for end in bad) / len(bad)
        return Bill(1e6, share * 1e6, share * 1e6 * REFUSAL * MEMORY).dollars

    def __repr__(self) -> str:
        flaws = Counter(flaw for flaw, _ in self.ends)
        wide = max(map(len, flaws)) + 2
        lines = [f"{'':{wide}}{'sent':>5}  stopped by"]
        for flaw, count in flaws.most_common():
            ends = Counter(end for one, end in self.ends if one == flaw)
            lines.append(f"{flaw:{wide}}{count:>5}  " + ", ".join(f"{who} {ends[who]}" for who in LOOKS if ends[who]))
        return "\n".join([*lines, f"PlaceOrder ran {self.woken} times for {len(self.ends)} requests."])


def send_day(cloud: "Cloud", day: "Day", kind: str = "application/json", only_bad: bool = False) -> Entrance:
    """Begin the world anew, open the day's shop, send each request at its time and let the world run.

    `kind` is the Content-Type that the requests carry; `only_bad` leaves out those that should become orders.
    """
    cloud.reset()
    play.open_shop(cloud.client, cloud.outputs, day.catalogue, opening_stock(day.usable))
    sent = [one for one in day.requests if one.flaw or not only_bad]
    common, start = {**headers(cloud), "Content-Type": kind}, cloud.now
    pending = [
        cloud.request_at(start + one.arrives, "POST", "/orders", body=one.body,
                         headers={**common, "Idempotency-Key": one.key})
        for one in sent
    ]  # fmt: skip
    cloud.run()
    refused = {row.detail["request"] for row in cloud.trace.select("response", contains="BAD_REQUEST")}
    ends = []
    for one, answer in zip(sent, pending, strict=True):
        assert answer.response is not None  # the world ran to its rest
        by_gateway = str(answer.response.header("x-amzn-RequestId"))[:8] in refused
        else_by = {202: NOBODY, 502: CRASH}.get(answer.response.status, FUNCTION)
        ends.append((one.flaw.reason if one.flaw else "clean", GATEWAY if by_gateway else else_by))
    return Entrance(tuple(ends), len(cloud.trace.select("invoke", actor="PlaceOrder")))


def crowd(cloud: "Cloud", good: int = 20, bad: int = 80) -> dict[str, int]:
    """Begin the world anew; good orders of one mug and bad ones of minus one come at one instant, well mixed.

    Returns what became of the good ones, and how often PlaceOrder ran.
    """
    cloud.reset()
    open_shop(cloud)
    order = [n * good % (good + bad) < good for n in range(good + bad)]
    requests = [
        order_request(cloud, f"rush-{n}", {"mug": 1 if is_good else -1}, f"C-{n}") for n, is_good in enumerate(order)
    ]
    pending = [cloud.request_at(cloud.now, "POST", "/orders", **request) for request in requests]
    cloud.run()
    answers = zip(order, pending, strict=True)
    found = Counter((is_good, answer.response.status) for is_good, answer in answers if answer.response)
    return {
        "good orders accepted (202)": found[True, 202],
        "good orders refused (500)": found[True, 500],
        "PlaceOrder ran": len(cloud.trace.select("invoke", actor="PlaceOrder")),
    }


def stopped(days: Mapping[str, Entrance]) -> Plot:
    """Draw who stopped the bad requests, a bar for each of these named runs, and what a million of them would cost."""
    figure = style.new_figure(9.0 * style.scale(), (1.5 + 0.75 * len(days)) * style.scale())
    axes = figure.add_subplot()
    bad = max(sum(one.by(who) for who in LOOKS) for one in days.values())
    for row, one in enumerate(days.values()):
        left = 0
        for who, (colour, hatch, words) in LOOKS.items():
            if count := one.by(who):
                axes.barh(row, count, 0.72, left, color=colour, hatch=hatch, edgecolor="white", linewidth=2)
                box = {"facecolor": "white", "edgecolor": "none", "pad": 1} if hatch else None
                axes.text(left + count / 2, row, f"{count}: {who}", ha="center", va="center", color=words, bbox=box)
                left += count
        axes.text(bad * 1.02, row, f"${one.per_million:.2f}", va="center")
    axes.text(bad * 1.02, -0.62, "per million", va="bottom")
    axes.set_yticks(range(len(days)), list(days))
    axes.set_ylim(len(days) - 0.45, -0.6)
    axes.set_xlim(0, bad)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("bad requests of one day")
    axes.set_title(f"Who stops the {bad} bad requests?")
    told = (
        f"{' '.join(name.split())}: {', '.join(f'{one.by(who)} by {who}' for who in LOOKS if one.by(who))}"
        for name, one in days.items()
    )
    costs = ", ".join(f"${one.per_million:.2f}" for one in days.values())
    return Plot(figure, f"One history of {bad} bad requests, and who stops them. {'; '.join(told)}. "
                        f"A million of them cost {costs}.")  # fmt: skip
