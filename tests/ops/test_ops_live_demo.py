"""The demo against a deployed system: the same day and the same four numbers, bounded, and no run meets another."""

import argparse
import json
from dataclasses import replace

import pytest
from botocore.auth import SigV4Auth
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from orderlab.cloud import Cloud, guard
from orderlab.cloud.stack.text import parse
from orderlab.installing import Problem
from orderlab.ops import demo
from orderlab.ops.audit.books import Books, read_books
from orderlab.ops.audit.report import summary
from orderlab.ops.audit.verdict import Audit
from orderlab.ops.bill.estimate import estimate
from orderlab.ops.days.plausible import plausible_day
from orderlab.ops.days.play import Trouble
from orderlab.ops.described import TEMPLATE
from orderlab.ops.live import auditing, bounds, loading, queues, scope
from orderlab.ops.live.auditing import Run, audited
from orderlab.ops.live.bounds import Bounds
from orderlab.ops.live.door import Answer, Door
from orderlab.ops.live.local import deployed
from orderlab.ops.live.playing import play
from orderlab.ops.live.rest import Rest, settle
from orderlab.ops.live.site import NEEDED


def run_of(name, trouble=None, **allowed):
    return Run(name, trouble or Trouble(), 7, replace(Bounds(), **allowed))


def silent(text):
    """Nobody reads the progress."""


@pytest.fixture(scope="module")
def cloud():
    with Cloud(seed=7) as opened:
        yield opened


def test_a_day_on_a_deployed_system_is_audited_to_four_zeros(cloud):
    """Through its API over HTTP, and read by boto3 clients alone: every order ends, and nothing is unexplained."""
    cloud.reset()
    said = []
    with deployed(cloud) as site:
        result, rest = audited(site, plausible_day(12, 7), run_of("first"), said.append)
    assert rest.at_rest and result["findings"] == [] and set(result["audit"].values()) == {0}
    assert result["orders"]["accepted"] == result["orders"]["confirmed"] == 12
    assert result["run"]["run"] == "first" and said[0].startswith("run first: 12 requests") and said[-1] == "at rest"


def test_two_runs_on_one_stack_do_not_meet(cloud):
    """The same orders again under another name: all are new, and each run's sums are its own."""
    cloud.reset()
    with deployed(cloud) as site:
        one, _ = audited(site, plausible_day(5, 7), run_of("one"), silent)
        two, _ = audited(site, plausible_day(5, 7), run_of("two"), silent)
        whole = read_books(site.client, site.outputs, queues.reader(site.client("sqs"), site.outputs))
    assert one["money"] == two["money"] and one["units"] == two["units"]
    assert len(whole.orders) == 10 and not any([*one["audit"].values(), *two["audit"].values()])


def test_trouble_is_played_and_the_knob_is_turned_back(cloud):
    """Declined payments while the provider is down for a while; and the next day nothing is declined."""
    cloud.reset()
    with deployed(cloud) as site:
        trouble = Trouble(decline=0.5, provider_down=20.0)
        result, rest = audited(site, plausible_day(10, 3), run_of("bad", trouble), silent)
        knob = site.client("dynamodb").get_item(TableName=site.outputs["LedgerTableName"], Key={"key": {"S": "#knob"}})
    assert rest.at_rest and not any(result["audit"].values())
    assert result["orders"]["cancelled"].keys() == {"payment declined"} and result["orders"]["confirmed"]
    assert knob["Item"] == {"key": {"S": "#knob"}}  # so that the stack's parameter Chaos has the word again


def test_poison_is_found_in_the_dead_letters(cloud):
    """Two poisonous events lie in two dead-letter queues each when the day is over, read from outside."""
    cloud.reset()
    with deployed(cloud) as site:
        result, rest = audited(site, plausible_day(3, 7), run_of("ill", Trouble(poison=2), minutes=40.0), silent)
    assert rest.at_rest and not any(result["audit"].values())
    assert result["orders"]["dead_letters"] == {"PaymentDeadQueue": 2, "StockDeadQueue": 2}


def test_the_poison_of_two_runs_does_not_meet(cloud):
    """The dead letters of the first lie there for 14 days, and the second, with the same seed, finds its own."""
    cloud.reset()
    with deployed(cloud) as site:
        for name in ("sick", "ill"):
            run = run_of(name, Trouble(poison=1), minutes=40.0)
            result, rest = audited(site, plausible_day(1, 7), run, silent)
            assert result["findings"] == [] and auditing.status(result, rest, silent) == 0


def test_a_dead_letter_of_the_run_is_no_success(cloud):
    """A word to a customer that lies in dead letters is explained, and somebody has to do something about it."""
    cloud.reset()
    said = []
    with deployed(cloud) as site:
        day = scope.named(plausible_day(1, 7), "dead")
        played = play(site, day, Trouble(), 7, 5.0, site.clock() + 900, silent)
        settle(site, "dead", day, played, site.clock() + 900, silent)
        event = {"detail-type": "OrderConfirmed", "detail": {"orderId": played.accepted[0]}}
        queue = site.outputs["NotifyDeadQueueUrl"]
        site.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(event))
        rest = settle(site, "dead", day, played, site.clock() + 900, silent)
        result = summary({"poison": 0}, day, played, rest.books, rest.verdict)
    assert rest.at_rest and result["findings"] == [] and auditing.status(result, rest, said.append) == 1
    assert said == ["1 messages of this run wait in dead-letter queues for a person"]


def test_a_day_that_was_not_sent_whole_is_no_success(cloud):
    """What was sent is in order and at rest when the time is over; the rest of the day was never sent."""
    cloud.reset()
    said = []
    with deployed(cloud) as site:
        result, rest = audited(site, plausible_day(5, 7), run_of("half", minutes=0.5, rate=0.08), silent)
    assert rest.at_rest and result["findings"] == [] and result["orders"]["accepted"] == 3
    assert auditing.status(result, rest, said.append) == 1
    assert said == ["2 good requests were turned away at the door: never sent 2"]


@pytest.mark.parametrize(
    ("refused", "status"),
    [
        ({}, 0),
        ({"an item without a code": 2, "HTTP 400, Invalid request body": 1, "HTTP 422, another body": 1}, 0),
        ({"HTTP 500, Internal server error": 1}, 1),
        ({"HTTP 429, Limit Exceeded": 1}, 1),
        ({"HTTP 403, Forbidden": 1}, 1),
        ({"no answer": 1}, 1),
    ],
)
def test_good_requests_that_are_turned_away_are_no_success(refused, status):
    """A refusal that is not the request's own fault: a key, a limit, a failure, silence."""
    orders = {"accepted": 5, "refused": refused, "dead_letters": {}}
    well = Rest(Books(), Audit({}, ()), True)
    assert auditing.status({"orders": orders, "run": {"poison": 0}}, well, silent) == status


def test_only_the_receipts_of_the_run_are_read(cloud):
    """One request each: those of all that a stack has ever sold would take longer than the run."""
    cloud.reset()
    read = []
    with deployed(cloud) as site:
        audited(site, plausible_day(6, 7), run_of("many"), silent)
        events = site.client("s3").meta.events
        events.register("before-call.s3.GetObject", lambda params, **_: read.append(params["url_path"]), "reads")
        try:
            result, _ = audited(site, plausible_day(2, 7), run_of("few"), silent)
        finally:
            events.unregister("before-call.s3.GetObject", unique_id="reads")
    assert result["findings"] == [] and len(set(read)) == 2


def test_the_sum_of_all_sales_is_not_judged_while_others_sell():
    """A table is not read in one moment: others' orders are added between its pages."""
    whole = Books(sales={"ORD-1": 100, "total": 350})
    assert scope.only(whole, "run", ["ORD-1"], at_rest=False).sales == {"ORD-1": 100, "total": 100}
    assert scope.only(whole, "run", ["ORD-1"]).sales == {"ORD-1": 100, "total": 350}


def test_a_knob_that_could_not_be_turned_back_is_told(cloud, monkeypatch):
    """Credentials that end in the middle: the provider goes on declining until the next demo."""
    cloud.reset()
    said = []

    def expired(site):
        raise ClientError({"Error": {"Code": "ExpiredToken"}}, "UpdateItem")

    monkeypatch.setattr(auditing, "calm", expired)
    with deployed(cloud) as site, pytest.raises(ClientError, match="ExpiredToken"):
        audited(site, plausible_day(1, 7), run_of("ends", Trouble(decline=0.5)), said.append)
    assert said[-1].startswith("the provider's knob could not be turned back")


def test_every_output_that_is_read_is_asked_for_before_anything_is_sent():
    """A stack of another version is refused in one line, and not left in the middle of a run."""
    described = parse(TEMPLATE.read_text(encoding="utf-8"))
    outputs, resources = described["Outputs"].keys(), described["Resources"]
    of_functions = {name for name in outputs if f"{name.removesuffix('Name')}Logs" in resources}
    unread = {"BreakerTableName", "SagaMachineArn"} | of_functions - {"RelayName"}
    assert set(NEEDED) == outputs - unread


def test_what_is_wrong_is_found_on_a_deployed_system_too(cloud):
    """A receipt that somebody has taken away, after a minute in which it did not come back."""
    cloud.reset()
    with deployed(cloud) as site:
        day = scope.named(plausible_day(3, 7), "odd")
        played = play(site, day, Trouble(), 7, 5.0, site.clock() + 900, silent)
        assert not any(settle(site, "odd", day, played, site.clock() + 900, silent).verdict.counts.values())
        key = f"receipts/{played.accepted[0]}.json"
        cloud.client("s3").delete_object(Bucket=site.outputs["ReceiptsBucketName"], Key=key)
        begun = cloud.now
        rest = settle(site, "odd", day, played, site.clock() + 900, silent)
    assert [one.why for one in rest.verdict.findings] == ["it is confirmed, and has no receipt"] and rest.at_rest
    assert 60 < cloud.now - begun < 120


def test_a_run_cannot_be_played_twice(cloud):
    """Its stock would be filled up again under orders that were shipped from it."""
    cloud.reset()
    with deployed(cloud) as site:
        audited(site, plausible_day(1, 7), run_of("once"), silent)
        with pytest.raises(Problem, match="run once was played on this stack before"):
            audited(site, plausible_day(1, 7), run_of("once"), silent)


def test_a_day_that_does_not_end_in_time_says_so(cloud):
    """The provider stays down longer than the minutes that were given: orders are in flight, none is lost."""
    cloud.reset()
    with deployed(cloud) as site:
        run = run_of("late", Trouble(provider_down=100.0), minutes=2.0)
        result, rest = audited(site, plausible_day(4, 7), run, silent)
    assert not rest.at_rest and result["audit"]["lost"] == 0 and result["orders"]["in_flight"] > 0


def test_a_client_is_patient_and_its_minutes_are_bounded(cloud):
    """Throttled twice, it is sent a third time with its key; and what the time does not allow is never sent."""
    cloud.reset()
    keys = []
    with deployed(cloud) as site:

        class Throttled(Door):
            """A door that says 429 twice."""

            def place(self, key, body):
                keys.append(key)
                return Answer(429, {}, 0.1) if len(keys) < 3 else super().place(key, body)

        door = Throttled(site.door.url, site.door.key, site.clock, site.door.send)
        result, _ = audited(replace(site, door=door), plausible_day(1, 7), run_of("slow"), silent)
        assert len(keys) == 3 and len(set(keys)) == 1 and result["orders"]["confirmed"] == 1
        said = []
        late, _ = audited(site, plausible_day(5, 7), run_of("short", minutes=0.01, rate=1.0), said.append)
    assert late["orders"]["accepted"] < 5 and any(text.startswith("the time is over") for text in said)


def test_dead_letters_are_read_each_once_and_stay():
    """A receiver that shows the same ten again and again is not believed to be more."""

    class Queue:
        def __init__(self):
            self.asked = []

        def receive_message(self, **asked):
            self.asked.append(asked)
            return {"Messages": [{"MessageId": str(n), "Body": f"text {n}"} for n in range(10)]}

    queue = Queue()
    assert queues.read(queue, "url", 12) == [f"text {n}" for n in range(10)]
    assert len(queue.asked) == 1 + queues.FRUITLESS and queue.asked[0]["VisibilityTimeout"] == queues.HIDDEN
    assert queues.read(queue, "url", 0) == []


def options(*given):
    parser = argparse.ArgumentParser()
    bounds.add_arguments(parser)
    return parser.parse_args(given)


def test_a_run_is_bounded_in_orders_time_and_rate():
    """Above 1,000 orders only with --more, and never beyond its own limits; each refusal says what to do."""
    assert bounds.read(options(), 50) == Bounds()
    for given, orders, why in (
        ((), 1001, "--more allows"),
        (("--more",), 100_001, "100,000"),
        (("--minutes", "0"), 50, "--minutes 0 cannot be"),
        (("--minutes", "nan"), 50, "--minutes nan cannot be"),
        (("--rate", "51"), 50, "--rate 51 cannot be"),
        (("--cost", "-1"), 50, "--cost -1 cannot be"),
    ):
        with pytest.raises(Problem, match=why):
            bounds.read(options(*given), orders)


def test_a_dear_run_is_refused_and_a_cheap_one_is_asked_about(cloud):
    """Above a dollar only with --cost; on AWS the estimate is shown and only a typed yes goes on."""
    cloud.reset()
    said = []
    with deployed(cloud, on_aws=True) as site:
        with pytest.raises(
            Problem, match=r"100,000 orders are estimated at \$\d+\.\d\d, above \$1: allow it with --cost"
        ):
            bounds.agree(site, Bounds(100_000), "demo", said.append, lambda question: "yes")
        with pytest.raises(Problem, match="nothing was sent"):
            bounds.agree(site, Bounds(), "demo", said.append, lambda question: "y")
        bounds.agree(site, Bounds(), "demo", said.append, lambda question: "yes")
        bounds.agree(site, Bounds(yes=True), "demo", said.append, lambda question: pytest.fail("asked"))
    assert any("estimated $0.00" in text and "a month until" in text for text in said)
    assert any("list prices of us-east-1 as of" in text for text in said)


def test_the_estimate_is_of_the_stack_that_is_there(cloud):
    """With its dashboard and its traces; a parameter of another version is passed over."""
    said = []
    given = {"Dashboard": "on", "Tracing": "on", "Colour": "red"}
    with deployed(cloud, on_aws=True) as site:
        bounds.agree(replace(site, parameters={**site.parameters, **given}), Bounds(yes=True), "demo", said.append, str)
    wanted, plain = estimate({"Dashboard": "on", "Tracing": "on"}, 50), estimate({}, 50)
    assert wanted.dollars(wanted.moving) > plain.dollars(plain.moving) and wanted.standing == plain.standing + 3
    assert f"estimated ${wanted.dollars(wanted.moving):.4f} for 50 orders" in said[-1]
    assert f"the stack itself costs ${wanted.standing:.2f} a month" in said[-1]


def test_what_is_said_to_allow_a_run_allows_it(cloud):
    """A bound of a thousandth of a cent: the hint is no $0.00, which would be refused."""
    with deployed(cloud) as site, pytest.raises(Problem, match=r"at \$0\.01, above \$1e-05: .* --cost 0\.01"):
        bounds.agree(site, Bounds(1, dollars=0.00001), "smoke", silent, str)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (("--target", "aws"), "name it and the region"),
        (("--account", "111122223333", "--region", "eu-west-1"), "add --target aws"),
        (("--prefix", "ann"), "--prefix is about a deployed stack"),
        (("--record", "answers.jsonl"), "--record is about a deployed stack"),
        (("--minutes", "5"), "--minutes is about a deployed stack"),
        (("--cost", "2"), "--cost is about a deployed stack"),
        (("--more",), "--more is about a deployed stack"),
        (("--endpoint", "http://198.51.100.7:4566"), "is not on this machine"),
        (("--endpoint", "https://dynamodb.eu-west-1.amazonaws.com"), "is not on this machine"),
        (("--target", "aws", "--account", "1111-2222-3333", "--region", "eu-west-1"), "is not an account id"),
        (("--endpoint", "http://127.0.0.1:9", "--orders", "2000"), "--more allows"),
        (("--endpoint", "http://127.0.0.1:9", "--provider-down", "900"), "120 s at most"),
        (("--endpoint", "http://127.0.0.1:9", "--poison", "1"), "add --minutes 40"),
        (("--endpoint", "http://127.0.0.1:9", "--run", "A B"), "cannot begin names"),
    ],
)
def test_what_is_in_the_way_is_one_line_and_status_2(given, why, capsys):
    """No account without both of its names, no endpoint but on this machine, no run without bounds."""
    assert demo.main([*given]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert why in said[-1] and said[-1].startswith("orderlab demo: ") and len(said) == 1


def test_credentials_that_end_in_a_run_do_not_promise_to_go_on_from_there():
    """A deploy that is repeated goes on; a run that is repeated is another one."""

    def ends(account):
        raise ClientError({"Error": {"Code": "ExpiredToken"}}, "GetItem")

    said = argparse.Namespace(endpoint="http://127.0.0.1:9", account=None, region=None, profile=None, prefix="orderlab")
    with pytest.raises(Problem, match=r"the AWS credentials have expired: .* that is another run") as caught:
        bounds.act_on(said, ends)
    assert "goes on from there" not in str(caught.value)


def test_a_name_that_gets_too_long_by_the_run_is_refused_before_anything_is_sent():
    """The API takes 64 letters: as many as a day of one's own may have, and the run's name needs some of them."""
    first = plausible_day(1, 7).requests[0]

    def day(letters):
        body = {**first.body, "customerId": "C" * letters}
        return replace(plausible_day(1, 7), requests=(replace(first, body=body),))

    with pytest.raises(Problem, match=r"C\.\.\. has 60 letters, .* 64 at most in all"):
        scope.named(day(60), "r1234567")
    assert scope.named(day(60), "r1") and scope.named(day(65), "r1")  # what is too long by itself, the API refuses


def test_a_door_never_shows_its_key():
    """Neither in its text nor in a site's."""
    door = Door("http://127.0.0.1", "a-secret-key", lambda: 0.0, lambda request: None)
    assert "a-secret-key" not in repr(door) + str(door)


def test_an_answer_that_never_comes_is_an_answer():
    """Status 0, to be asked again; so are 429 and 5xx, and no other."""

    def fails(request):
        raise OSError("reset")

    assert Door("http://127.0.0.1", "k", lambda: 0.0, fails).order("x") == Answer(0, {}, 0.0)
    assert [Answer(status, {}, 0).said for status in (0, 429)] == ["nothing", "429"]
    assert [Answer(status, {}, 0).again for status in (0, 429, 500, 503, 202, 404)] == [True] * 4 + [False] * 2


def test_trouble_that_outlives_its_minutes_is_refused():
    """Poison needs half an hour, and is allowed one."""
    auditing.check(Trouble(poison=1), 40.0)
    auditing.check(Trouble(), 15.0, 1000, 5.0)
    with pytest.raises(Problem, match=r"1,000 requests at 1 a second take 17 minutes.*--minutes 27"):
        auditing.check(Trouble(), 15.0, 1000, 1.0)
    with pytest.raises(Problem, match="30 minutes"):
        auditing.check(Trouble(poison=1), 15.0)


def test_a_stage_that_asks_for_iam_gets_signed_requests_all_day():
    """Every request of the demo and of a load carries a signature that the local gateway checks."""
    key = Credentials(*(guard.FAKE[f"AWS_{name}"] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")))
    with Cloud(parameters={"Authorization": "iam"}, seed=7) as cloud, deployed(cloud) as site:
        signed = replace(site, door=replace(site.door, signer=SigV4Auth(key, "execute-api", guard.REGION)))
        result, rest = audited(signed, plausible_day(5, 7), run_of("signed"), silent)
        assert result["orders"]["confirmed"] == 5 and auditing.status(result, rest, silent) == 0
        loaded = loading.load(signed, "load", [0.0, 1.0], site.clock() + 600.0, silent, seed=7)
        assert [one.status for one in loaded.sent] == [202, 202] and len(loaded.decided) == 2
        said = []
        unsigned = audited(site, plausible_day(5, 7), run_of("unsigned"), said.append)
        assert unsigned[0]["orders"]["accepted"] == 0 and len([line for line in said if "HTTP 403" in line]) == 5
        assert auditing.status(*unsigned, said.append) == 1 and "orderlab smoke" in said[-1]
