"""Who stops a request at the front door: a day of them, a crowd, and the figure of both."""

from collections.abc import Iterator

import pytest

from orderlab.cloud import Cloud
from orderlab.course.broken import trusted_label
from orderlab.course.experiments import entrance
from orderlab.course.experiments.entrance import CRASH, FUNCTION, GATEWAY, NOBODY, Entrance
from orderlab.course.shop import audited, headers, open_shop
from orderlab.ops.days.typical import typical_day

BEHIND = {"RelayMapping": {"Enabled": False}, "ProjectSalesMapping": {"Enabled": False}}
NO_MODEL = {"PostOrder": {"RequestValidatorId": None}}
MINUS_FORTY = {"customerId": "C-1", "items": [{"sku": "mug", "quantity": -40}]}


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """The shop's door, with nothing behind PlaceOrder at work."""
    with Cloud(seed=0, overrides=BEHIND) as opened:
        yield opened


@pytest.mark.parametrize("seed", [0, 7])
def test_the_model_stops_what_draft_4_can_say_and_a_label_walks_past_it(cloud: Cloud, seed: int) -> None:
    """Of 41 bad requests 24 are stopped by the model, and the function sees the 17 with a code twice; or all 41."""
    day = typical_day(seed)
    checked = entrance.send_day(cloud, day)
    assert (checked.by(GATEWAY), checked.by(FUNCTION), checked.woken) == (24, 17, 119)
    labelled = entrance.send_day(cloud, day, "text/plain", only_bad=True)
    assert (labelled.by(GATEWAY), labelled.by(FUNCTION), labelled.woken) == (0, 41, 41)
    assert sum(end == NOBODY for _, end in checked.ends) == len(day.usable) == 102
    assert labelled.per_million > checked.per_million > 3.5


def test_a_function_that_trusts_the_label_lets_cancellations_in() -> None:
    """They become orders of fewer than no units; whatever else is bad crashes it."""
    with Cloud(seed=0, overrides=BEHIND) as cloud:
        cloud.replace("PlaceOrder", trusted_label.place_order)
        found = entrance.send_day(cloud, typical_day(0), "text/plain", only_bad=True)
    assert (found.by(NOBODY), found.by(CRASH), found.by(GATEWAY)) == (6, 35, 0)
    assert "quantity not positive             6  nobody 6" in repr(found)


def test_an_order_that_nobody_refused_ends_in_the_dead_letters() -> None:
    """The workers judge the event as PlaceOrder should have judged the request, 5 and 10 times."""
    with Cloud(seed=0) as cloud:
        opening = open_shop(cloud)
        cloud.replace("PlaceOrder", trusted_label.place_order)
        labelled = headers(cloud) | {"Content-Type": "text/plain", "Idempotency-Key": "one"}
        answer = cloud.request("POST", "/orders", body=MINUS_FORTY, headers=labelled)
        assert (answer.status, answer.json()["total"]) == (202, -34_000)
        cloud.run()
        report = audited(cloud, opening, [answer.json()["orderId"]])
        assert report.ends[answer.json()["orderId"]].state == "dead" and not any(report.counts.values())
        assert [len(cloud.trace.select("invoke", actor=who)) for who in ("ReserveStock", "ChargePayment")] == [5, 10]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_without_the_model_bad_requests_take_the_places_of_good_ones(seed: int) -> None:
    """With 20 places, 80 bad and 20 good requests at once: some good ones get a 500; with the model none."""
    for overrides, lost in ((BEHIND | NO_MODEL, True), (BEHIND, False)):
        with Cloud(seed=seed, overrides=overrides, parameters={"ReservedConcurrency": "on"}) as cloud:
            found = entrance.crowd(cloud, good=20, bad=80)
        assert found["PlaceOrder ran"] == 20
        assert found["good orders accepted (202)"] + found["good orders refused (500)"] == 20
        assert (found["good orders refused (500)"] > 5) is lost
        assert lost or found["good orders refused (500)"] == 0


def test_the_figure_says_who_stopped_how_many_and_what_it_costs() -> None:
    """Every number in the bars is in the sentence, and a name of two lines is one there."""
    one = Entrance((("a code twice", FUNCTION), ("no customer", GATEWAY), ("clean", NOBODY)), 2)
    other = Entrance((("a code twice", NOBODY), ("no customer", CRASH)), 2)
    plot = entrance.stopped({"one": one, "the\nother": other})
    assert "one: 1 by the gateway, 1 by PlaceOrder; the other: 1 by a crash (502), 1 by nobody." in plot.facts
    assert plot.facts.endswith(f"cost ${one.per_million:.2f}, ${other.per_million:.2f}.")
    (axes,) = plot.figure.axes
    assert {text.get_text() for text in axes.texts} >= {"1: the gateway", "1: PlaceOrder", "1: a crash (502)"}
    assert plot.png() == entrance.stopped({"one": one, "the\nother": other}).png()
