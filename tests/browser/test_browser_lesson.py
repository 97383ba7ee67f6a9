"""Each lesson in a real browser, from the first cell to the last answer, without a mouse.

What to do is read from the lesson and from its solutions. The tests share one page, in their order here.
"""

import json
import re
from typing import Any

import pytest
from learner import Learner

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 1024, "height": 768}
COLOURS = """(one, what) => {
    const seen = colour => !/^(transparent|rgba\\(.*, 0\\))$/.test(colour);
    let behind = what === 'color' ? one : one.closest('.orderlab-panel');
    while (behind && !seen(getComputedStyle(behind).backgroundColor)) behind = behind.parentElement;
    return [getComputedStyle(one)[what], getComputedStyle(behind).backgroundColor];
}"""
SHOWN = """panel => {
    const [image, caption] = ['img', 'figcaption'].map(name => document.querySelector(`${panel} ${name}`));
    return image && caption && {picture: image.src, alt: image.alt, caption: caption.innerText};
}"""
TOO_WIDE = """cell => [...cell.querySelectorAll('.cm-scroller, .jp-OutputArea-output, .orderlab-panel, img, table')]
    .filter(one => one.scrollWidth > one.clientWidth + 1 || one.getBoundingClientRect().right > innerWidth)
    .map(one => `${one.className || one.tagName} ${one.scrollWidth} > ${one.clientWidth}`)"""


def texts(cell: dict[str, Any]) -> str:
    """What a saved cell shows as text."""
    data = [output.get("data", {}).get("text/plain", output.get("text", "")) for output in cell["outputs"]]
    return "\n".join("".join(text) for text in data)


def code(learner: Learner, pattern: str = "") -> dict[str, dict[str, Any]]:
    """The saved code cells whose ids match a pattern."""
    return {i: cell for i, cell in learner.saved().items() if cell["cell_type"] == "code" and re.match(pattern, i)}


def contrast(colours: list[str]) -> float:
    """The contrast of two colours that a browser computed, as WCAG defines it."""
    lights = []
    for colour in colours:
        channels = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        lights.append(sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True)))
    return (max(lights) + 0.05) / (min(lights) + 0.05)


def test_every_cell_runs_one_by_one(learner: Learner) -> None:
    """Shift+Enter from the first cell to the last: each code cell has run in its order, and none failed."""
    learner.save()
    cells = code(learner)
    assert [cell["execution_count"] for cell in cells.values()] == list(range(1, len(cells) + 1))
    assert [i for i, cell in cells.items() for output in cell["outputs"] if output["output_type"] == "error"] == []


def test_predictions_are_typed_and_everything_runs_again_from_nothing(learner: Learner) -> None:
    """A letter in place of the dots changes what its cell and the reveal say; all else is as in the first run."""
    before = code(learner)
    asked = [i for i in before if i.startswith("predict-")]
    assert asked, "the lesson asks for no prediction"
    for question in asked:
        learner.write(question, before[question]["source"].replace("...", '"a"'))
    learner.restart_and_run_all()
    learner.save()
    after = code(learner)
    changed = [i for i in before if texts(after[i]) != texts(before[i]) and "progress(" not in after[i]["source"]]
    assert changed == [i for i in before if i.startswith(("predict-", "reveal-"))]


def test_each_exercise_is_solved_by_typing(learner: Learner) -> None:
    """Unsolved, a check says so; the solution, typed letter by letter as it is in the solutions, passes."""
    solutions = learner.path.parent / "solutions" / learner.path.name
    cells = json.loads(solutions.read_text(encoding="utf-8"))["cells"]
    typed = {cell["id"]: "".join(cell["source"]) for cell in cells}
    answers, checks = code(learner, r"exercise-.*-code$"), code(learner, r"exercise-.*-check$")
    assert answers, "the lesson has no exercise"
    assert [i for i, cell in checks.items() if texts(cell).startswith("✓")] == []
    for answer in answers:
        learner.write(answer, typed[answer])
        learner.run(answer)
        learner.run(answer.replace("-code", "-check"))
    learner.save()
    assert {i: cell["source"] for i, cell in code(learner).items() if i in answers} == {i: typed[i] for i in answers}
    assert [texts(cell) for i, cell in code(learner).items() if i in checks and not texts(cell).startswith("✓")] == []


def panels(learner: Learner) -> list[str]:
    """The ids of the cells that show a panel."""
    found = list(code(learner, "panel"))
    if not found:
        pytest.skip("the lesson has no panel")
    return found


def panel(learner: Learner, id: str) -> str:
    """Where on the page the panel of a cell is."""
    return f".jp-Cell[data-windowed-list-index='{learner.number(id)}'] .orderlab-panel"


def shown(learner: Learner, id: str) -> dict[str, str]:
    """A panel's picture, its alternative text and its caption, of one instant: a redraw replaces all three."""
    return dict(learner.page.evaluate(SHOWN, panel(learner, id)))


def wait_for_other(learner: Learner, id: str, before: dict[str, str]) -> None:
    """Wait until a panel shows another picture, with another text."""
    changed = f"([panel, before]) => {{ const now = ({SHOWN})(panel); return now && now.alt !== before.alt; }}"
    learner.page.wait_for_function(changed, arg=[panel(learner, id), before])


def assert_becomes(learner: Learner, box: Any, value: float) -> None:
    """Wait until a number box holds the value."""
    learner.page.wait_for_function("([one, value]) => Number(one.value) === value", arg=[box.element_handle(), value])


def test_a_panel_answers_to_arrow_keys_and_to_typed_numbers(learner: Learner) -> None:
    """Tab leads from the cell to each number box and each slider; picture, caption, box and slider change together."""
    for id in panels(learner):
        learner.go_to(id)
        page = learner.cell(id).locator(".orderlab-panel")
        pictures = {shown(learner, id)["picture"]}
        for n in range(page.get_by_role("slider").count()):
            box, slider = page.get_by_role("spinbutton").nth(n), page.get_by_role("slider").nth(n)
            name, before = learner.tab_to("spinbutton")["name"], shown(learner, id)
            learner.press("Tab")
            assert learner.focus() == {"role": "slider", "name": name, "cell": learner.number(id)}
            low, high = (float(slider.get_attribute(f"aria-value{end}")) for end in ("min", "max"))
            learner.press("ArrowRight" if float(box.input_value()) < high else "ArrowLeft")
            wait_for_other(learner, id, before)
            after = shown(learner, id)
            pictures.add(after["picture"])
            assert after["caption"] == after["alt"]
            moved = float(slider.get_attribute("aria-valuenow"))
            assert_becomes(learner, box, moved)
            learner.press("Shift+Tab", "Control+a")
            learner.page.keyboard.type(str(high + 7 * (high - low)))
            learner.press("Enter", "Tab")
            assert_becomes(learner, box, high)
            if moved < high:
                wait_for_other(learner, id, after)  # else the kernel's echo of this move would undo the next one
            learner.press("Home")
            assert_becomes(learner, box, low)
            learner.wait_until_idle()  # so that this move's picture is not taken for the next slider's
        assert len(pictures) > 1, "no slider changed the picture"


def test_everything_in_a_panel_has_a_name(learner: Learner) -> None:
    """As a screen reader finds them: each number box and its slider by the same name, the picture by its facts."""
    for id in panels(learner):
        learner.go_to(id)
        page = learner.cell(id).locator(".orderlab-panel")
        tree = page.aria_snapshot()
        boxes, sliders = (re.findall(rf'- {role} "([^"]+)"', tree) for role in ("spinbutton", "slider"))
        assert boxes == sliders and boxes, tree
        assert len(re.findall("- (?:spinbutton|slider)", tree)) == 2 * len(boxes), tree
        facts = shown(learner, id)["alt"]
        assert len(facts) >= 20 and page.get_by_role("img", name=facts, exact=True).count() == 1, tree
        assert page.locator(".widget-html-content").get_attribute("aria-live") == "polite"


@pytest.mark.parametrize("theme", ["Dark", "Light"])
def test_a_panel_can_be_read_in_both_themes(learner: Learner, theme: str) -> None:
    """The contrast of its words is 4.5 to 1 or more, that of its handles 3 to 1; the picture keeps its white paper."""
    learner.wear(theme)
    for id in panels(learner):
        learner.go_to(id)
        page = learner.cell(id).locator(".orderlab-panel")
        for words in page.locator("label, input, figcaption").all():
            assert contrast(words.evaluate(COLOURS, "color")) >= 4.5, words.evaluate("one => one.outerHTML")
        for handle in page.locator(".noUi-handle").all():
            assert contrast(handle.evaluate(COLOURS, "backgroundColor")) >= 3
        assert page.locator("img").evaluate("one => getComputedStyle(one).backgroundColor") == "rgb(255, 255, 255)"


def test_nothing_is_cut_off_in_a_small_window(learner: Learner) -> None:
    """At 1024 x 768, no line of code, no output, picture or panel is wider than its place."""
    learner.page.set_viewport_size(NARROW)
    wide = {}
    for id in learner.saved():
        learner.go_to(id)
        wide[id] = learner.cell(id).evaluate(TOO_WIDE)
    learner.page.set_viewport_size(WIDE)
    assert {id: found for id, found in wide.items() if found} == {}


def test_hints_unfold_and_links_open_with_enter(learner: Learner) -> None:
    """In the text of an exercise Tab leads to the folded hint and to the solution."""
    exercise = next(i for i, cell in learner.saved().items() if "<details>" in cell["source"])
    learner.go_to(exercise)
    learner.tab_to("summary")
    learner.press("Enter")
    assert learner.cell(exercise).locator("details").first.get_attribute("open") is not None
    learner.go_to(exercise)
    learner.tab_to("link", "olution")
    learner.press("Enter")
    learner.page.locator(".lm-TabBar-tab.jp-mod-current", has_text=learner.path.name).nth(0).wait_for()
    learner.page.locator(".jp-Notebook:visible", has_text="Solutions").wait_for()


def test_all_of_it_needed_no_mouse_no_network_and_gave_no_error(learner: Learner) -> None:
    """No pointer was pressed, no address beyond this machine was asked for, and the console holds no error."""
    assert not learner.used_a_mouse()
    assert learner.left_the_machine() == [] and learner.asked
    assert learner.complaints == []
