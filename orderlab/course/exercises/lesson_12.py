"""The predictions and exercises of lesson 12: what idle queues cost, a pull request to mend, what a clean-up leaves.

Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Sequence
from typing import Any

from orderlab.course.answers.exercise import Case, Exercise, Mistake, Shows, itself
from orderlab.course.answers.predictions import Prediction
from orderlab.ops.bill.facts import HOURS, POLLERS, POLLS, WAIT
from orderlab.ops.prices import price

from . import log_groups
from .log_groups import accounts, remains
from .mending import reviewed

QUEUES = 20  # of exercise 12.1


def dollars(polls: float) -> float:
    """US dollars for so many requests to SQS."""
    return price("sqs-request").of(polls)


def idle() -> Sequence[Case]:
    """The one case of exercise 12.1."""
    return [Case("twenty queues, nothing in them", {}, round(dollars(QUEUES * POLLS), 2))]


def about(*numbers: float) -> Shows:
    """Is the answer one of these, give or take 1.5 %, or half a cent?"""
    return lambda case, seen: any(abs(seen.value - number) <= max(0.015 * number, 0.005) for number in numbers)


def either(*shown: Shows) -> Shows:
    """Does a case show one of these?"""
    return lambda case, seen: any(one(case, seen) for one in shown)


def finds(*words: str) -> Shows:
    """Does a finding of the policy, or a wish that is missing, have these words?"""
    return lambda case, seen: any(
        all(word in one for word in words) for one in [*seen.value["findings"], *seen.value["missing"]]
    )


EXERCISES = (
    Exercise(
        id="12.1",
        title="Twenty idle queues",
        cases=idle,
        observe=itself,
        tolerance=0.005,
        mistakes=(
            Mistake("One poller for each queue: Lambda keeps five of them.", about(dollars(QUEUES * POLLS / POLLERS))),
            Mistake("One request a second: a long poll of an empty queue lasts 20 seconds.",
                    about(dollars(QUEUES * POLLS * WAIT), dollars(QUEUES * POLLS * WAIT / POLLERS))),
            Mistake("That is one queue.", about(dollars(POLLS))),
            Mistake("That is the number of requests; the answer is wanted in dollars.",
                    about(QUEUES * POLLS, POLLS)),
            Mistake("That is one day.", about(dollars(QUEUES * POLLS * 24 / HOURS))),
            Mistake("That is a year.", about(dollars(QUEUES * POLLS * 12))),
            Mistake("That is the bill's three queues.", about(dollars(3 * POLLS))),
            Mistake("That is in cents; the answer is wanted in dollars.", about(100 * dollars(QUEUES * POLLS))),
            Mistake("Nearly: not to the cent, or for a month of 30 or 31 days. This one has 730 hours.",
                    about(*(dollars(QUEUES * POLLS * hours / HOURS) for hours in (672, 720, 730, 744)))),
            Mistake("A number is wanted, without quotes, brackets or a unit.",
                    lambda case, seen: type(seen.value) not in (int, float)),
            Mistake("That is too little.", lambda case, seen: seen.value < case.wanted),
            Mistake("That is too much.", lambda case, seen: seen.value > case.wanted),
        ),
        hints=(
            "How many long polls does one poller make in an hour?",
            "20 queues x 5 pollers x 730 hours x 3,600 seconds / 20 seconds, times the price.",
        ),
    ),
    Exercise(
        id="12.2",
        title="Mend the pull request",
        cases=lambda: [Case("the template with the pull request", {}, {"missing": [], "findings": []})],
        observe=reviewed,
        mistakes=(
            Mistake("mend must return the template.", finds("returned no template")),
            Mistake("A resource has lost a part, or has another shape: undo the last change, and make it smaller.",
                    finds("cannot be read any more")),
            Mistake("A time-out in seconds and a number of days are whole numbers, without quotes.",
                    finds("it is a whole number")),
            Mistake("The visibility timeout is six times the function's time-out, which is 30 s now.",
                    finds("ReserveStockMapping: its queue shows")),
            Mistake("Without a condition on aws:SourceArn any rule of any account may send.",
                    finds("lets any rule of any account")),
            Mistake("The queue's policy forgets a rule that sends to it: EventBridge may not deliver it.",
                    finds("ReviewQueue: its policy does not let")),
            Mistake("A queue has one policy: a second one overwrites the first.", finds("ReviewQueue: has 2 policies")),
            Mistake("The action is still a star, or all but something: name what Notify does.",
                    finds("NotifyRole: may do", "*: name the actions")),
            Mistake("The resource is still a star, or all but something: name the table.",
                    finds("NotifyRole: may do", "on *: name the resource")),
            Mistake("The resource is no ARN of the stack: {'Fn::GetAtt': 'CatalogueTable.Arn'} is the table's.",
                    finds("NotifyRole: may do", "name the resource")),
            Mistake("Notify reads one row of the catalogue: that takes dynamodb:GetItem on it, and nothing else.",
                    finds("is more than Notify needs")),
            Mistake("Notify needs the rights that it had: add to its role, and take away only the star.",
                    finds("rights that Notify had")),
            Mistake("Notify may not read the catalogue now.", finds("Notify may read the catalogue")),
            Mistake("Notify may be refused now: it needs no condition and nothing denied.", finds("may be refused")),
            Mistake("The queue would keep EventBridge out: a condition on aws:SourceArn is enough.",
                    finds("may keep EventBridge out")),
            Mistake("The queue would keep EventBridge out: it denies what it allows.", finds("denies what should")),
            Mistake("The queue lets somebody else send, too: name the rules that send to it, and no others.",
                    either(finds("its policy lets"), finds("more than EventBridge"))),
            Mistake("The log group has no end, or is kept for longer than 14 days: RetentionInDays.",
                    finds("is kept for")),
            Mistake("CloudWatch Logs knows only some numbers of days, such as 1, 3, 5, 7 and 14.",
                    finds("CloudWatch Logs knows no")),
            Mistake("SQS hides a message for 43,200 seconds at most.", finds("SQS hides no message")),
            Mistake("A log group that the stack does not have is made by Lambda, and stays when the stack goes.",
                    finds("log group that the stack does not own")),
            Mistake("It takes back what the team wants.", lambda case, seen: bool(seen.value["missing"])),
            Mistake("It changes more than the four mistakes.", finds("which nobody asked for")),
            Mistake("The policy still finds something.", lambda case, seen: bool(seen.value["findings"])),
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
            Mistake("It returns nothing: end with return.",
                    lambda case, seen: seen.ended == "returned" and seen.value is None),
            Mistake("It changes the list of functions that it is given: make a list of your own.",
                    lambda case, seen: str(seen.value).startswith("functions has become")),
            Mistake("A list of names is wanted, each a text such as '/aws/lambda/orderlab-relay'.",
                    log_groups.nameless),
            Mistake("Those are functions; their log groups' whole names are wanted.", log_groups.bare),
            Mistake("It names what is not there: look, and do not guess.", log_groups.unseen),
            Mistake("It names one twice.", log_groups.twice),
            Mistake("It takes a neighbour's log group: a name that contains ours, or looks like it, is not ours.",
                    log_groups.more),
            Mistake("It stops too early: there are more log groups as long as nextToken comes back.",
                    log_groups.fewer),
            Mistake("Two things are wrong at once: mend one, and the check will name the other.",
                    either(log_groups.more, log_groups.fewer)),
            Mistake("It misses log groups that are there.",
                    lambda case, seen: seen.ended == "returned" and set(seen.value) < set(case.wanted)),
            Mistake("It never ends: give the nextToken of the last answer.",
                    lambda case, seen: seen.ended == "endless"),
            Mistake("The last page has no nextToken.",
                    lambda case, seen: seen.ended == "raised" and seen.error == ("KeyError", "'nextToken'")),
            Mistake("The first call has no nextToken, and each later one has the last answer's, as it came.",
                    lambda case, seen: any(word in seen.error[1] for word in ("parameter nextToken", "The specified"))),
        ),
        hints=(
            "A list of wanted names: f'/aws/lambda/{name}' for each function.",
            "Call again with nextToken=page['nextToken'] for as long as a page has one; or take boto3's get_paginator.",
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
        lambda failed: "b" if type(failed) is int else "",  # 0 on an account where nobody writes just then
    ),
)
