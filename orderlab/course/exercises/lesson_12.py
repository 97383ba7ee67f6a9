"""The predictions and exercises of lesson 12: what idle queues cost, a pull request to mend, what a clean-up leaves.

Taught in notebooks/12_ship_it.ipynb
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from orderlab.course.answers.exercise import Case, Exercise, Mistake, Observed, itself
from orderlab.course.answers.predictions import Prediction
from orderlab.ops.bill.facts import HOURS, POLLERS, POLLS, WAIT
from orderlab.ops.prices import price

QUEUES = 20  # of exercise 12.1
PAGE = 3  # log groups on a page of the client of exercise 12.3; AWS's has 50
READS = ("dynamodb:GetItem", "${CatalogueTable.Arn}")


def dollars(polls: float) -> float:
    """US dollars for so many requests to SQS."""
    return price("sqs-request").of(polls)


def idle() -> Sequence[Case]:
    """The one case of exercise 12.1."""
    return [Case("twenty queues, nothing in them", {}, round(dollars(QUEUES * POLLS), 2))]


def about(*numbers: float) -> Callable[[Case, Observed], bool]:
    """Is the answer one of these, give or take 1.5 %?"""
    return lambda case, seen: any(abs(seen.value - number) <= 0.015 * number for number in numbers)


def reviewed(answer: Any) -> dict[str, list[str]]:
    """The project's policy on the template that `answer` mends, and what of the team's wishes is missing from it."""
    with uncounted():
        from orderlab.course.broken.pull_request import change
        from orderlab.ops.policy import source

        template = change(source())
    mended = answer(template)
    if not isinstance(mended, dict) or "Resources" not in mended:
        return {"findings": ["mend returned no template"], "missing": []}
    with uncounted():
        return judged(mended)


@contextmanager
def uncounted() -> Iterator[None]:
    """Steps of the policy and of SAM's translator are not the answer's: the budget does not count them."""
    counting = sys.gettrace()
    sys.settrace(None)
    try:
        yield
    finally:
        sys.settrace(counting)


def judged(mended: Any) -> dict[str, list[str]]:
    """The policy's findings, and the wishes that are missing."""
    from orderlab.ops.policy import findings
    from orderlab.ops.policy.rights import rights
    from orderlab.ops.policy.template import settle, translate

    found = findings(mended, settings=({},))
    made = settle(translate(mended))["Resources"]
    targets = [target["Arn"] for target in made["OrderPlacedRule"]["Properties"]["Targets"]]
    wishes = {
        "30 s for ReserveStock": made["ReserveStock"]["Properties"]["Timeout"] == 30,
        "every placed order in the review queue": "${ReviewQueue.Arn}" in targets,
        "the review rule's own orders there": not any("does not let ReviewRule" in one for one in found),
        "Notify may read the catalogue": READS in rights(made["NotifyRole"]["Properties"]),
        "no other right for Notify": not any(
            "CatalogueTable" in what and (action, what) != READS
            for action, what in rights(made["NotifyRole"]["Properties"])
        ),
        "rights that Notify had": not any(one.startswith("Notify: AWS itself needs") for one in found),
    }
    return {"findings": sorted(found), "missing": [wish for wish, there in wishes.items() if not there]}


def finds(*words: str) -> Callable[[Case, Observed], bool]:
    """Does a finding of the policy, or a wish that is missing, have these words?"""
    return lambda case, seen: any(
        all(word in one for word in words) for one in [*seen.value["findings"], *seen.value["missing"]]
    )


class Logs:
    """As much of boto3's client for CloudWatch Logs as a clean-up needs, with pages of a few groups."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names, self.calls = sorted(names), 0

    def describe_log_groups(self, *, nextToken: str = "0", logGroupNamePrefix: str = "") -> dict[str, Any]:
        """One page, and where the next one begins, if there is one."""
        self.calls += 1
        names = [name for name in self.names if name.startswith(logGroupNamePrefix)]
        start = int(nextToken)
        answer: dict[str, Any] = {"logGroups": [{"logGroupName": name} for name in names[start : start + PAGE]]}
        return {**answer, "nextToken": str(start + PAGE)} if start + PAGE < len(names) else answer


def remains(answer: Any, there: list[str], functions: list[str]) -> list[str]:
    """What the answer finds, in order."""
    found = answer(Logs(there), functions)
    return sorted(found)


def accounts() -> Sequence[Case]:
    """The cases of exercise 12.3."""
    ours = ["orderlab-place-order", "orderlab-relay"]

    def case(about: str, there: list[str], wanted: list[str]) -> Case:
        group = [f"/aws/lambda/{name}" for name in there]
        return Case(about, {"there": group, "functions": ours}, [f"/aws/lambda/{name}" for name in wanted])

    others = [f"billing-{letter}" for letter in "abcdefg"]
    return [
        case("two groups, both ours", ours, ours),
        case("nothing at all", [], []),
        case("a neighbour in the same account", [*ours, "orderlab-ann-relay", "orderlab-relay-2"], ours),
        case("a name in another one", ["my-orderlab-relay"], []),
        case("a full account", [*others, *ours], ours),
        case("a full account, without ours", others, []),
    ]


def fewer(case: Case, seen: Observed) -> bool:
    """Did it miss some, of an account with more than a page?"""
    return len(case.given["there"]) > PAGE and set(seen.value) < set(case.wanted)


def more(case: Case, seen: Observed) -> bool:
    """Did it take what is somebody else's?"""
    return bool(set(seen.value) - set(case.wanted))


EXERCISES = (
    Exercise(
        id="12.1",
        title="Twenty idle queues",
        cases=idle,
        observe=itself,
        tolerance=0.02,
        mistakes=(
            Mistake("One poller for each queue: Lambda keeps five of them.", about(dollars(QUEUES * POLLS / POLLERS))),
            Mistake("One request a second: a long poll of an empty queue lasts 20 seconds.",
                    about(dollars(QUEUES * POLLS * WAIT), dollars(QUEUES * POLLS * WAIT / POLLERS))),
            Mistake("That is one queue.", about(dollars(POLLS))),
            Mistake("That is the number of requests; the answer is wanted in dollars.", about(QUEUES * POLLS)),
            Mistake("That is one day.", about(dollars(QUEUES * POLLS * 24 / HOURS))),
        ),
        hints=(
            "How many long polls does one poller make in an hour?",
            "20 queues x 5 pollers x 730 hours x 3,600 seconds / 20 seconds, times the price.",
        ),
    ),
    Exercise(
        id="12.2",
        title="Mend the pull request",
        cases=lambda: [Case("the template with the pull request", {}, {"findings": [], "missing": []})],
        observe=reviewed,
        mistakes=(
            Mistake("mend must return the template.", finds("returned no template")),
            Mistake("The visibility timeout is six times the function's time-out, which is 30 s now.",
                    finds("ReserveStockMapping: its queue shows")),
            Mistake("Without a condition on aws:SourceArn any rule of any account may send.",
                    finds("lets any rule of any account")),
            Mistake("The queue's policy forgets a rule that sends to it: EventBridge may not deliver it.",
                    finds("ReviewQueue: its policy does not let")),
            Mistake("A queue has one policy: a second one overwrites the first.", finds("ReviewQueue: has 2 policies")),
            Mistake("The action is still a star: name what Notify does.",
                    finds("NotifyRole: may do", "*: name the actions")),
            Mistake("The resource is still a star: name the table.", finds("NotifyRole: may do", "name the resource")),
            Mistake("Notify reads one row of the catalogue: that takes dynamodb:GetItem on it, and nothing else.",
                    finds("other right for Notify")),
            Mistake("Notify may not read the catalogue now.", finds("Notify may read the catalogue")),
            Mistake("The log group has no end: RetentionInDays, 14 at most.", finds("is kept for ever")),
            Mistake("A log group that the stack does not have is made by Lambda, and stays when the stack goes.",
                    finds("log group that the stack does not own")),
            Mistake("It takes back what the team wants.", lambda case, seen: bool(seen.value["missing"])),
        ),
        hints=(
            "Ask the policy after each change: findings(mend(change(source()))).",
            "NotifyRole's new statement is its last one; the first one of ReviewQueuePolicy has the sources.",
            "ArnEquals names a list: append {'Fn::GetAtt': 'OrderPlacedRule.Arn'} to it.",
        ),
    ),
    Exercise(
        id="12.3",
        title="What is left?",
        cases=accounts,
        observe=remains,
        mistakes=(
            Mistake("It takes a neighbour's log group: a name that contains ours is not ours.", more),
            Mistake("It reads one page: there are more log groups where nextToken comes back.", fewer),
            Mistake("It never ends: give the nextToken of the last answer.",
                    lambda case, seen: seen.ended == "endless"),
            Mistake("The last page has no nextToken.",
                    lambda case, seen: seen.ended == "raised" and "nextToken" in seen.error[1]),
        ),
        hints=(
            "A list of wanted names: f'/aws/lambda/{name}' for each function.",
            "Call again with nextToken=page['nextToken'] for as long as a page has one.",
        ),
    ),
)  # fmt: skip


def share(seen: Any) -> str:
    """The option of prediction 12.B that the orders' share of the bill, 0 to 1, shows."""
    return "a" if seen > 0.8 else "b" if 0.3 < seen < 0.7 else "c" if seen < 0.1 else ""


def unneeded(seen: Any) -> str:
    """The option of prediction 12.A that the number of rights shows."""
    return "a" if seen == 0 else "b" if seen <= 3 else "c" if seen >= 10 else ""


PREDICTIONS = (
    Prediction(
        "12.A",
        "Rights that a calm day never uses",
        {"a": "none", "b": "one to three", "c": "ten or more"},
        unneeded,
    ),
    Prediction(
        "12.B",
        "The orders' share of the bill",
        {"a": "nearly all", "b": "about half", "c": "less than a tenth"},
        share,
    ),
    Prediction(
        "12.C",
        "A receipt while the stack goes",
        {"a": "the bucket goes with it", "b": "the deletion fails", "c": "AWS waits until the bucket is empty"},
        lambda failed: "b" if failed else "",
    ),
)
