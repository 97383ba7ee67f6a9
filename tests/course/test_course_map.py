"""The picture of the system says what the template says, and can be read."""

from dataclasses import replace
from itertools import combinations
from types import SimpleNamespace
from typing import Any

import pytest

from orderlab.course.drawing import style
from orderlab.course.map import layout, picture, wiring
from orderlab.course.map.wiring import Arrow


@pytest.fixture(scope="module")
def stack(played: Any) -> Any:
    """The stack of the template."""
    return played.cloud.stack


def changed(stack: Any, **resources: Any) -> Any:
    """A copy of the stack with resources changed, added, or, with None, taken away."""
    found = {**stack.resources, **resources}
    return replace(stack, resources={name: resource for name, resource in found.items() if resource is not None})


def draw(stack: Any, **options: Any) -> Any:
    """The picture of a stack."""
    return picture.system_map(SimpleNamespace(stack=stack), **options)  # type: ignore[arg-type]


def resource(logical_id: str, type: str, name: str, arn: str = "", **properties: Any) -> Any:
    """A resource as the stack would have it."""
    from orderlab.cloud.stack.resources import Resource

    return Resource(logical_id, type, name, properties, arn or None)


def test_the_arrows_are_those_of_the_design(stack: Any) -> None:
    """The flow of an order, hop by hop, as the design draws it."""
    arrows = set(wiring.read(stack).arrows)
    assert arrows >= {
        Arrow("PostOrder", "PlaceOrder", "call"),
        Arrow("GetProductMethod", "CatalogueTable", "call"),
        Arrow("PlaceOrder", "OrdersTable", "write"),
        Arrow("OrdersTable", "Relay", "stream"),
        Arrow("Relay", "Bus", "publish"),
        Arrow("Bus", "StockQueue", "rule", "OrderPlaced"),
        Arrow("Bus", "StockQueue", "rule", "OrderCancelled"),
        Arrow("Bus", "ReviewQueue", "rule", "if total ≥ 100,000"),
        Arrow("StockQueue", "ReserveStock", "poll"),
        Arrow("ReserveStock", "OrdersTable", "write"),
        Arrow("ChargePayment", "PaymentProvider", "ask"),
        Arrow("Bus", "Notify", "rule", "OrderConfirmed"),
        Arrow("PaymentQueue", "PaymentDeadQueue", "give up"),
    }


def test_only_relay_publishes_and_only_charge_payment_asks(stack: Any) -> None:
    """The outbox in one line: a second publisher would be seen in the picture."""
    wired = wiring.read(stack)
    assert wired.starts("Bus", "publish") == ["Relay"]
    assert [(arrow.start, arrow.end) for arrow in wired.arrows if arrow.kind == "ask"] == [
        ("ChargePayment", "PaymentProvider")
    ]


def test_everything_is_drawn_but_the_safety_net(stack: Any) -> None:
    """Each box of the template is in the picture, or among those that take failures; the sentence counts both."""
    wired = wiring.read(stack)
    drawn = layout.arrange(wired, 0.0)
    assert set(drawn.places) | set(wired.safety_net) == set(wired.boxes)
    assert not set(drawn.places) & set(wired.safety_net)
    dead = {name for name in stack.resources if name.endswith("DeadQueue")} | {
        "UndeliveredQueue",
        "FailedRecordsBucket",
    }
    assert set(wired.safety_net) == dead


def test_the_sentence_counts_what_the_template_has(stack: Any) -> None:
    """The counts of the sentence are those of the stack, found in another way."""
    kinds = {kind: len(stack.of_type(type)) for type, kind in wiring.KINDS.items()}
    dead = sum(name.endswith("DeadQueue") or name == "UndeliveredQueue" for name in stack.resources)
    assert str(draw(stack)) == (
        f"The order system: {kinds['method']} API methods, {kinds['function']} functions, "
        f"{kinds['queue'] - dead} queues, 1 bus, {kinds['table']} tables and {kinds['bucket'] - 1} bucket, "
        "joined by 5 rules. "
        f"Not drawn: {dead} queues and 1 bucket for what fails."
    )


def test_what_is_highlighted_is_said(stack: Any) -> None:
    """One box or several; the sentence names them."""
    assert str(draw(stack, highlight="Relay")).endswith(" Highlighted: Relay.")
    assert str(draw(stack, highlight=["Bus", "StockQueue"])).endswith(" Highlighted: Bus, StockQueue.")
    assert draw(stack).png() != draw(stack, highlight="Relay").png()


def test_a_box_that_is_not_there_is_refused_with_those_that_are(stack: Any) -> None:
    """A lesson that names a box wrongly does not show an unmarked picture."""
    with pytest.raises(ValueError, match=r"no box Realy in the picture; its boxes: .*Relay"):
        draw(stack, highlight="Realy")


def test_a_disabled_rule_has_no_arrow(stack: Any) -> None:
    """Under orchestration most rules are disabled: the picture follows."""
    rule = stack.resources["OutcomesRule"]
    off = changed(stack, OutcomesRule=replace(rule, properties={**rule.properties, "State": "DISABLED"}))
    assert wiring.read(off).ends("Bus", "rule") == ["StockQueue", "PaymentQueue", "ReviewQueue", "Notify"]
    assert "joined by 4 rules" in str(draw(off))


def test_a_right_that_is_taken_away_takes_its_arrow_away(stack: Any) -> None:
    """The arrows are the roles' rights."""
    role = stack.resources["RelayRole"]
    bare = changed(stack, RelayRole=replace(role, properties={**role.properties, "Policies": []}))
    assert wiring.read(bare).starts("Bus", "publish") == []


def test_a_new_consumer_gets_a_lane_without_a_word_to_the_picture(stack: Any) -> None:
    """What a learner adds in the last lesson shows up: a rule, its queue, and the function that reads it."""
    account = "us-east-1:123456789012"
    gifts = changed(
        stack,
        GiftQueue=resource("GiftQueue", "AWS::SQS::Queue", "https://sqs/123456789012/orderlab-gifts"),
        WrapGift=resource("WrapGift", "AWS::Lambda::Function", "orderlab-wrap-gift", Role="none"),
        WrapGiftMapping=resource(
            "WrapGiftMapping",
            "AWS::Lambda::EventSourceMapping",
            "1",
            EventSourceArn=f"arn:aws:sqs:{account}:orderlab-gifts",
            FunctionName="orderlab-wrap-gift",
        ),
        GiftRule=resource(
            "GiftRule",
            "AWS::Events::Rule",
            "orderlab-gifts",
            EventBusName="orderlab-orders",
            EventPattern={"detail-type": ["OrderConfirmed"], "detail": {"gift": [True]}},
            Targets=[{"Id": "gifts", "Arn": f"arn:aws:sqs:{account}:orderlab-gifts"}],
        ),
    )
    wired = wiring.read(gifts)
    assert Arrow("Bus", "GiftQueue", "rule", "if gift fits") in wired.arrows
    drawn = layout.arrange(wired, 0.0)
    assert drawn.places["GiftQueue"].y == drawn.places["WrapGift"].y < drawn.places["Notify"].y
    assert "10 functions, 5 queues" in str(draw(gifts))


def test_what_is_connected_to_nothing_is_still_seen(stack: Any) -> None:
    """A forgotten mapping, a table without a user: the picture shows them, alone in a lane."""
    lonely = changed(
        stack,
        StockRule=None,
        Spare=resource("Spare", "AWS::DynamoDB::Table", "orderlab-spare"),
        SettleOrderMapping=None,
    )
    drawn = layout.arrange(wiring.read(lonely), 0.0)
    assert {"Spare", "SettleOrder", "SettlementQueue"} <= set(drawn.places)


def test_a_stack_without_an_api_or_a_bus_is_drawn_too() -> None:
    """The small templates of a lesson have less in them than the order system."""
    from orderlab.cloud.stack.resources import Stack

    alone = Stack(resources={"One": resource("One", "AWS::Lambda::Function", "orderlab-one")})
    assert str(draw(alone)) == "The order system: 1 function, joined by 0 rules."


def boxes_of(drawn: layout.Layout) -> list[tuple[str, layout.Place]]:
    return list(drawn.places.items())


def test_no_two_boxes_overlap_and_all_are_on_the_paper(stack: Any) -> None:
    """Nothing hides behind something else."""
    drawn = layout.arrange(wiring.read(stack), 0.0)
    for (one, a), (other, b) in combinations(boxes_of(drawn), 2):
        apart = a.right <= b.left or b.right <= a.left or a.bottom >= b.top or b.bottom >= a.top
        assert apart, f"{one} and {other} overlap"
    assert all(place.left >= 0 and place.right <= layout.WIDTH for place in drawn.places.values())


@pytest.mark.parametrize("big", [False, True])
def test_every_name_fits_into_its_box(stack: Any, big: bool) -> None:
    """Measured as drawn: a longer name in the template, or a larger font, must not run over an edge."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    style.put_on(big)
    try:
        plot = draw(stack)
    finally:
        style.put_on()
    canvas = FigureCanvasAgg(plot.figure)
    canvas.draw()
    axes = plot.figure.axes[0]
    drawn = layout.arrange(wiring.read(stack), picture.TOP)
    names = {text.get_gid(): text for text in axes.texts if text.get_gid()}
    assert set(names) == set(drawn.places)
    for name, place in drawn.places.items():
        edges = names[name].get_window_extent(canvas.get_renderer()).transformed(axes.transData.inverted())
        assert place.left <= edges.x0 and edges.x1 <= place.right, f"the name of {name} is wider than its box"
        assert place.bottom <= edges.y0 and edges.y1 <= place.top, f"the name of {name} is higher than its box"


def test_the_picture_is_the_same_each_time(stack: Any) -> None:
    """Byte for byte, so that a refreshed notebook does not change."""
    assert draw(stack).png() == draw(stack).png()
