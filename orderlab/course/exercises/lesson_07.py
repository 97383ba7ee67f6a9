"""The predictions and exercises of lesson 07: how old a message can be, points for an order, and work done once.

Taught in notebooks/07_exactly_once_nearly.ipynb
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from orderlab.course.answers.exercise import Case, Exercise, Mistake, Observed, itself
from orderlab.course.answers.predictions import Prediction

KEPT, KEPT_DEAD = 4, 14  # days: the retention of the payment queue and of its dead-letter queue
LEASE = 30.0  # seconds, exercise 7.3

Shows = Callable[[Case, Observed], bool]


class Died(BaseException):
    """The execution environment is gone: no except of the answer's own is for this."""


def oldest() -> Sequence[Case]:
    """The one case of exercise 7.1: 14 days as a dead letter by its first date, then 4 more as a new message."""
    return [Case("one redrive at the last moment", {}, KEPT_DEAD + KEPT)]


def says(*numbers: float) -> Shows:
    """Is the answer one of these numbers?"""
    return lambda case, seen: any(abs(seen.value - number) < 0.1 for number in numbers)


class Points:
    """Exercise 7.2's table: markers by key and points by customer, with a death or another consumer at some call."""

    def __init__(self, dies: tuple[int, str] | None, meanwhile: tuple[int, Callable[[], None]] | None) -> None:
        self.keys, self.points, self.calls = set[str](), Counter[str](), 0
        self.dies, self.meanwhile = dies, meanwhile

    def get(self, key: str) -> bool:
        """Is there a marker of this key?"""
        return self._call(lambda: key in self.keys)

    def put(self, key: str) -> bool:
        """Write the marker; False if it was there already."""
        return self._call(lambda: self._put(key))

    def add(self, customer: str, points: int) -> None:
        """Add points to a customer's."""
        self._call(lambda: self.points.update({customer: points}))

    def transact(self, *, put: str, add: tuple[str, int]) -> bool:
        """Write the marker and add the points, or do neither and answer False, if the marker was there already."""

        def both() -> bool:
            new = self._put(put)
            if new:
                self.points.update({add[0]: add[1]})
            return new

        return self._call(both)

    def _put(self, key: str) -> bool:
        new = key not in self.keys
        self.keys.add(key)
        return new

    def _call(self, act: Callable[[], Any]) -> Any:
        self.calls += 1
        if self.meanwhile and self.meanwhile[0] == self.calls:
            (_, other), self.meanwhile = self.meanwhile, None
            other()
        dies, self.dies = (self.dies, None) if self.dies and self.dies[0] == self.calls else (None, self.dies)
        if dies and dies[1] == "before":
            raise Died
        answer = act()
        if dies:
            raise Died
        return answer


def give(
    answer: Any, messages: list[dict[str, Any]], dies: tuple[int, str] | None = None, at_once: int = 0
) -> dict[str, int]:
    """Deliver these messages, one that died again, and with `at_once` a copy just before that call of the first."""
    table = Points(dies, (at_once, lambda: answer(dict(messages[0]), table)) if at_once else None)
    for message in messages:
        for _ in range(2):
            try:
                answer(dict(message), table)
            except Died:
                continue  # the message shows up again
            break
    return dict(table.points)


def gifts() -> Sequence[Case]:
    """The cases of exercise 7.2."""
    one = {"orderId": "ORD-1", "customerId": "C-1", "points": 85, "sentAt": "Mon 09:00"}
    second = {**one, "orderId": "ORD-2", "points": 20}
    later = {**one, "sentAt": "Wed 11:30"}

    def case(about: str, *messages: dict[str, Any], points: int = 85, **more: Any) -> Case:
        return Case(about, {"messages": list(messages), **more}, {"C-1": points})

    return [
        case("one message", one),
        case("the same message twice", one, one),
        case("two orders of one customer", one, second, points=105),
        case("a redrive two days later, which sends it anew", one, later),
        *(case(f"two copies at once, at call {n}", one, at_once=n) for n in (1, 2, 3)),
        *(case(f"it dies {when} call {n}", one, dies=(n, when)) for n in (1, 2, 3) for when in ("before", "after")),
    ]


def more(*abouts: str) -> Shows:
    """Are there too many points, in a case of these?"""
    return lambda case, seen: case.about.startswith(abouts) and total(seen) > case.wanted["C-1"]


def fewer(*abouts: str) -> Shows:
    """Are there too few, in a case of these?"""
    return lambda case, seen: case.about.startswith(abouts) and total(seen) < case.wanted["C-1"]


def either(*shows: Shows) -> Shows:
    """Does one of them hold?"""
    return lambda case, seen: any(one(case, seen) for one in shows)


def total(seen: Observed) -> int:
    """All points that were given."""
    return sum(seen.value.values())


class Records:
    """Exercise 7.3's table. Once the environment has died it takes no call until the next request."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.dead, self.loses_put = False, False

    def put_if(self, key: str, row: dict[str, Any], free: Callable[[dict[str, Any] | None], bool]) -> Any:
        """Write the row if `free(the row that is there, or None)`, in one step: None. Else the row that is there."""
        self._alive()
        old = self.rows.get(key)
        if not free(None if old is None else dict(old)):
            return dict(old or {})
        self.rows[key] = dict(row)
        return None

    def put(self, key: str, row: dict[str, Any]) -> None:
        """Write the row, whatever is there."""
        self.dead = self.dead or self.loses_put
        self._alive()
        self.rows[key] = dict(row)

    def delete(self, key: str) -> None:
        """Remove the row."""
        self._alive()
        self.rows.pop(key, None)

    def _alive(self) -> None:
        if self.dead:
            raise Died


class Failed(Exception):
    """The work raised an error."""


def ask(answer: Any, requests: list[dict[str, Any]]) -> list[Any]:
    """What came of each request, in the order in which they ended; one may come during another's work."""
    table, seen, runs = Records(), list[Any](), Counter[str]()

    def one(at: float, key: str = "k", work: str = "", during: dict[str, Any] | None = None) -> None:
        def do() -> dict[str, int]:
            runs["all"] += 1
            number = runs["all"]
            if during is not None:
                one(**during)
            if work == "is killed":
                table.dead = True
                raise Died
            if work == "fails":
                raise Failed("the work failed")
            return {} if work == "has nothing to say" else {"receipt": number}

        table.dead, table.loses_put = False, work == "is done, and killed before the record"
        try:
            seen.append(answer(table, key, do, at, LEASE))
        except Failed:
            seen.append("failed")
        except Died:
            seen.append("killed")

    for request in requests:
        one(**request)
    return [*seen, f"runs: {runs['all']}"]


def requests() -> Sequence[Case]:
    """The cases of exercise 7.3."""

    def case(about: str, requests: list[dict[str, Any]], *wanted: Any, runs: int) -> Case:
        return Case(about, {"requests": requests}, [*wanted, f"runs: {runs}"])

    first, second, busy = {"receipt": 1}, {"receipt": 2}, "in progress"
    killed, unrecorded = "is killed", "is done, and killed before the record"
    return [
        case("one request", [{"at": 0}], first, runs=1),
        case("it is repeated", [{"at": 0}, {"at": 10}, {"at": 99_999}], first, first, first, runs=1),
        case("two keys", [{"at": 0, "key": "a"}, {"at": 1, "key": "b"}], first, second, runs=2),
        case("a request during the work", [{"at": 0, "during": {"at": 5}}], busy, first, runs=1),
        case("the work fails", [{"at": 0, "work": "fails"}, {"at": 1}], "failed", second, runs=2),
        case("it is killed", [{"at": 0, "work": killed}, {"at": 29}], "killed", busy, runs=1),
        case("it is killed, and its lease is over", [{"at": 0, "work": killed}, {"at": 31}, {"at": 32}],
             "killed", second, second, runs=2),
        case("it is killed between work and record", [{"at": 0, "work": unrecorded}, {"at": 29}, {"at": 31}],
             "killed", busy, second, runs=2),
        case("the answer is empty", [{"at": 0, "work": "has nothing to say"}, {"at": 1}], {}, {}, runs=1),
    ]  # fmt: skip


def ran(seen: Observed) -> int:
    """How often the work ran."""
    return int(str(seen.value[-1]).removeprefix("runs: "))


def plainly(value: Any) -> Any:
    """What can be looked for in a set."""
    return value if isinstance(value, str | None) else "an answer"


def too_rarely(*abouts: str) -> Shows:
    """Did the work run too rarely, in a case of these?"""
    return lambda case, seen: (
        seen.ended == "returned" and case.about in abouts and ran(seen) < int(case.wanted[-1].removeprefix("runs: "))
    )


OVER = ("it is killed, and its lease is over", "it is killed between work and record")

EXERCISES = (
    Exercise(
        id="7.1",
        title="How old can a message be?",
        cases=oldest,
        observe=itself,
        tolerance=0.1,
        mistakes=(
            Mistake("That is as long as the dead-letter queue keeps it. A redrive then sends it to the first queue.",
                    says(14)),
            Mistake("That is the first queue alone: a message can fail there, and wait elsewhere.", says(4)),
            Mistake("A dead letter keeps its first date: the days before it died are among the 14.", says(22)),
            Mistake("A record of a day is Notify's. The question is what a message can reach.", says(1)),
            Mistake("It counts two stays in the dead-letter queue. The question ends with the try after one redrive.",
                    says(28, 32, 36)),
        ),
        hints=(
            "Draw its life: sent, dead, redriven, received.",
            "A dead letter's 14 days began when it was first sent; after the redrive it is a new message.",
        ),
    ),
    Exercise(
        id="7.2",
        title="Points for an order",
        cases=gifts,
        observe=give,
        mistakes=(
            Mistake("A redrive sends the message anew, with a new time: name what happened, not its sending.",
                    more("a redrive")),
            Mistake("One customer, two orders: the second one is taken for a repeat of the first.",
                    fewer("two orders")),
            Mistake("The marker is there before the points: a crash between the two, and nobody gets them.",
                    either(fewer("it dies"), more("two copies"))),
            Mistake("The points are there before the marker: a crash between the two, and they are given again.",
                    either(more("it dies", "two copies"))),
            Mistake("It does not remember what it has done: every delivery gives the points again.",
                    more("the same", "two copies", "it dies", "a redrive")),
        ),
        hints=(
            "What is the same each time that this order is told of?",
            "Two writes have a gap between them. Which one of the four calls has none?",
            "transact checks and writes in one step: no get is needed before it.",
        ),
    ),
    Exercise(
        id="7.3",
        title="Once, with a lease",
        cases=requests,
        observe=ask,
        mistakes=(
            Mistake("It takes the key from one that is still at work: its lease is not over.",
                    lambda case, seen: "in progress" in case.wanted
                    and not {"in progress", None}.intersection(map(plainly, seen.value))),
            Mistake("A try that was killed keeps the key for ever: nobody is left to free it, so its lease must.",
                    too_rarely(*OVER)),
            Mistake("Work that failed has done nothing: free its key, so that the next request tries again.",
                    lambda case, seen: case.about == "the work fails" and seen.value[0] == "failed"),
            Mistake("The caller must hear of the error: raise it again.",
                    lambda case, seen: case.about == "the work fails" and seen.value[0] != "failed"),
            Mistake("An empty answer is an answer: ask the status of the record, not whether the answer is true.",
                    lambda case, seen: case.about == "the answer is empty"),
            Mistake("It says done before it is: a try that was killed is then taken for one that succeeded.",
                    lambda case, seen: case.about.startswith(("it is killed", "a request"))),
            Mistake("A repeat runs the work again: put_if must refuse a key whose record is completed.",
                    lambda case, seen: seen.ended == "returned"
                    and ran(seen) > int(case.wanted[-1].removeprefix("runs: "))),
        ),
        hints=(
            "Three steps: take the key with put_if, do the work, put the record with its answer.",
            "free(old) is true where old is None, or in progress with a lease that ended before now.",
            "If put_if gives you a row, it is completed (return its answer) or in progress (say so).",
            "Around the work: except Exception, delete the key, and raise.",
        ),
    ),
)  # fmt: skip


PREDICTIONS = (
    Prediction(
        "7.A",
        "Publish first, and nobody asks again",
        {"a": "nothing", "b": "a confirmed order", "c": "paid, and no order"},
        lambda end: "c" if end == "paid, no order" else "",
    ),
    Prediction(
        "7.B",
        "A redrive on Wednesday",
        {"a": "once", "b": "twice", "c": "ten times"},
        lambda seen: {1: "a", 2: "b"}.get(seen, "c" if seen > 2 else ""),
    ),
    Prediction(
        "7.C",
        "One token, three times",
        {"a": "one mug", "b": "two mugs", "c": "three mugs"},
        lambda sold: {1: "a", 2: "b", 3: "c"}.get(sold, ""),
    ),
)
