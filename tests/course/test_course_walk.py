"""The walk lights up the box where an order is, says the step in words, and draws the map only once."""

from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from orderlab.course.history import telling
from orderlab.course.history.telling import Line, Story, story
from orderlab.course.history.walking import place, steps, walk
from orderlab.course.map import picture


@pytest.fixture(scope="module")
def drawn(played: Any) -> Any:
    """The map."""
    return picture.draw_map(played.cloud.stack)


def pixels(plot: Any) -> bytes:
    """The picture, whatever way it is packed."""
    with Image.open(BytesIO(plot.quick_png())) as image:
        return image.convert("RGB").tobytes()


def test_each_step_looks_like_the_map_with_that_box_highlighted(played: Any, drawn: Any) -> None:
    """Pixel for pixel: one box drawn over the kept map is the map drawn anew."""
    draw, lines = steps(played.cloud, played.troubled[1]), story(played.cloud, played.troubled[1]).lines
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        seen.setdefault(place(line, drawn), number)
    assert len(seen) > 9 and "" not in seen
    for box, number in [*seen.items()][::3]:
        assert pixels(draw(step=number)) == pixels(picture.system_map(played.cloud, box)), box


def test_going_back_shows_the_earlier_picture_again(played: Any) -> None:
    """Nothing of a later step stays on the map, and a picture does not change after it was made."""
    draw = steps(played.cloud, played.fine)
    first, kept = draw(step=3), pixels(draw(step=3))
    other = draw(step=6)
    assert pixels(first) == kept == pixels(draw(step=3)) != pixels(other)


def test_the_sentence_is_the_storys_line(played: Any) -> None:
    """The number of the step, the seconds, who, and what."""
    lines = story(played.cloud, played.fine).lines
    draw = steps(played.cloud, played.fine)
    for number, line in enumerate(lines, 1):
        assert str(draw(step=number)).startswith(
            f"Step {number} of {len(lines)}, after {line.at:.2f} s: {line.who}, {line.what}."
        )
    assert str(draw(step=6)).endswith(" s: ReserveStock, OrderPlaced → RESERVED.")


def test_the_client_is_shown_at_the_door_and_said_so(played: Any) -> None:
    """A client is not on the map: the method that it calls is."""
    assert str(steps(played.cloud, played.fine)(step=1)) == (
        "Step 1 of 17, after 0.00 s: client, sends POST /orders. Highlighted is where it comes in: POST /orders."
    )


@pytest.mark.parametrize(
    ("who", "what", "box"),
    [
        ("Relay", "publishes OrderPlaced", "Relay"),
        ("queue stock", "OrderPlaced is put in", "StockQueue"),
        ("client", "sends POST /orders", "PostOrder"),
        ("client", "sends GET /orders/ORD-1?x=1", "GetOrderMethod"),
        ("client", "sends GET /products/mug", "GetProductMethod"),
        ("client", "sends GET /nowhere", ""),
        ("queue stock-dead", "OrderPlaced is put in", ""),
        ("table stock", "is written", "StockTable"),
        ("Nobody", "does something", ""),
    ],
)
def test_a_step_belongs_to_the_box_where_it_happens(drawn: Any, who: str, what: str, box: str) -> None:
    """By name, by route, or nowhere."""
    assert place(Line(0.0, who, what), drawn) == box


def test_a_step_that_is_nowhere_on_the_map_lights_nothing_and_says_so(
    played: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Better no box than a wrong one."""
    monkeypatch.setattr(telling, "story", lambda *_: Story("ORD-1", (Line(1.0, "Nobody", "waits"),), 0.0))
    plot = steps(played.cloud, "ORD-1")(step=1)
    assert str(plot) == (
        "Step 1 of 1, after 1.00 s: Nobody, waits. Nothing is highlighted: this place is not on the map."
    )
    assert pixels(plot) == pixels(picture.system_map(played.cloud))


def test_every_step_of_every_kind_of_order_has_its_box(played: Any, given_up: Any, drawn: Any) -> None:
    """Fine, declined, in an outage, given up and brought home: nothing happens off the map."""
    cloud, dead, _ = given_up
    stories = [story(played.cloud, one) for one in (played.fine, played.declined, *played.troubled)]
    for line in (line for told in [*stories, story(cloud, dead)] for line in told.lines):
        assert place(line, drawn), line


def test_the_panel_has_a_slider_for_the_step(played: Any) -> None:
    """It stands at the first step, and a move shows another box and says another sentence."""
    panel = walk(played.cloud, played.fine)
    assert list(panel.sliders) == ["step"] and panel.values == {"step": 1}
    assert (panel.sliders["step"].low, panel.sliders["step"].high) == (1, 17)
    before = panel.page.value
    panel.move(step=4)
    assert "Step 4 of 17" in panel.page.value and panel.page.value != before
    assert repr(panel).startswith("Step 1 of 17")


def test_several_orders_have_a_slider_too(played: Any) -> None:
    """Where one order has fewer steps than another, its last step stays."""
    panel = walk(played.cloud, played.troubled[1], played.fine)
    assert panel.values == {"order": 1, "step": 1} and panel.sliders["step"].high == 21
    panel.move(order=2, step=21)
    assert "Order 2 of 2, step 17 of 17" in panel.page.value


@pytest.mark.parametrize(
    ("orders", "words"),
    [([], "name one order or more"), (["ORD-00000000000000000000"], "take the orderId of a 202 answer")],
)
def test_a_walk_without_an_order_is_refused(played: Any, orders: list[str], words: str) -> None:
    """With what to do."""
    with pytest.raises(ValueError, match=words):
        walk(played.cloud, *orders)


def test_the_map_is_built_once(played: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step draws one box, and takes it away: that is what makes the slider quick, also after an hour."""
    built: list[Any] = []
    real = picture.draw_map

    def spy(*given: Any) -> Any:
        built.append(real(*given))
        return built[-1]

    monkeypatch.setattr(picture, "draw_map", spy)
    draw = steps(played.cloud, played.fine)
    (kept,) = built
    before = len(kept.axes.get_children())
    for number in range(1, 9):
        draw(step=number)
    assert len(built) == 1 and len(kept.axes.get_children()) == before
