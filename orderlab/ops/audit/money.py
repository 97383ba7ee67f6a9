"""What can be wrong with the money: captured at most once, in full, kept or given back, and with a receipt.

Taught in notebooks/11_game_day.ipynb
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import chain

from .books import Books, Row
from .ends import End, undoes
from .findings import Finding, Letters, order_of, status_of, was_captured


def money_findings(books: Books, ends: Mapping[str, End], letters: Letters, at_rest: bool) -> Iterator[Finding]:
    """Captured at most once, for an order, in full; kept for confirmed orders, given back for cancelled ones."""
    ledger: defaultdict[str, list[Row]] = defaultdict(list)
    for row in books.ledger:
        ledger[order_of(row)].append(row)
    for order_id in sorted({*ledger, *ends, *books.receipts}):
        captured = [row for row in ledger[order_id] if was_captured(row)]
        if len(captured) > 1:
            yield Finding("charged_twice", order_id, f"the provider's ledger has {len(captured)} captures of it")
        parts, end = books.orders.get(order_id, {}), ends.get(order_id, End("unknown"))
        bound = not at_rest or any(undoes(letter, "payment") for letter in letters.get(order_id, ()))
        for why in chain(
            _of_order(parts, captured),
            _of_end(end, parts, captured, bound),
            _of_receipt(end, captured, books.receipts.get(order_id)),
        ):
            yield Finding("unexplained", order_id, why)


def _of_order(parts: Mapping[str, Row], captured: list[Row]) -> Iterator[str]:
    """The order's total, what was captured, and what the PAYMENT row says of it."""
    order, payment = parts.get("ORDER"), status_of(parts, "PAYMENT")
    if order is None:
        if captured:
            yield "money was captured, and there is no such order"
        return
    if order["total"] != sum(item["quantity"] * item["price"] for item in order["items"]):
        yield "its total is not the sum of its items"
    for row in captured:
        if row.get("amount") != order["total"]:
            yield f"the provider captured {row.get('amount')} pence, and its total is {order['total']}"
    if payment == "CAPTURED" and not captured:
        yield "its payment is CAPTURED, and the provider's ledger knows nothing of it"
    if payment == "REFUNDED" and any(row["answer"] == "captured" for row in captured):
        yield "its payment is REFUNDED, and the provider keeps the money"


def _of_end(end: End, parts: Mapping[str, Row], captured: list[Row], bound: bool) -> Iterator[str]:
    """Confirmed and paid, or cancelled and refunded; `bound`: a message will still see to the refund."""
    payment, kept = status_of(parts, "PAYMENT"), [row for row in captured if row["answer"] == "captured"]
    if end.state == "confirmed" and not kept:
        yield "it is confirmed, and the provider keeps no money for it"
    if end.state == "confirmed" and payment != "CAPTURED":
        yield f"it is confirmed, and its payment is {payment}"
    if end.state == "cancelled" and not bound and kept:
        yield f"it is cancelled, and {sum(row['amount'] for row in kept)} pence were not refunded"
    if end.state == "cancelled" and not bound and payment in ("CHARGING", "CAPTURED"):
        yield f"it is cancelled, and its payment is still {payment}"


def _of_receipt(end: End, captured: list[Row], receipt: Row | None) -> Iterator[str]:
    """One receipt for each confirmed order, none without a capture, and both over the same amount."""
    if receipt is None:
        if end.state == "confirmed":
            yield "it is confirmed, and has no receipt"
    elif not captured:
        yield "it has a receipt, and no money was captured"
    elif receipt.get("amount") not in [row.get("amount") for row in captured]:
        yield f"its receipt says {receipt.get('amount')} pence, and the ledger {captured[0].get('amount')}"
