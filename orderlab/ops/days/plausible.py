"""Makes up a plausible day of orders from a seed.

The mix follows a real gift shop that sells by the dozen: every fourth order has one or two lines, half of them nine or
more; a few codes sell every hour and most hardly ever; one order in fifteen is worth a thousand pounds.

Taught in notebooks/00_start_here.ipynb
"""

import random

from .day import Day, Product, Request

CODES = 400
OPENS, PEAK, CLOSES = 8.5 * 3600, 12.5 * 3600, 17.5 * 3600  # seconds after midnight
_UNITS = {1: 26, 2: 14, 12: 13, 6: 10, 3: 7, 24: 6, 4: 5, 8: 3, 10: 3, 5: 2, 48: 2, 36: 1, 96: 1}  # of a line, weighted
_PRICES = {125: 12, 295: 10, 165: 9, 85: 7, 210: 7, 375: 6, 195: 4, 255: 4, 42: 4, 495: 4, 145: 3, 425: 3, 595: 3,
           795: 2, 55: 2, 995: 2, 850: 2, 675: 1, 1275: 1, 1495: 1}  # pence, weighted  # fmt: skip
_LOOKS = ("red", "white", "cream", "vintage", "retro", "woodland", "ivory", "chocolate", "jumbo", "hanging")
_MADE_OF = ("metal", "ceramic", "paper", "glass", "felt", "wooden", "enamel", "cotton")
_THINGS = ("lantern", "heart", "mug", "cake tin", "hand warmer", "bunting", "photo frame", "bag", "coat hook", "candle")


def plausible_day(orders: int, seed: int) -> Day:
    """`orders` clean requests over one day, the same for the same seed."""
    rng = random.Random(f"plausible day {seed}")
    catalogue = _catalogue(rng)
    codes = list(catalogue)
    popularity = [1 / (rank + 12) ** 0.8 for rank in range(len(codes))]
    customers = [f"C-{number}" for number in rng.sample(range(12000, 19000), min(orders, 5000))]
    times = sorted(rng.triangular(OPENS, CLOSES, PEAK) for _ in range(orders))
    requests = []
    for number, arrives in enumerate(times, 1):
        few = rng.random() < 0.18
        lines = rng.choice((1, 1, 2)) if few else min(80, max(1, round(rng.lognormvariate(2.45, 0.9))))
        chosen = dict.fromkeys(rng.choices(codes, popularity, k=lines))
        items = [{"sku": sku, "quantity": _units(rng)} for sku in chosen]
        body = {"customerId": rng.choice(customers), "items": items}
        requests.append(Request(number, f"{seed}-{number:06d}", round(arrives, 3), body))
    return Day(f"{orders} plausible orders, seed {seed}", tuple(requests), catalogue)


def _catalogue(rng: random.Random) -> dict[str, Product]:
    skus = [f"{number}{rng.choice(('', '', '', 'A', 'B'))}" for number in rng.sample(range(20000, 90000), CODES)]
    return {sku: Product(_one(rng, _PRICES), _name(rng)) for sku in skus}


def _name(rng: random.Random) -> str:
    return " ".join(map(rng.choice, (_LOOKS, _MADE_OF, _THINGS))).upper()


def _units(rng: random.Random) -> int:
    return _one(rng, _UNITS)


def _one(rng: random.Random, weights: dict[int, int]) -> int:
    return rng.choices(list(weights), list(weights.values()))[0]
