"""The demo: one command, every request at exactly one end, the same bytes for the same seed, an honest exit status."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from orderlab.ops import demo
from orderlab.ops.audit.books import Books, books_of
from orderlab.ops.audit.requests import judge, refusals
from orderlab.ops.days.day import Day, Refusal, Request
from orderlab.ops.days.plausible import plausible_day
from orderlab.ops.days.play import Played, Trouble, busiest, play, poison_ids

HEAD = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
ROOT = Path(__file__).resolve().parents[2]


def line(invoice, sku, units=1, price="1.25", customer="17850.0", at="2011-01-18 10:00:00"):
    return f"{invoice},{sku},THING,{units},{at},{price},{customer},United Kingdom"


def run(capsys, *arguments):
    """Run the demo in this process: exit status, the object it printed, its standard error."""
    capsys.readouterr()
    status = demo.main([*arguments, "--json"])
    said = capsys.readouterr()
    return status, json.loads(said.out), said.err


def accounted_for(result):
    """Every request has exactly one end, and the sums of money and units add up."""
    orders, money, units = result["orders"], result["money"], result["units"]
    ends = orders["confirmed"] + orders["in_flight"] + sum(orders["cancelled"].values()) + sum(orders["dead"].values())
    return (
        orders["accepted"] == ends
        and orders["requests"] == orders["accepted"] + orders["repeated"] + sum(orders["refused"].values())
        and money["captured"] == money["confirmed"] + money["refunded"] + money["held"]
        and units["opening"] == units["on_hand"] + units["reserved"] + units["shipped"]
        and not any(result["audit"].values())
        and not result["findings"]
    )


def test_a_day_with_every_kind_of_dirt_is_accounted_for(capsys, tmp_path):
    """What other days of the set contain: gifts, bank charges, 80,995 units, credit notes, bad debt, broken lines."""
    path = tmp_path / "day.csv"
    codes = [f"S{n}" for n in range(100)]
    rows = [
        line("536365", "85123A", 6, "2.55"),
        line("536365", "85123A", 4, "2.55"),
        *(line("536366", code) for code in codes[:99]),
        *(line("536367", code) for code in codes),
        line("541431", "23166", 80_995, "1.04", "12346.0"),
        line("541432", "23167", 100_001, "1.04", "12346.0"),
        line("C541433", "23166", -80_995, "1.04", "12346.0"),
        line("541434", "GIFT", 3, "0.0"),
        line("541435", "PADS", 1, "0.001"),
        line("541436", "BANK CHARGES", 1, "15.0"),
        line("541437", "POST", 1, "18.0", ""),
        line("541438", "M", -1, "9.99"),
        line("A563186", "B", 1, "-11062.06", ""),
        line("541439", "S1", "many"),
    ]
    path.write_text("\n".join((HEAD, *rows)), encoding="latin-1")
    status, result, said = run(capsys, "--from", str(path))
    assert status == 0 and accounted_for(result), result
    assert result["orders"]["confirmed"] == result["orders"]["accepted"] == 6
    assert result["orders"]["refused"] == {
        "cancellation": 1,
        "more than 99 different codes": 1,
        "no customer": 2,
        "quantity not positive": 1,
        "quantity over 100000": 1,
    }
    assert result["money"]["captured"] == 2550 + 99 * 125 + 80_995 * 104 + 0 + 0 + 1500
    assert result["units"]["shipped"] == result["units"]["opening"] == 10 + 99 + 80_995 + 3 + 1 + 1
    assert f"line {len(rows) + 1} is skipped: Quantity 'many' is not a number" in said
    assert "line 202: 536367 is refused: more than 99 different codes (HTTP 400: " in said
    assert "C541433 is refused: cancellation (never sent)" in said


def test_json_lines_with_a_repeated_and_a_contradicted_key(capsys, tmp_path):
    """The same key and body is the same order; the same key with another body is refused by the system itself."""
    order = {"customerId": "C-1", "items": [{"sku": "A", "quantity": 2, "price": 300}], "idempotencyKey": "k"}
    other = {**order, "items": [{"sku": "A", "quantity": 1}]}
    path = tmp_path / "day.jsonl"
    path.write_text("\n".join(map(json.dumps, (order, order, other))) + "\nbroken", encoding="utf-8")
    status, result, said = run(capsys, "--from", str(path))
    orders = result["orders"]
    assert (status, orders["requests"], orders["accepted"], orders["repeated"]) == (0, 3, 1, 1)
    assert len(orders["refused"]) == 1 and next(iter(orders["refused"])).startswith("HTTP 422, ")
    assert result["money"]["confirmed"] == 600 and not any(result["audit"].values())
    assert "line 4 is skipped: not JSON" in said


def test_trouble_is_survived_and_poison_lies_in_both_dead_letter_queues(capsys):
    """Declines, an outage, poison and short stock on one day."""
    trouble = ("--decline", "0.3", "--provider-down", "60", "--poison", "3", "--stock", "0.9")
    status, result, said = run(capsys, "--orders", "16", "--seed", "4", *trouble)
    assert status == 0 and accounted_for(result), result
    assert result["orders"]["dead_letters"] == {"PaymentDeadQueue": 3, "StockDeadQueue": 3}
    assert result["orders"]["dead"] == {} and set(result["orders"]["cancelled"]) == {"out of stock", "payment declined"}
    assert result["seconds"]["slowest"] > 30 and "the payment provider goes down for 60 s" in said


def test_an_outage_that_is_too_long_leaves_orders_in_a_named_dead_letter_queue(capsys):
    """Ten receives are 27 minutes; what is held there is neither lost nor unexplained."""
    status, result, _ = run(capsys, "--orders", "12", "--provider-down", "40000")
    assert status == 0 and accounted_for(result), result
    assert result["orders"]["dead"] == {"PaymentDeadQueue": 12 - result["orders"]["confirmed"]}
    assert result["units"]["reserved"] > 0


def test_the_same_seed_prints_the_same_bytes_whatever_the_hash_seed(capsys):
    """In a new process as in this one, where other clouds have been open; and another seed prints others."""
    command = "import sys; from orderlab.ops.demo import main; sys.exit(main(sys.argv[1:]))"
    arguments = ["--orders", "4", "--poison", "1", "--decline", "0.5", "--json", "--seed"]
    environment = {**os.environ, "PYTHONHASHSEED": "1"}
    called = [sys.executable, "-c", command, *arguments, "1"]
    fresh = subprocess.run(called, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=100)
    capsys.readouterr()
    assert demo.main([*arguments, "1"]) == fresh.returncode == 0
    here = capsys.readouterr()
    assert (here.out, here.err) == (fresh.stdout, fresh.stderr)
    assert demo.main([*arguments, "2"]) == 0
    assert json.loads(capsys.readouterr().out) | {"run": None} != json.loads(here.out) | {"run": None}


def test_the_exit_status_is_1_when_the_audit_finds_something(capsys, monkeypatch):
    """A receipt is taken out of the books: the finding is printed, in the table too."""
    read = demo.books_of

    def rob(cloud):
        books = read(cloud)
        return replace(books, receipts=dict(list(books.receipts.items())[1:]))

    monkeypatch.setattr(demo, "books_of", rob)
    assert demo.main(["--orders", "3"]) == 1
    said = capsys.readouterr().out
    assert "unexplained 1" in said and "it is confirmed, and has no receipt" in said


def test_a_client_that_gets_no_answer_asks_again_with_its_key_and_has_one_order():
    """The environment dies after the order is stored: 502, though it is accepted. Twice."""
    from orderlab.cloud import Cloud, Faults

    day = plausible_day(3, 1)
    faults = Faults(1).at_rate("crash-after", 1.0, where="PlaceOrder dynamodb.PutItem", limit=2)
    with Cloud(seed=1, faults=faults) as cloud:
        played = play(cloud, day, Trouble(), 1, demo.say)
        verdict = judge(day, played, books_of(cloud))
    assert faults.struck == 2
    assert [status for status, _ in played.answers.values()] == [202, 202, 202]
    assert len(verdict.ends) == 3 and verdict.findings == ()


def test_the_front_door_is_audited_too():
    """An order that nobody was told of, and one that should have been refused, are both unexplained."""
    order_id = "ORD-" + "a" * 20
    body = {"customerId": "C-1", "items": [{"sku": "A", "quantity": 1}]}
    day = Day("x", (Request(2, "536", 0.0, body, Refusal(3, "no customer")),), {})
    row = {"status": "PENDING", "items": [], "total": 0}
    books = Books(orders={"ORD-" + "b" * 20: {"ORDER": row}, order_id: {"ORDER": row}})
    verdict = judge(day, Played({}, (), {0: (202, {"orderId": order_id})}), books)
    assert [(found.subject, found.why) for found in verdict.findings if found.kind == "unexplained"] == [
        ("536", "it must be refused (line 3: no customer), and was accepted"),
        ("ORD-" + "b" * 20, "it is an order, and no client was told that it was accepted"),
    ]


def test_a_request_that_is_never_answered_is_counted_as_such():
    """It has an end like any other: no answer."""
    day = plausible_day(2, 1)
    answers = {0: (0, {"message": "no answer"}), 1: (503, {"message": "Service Unavailable: later"})}
    assert [(one.line, one.reason) for one in refusals(day, Played({}, (), answers))] == [
        (1, "no answer"),
        (2, "HTTP 503, Service Unavailable"),
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--orders", "0"],
        ["--orders", "two"],
        ["--decline", "1.1"],
        ["--decline", "nan"],
        ["--stock", "-1"],
        ["--stock", "nan"],
        ["--poison", "-1"],
        ["--provider-down", "inf"],
        ["--orders", "5", "--from", "day.csv"],
        ["--unknown"],
    ],
)
def test_misuse_ends_with_status_2_before_anything_is_built(arguments, capsys):
    """argparse names the argument and what it must be."""
    with pytest.raises(SystemExit) as end:
        demo.main(arguments)
    assert end.value.code == 2 and "error: " in capsys.readouterr().err


def test_a_file_that_has_no_order_is_one_line_and_status_2(capsys, tmp_path):
    """Missing, empty, or only cancellations."""
    path = tmp_path / "day.csv"
    for text in (None, "", "\n".join((HEAD, line("C1", "A", -1)))):
        if text is not None:
            path.write_text(text, encoding="utf-8")
        assert demo.main(["--from", str(path)]) == 2
        said = capsys.readouterr()
        assert said.out == "" and said.err.startswith("orderlab demo: ") and said.err.count("\n") == 1


class Full:
    """A standard output that cannot take anything."""

    def __init__(self, error):
        self.error = error

    def write(self, text):
        raise self.error

    def flush(self):
        raise self.error

    def fileno(self):
        raise OSError("none")


@pytest.mark.parametrize(
    ("stdout", "said"),
    [
        (Full(OSError(28, "No space left on device")), "No space left on device"),
        (Full(BrokenPipeError()), ""),
        (None, "it is closed"),
    ],
)
def test_a_result_that_cannot_be_written_is_no_success(stdout, said, monkeypatch, capsys):
    """A full disk is named; a reader that went away knows."""
    monkeypatch.setattr(sys, "stdout", stdout)
    assert demo.print_result("result") is False
    heard = capsys.readouterr().err
    assert said in heard and bool(heard) == bool(said)


def test_a_terminal_that_is_gone_does_not_stop_the_demo(monkeypatch):
    """Progress is not worth a failure."""
    for stderr in (None, Full(BrokenPipeError())):
        monkeypatch.setattr(sys, "stderr", stderr)
        demo.say("progress")


def test_the_outage_begins_when_most_orders_follow():
    """Sixty seconds from a lull would hit nobody."""
    assert busiest([0.0, 100.0, 101.0, 102.0, 200.0, 201.0], 60) == 100.0
    assert busiest([5.0], 60) == 5.0
    assert busiest([1.0, 2.0], 0.5) == 1.0


def test_the_ids_of_poison_come_from_the_seed():
    """They look like ids of orders, and are all different."""
    assert poison_ids(3, 1) == poison_ids(3, 1) and not set(poison_ids(50, 1)) & set(poison_ids(50, 2))
    assert len(set(poison_ids(50, 1))) == 50


@pytest.fixture
def real_day():
    """A real day of the Online Retail set, which lies beside the test vectors."""
    folder = os.environ.get("ORDERLAB_VECTORS")
    path = Path(folder or "", "..", "data", "online_retail_2010-12-01.csv")
    if not folder or not path.exists():
        pytest.skip("ORDERLAB_VECTORS is not set, so the real day beside it is not replayed")
    return path


def test_a_real_day_is_accounted_for(real_day, tmp_path, scale, capsys):
    """Its first lines with every trouble; under --all the whole day, without trouble, and with it at twenty seeds."""
    trouble = ("--decline", "0.1", "--provider-down", "60", "--poison", "5", "--stock", "0.7")
    slice_ = tmp_path / "slice.csv"
    slice_.write_text("".join(real_day.read_text(encoding="utf-8").splitlines(keepends=True)[:300]), encoding="utf-8")
    runs = [(slice_, 1, trouble)]
    if scale == "all":
        runs = [(real_day, 0, ()), *((real_day, seed, trouble) for seed in range(20))]
    for path, seed, options in runs:
        status, result, _ = run(capsys, "--from", str(path), "--seed", str(seed), *options)
        assert status == 0 and accounted_for(result), (seed, result)
        if path == real_day:
            assert result["orders"]["requests"] == 143
            assert result["orders"]["refused"] == {"cancellation": 6, "no customer": 16}
        if options:
            assert result["orders"]["dead_letters"] == {"PaymentDeadQueue": 5, "StockDeadQueue": 5}
