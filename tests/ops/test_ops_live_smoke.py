"""Smoke and load against a deployed system: each hop can fail and says where to look, and load is counted honestly."""

import json
import re
from dataclasses import replace
from itertools import pairwise
from unittest.mock import ANY

import pytest
from botocore.auth import SigV4Auth
from botocore.credentials import Credentials

from orderlab.cloud import Cloud, guard
from orderlab.installing import Problem
from orderlab.ops import load as load_command
from orderlab.ops import smoke as smoke_command
from orderlab.ops.audit.books import scan
from orderlab.ops.days.play import turn_knob
from orderlab.ops.live import hops, loading, rest
from orderlab.ops.live.door import Answer, Door
from orderlab.ops.live.local import deployed


@pytest.fixture
def cloud():
    with Cloud(seed=7) as opened:
        yield opened


def smoked(site, run="smoke"):
    """The lines of a smoke test and its status."""
    lines = []
    return smoke_command.smoke(site, run, lines.append), lines


class Later:
    """A pool with one connection: all work waits until the pool is shut down."""

    def __init__(self, waiting):
        self.waiting = waiting

    def submit(self, work):
        """Keep it."""
        self.waiting.append(work)

    def shutdown(self, wait, cancel_futures=False):
        """Do it, unless it is cancelled."""
        for work in () if cancel_futures else self.waiting:
            work()


def at_once(work):
    """A pool of no threads."""
    work()


def test_an_order_goes_through_hop_by_hop(cloud):
    """Nine hops, each with its seconds, and status 0; the same run again is refused."""
    with deployed(cloud) as site:
        status, lines = smoked(site)
        with pytest.raises(Problem, match="run smoke was played"):
            smoked(site)
        again, _ = smoked(site, "other")
    assert (status, again) == (0, 0)
    assert [line.split("  ")[0] for line in lines] == [f"{n}/9" for n in range(1, 10)]
    assert all(line.endswith("ok") and " s  " in line for line in lines)


@pytest.mark.parametrize(
    ("broken", "hop", "wrong", "look"),
    [
        ({"PostOrder": {"ApiKeyRequired": False}}, 2, "without an API key was answered", "usage plan"),
        ({"PostOrder": {"RequestValidatorId": None}}, 9, "refused by the function and not by the model", "validator"),
        ({"PlaceOrder": {"Environment": {"Variables": {"ORDERS_TABLE": "gone"}}}}, 3, "not 202", "place-order"),
        ({"OutcomesRule": {"State": "DISABLED"}}, 5, "is PENDING after 60 s", "-settle-order"),
        ({"NotifyRule": {"State": "DISABLED"}}, 7, "no row of notifications", "-notify"),
        ({"ProjectSalesMapping": {"Enabled": False}}, 8, "the sales do not have it", "-project-sales"),
    ],
)
def test_the_first_hop_that_fails_is_the_last_and_says_where_to_look(broken, hop, wrong, look):
    """A template with one thing wrong: the hop that meets it is named, with a log group or a part of the API."""
    with Cloud(seed=7, overrides=broken) as cloud, deployed(cloud) as site:
        status, lines = smoked(site)
    assert status == 1 and lines[-3].startswith(f"{hop}/9") and lines[-3].endswith("WRONG")
    assert wrong in lines[-2] and look in lines[-1]


def test_an_order_that_is_cancelled_is_not_waited_for(cloud):
    """Where Chaos is on, a tenth of all payments is declined: the hop says so at once, with the reason."""
    with deployed(cloud) as site:
        turn_knob(site.client, site.outputs, declineRate=1.0)
        begun = cloud.now
        status, lines = smoked(site)
    assert status == 1 and "is CANCELLED (payment declined), not CONFIRMED" in lines[-2]
    assert cloud.now - begun < hops.DEADLINE / 2


def test_no_table_is_searched_through(cloud):
    """A stack may keep a hundred thousand mails, and a look every half second would read them all."""
    with deployed(cloud) as site:
        events = site.client("dynamodb").meta.events
        scans = []
        events.register("before-call.dynamodb.Scan", lambda **_: scans.append(1), "scans")
        try:
            status, _ = smoked(site)
        finally:
            events.unregister("before-call.dynamodb.Scan", unique_id="scans")
    assert (status, scans) == (0, [])


def test_messages_that_lie_are_named(cloud):
    """The provider is down: the order stays PENDING, and its message waits in the payment queue."""
    with deployed(cloud) as site:
        turn_knob(site.client, site.outputs, downUntil=cloud.now + 3600)
        status, lines = smoked(site)
    assert status == 1 and "messages lie in PaymentQueue 1" in lines[-1]


def test_a_missing_receipt_is_a_failed_hop(cloud):
    """Looked for under a prefix that nothing has: 60 seconds, and then it is wrong."""
    with deployed(cloud) as site:
        walk = hops.Walk(site, "none", order_id="ORD-" + "0" * 20)
        begun = cloud.now
        assert "there is no receipts/ORD-0" in hops.receipt(walk)
    assert cloud.now - begun == pytest.approx(hops.DEADLINE, abs=1)


def test_arrivals_are_a_seeded_poisson_process():
    """The same seed, the same times; about rate x seconds of them, all within, at uneven distances."""
    times = loading.arrivals(20.0, 50.0, 3)
    assert times == loading.arrivals(20.0, 50.0, 3) != loading.arrivals(20.0, 50.0, 4)
    assert 900 < len(times) < 1100 and times[0] > 0 and times == sorted(times) and times[-1] < 50
    gaps = [b - a for a, b in pairwise(times)]
    mean = sum(gaps) / len(gaps)
    assert sum(gap > mean for gap in gaps) / len(gaps) == pytest.approx(0.37, abs=0.05)


def test_load_is_sent_at_its_times_and_each_order_is_followed_to_its_end(cloud):
    """Twenty orders, all answered 202 and confirmed; how long that took is read from their rows."""
    said = []
    with deployed(cloud) as site:
        times = loading.arrivals(4.0, 5.0, 1)
        found = loading.load(site, "load", times, site.clock() + 600, said.append, at_once)
    told = loading.summary(found)
    assert told["sent"] == len(times) == sum(told["statuses"].values()) == told["decided"]["confirmed"]
    assert told["statuses"].keys() == {"202"} and told["pending"] == 0 == told["throttled"]
    assert 0 < told["post"]["p50"] <= told["post"]["p95"] <= told["post"]["max"]
    assert 0.1 < told["to_decided"]["p50"] < 30 and load_command.status(told, len(times)) == 0
    assert "POST /orders (s)" in load_command.to_table(told) and json.dumps(told)


def test_a_late_start_is_part_of_the_latency(cloud):
    """A door that takes two seconds, and one request at a time: the tenth waits for nine others, and says so."""
    with deployed(cloud) as site:

        class Slow(Door):
            """A door that takes two seconds, one request after the other."""

            def place(self, key, body):
                site.sleep(2.0)
                return Answer(429, {}, 2.0)

        slow = replace(site, door=Slow(site.door.url, "", site.clock, site.door.send))
        found = loading.load(slow, "slow", [0.1 * n for n in range(10)], site.clock() + 600, lambda text: None, at_once)
    told = loading.summary(found)
    assert told["throttled"] == 10 and told["post"]["max"] == pytest.approx(20 - 0.9) and told["decided"] == {}
    assert told["latest_start"] == pytest.approx(18 - 0.9)
    assert load_command.wrong(told, 10) == [
        "no order was accepted, which measures nothing: python3 -m orderlab smoke says where to look"
    ]


def test_what_is_lost_undecided_or_unsent_is_a_failure(cloud):
    """No answer, a refusal, a server's failure, an order pending at the deadline, a request that time did not allow."""
    good = {"statuses": {"202": 2, "429": 1}, "accepted": 2, "pending": 0, "sent": 3}
    assert load_command.status(good, 3) == 0
    for bad, why in (
        ({"statuses": {"0": 1, "202": 2}}, r"1 requests were neither accepted nor throttled \(no answer 1\)"),
        ({"statuses": {"202": 2, "502": 1}}, r"\(502 1\)"),
        ({"statuses": {"202": 2, "403": 1}}, r"\(403 1\)"),
        ({"accepted": 1}, "1 answers 202 have no order's id"),
        ({"pending": 1}, "1 orders were not decided in time"),
        ({"sent": 2}, "1 of 3 requests were not sent"),
    ):
        (told,) = load_command.wrong({**good, **bad}, 3)
        assert re.search(why, told) and load_command.status({**good, **bad}, 3) == 1
    with deployed(cloud) as site:
        turn_knob(site.client, site.outputs, downUntil=cloud.now + 3600)
        found = loading.load(site, "stuck", [0.0, 1.0, 99.0], site.clock() + 30, lambda text: None, at_once)
    assert len(found.pending) == 2 == len(found.sent)


def test_what_waits_for_a_connection_when_the_time_is_over_is_not_sent(cloud, monkeypatch):
    """A slow API and few connections: the minutes bound what lies in the pool too."""
    with deployed(cloud) as site:
        calls, said = [], []

        class Slow(Door):
            """A door that takes 10 seconds."""

            def place(self, key, body):
                calls.append(key)
                site.sleep(10.0)
                return Answer(0, {}, 10.0)

        slow = replace(site, door=Slow(site.door.url, "", site.clock, site.door.send))
        monkeypatch.setattr(loading, "ThreadPoolExecutor", lambda workers: Later([]))
        found = loading.load(slow, "slow", [0.0] * 10, site.clock() + 25, said.append)
    assert len(calls) == 3 == len(found.sent) and "the time is over: 7 of 10 requests are not sent" in said


def test_ctrl_c_sends_nothing_more(cloud, monkeypatch):
    """What waits in the pool for a connection is dropped."""
    with deployed(cloud) as site:
        waiting = []
        monkeypatch.setattr(loading, "ThreadPoolExecutor", lambda workers: Later(waiting))

        def stopped(seconds):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            loading.load(replace(site, sleep=stopped), "stop", [0.0, 0.0, 5.0], site.clock() + 60, print)
        assert len(waiting) == 2 and not scan(site.client("dynamodb"), site.outputs["OrdersTableName"])


def test_a_run_of_load_cannot_be_repeated(cloud):
    """Its orders would all be there already, and its stock filled up under them."""
    with deployed(cloud) as site:
        loading.load(site, "twice", [0.0], site.clock() + 60, lambda text: None, at_once)
        with pytest.raises(Problem, match="the run twice was played on this stack before"):
            loading.load(site, "twice", [0.0], site.clock() + 60, lambda text: None, at_once)


def test_an_acceptance_without_an_order_is_not_followed(cloud):
    """A proxy in between answers 202 with a page of its own: there is no id to look for."""
    with deployed(cloud) as site:

        class Proxy(Door):
            """A door that says 202 and no more."""

            def place(self, key, body):
                return Answer(202, {"message": "<html>"}, 0.1)

        proxied = replace(site, door=Proxy(site.door.url, "", site.clock, site.door.send))
        found = loading.load(proxied, "proxy", [0.0, 0.1], site.clock() + 60, lambda text: None, at_once)
    told = loading.summary(found)
    assert told["accepted"] == 0 == told["pending"]
    assert "2 answers 202 have no order's id" in load_command.wrong(told, 2)


def test_a_decided_order_is_not_asked_for_again(cloud, monkeypatch):
    """Each look reads the rows of what was pending at the last one: a stuck order costs one row, not the whole run."""
    asked, rows = [], rest.rows

    def noted(site, order_ids):
        asked.append(len(order_ids))
        return rows(site, order_ids)

    with deployed(cloud) as site:

        class Going(Door):
            """A door before whose second order the provider goes down."""

            def place(self, key, body):
                if key.endswith("-1"):
                    turn_knob(site.client, site.outputs, downUntil=cloud.now + 3600)
                return super().place(key, body)

        going = replace(site, door=Going(site.door.url, site.door.key, site.clock, site.door.send))
        monkeypatch.setattr(rest, "rows", noted)
        found = loading.load(going, "part", [0.0, 10.0], site.clock() + 60, lambda text: None, at_once)
    assert len(found.pending) == 1 == len(found.decided)
    assert len(asked) > 5 and asked[0] == 2 and asked[-1] == 1 == asked[1]


def test_percentiles_are_nearest_ranks():
    """Of one to a hundred, the 95th is 95; of one value it is that value; of none, 0."""
    values = [float(n) for n in range(1, 101)]
    assert [loading.percentile(values, share) for share in (0.5, 0.95, 0.99, 1.0)] == [50, 95, 99, 100]
    assert loading.percentile([3.0], 0.5) == 3.0 and loading.percentile([], 0.5) == 0.0


def test_load_is_bounded():
    """Seconds and orders: 1,000 without --more."""
    for given, why in (
        (("--seconds", "0"), "--seconds 0 cannot be"),
        (("--seconds", "nan"), "--seconds nan cannot be"),
        (("--seconds", "3600", "--rate", "50"), "--seconds 3600 is longer than the 15 minutes .* add --minutes 65"),
        (("--seconds", "600", "--rate", "50"), "--more allows"),
        (("--seconds", "1", "--rate", "0.01"), "no order falls into 1 s at --rate 0.01"),
    ):
        with pytest.raises(Problem, match=why):
            load_command.main([*given, "--endpoint", "http://127.0.0.1:9"])


def test_a_stage_that_asks_for_iam_gets_signed_requests() -> None:
    """The same smoke passes with a signature (SigV4) that the local gateway checks, and stops at 403 without one."""
    key = Credentials(*(guard.FAKE[f"AWS_{name}"] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")))
    with Cloud(parameters={"Authorization": "iam"}) as cloud, deployed(cloud) as site:
        signed = replace(site.door, signer=SigV4Auth(key, "execute-api", guard.REGION))
        status, lines = smoked(site)
        assert status == 1 and "403" in lines[-1] and "403" in "".join(lines[:-1])
        assert smoked(replace(site, door=signed), "again") == (0, ANY)
