"""A check never raises, always ends and is not fooled, whatever the answer does."""

import builtins
import functools
import itertools
import json
import math
import os
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import pytest

from orderlab.course.answers import checks, judging, plain
from orderlab.course.answers.checks import Verdict, check, hint, judge
from orderlab.course.answers.exercise import Case, Exercise, Mistake, Observed, Score, itself

Numbers = list[int]


def cases() -> list[Case]:
    """Three cases of doubling numbers."""
    return [Case(f"{len(given)} numbers", {"numbers": given}, [2 * n for n in given]) for given in ([], [3], [1, 2, 5])]


DOUBLE = Exercise(
    id="98.1",
    title="Double",
    cases=cases,
    mistakes=(
        Mistake("That is the square.", lambda case, seen: seen.value == [n * n for n in case.given["numbers"]]),
        Mistake("One is missing.", lambda case, seen: len(seen.value) < len(case.wanted)),
    ),
    hints=("Think.", "Think of a list comprehension."),
)
VALUE = Exercise("98.2", "A value", lambda: [Case("a number", {}, 21)], (), ("Count.",), observe=itself, tolerance=0.5)


def verdict(answer: Any, exercise: Exercise = DOUBLE) -> Verdict:
    """What the check says of an answer."""
    return judge(exercise, answer)[0]


def double(numbers: Numbers) -> Numbers:
    """The plain right answer."""
    return [2 * n for n in numbers]


def mutates(numbers: Numbers) -> Numbers:
    """Right, and spoils its input."""
    doubled = [2 * n for n in numbers]
    numbers.clear()
    return doubled


def in_place(numbers: Numbers) -> Numbers:
    """Right: the input becomes the answer."""
    for n, _ in enumerate(numbers):
        numbers[n] *= 2
    return numbers


def prints(numbers: Numbers) -> Numbers:
    """Right, and loud on every channel."""
    print("x" * 100_000)
    print("y", file=sys.__stdout__)
    os.write(1, b'{"ended": "returned"}\n')
    os.write(2, b"z\n")
    return double(numbers)


def starts_a_thread(numbers: Numbers) -> Numbers:
    """Right, and leaves a thread that waits for ever."""
    threading.Thread(target=threading.Event().wait).start()
    return double(numbers)


def forks(numbers: Numbers) -> Numbers:
    """Right, and two processes of it go on."""
    if hasattr(os, "fork"):
        os.fork()
    return double(numbers)


def patches_what_it_needs(numbers: Numbers) -> Numbers:
    """Right, and changes modules on its way."""
    math.pi = 3.0  # type: ignore[misc]
    builtins.isinstance = lambda *_: True  # type: ignore[assignment]
    json.dumps = lambda *_, **__: "{}"  # type: ignore[assignment]
    return [2 * n for n in numbers]


class Doubler:
    """Right, as an object."""

    def __call__(self, numbers: Numbers) -> Numbers:
        """Double each."""
        return double(numbers)

    def method(self, numbers: Numbers) -> Numbers:
        """Double each."""
        return double(numbers)


class Loud(list):  # type: ignore[type-arg]
    """A list that says that it equals everything, and prints itself."""

    def __eq__(self, other: object) -> bool:
        return True

    def __repr__(self) -> str:
        raise SystemExit

    __hash__ = None  # type: ignore[assignment]


RIGHT = {
    "mutates": mutates,
    "in place": in_place,
    "prints": prints,
    "a thread": starts_a_thread,
    "forks": forks,
    "patches": patches_what_it_needs,
    "an object": Doubler(),
    "a method": Doubler().method,
    "a class": type("D", (), {"__new__": lambda cls, numbers: [2 * n for n in numbers]}),
    "a partial": functools.partial(lambda by, numbers: [by * n for n in numbers], 2),
    "a lambda": lambda numbers: [2 * n for n in numbers],
    "a subclass of list": lambda numbers: Loud(2 * n for n in numbers),
    "floats": lambda numbers: [2.0 * n for n in numbers],
    "leaves by chdir": lambda numbers: os.chdir("/") or [2 * n for n in numbers],
    "a changed environment": lambda numbers: os.environ.clear() or [2 * n for n in numbers],
    "its own trace function": lambda numbers: sys.settrace(None) or [2 * n for n in numbers],
    "numpy": lambda numbers: list(__import__("numpy").array(numbers, dtype=int) * 2),
}


@pytest.mark.parametrize("answer", RIGHT.values(), ids=RIGHT)
def test_a_right_answer_passes_whatever_else_it_does(answer: Any) -> None:
    """What counts is what it returns."""
    assert repr(verdict(answer)) == "✓ Exercise 98.1 passed: 3 of 3 cases.", verdict(answer)


class Everything:
    """Equals everything."""

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = object.__hash__


class NoWords(Exception):
    """Cannot say what it is."""

    def __str__(self) -> str:
        raise SystemExit("no")


def leave(error: BaseException) -> Callable[[Numbers], Numbers]:
    """A function that raises."""

    def answer(numbers: Numbers) -> Numbers:
        raise error

    return answer


def patches_the_judge(numbers: Numbers) -> str:
    """Wrong, and tells the judge to find everything the same."""
    plain.same = checks.good = lambda *_, **__: True  # type: ignore[assignment]
    plain.freeze = lambda value: ["list", *(["int", 2 * n] for n in numbers)]  # type: ignore[assignment]
    return "wrong"


def patches_the_cases(numbers: Numbers) -> Numbers:
    """Wrong, and would like to get other cases."""
    for module in [module for module in sys.modules.values() if type(module) is type(sys)]:
        vars(module).pop("cases", None)
    Case.wanted = property(lambda self: [])  # type: ignore[misc, assignment]
    return []


def contains_itself(numbers: Numbers) -> list[Any]:
    """Wrong: a list without a bottom."""
    found: list[Any] = []
    found.append(found)
    return found


remembered: Numbers = []


def remembers(numbers: Numbers, seen: Numbers = []) -> Numbers:  # noqa: B006
    """Wrong: right in the first call only."""
    seen += [2 * n for n in numbers]
    return seen


def remembers_globally(numbers: Numbers) -> Numbers:
    """Wrong: it keeps state between its calls."""
    remembered.extend(2 * n for n in numbers)
    return remembered


def endless(numbers: Numbers) -> Numbers:
    """Never ends, and says nothing."""
    while True:
        pass


def stubborn(numbers: Numbers) -> Numbers:
    """Never ends, and catches whatever would end it."""
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass


def deep(numbers: Numbers) -> Numbers:
    """Never ends, downwards."""
    return deep(numbers)


async def later(numbers: Numbers) -> Numbers:
    """Not now."""
    return double(numbers)


WRONG = {  # the answer, and words of what the check says
    "a square": (lambda numbers: [n * n for n in numbers], "That is the square."),
    "one missing": (lambda numbers: [2 * n for n in numbers][:-1], "One is missing."),
    "nothing": (lambda numbers: print("here") or None, "printed here"),
    "a tuple": (lambda numbers: tuple(2 * n for n in numbers), "got     ()"),
    "a generator": (lambda numbers: (2 * n for n in numbers), "got     <generator>"),
    "an iterator without end": (lambda numbers: itertools.count(), "got     <count>"),
    "texts": (lambda numbers: [str(2 * n) for n in numbers], "got     ['6']"),
    "truths": (lambda numbers: [True] * len(numbers), "got     [True]"),
    "nan": (lambda numbers: [math.nan] * len(numbers), "got     [nan]"),
    "everything": (lambda numbers: Everything(), "got     <Everything>"),
    "a list of everything": (lambda numbers: [Everything()] * len(numbers), "got     [<Everything>]"),
    "a dict": (lambda numbers: OrderedDict(enumerate(numbers)), "got     {}"),
    "itself": (contains_itself, "got     [["),
    "a million values": (lambda numbers: list(range(10**6)), "got     <list>"),
    "a huge number": (lambda numbers: [10**10_000], "got     [<int>]"),
    "the dots": (lambda numbers: ..., "as if something were still missing"),
    "state in a default": (remembers, "case 3 of 3"),
    "state in a global": (remembers_globally, "case 3 of 3"),
    "SystemExit": (leave(SystemExit(0)), "got     SystemExit: 0, in line"),
    "sys.exit": (lambda numbers: sys.exit("bye"), "got     SystemExit: bye"),
    "KeyboardInterrupt": (leave(KeyboardInterrupt()), "got     KeyboardInterrupt, in line"),
    "an error": (lambda numbers: {}["sku"], "got     KeyError: 'sku', in line"),
    "an error without words": (leave(NoWords()), "got     NoWords, in line"),
    "a wrong signature": (lambda: [], "got     TypeError"),
    "os._exit": (lambda numbers: os._exit(0), "it ended the whole Python process"),
    "asks the learner": (lambda numbers: input("why?"), "got     EOFError"),
    "endless": (endless, "no end: it was cut after a million steps, in line"),
    "endless on one line": (lambda numbers: [n for n in itertools.count() if n < 0], "no end: it was cut"),
    "endless and stubborn": (stubborn, "no end: it was cut"),
    "endless in a generator": (lambda numbers: sum(1 for _ in iter(int, 1)), "no end: it was cut"),
    "endless downwards": (deep, "got     RecursionError"),
    "too much memory": (lambda numbers: "x" * 10**12, "got     MemoryError"),
    "later": (later, "got     <coroutine>"),
    "patches the judge": (patches_the_judge, "got     'wrong'"),
    "patches the cases": (patches_the_cases, "case 2 of 3"),
    "its result": ([2, 4], "it wants your function itself"),
}


@pytest.mark.parametrize(("answer", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_answer_is_refused_whatever_else_it_does(answer: Any, words: str) -> None:
    """And the kernel is as it was."""
    said = verdict(answer)
    assert said.state == "not yet"
    assert words in said.text, said
    assert "0x" not in said.text and "Traceback" not in said.text
    assert len(said.text) < 3_000
    assert builtins.isinstance(1, int) and plain.same(1, 1) and not plain.same(1, 2) and math.pi > 3.1


def test_what_takes_no_step_at_all_is_ended_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop inside C counts no steps, and a lock that nobody opens waits for ever."""
    monkeypatch.setattr(judging, "PATIENCE", 1.0)
    assert "waits for something that never comes" in verdict(lambda numbers: threading.Event().wait()).text


def stub(numbers: Numbers) -> Numbers: ...  # type: ignore[empty-body]


def described(numbers: Numbers, by: int = 2) -> Numbers:  # type: ignore[empty-body]
    """Twice each number."""


@pytest.mark.parametrize("answer", [..., None, stub, described, lambda numbers: None])
def test_what_nobody_has_begun_is_not_started(answer: Any) -> None:
    """A lesson that runs unsolved says so, in words without blame."""
    said = repr(verdict(answer))
    assert said.startswith("○ Exercise 98.1 is not started: replace the ...")


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (21, "passed"),
        (21.4, "passed"),
        (20, "not yet"),
        (True, "not yet"),
        ("21", "not yet"),
        (math.nan, "not yet"),
        (Everything(), "not yet"),
        (Loud(), "not yet"),
        ([21], "not yet"),
        (double, "not yet"),
        (..., "not started"),
    ],
)
def test_a_value_is_judged_by_its_type_too(answer: Any, state: str) -> None:
    """An answer that is no function."""
    assert verdict(answer, VALUE).state == state


def test_what_lives_only_in_the_notebook_is_named() -> None:
    """A client cannot go along; the learner reads which one it is."""
    lock = threading.Lock()

    def answer(numbers: Numbers) -> Numbers:
        with lock:
            return double(numbers)

    assert "your answer uses lock (a lock), which the check cannot see" in verdict(answer).text


class Unwilling:
    """Does not want to be taken anywhere."""

    def __call__(self, numbers: Numbers) -> Numbers:
        return double(numbers)

    def __reduce__(self) -> str:
        raise SystemExit

    @property
    def __class__(self) -> Any:
        raise SystemExit


def test_an_answer_that_refuses_to_travel_does_not_raise() -> None:
    """It is told apart, and named by its type."""
    assert "your answer uses a Unwilling, which the check cannot see" in verdict(Unwilling()).text


def test_a_score_counts_what_a_right_answer_could_spare() -> None:
    """Fewer is better; nobody has to beat it."""

    def with_calls(answer: Any, numbers: Numbers) -> dict[str, Any]:
        calls = 0

        def twice(number: int) -> int:
            nonlocal calls
            calls += 1
            return 2 * number

        return {"result": answer(numbers, twice), "calls": calls}

    exercise = Exercise(
        "98.3", "Few calls", cases, (), ("Remember.",), with_calls,
        shown=lambda value: value["result"], score=Score(lambda value: value["calls"], "calls", 4),
    )  # fmt: skip

    def wasteful(numbers: Numbers, twice: Callable[[int], int]) -> Numbers:
        return [twice(n) for n in numbers if twice(n)]

    texts = [
        verdict(wasteful, exercise).text,
        verdict(lambda numbers, twice: [twice(n) for n in numbers], exercise).text,
        verdict(lambda numbers, twice: [2 * n for n in numbers], exercise).text,
    ]
    assert texts[0].endswith("with 8 calls; the score to beat is 4.")
    assert texts[1].endswith("with 4 calls, as few as the reference solution.")
    assert texts[2].endswith("with 0 calls, fewer than the reference solution.")


@pytest.mark.parametrize("id", ["0.9", "77.1", "0", "", "x.y", None, 3, "../0.1", "0.1\n"])
def test_a_wrong_number_gets_a_sentence(id: Any) -> None:
    """And so does a hint for it."""
    assert repr(check(id, 1)).startswith("✗ Nothing was checked: ")
    assert repr(hint(id)).startswith("No hint: ")


def test_hints_come_one_by_one() -> None:
    """Only when asked for; the last one stays."""
    said = [repr(hint("0.1")) for _ in range(4)]
    assert said[0].startswith("Hint 1 of ") and said[0] != said[1]
    assert said[-1] == said[-2]


def test_a_verdict_is_the_same_every_time() -> None:
    """Outputs are committed and compared."""

    def wrong(numbers: Numbers) -> Any:
        print(id(numbers) > 0)
        return {"a", "b", "c", object}

    assert {repr(verdict(wrong)) for _ in range(3)} == {repr(verdict(wrong))}


def test_observed_in_a_case_that_is_no_mistake_is_not_named() -> None:
    """A mistake is named only when every failing case shows it."""

    def both(numbers: Numbers) -> Numbers:
        return [n * n for n in numbers] if len(numbers) == 1 else [0, 0, 0]

    assert "square" not in verdict(both).text
    assert isinstance(DOUBLE.mistakes[0].shows(cases()[0], Observed("returned", [])), bool)
