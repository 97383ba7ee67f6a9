"""The stand-in payment provider: it repeats its first answer, and fails only as its knob says."""

from types import SimpleNamespace
from typing import Any

import pytest

from orderlab.orders import provider


def call(tools: SimpleNamespace, action: str, key: str = "ORD-1", amount: int = 500) -> str:
    """The word that the provider answers."""
    answer = provider.handler({"action": action, "key": key, "amount": amount}, tools.Context())
    return str(answer["answer"])


def test_a_charge_is_captured_once_and_repeats_its_first_answer(shop: Any, tools: SimpleNamespace) -> None:
    """To the byte, an hour later too; the ledger has one row, and the memory is written together with it."""
    calls = shop.calls()
    first = provider.handler({"action": "charge", "key": "ORD-1", "amount": 500}, tools.Context())
    assert calls == ["BatchGetItem", "TransactWriteItems"]
    assert first == {"answer": "captured", "key": "ORD-1", "amount": 500, "at": "2026-01-05T09:00:00.000+00:00"}
    rows = shop.all("ledger")
    shop.now += 3600
    assert provider.handler({"action": "charge", "key": "ORD-1", "amount": 500}, tools.Context()) == first
    assert shop.all("ledger") == rows and shop.ledger() == {"ORD-1": "captured"}


@pytest.mark.parametrize(
    ("actions", "answers", "ledger"),
    [
        (["charge", "cancel", "cancel", "charge"], ["captured", "refunded", "refunded", "captured"], "refunded"),
        (["cancel", "charge", "cancel", "charge"], ["cancelled", "cancelled", "cancelled", "cancelled"], "cancelled"),
    ],
)
def test_whoever_comes_second_is_told_of_the_first(
    actions: list[str], answers: list[str], ledger: str, shop: Any, tools: SimpleNamespace
) -> None:
    """A cancel after the charge refunds, before it stops it; and each repeats its first answer."""
    assert [call(tools, action) for action in actions] == answers
    assert shop.ledger() == {"ORD-1": ledger}


def test_a_declined_charge_stays_declined_and_its_cancel_gives_nothing_back(shop: Any, tools: SimpleNamespace) -> None:
    """Also when the knob is turned back."""
    shop.knob(declineRate=1)
    assert call(tools, "charge") == "declined"
    shop.knob(declineRate=0)
    assert [call(tools, "charge"), call(tools, "cancel"), call(tools, "charge")] == [
        "declined",
        "cancelled",
        "declined",
    ]
    assert shop.ledger() == {"ORD-1": "declined"}


def test_the_knob_begins_where_the_variable_says_and_the_row_wins(
    shop: Any, tools: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stack is deployed with chaos in it; an operator turns one knob and leaves the others where they are."""
    monkeypatch.setenv("CHAOS", '{"errorRate": 1, "declineRate": 1}')
    with pytest.raises(provider.Trouble, match="the provider failed"):
        call(tools, "charge")
    shop.knob(errorRate=0)
    assert call(tools, "charge") == "declined"


def test_who_is_declined_is_decided_by_the_key(shop: Any, tools: SimpleNamespace) -> None:
    """So the same orders are declined in every run, and about as many as the rate says."""
    shares = [provider.share(f"ORD-{n}") for n in range(2000)]
    assert all(0 <= share < 1 for share in shares)
    assert 0.08 < sum(share < 0.1 for share in shares) / len(shares) < 0.12
    shop.knob(declineRate=0.5)
    for n in range(6):
        assert (call(tools, "charge", f"ORD-{n}") == "declined") == (shares[n] < 0.5)


@pytest.mark.parametrize(
    "request_",
    [
        None,
        "charge",
        {},
        {"action": "steal", "key": "k", "amount": 1},
        {"action": "charge", "key": "#knob", "amount": 1},
        {"action": "charge", "key": "", "amount": 1},
        {"action": "charge", "key": "k" * 65, "amount": 1},
        {"action": "charge", "key": "k"},
        {"action": "charge", "key": "k", "amount": -1},
        {"action": "charge", "key": "k", "amount": 1.5},
    ],
)
def test_a_request_without_sense_is_refused(request_: Any, shop: Any, tools: SimpleNamespace) -> None:
    """An answer, not an exception: asking again would not help."""
    assert provider.handler(request_, tools.Context())["answer"] == "refused"
    assert shop.all("ledger") == []


def test_another_amount_under_the_same_key_is_refused(shop: Any, tools: SimpleNamespace) -> None:
    """And changes nothing."""
    call(tools, "charge")
    assert call(tools, "charge", amount=501) == "refused"
    assert shop.ledger() == {"ORD-1": "captured"} and call(tools, "charge") == "captured"


def test_down_means_down_until_then(shop: Any, tools: SimpleNamespace) -> None:
    """An exception, before any effect; and at that second it is back."""
    shop.knob(downUntil=shop.now + 60)
    for action in ("charge", "cancel"):
        with pytest.raises(provider.Trouble):
            call(tools, action)
    shop.now += 60
    assert shop.ledger() == {} and call(tools, "charge") == "captured"


def test_slow_is_slow_before_the_effect(shop: Any, tools: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has stopped waiting is charged nevertheless."""
    shop.knob(latency=1.5)
    seen = []
    monkeypatch.setattr("time.sleep", lambda seconds: seen.append((seconds, dict(shop.ledger()))))
    assert call(tools, "charge") == "captured"
    assert seen == [(1.5, {})]


def test_errors_come_at_their_rate_and_before_the_effect(
    shop: Any, tools: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drawn at every call."""
    shop.knob(errorRate=0.3)
    draws = iter([0.29, 0.3])
    monkeypatch.setattr("random.random", lambda: next(draws))
    with pytest.raises(provider.Trouble):
        call(tools, "charge")
    assert shop.ledger() == {} and call(tools, "charge") == "captured"


def test_a_lost_answer_comes_after_the_effect_and_too_late(
    shop: Any, tools: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Later than the caller's read time-out."""
    shop.knob(lostRate=1)
    seen = []
    monkeypatch.setattr("time.sleep", lambda seconds: seen.append((seconds, dict(shop.ledger()))))
    call(tools, "charge")
    assert seen == [(provider.LOST, {"ORD-1": "captured"})] and provider.LOST > 1.0


def test_a_charge_and_a_cancel_at_once_agree(shop: Any, tools: SimpleNamespace) -> None:
    """The one that is slower reads again and is told of the other; no capture without its refund."""
    others: list[str] = []
    shop.before("TransactWriteItems", lambda: others.append(call(tools, "cancel")))
    assert (call(tools, "charge"), others) == ("cancelled", ["cancelled"])
    shop.before("TransactWriteItems", lambda: others.append(call(tools, "charge", "ORD-2")))
    assert (call(tools, "cancel", "ORD-2"), others[1:]) == ("refunded", ["captured"])
    assert shop.ledger() == {"ORD-1": "cancelled", "ORD-2": "refunded"}


def test_two_charges_at_once_capture_once(shop: Any, tools: SimpleNamespace) -> None:
    """Both get the one answer, also when they read while the other one wrote."""
    answers: list[Any] = []
    wanted = {"action": "charge", "key": "ORD-1", "amount": 500}
    shop.before("TransactWriteItems", lambda: answers.append(provider.handler(wanted, tools.Context())))
    answers.append(provider.handler(wanted, tools.Context()))
    assert answers[0] == answers[1] and shop.ledger() == {"ORD-1": "captured"}
    torn = {"key": "ORD-1", "answer": "captured", "amount": 500, "at": "then"}  # the ledger is seen, the memory not yet
    asked = provider.check(wanted)
    assert provider.settle(asked, None, torn, 0) == answers[0]


def test_a_ledger_that_cannot_be_read_is_trouble(
    shop: Any, tools: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never a fresh key."""
    call(tools, "charge")
    answer = {"Responses": {}, "UnprocessedKeys": {"ledger": {"Keys": [{"key": {"S": "ORD-1"}}]}}}
    monkeypatch.setattr(shop.clients.dynamodb(), "batch_get_item", lambda **_: answer)
    with pytest.raises(provider.Trouble):
        call(tools, "charge")
