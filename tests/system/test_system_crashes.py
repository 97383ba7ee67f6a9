"""Crashes are enumerated from the trace: no single one, and no pair in payment, loses or doubles anything."""

from orderlab.ops import hunt
from orderlab.ops.audit.books import books_of


def test_the_little_day_has_all_ends_and_every_handler_in_it(whole) -> None:
    """Otherwise the hunt would not hunt everywhere: both outcomes, an undo of each side, a refund, a release."""
    verdict = hunt.play(whole, 0)
    assert hunt.is_clean(verdict)
    reasons = sorted(end.why for end in verdict.ends.values())
    assert reasons == ["", "", "out of stock: lamp", "payment declined"]
    books = books_of(whole)
    parts = {(part, row["status"]) for rows in books.orders.values() for part, row in rows.items()}
    assert {("STOCK", "RELEASED"), ("STOCK", "REJECTED"), ("PAYMENT", "DECLINED"), ("PAYMENT", "CAPTURED")} <= parts
    assert {step.function for step in hunt.steps(whole)} >= {
        "PlaceOrder", "Relay", "ReserveStock", "ChargePayment", "PaymentProvider", "SettleOrder", "Notify",
        "ProjectSales",
    }  # fmt: skip


def test_no_single_crash_loses_or_doubles_anything(whole, scale) -> None:
    """Before and after every call of every handler; the slice takes every twelfth case, --all every one."""
    assert [str(catch) for catch in hunt.singles(whole, 0, every=1 if scale == "all" else 12)] == []


def test_no_pair_of_crashes_in_payment_charges_twice(whole, scale) -> None:
    """The second crash strikes in the history that the first one leads to."""
    catches = hunt.pairs(whole, 0, "ChargePayment") if scale == "all" else ()
    assert [str(catch) for catch in catches] == []
    verdict = hunt.play(whole, 1, [(8, "crash-after"), (19, "crash-before")])
    assert hunt.is_clean(verdict)
