"""A small shop of a run's own, for commands that are no day: some articles, as many of each as they may need.

Taught in notebooks/12_ship_it.ipynb
"""

from typing import Any

from ..days.day import Product
from ..days.play import open_shop
from .site import Site

PRICE = 250  # pence


def stocked(site: Site, run: str, articles: int, units: int) -> list[str]:
    """Open the shop with so many articles of PRICE, and `units` of each; their codes."""
    skus = [code(run, n) for n in range(articles)]
    open_shop(site.client, site.outputs, {sku: Product(PRICE, sku) for sku in skus}, dict.fromkeys(skus, units))
    return skus


def code(run: str, number: int) -> str:
    """The code of the run's article of this number, from 0."""
    return f"{run}.article-{number:02d}"


def order_of(run: str, number: int, sku: str) -> dict[str, Any]:
    """The body of an order of one unit."""
    return {"customerId": f"{run}.C-{number}", "items": [{"sku": sku, "quantity": 1}]}
