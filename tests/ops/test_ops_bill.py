"""The bill: a tiny day counted by hand, each figure of it multiplied out; what is free; what was done again."""

import json

import pytest

from orderlab.cloud import Cloud, Faults
from orderlab.cloud.trace import Row
from orderlab.installing import Problem
from orderlab.ops import cost
from orderlab.ops.bill import facts, sample
from orderlab.ops.bill.breaker import saved
from orderlab.ops.bill.estimate import bill, estimate, standing
from orderlab.ops.bill.meter import Unmetered, dynamodb, events, metered
from orderlab.ops.bill.repeats import repeats
from orderlab.ops.bill.trace import PATTERNS, from_trace
from orderlab.ops.bill.usage import Usage, Use
from orderlab.ops.days import play
from orderlab.ops.days.day import Product
from orderlab.ops.days.plausible import plausible_day
from orderlab.ops.prices import read


def open_shop(cloud):
    """Mugs at 7 pounds, a hundred of them."""
    play.open_shop(cloud.client, cloud.outputs, {"mug": Product(700, "MUG")}, {"mug": 100})


def place(cloud, key, quantity=1, api_key=None):
    """One order of mugs; the status of the answer."""
    body = {"customerId": "C-1", "items": [{"sku": "mug", "quantity": quantity}]}
    named = {"content-type": "application/json", "idempotency-key": key, "x-api-key": api_key or cloud.api_key}
    return cloud.request("POST", "/orders", body=json.dumps(body), headers=named).status


@pytest.fixture(scope="module")
def tiny():
    """One order of one mug that is confirmed, one that the model refuses, one with a key that is none."""
    with Cloud(seed=0) as cloud, metered(cloud) as meter:
        open_shop(cloud)
        assert [place(cloud, "one"), place(cloud, "two", 0), place(cloud, "three", 1, "wrong")] == [202, 400, 403]
        cloud.run()
    return from_trace(cloud.trace, facts.read(), meter.rows, floor=1.0), cloud.trace.rows


def test_the_estimate_agrees_with_a_hand_calculation(tiny):
    """Every unit of the tiny day is counted here by hand, and multiplied with the price that is written out."""
    usage, _ = tiny
    by_hand = {
        # the API: the order, and the one that its model refuses; a wrong key is free
        "api-request": (2, 3.50 / 1_000_000),
        # place 1; the stream's seven changes come to Relay in 4 batches and to ProjectSales in 5; stock 1; payment 1;
        # provider 1; settle 2 (each outcome comes alone); notify 1
        "invocation": (1 + 4 + 5 + 1 + 1 + 1 + 2 + 1, 0.20 / 1_000_000),
        # each of the 16 is taken for one second here, of 512 MB
        "duration": (16 * 1.0 * 0.5, 0.0000133334),
        # OrderPlaced, StockReserved, PaymentCaptured, OrderConfirmed
        "event": (4, 1.00 / 1_000_000),
        # sent: placed to stock and payment, two outcomes to settlement; each is received and deleted by itself
        "sqs-request": (4 + 4 + 4, 0.40 / 1_000_000),
        # place 1; reserve 2 in a transaction, doubled; charge 2 (CHARGING, CAPTURED); provider 2 in a transaction,
        # doubled; settle 3; sales 2 in a transaction, doubled; notify 3 (claim, mail, done). Every row is below 1 KB
        "row-write": (1 + 2 * 2 + 2 + 2 * 2 + 3 + 2 * 2 + 3, 0.625 / 1_000_000),
        # the price of the mug, not consistent, half; the breaker twice; three rows of the provider's, consistent
        "row-read": (0.5 + 2 + 3, 0.125 / 1_000_000),
        # the receipt
        "object-put": (1, 0.005 / 1000),
    }
    prices = read().prices
    for id, (units, each) in by_hand.items():
        assert (id, usage.of(id)) == (id, pytest.approx(units))
        assert prices[id].of(1) == pytest.approx(each)
    dollars = sum(units * each for units, each in by_hand.values())
    in_millionths = 7 + 3.2 + 106.6672 + 4 + 4.8 + 13.125 + 0.6875 + 5
    assert dollars == pytest.approx(in_millionths / 1_000_000)
    of_bytes = [use for use in usage.units if use.price in ("log", "archive")]
    rest = Usage({use: units for use, units in usage.units.items() if use not in of_bytes})
    assert bill(rest).total == pytest.approx(dollars)
    assert {use.price for use in usage.units} - {"log", "archive"} == by_hand.keys()


def test_bytes_are_charged_by_the_gigabyte(tiny):
    """Log lines with 26 bytes each, Lambda's own of an invocation for 600; the archive takes what was published."""
    usage, rows = tiny
    lines = [row.what for row in rows if row.kind == "log"]
    assert usage.of("log") * 1024**3 == pytest.approx(sum(len(line) + 26 for line in lines) + 16 * 600)
    assert 4 * 300 < usage.of("archive") * 1024**3 < 4 * 1024


def test_each_dollar_has_a_service_a_function_and_a_pattern(tiny):
    """The three ways to cut the bill come to the same sum; and each pattern says what it is."""
    found = bill(tiny[0])
    for cut in (found.services(), found.functions(), found.patterns()):
        assert sum(cut.values()) == pytest.approx(found.total)
    assert found.patterns().keys() <= PATTERNS.keys()
    assert "retries" not in found.patterns()
    relay = tiny[0].only(pattern="outbox")
    assert relay.of("invocation") == 4 and {use.who for use in relay.units} == {"Relay"}


def test_rows_are_charged_by_their_size():
    """A write by the KB, twice in a transaction; a read by 4 KB, half of it when it need not be consistent."""
    sizes = {"small": 10, "full": 1024, "more": 1025, "big": 9000}

    def size(table, row):
        return sizes.get(table, 0)

    def put(table):
        return {"TableName": table, "Item": {}}

    assert [dynamodb("PutItem", put(name), size)["row-write"] for name in (*sizes, "none")] == [1, 1, 2, 9, 1]
    both = {"TransactItems": [{"Put": put("more")}, {"Update": {"TableName": "small", "Key": {}}}]}
    assert dynamodb("TransactWriteItems", both, size) == {"row-write": 2 * (2 + 1)}
    key = {"TableName": "big", "Key": {}}
    assert dynamodb("GetItem", key, size) == {"row-read": 1.5}
    assert dynamodb("GetItem", {**key, "ConsistentRead": True}, size) == {"row-read": 3.0}
    assert dynamodb("BatchGetItem", {"RequestItems": {"small": {"Keys": [{}, {}]}}}, size) == {"row-read": 1.0}
    with pytest.raises(Unmetered, match=r"dynamodb\.Scan"):
        dynamodb("Scan", {}, size)


def test_an_event_is_charged_for_each_64_kb_of_it():
    """A small one is one, one of 64 KB and its envelope two."""
    small, large = {"Detail": "{}"}, {"Detail": "x" * 65_536}
    assert events({"Entries": [small, large]})["event"] == 3


def test_a_trace_without_its_meter_is_refused(tiny):
    """Rather than a bill that leaves the tables out."""
    with pytest.raises(Unmetered, match="was not metered"):
        from_trace(tiny[1], facts.read(), {})


def test_redelivery_and_retries_have_a_price():
    """The provider fails: it is asked again within a charge, and the message comes again; both are "retries"."""
    with Cloud(seed=0) as cloud, metered(cloud) as meter:
        open_shop(cloud)
        play.turn_knob(cloud.client, cloud.outputs, downUntil=cloud.now + 100)
        assert place(cloud, "one") == 202
        cloud.run()
    again = from_trace(cloud.trace, facts.read(), meter.rows).only(pattern="retries")
    receives = [
        count for row in cloud.trace.select("receive", actor="orderlab-payment") for count in row.detail["receives"]
    ]
    assert max(receives) > 1
    assert again.only(who="PaymentQueue").of("sqs-request") == len(receives) - 1
    assert again.only(who="ChargePayment").of("invocation") == len(receives) - 1
    asked = len(cloud.trace.select("invoke", actor="PaymentProvider"))
    requests = {row.detail["request"] for row in cloud.trace.select("call", contains="payment-provider")}
    assert again.only(who="PaymentProvider").of("invocation") == asked - len(requests) > 0


def test_what_a_service_tries_again_is_a_repetition():
    """Asynchronous events, batches of a stream and steps of a state machine, each announced and then seen."""
    rows = [
        Row(0, 0.0, "invoke", "Notify", "from rule", {"request": "a"}),
        Row(1, 1.0, "retry", "Notify", "in 60 s", {"request": "q"}),
        Row(2, 2.0, "invoke", "Notify", "from rule", {"request": "b"}),
        Row(3, 61.0, "invoke", "Notify", "from rule", {"request": "c"}),
        Row(4, 62.0, "retry", "RelayMapping", "in 1 s", {"records": 3, "attempt": 1}),
        Row(5, 63.0, "invoke", "Relay", "from RelayMapping", {"request": "d"}),
        Row(6, 64.0, "invoke", "Relay", "from RelayMapping", {"request": "e"}),
        Row(7, 65.0, "state", "SagaMachine", "Charge", {"execution": "x", "then": "again in 0.4 s"}),
        Row(8, 65.1, "invoke", "SagaCharge", "from SagaMachine", {"request": "f", "execution": "y"}),
        Row(9, 65.4, "invoke", "SagaCharge", "from SagaMachine", {"request": "g", "execution": "x"}),
        Row(10, 66.0, "receive", "q", "2 messages", {"ids": ["m", "n"], "receives": [2, 1]}),
        Row(11, 66.0, "invoke", "ReserveStock", "from q", {"request": "h", "ids": ["m", "n"]}),
    ]
    shares = repeats(rows, {})
    assert {name for name, share in shares.items() if share == 1.0} == {"c", "d", "g"}
    assert shares["h"] == 0.5 and len(shares) == 8


def test_throttled_calls_are_free_and_crashed_ones_never_went():
    """A throttle and a death before the call leave their rows in the trace, and nothing on the bill."""
    faults = Faults(1).at_rate("throttle", 1.0, where="PlaceOrder dynamodb.PutItem", limit=1)
    with Cloud(seed=0, faults=faults) as cloud, metered(cloud) as meter:
        open_shop(cloud)
        place(cloud, "one")
        cloud.run()
    calls = cloud.trace.select("call", actor="PlaceOrder", contains="PutItem")
    usage = from_trace(cloud.trace, facts.read(), meter.rows)
    assert len(calls) == 2 and usage.only(who="PlaceOrder").of("row-write") == 1


def test_an_open_breaker_saves_attempts():
    """Ten charges while the provider is down: five failures open it, and what comes then is refused unasked."""
    with Cloud(seed=0) as cloud, metered(cloud):
        open_shop(cloud)
        play.turn_knob(cloud.client, cloud.outputs, downUntil=cloud.now + 150)
        assert {place(cloud, f"k{n}") for n in range(10)} == {202}
        cloud.run()
    found = saved(cloud.trace, facts.read())
    asked = len(cloud.trace.select("error", actor="PaymentProvider"))
    assert found.failed == asked >= 5 and found.refused >= 5
    assert found.attempt.of("invocation") == pytest.approx(1)
    assert found.usage.of("invocation") == pytest.approx(found.refused)
    waiting = found.attempt.only(who="ChargePayment").of("duration")
    assert 0 < waiting == pytest.approx(found.attempt.only(who="PaymentProvider").of("duration"))


def test_an_idle_system_costs_its_polls_and_alarms():
    """Three queues, five long polls of 20 s each, 730 hours; and what has a price by the month."""
    found = facts.read()
    still = standing(found)
    assert set(found.polled.values()) == {"StockQueue", "PaymentQueue", "SettlementQueue"}
    assert still.of("sqs-request") == pytest.approx(3 * 5 * 730 * 3600 / 20)
    assert bill(still.only(pattern="polls")).total == pytest.approx(0.7884)
    assert still.of("alarm") == found.monthly["alarm"] >= 8


def test_the_parameters_of_the_template_change_the_estimate():
    """A cache by the hour, a state machine by the step; another parameter is refused by name."""
    plain, cached, saga = estimate({}, 1000), estimate({"Cache": "on"}, 1000), estimate({"Saga": "orchestration"}, 1000)
    assert cached.standing - plain.standing == pytest.approx(0.1 * 730 * 0.084)
    assert any("Cache=on" in note for note in cached.notes)
    assert saga.services()["Step Functions"] == pytest.approx(5000 * 0.025 / 1000)
    with pytest.raises(KeyError, match=r"no parameter Colour; it has .*Saga"):
        estimate({"Colour": "red"}, 1000)
    with pytest.raises(ValueError, match="orders a month"):
        estimate({}, -1)


def test_nothing_in_the_template_is_without_a_price():
    """A type of resource that nobody has priced, or named as free, is named; none is in any combination."""
    for saga in sample.SAGAS:
        for cache in ("off", "on"):
            assert facts.read({"Saga": saga, "Cache": cache}).unpriced == ()


def test_an_unpriced_resource_is_told(tmp_path):
    """So that the estimate cannot be silent about something dear."""
    path = tmp_path / "template.yaml"
    path.write_text("Resources:\n  Nat: {Type: 'AWS::EC2::NatGateway', Properties: {}}\n", encoding="utf-8")
    assert facts.read(template=path).unpriced == ("AWS::EC2::NatGateway",)


def test_the_free_tier_is_told_apart_and_never_taken_off():
    """It covers the lines that it covers, no more than they cost, and the total is without it."""
    found = estimate({}, 1000)
    assert 0 < found.free < found.total == pytest.approx(sum(line.dollars for line in found.lines))
    alarms = next(line for line in found.lines if line.price.id == "alarm")
    assert str(alarms) in str(found) and "not taken off above" in str(found) and "Not run on AWS" in str(found)


def test_the_saved_day_is_what_a_fresh_run_uses():
    """infra/usage.json, price for price; `cost --refresh` writes it anew."""
    fresh = {saga: sample.played(saga)[0] for saga in sample.SAGAS}
    assert sample.text(fresh) == sample.FILE.read_text(encoding="utf-8")


def test_a_change_costs_the_difference():
    """Usages are subtracted: what the second order adds to the first."""
    one, two = Usage({Use("event", "Relay", "bus"): 4}), Usage({Use("event", "Relay", "bus"): 8})
    assert (two - one) == one and (one - one) == Usage() and one * 2 == two


def test_an_order_leaves_rows_that_are_told(capsys):
    """Storage is no part of the estimate, so it says what stays: 3 KB an order, rows of four tables, measured here."""
    with Cloud(seed=7) as cloud:
        play.play(cloud, plausible_day(40, 7), play.Trouble(), 7, lambda text: None)
        tables, taken = cloud.client("dynamodb"), 0
        for name, key in (("Orders", "orderId part"), ("Sales", "id"), ("Notifications", "id"), ("Ledger", "key")):
            table = cloud.outputs[f"{name}TableName"]
            for page in tables.get_paginator("scan").paginate(TableName=table):
                keys = [{part: row[part] for part in key.split()} for row in page["Items"]]
                taken += sum(cloud.tables.size(table, one) + 100 for one in keys)
    assert taken / 40 / 1024 == pytest.approx(sample.ROWS, rel=0.15)
    assert any("3 KB of rows an order stay until the destroy, $0.72 a month" in note for note in estimate().notes)


def test_access_logs_and_traces_are_in_the_estimate():
    """A line of 300 bytes for each request, and every trace, of which X-Ray may record fewer."""
    plain, logged, traced = (
        estimate({}, 10**7),
        estimate({"AccessLogs": "on"}, 10**7),
        estimate({"Tracing": "on"}, 10**7),
    )
    assert logged.total - plain.total == pytest.approx(10**7 * 300 / 1024**3 * 0.50)
    assert traced.total - plain.total == pytest.approx(traced.moving.of("trace") * 5 / 10**6) and traced.total > 2 * 300
    assert any("one in twenty" in note for note in traced.notes) and not any("one in" in note for note in plain.notes)


def test_the_bill_of_a_command_is_that_of_its_parameters(capsys):
    """Any parameter of the template, as a deploy takes them; one that it would refuse is one line."""
    assert cost.main(["--orders", "50,000", "--set", "Dashboard=on", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["standing"] == pytest.approx(estimate({}, 0).standing + 3.0)
    assert cost.main(["--set", "Dashboard=on"]) == 0 and "1,000 orders a month" in capsys.readouterr().out
    with pytest.raises(Problem, match="Dashboard=maybe"):
        cost.main(["--set", "Dashboard=maybe"])


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (("--orders", "2.5"), "'2.5' is not a whole number of orders"),
        (("--orders", "1,5"), "'1,5' is not a whole number of orders"),
        (("--orders", "-1"), "'-1' is not a whole number"),
        (("--orders", "nan"), "'nan' is not a whole number"),
        (("--orders", "inf"), "'inf' is not a whole number"),
        (("--provider-down", "1,5"), "'1,5' is not seconds"),
        (("--json", "--decline", "0.1"), "--json prints the bill of a month"),
        (("--decline", "0.1", "--orders", "50000"), "--orders is about the bill of a month"),
        (("--decline", "0.1", "--cache", "on"), "--cache is about the bill of a month"),
        (("--provider-down", "9", "--set", "Cache=on"), "--set is about the bill of a month"),
    ],
)
def test_what_a_bill_cannot_be_made_of_is_refused(given, why, capsys):
    """Rather than a bill of something else: status 2, and the last line says why."""
    with pytest.raises(SystemExit) as ended:
        cost.main([*given])
    assert ended.value.code == 2 and why in capsys.readouterr().err.splitlines()[-1]
