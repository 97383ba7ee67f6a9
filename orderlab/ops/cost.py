"""`python3 -m orderlab cost`: what a month of the order system would cost on AWS, before anything is deployed.

Standard output gets the bill; nothing leaves this machine. Exit status 0, or 2 for misuse; 1 for a parameter that
the template would refuse.
Taught in notebooks/12_ship_it.ipynb
"""

import argparse
import json
import re
from collections.abc import Callable, Sequence

from .aws import template
from .bill import breaker, sample
from .bill.estimate import Estimate, bill, estimate
from .bill.facts import read
from .bill.trace import PATTERNS

MOST = 1_000_000_000
_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+")  # with commas between them; in 1,5 it stands for something else


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = _parser()
    said = parser.parse_args(argv)
    if said.decline or said.provider_down:
        a_month = {
            "--json prints": said.json,
            "--orders is about": said.orders is not None,
            "--cache is about": said.cache != "off",
            "--set is about": said.parameters,
        }
        for option in (option for option, given in a_month.items() if given):
            parser.error(f"{option} the bill of a month, and a day with --decline or --provider-down has none")
    if said.refresh:
        sample.refresh()
        print(f"{sample.FILE.name} is written: {sample.ORDERS} orders for each of {', '.join(sample.SAGAS)}")
        return 0
    if said.decline or said.provider_down:
        print(troubled(said.saga, said.decline, said.provider_down))
        return 0
    given = template.parameters(said.parameters, template.read(), "orderlab")
    orders = 1000 if said.orders is None else said.orders
    found = estimate({"Saga": said.saga, "Cache": said.cache, **given}, orders)
    print(to_json(found) if said.json else to_table(found, orders))
    return 0


def troubled(saga: str, decline: float, provider_down: float) -> str:
    """What a day with trouble costs for 1,000 orders beside the day without, by pattern, and what the breaker saved."""
    usage, rows = sample.played(saga, decline=decline, provider_down=provider_down)
    factor = 1000 / sample.ORDERS
    facts = read({"Saga": saga})
    calm, rough = (bill(sample.told(day, facts) * factor).patterns() for day in (sample.sample(saga), usage))
    told = [f"1,000 orders, {saga}: a calm day, and one with {decline:.0%} declined and {provider_down:g} s of outage"]
    told += [f"  {name:<18}${calm.get(name, 0.0):>9.6f}  ${rough[name]:>9.6f}" for name in rough]
    told.append(f"  {'in all':<18}${sum(calm.values()):>9.6f}  ${sum(rough.values()):>9.6f}")
    spared = breaker.saved(rows, facts)
    attempt, all_of_them = bill(spared.attempt).total, bill(spared.usage).total
    told.append(
        f"the open breaker refused {spared.refused} charges; {spared.failed} that it let pass failed at ${attempt:.9f} "
        f"each: it saved ${all_of_them:.9f} in {sample.ORDERS} orders, or more"
    )
    return "\n".join(told)


def to_json(found: Estimate) -> str:
    """The estimate as one line of ASCII, keys in order; dollars a month."""
    told = {
        "as_of": found.prices.as_of,
        "region": found.prices.region,
        "total": found.total,
        "standing": found.standing,
        "free_tier": found.free,
        "lines": [
            {"what": line.what, "quantity": line.quantity, "unit": line.unit, "dollars": line.dollars}
            for line in found.lines
        ],
        "services": found.services(),
        "functions": found.functions(),
        "patterns": found.patterns(),
        "notes": list(found.notes),
    }
    return json.dumps({name: _rounded(value) for name, value in told.items()}, sort_keys=True)


def to_table(found: Estimate, orders: float) -> str:
    """The estimate for a person, in plain ASCII: by price, by service, by function and by pattern."""
    parts = [
        str(found),
        _table("by service", found.services(), {}),
        _table("by function, queue or other part", found.functions(), {}),
        _table("by pattern", found.patterns(), PATTERNS),
    ]
    moving = found.dollars(found.moving)
    if orders:
        parts.append(f"1,000 orders more cost ${1000 * moving / orders:.4f}, of the day in {sample.FILE.name}.")
    return "\n\n".join(parts)


def _table(title: str, sums: dict[str, float], meaning: dict[str, str]) -> str:
    return "\n".join(
        [title, *(f"  {name:<18}${amount:>9.4f}  {meaning.get(name, '')}".rstrip() for name, amount in sums.items())]
    )


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return round(value, 9)
    if isinstance(value, dict):
        return {name: _rounded(inner) for name, inner in value.items()}
    return [_rounded(inner) for inner in value] if isinstance(value, list) else value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="orderlab cost", description="What a month on AWS would cost. Nothing is deployed, and nobody is asked."
    )
    parser.add_argument(
        "--orders",
        type=_number("a whole number of orders", MOST, whole=True),
        metavar="N",
        help="orders a month (default: 1000)",
    )
    parser.add_argument("--saga", choices=sample.SAGAS, default=sample.SAGAS[0], help="as the template's Saga")
    parser.add_argument(
        "--cache", choices=("off", "on"), default="off", help="as the template's Cache; on costs by the hour"
    )
    template.add_argument(parser)
    parser.add_argument(
        "--decline",
        type=_number("a share", 1),
        default=0.0,
        metavar="RATE",
        help="play a day with declined payments, 0 to 1",
    )
    parser.add_argument(
        "--provider-down",
        type=_number("seconds", 86_400),
        default=0.0,
        metavar="SECONDS",
        help="play a day with an outage of the provider",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the tables")
    parser.add_argument(
        "--refresh", action="store_true", help=f"play the day again and write infra/{sample.FILE.name} (authors)"
    )
    return parser


def _number(what: str, most: float, whole: bool = False) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            number = float(text.replace(",", "") if _THOUSANDS.fullmatch(text) else text)
            if 0 <= number <= most and (number.is_integer() or not whole):
                return number
        except ValueError:
            pass
        raise argparse.ArgumentTypeError(f"{text!r} is not {what} from 0 to {most:,.0f}")

    return read
