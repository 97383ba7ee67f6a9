"""Exercise 12.2: what is still wrong with the mended pull request, by the project's policy and by what the team wants.

The policy reads rules that hold of every template. Here the mended one is held against the pull request, too: the team
gets what it wants, and nothing else has changed. Events are judged by where they go, whichever rule sends them there.
Taught in notebooks/12_ship_it.ipynb
"""

import copy
from collections.abc import Iterator
from typing import Any

from orderlab.course.answers.exercise import uncounted

READS = ("dynamodb:getitem", "${CatalogueTable.Arn}")  # IAM reads actions in any case
DAYS = {1, 3, 5, 7, 14}  # that CloudWatch Logs can keep a log, two weeks at most; PutRetentionPolicy
LONGEST = 43_200  # seconds: SQS hides no message for longer
TOUCHED = {"StockQueue": "VisibilityTimeout", "RelayLogs": "RetentionInDays", "NotifyRole": "Policies"}
ELSEWHERE = ("AWS::Events::Rule", "AWS::SQS::QueuePolicy")  # judged by what they do
OWN = {"aws:SourceAccount": "${AWS::AccountId}"}  # the one further condition that lets the rules in
EVENTS = [
    ("orders.api", "OrderPlaced", 850),
    ("orders.api", "OrderPlaced", 250_000),
    *[("orders.stock", name, 0) for name in ("StockReserved", "StockRejected", "StockReleased")],
    *[("orders.payment", name, 0) for name in ("PaymentCaptured", "PaymentDeclined", "PaymentRefunded")],
    *[("orders.settlement", name, 0) for name in ("OrderConfirmed", "OrderCancelled")],
]
Resources = dict[str, dict[str, Any]]
Review = dict[str, list[str]]


def reviewed(answer: Any) -> Review:
    """What is wrong with the template that `answer` mends, and what of the team's wishes is missing from it."""
    with uncounted():
        from orderlab.course.broken.pull_request import change
        from orderlab.ops.policy import source

        template = change(source())
        shown = copy.deepcopy(template)
    mended = answer(template)
    with uncounted():
        if not isinstance(mended, dict) or "Resources" not in mended:
            return {"missing": [], "findings": ["mend returned no template"]}
        try:
            return judged(shown, mended)
        except Exception as error:  # whatever the policy, or SAM's translator, stumbles over
            return {"missing": [], "findings": [f"it cannot be read any more ({type(error).__name__}: {error})"]}


def judged(shown: Any, mended: Any) -> Review:
    """The same of a mended template, beside the one that was shown."""
    from orderlab.ops.policy import findings
    from orderlab.ops.policy.template import settle, translate

    was, now = (settle(translate(one))["Resources"] for one in (shown, mended))
    own = [*numbers(now), *altered(was, now), *narrowed(now), *powers(was, now)]
    if own and own[0].endswith("is a whole number"):
        return {"missing": [], "findings": own}  # the policy cannot count with it
    return {"missing": missing(was, now), "findings": [*own, *sorted(findings(mended, settings=({},)))]}


def numbers(now: Resources) -> Iterator[str]:
    """The two numbers, which AWS takes only if it knows them."""
    visible = now["StockQueue"]["Properties"].get("VisibilityTimeout", 30)
    days = now.get("RelayLogs", {"Properties": {}})["Properties"].get("RetentionInDays", 14)
    for name, number in (("VisibilityTimeout", visible), ("RetentionInDays", days)):
        if type(number) is not int:
            yield f"{name} {number!r}: it is a whole number"
    if type(visible) is int and visible > LONGEST:
        yield f"StockQueue: SQS hides no message for {visible} s, and {LONGEST} at most"
    if type(days) is int and 0 < days < 14 and days not in DAYS:
        yield f"RelayLogs: CloudWatch Logs knows no {days} days; it knows 1, 3, 5, 7 and 14"


def altered(was: Resources, now: Resources) -> Iterator[str]:
    """Resources that are not as they were, beside what had to be mended."""
    for name in sorted({*was, *now}):
        before, after = ({} if one is None else _rest(name, one) for one in (was.get(name), now.get(name)))
        if before != after:
            what = "changed" if before and after else "taken away" if before else "added"
            yield f"{name}: {what}, which nobody asked for"


def _rest(name: str, resource: dict[str, Any]) -> dict[str, Any]:
    """A resource without the place that had to be mended; nothing of those that are judged by what they do."""
    if resource["Type"] in ELSEWHERE:
        return {}
    kept = {key: value for key, value in resource.get("Properties", {}).items() if key != TOUCHED.get(name)}
    return {"Type": resource["Type"], "Properties": {**kept, "Timeout": 0} if name == "ReserveStock" else kept}


def narrowed(now: Resources) -> Iterator[str]:
    """Conditions that keep out whom they should let in."""
    for name, resource in now.items():
        if resource["Type"] == "AWS::SQS::QueuePolicy":
            for one in resource["Properties"]["PolicyDocument"]["Statement"]:
                other = {key: value for test in one.get("Condition", {}).values() for key, value in test.items()}
                other.pop("aws:SourceArn", None)
                if one["Effect"] == "Allow" and other not in ({}, OWN):
                    yield f"{name}: a condition on {', '.join(sorted(other))} may keep EventBridge out"
                if one["Effect"] == "Deny" and "aws:SecureTransport" not in other:
                    yield f"{name}: it denies what should be let in"


def powers(was: Resources, now: Resources) -> Iterator[str]:
    """What Notify may do more than it needs, and what stands in its way."""
    role = now["NotifyRole"]["Properties"]
    statements = [one for policy in role["Policies"] for one in _listed(policy["PolicyDocument"]["Statement"])]
    for word, named in (("Condition", "has a condition"), ("Deny", "denies")):
        if any(word in one or one["Effect"] == word for one in statements):
            yield f"NotifyRole: it {named}, and Notify may be refused"
    for action, resource in sorted(_rights(now) - _rights(was) - {READS}):
        yield f"NotifyRole: {action} on {resource} is more than Notify needs"


def missing(was: Resources, now: Resources) -> list[str]:
    """What the team wants, or had, and does not get."""
    routes = [(before, after) for before, after in zip(_routes(was), _routes(now), strict=True) if before != after]
    told = now.get("Notify", {"Properties": {}})["Properties"].get("Environment", {}).get("Variables", {})
    wishes = {
        "30 s for ReserveStock": now["ReserveStock"]["Properties"]["Timeout"] == 30,
        "every placed order in the review queue": not any("${ReviewQueue.Arn}" in a - b for a, b in routes),
        "every event where it went": not any((a ^ b) - {"${ReviewQueue.Arn}"} or b - a for a, b in routes),
        "the catalogue's name for Notify": told.get("CATALOGUE_TABLE") == "${CatalogueTable}",
        "Notify may read the catalogue": READS in _rights(now),
        "rights that Notify had": _rights(was) - {("dynamodb:*", "*")} <= _rights(now),
    }
    return [wish for wish, there in wishes.items() if not there]


def _routes(resources: Resources) -> list[set[str]]:
    """For each event of EVENTS where it goes: the targets, by ARN, and with what is told them instead of it."""
    from orderlab.cloud.rules import matches

    rules = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::Events::Rule"]
    found = []
    for source, name, total in EVENTS:
        event = {"source": source, "detail-type": name, "detail": {"version": "1", "total": total}}
        found.append({
            " ".join([one["Arn"], *(f"{key} {one[key]}" for key in one if key.startswith("Input"))])
            for rule in rules if rule.get("State") != "DISABLED" and matches(rule["EventPattern"], event)
            for one in rule["Targets"]
        })  # fmt: skip
    return found


def _rights(resources: Resources) -> set[tuple[str, str]]:
    from orderlab.ops.policy.rights import rights

    return {(action.lower(), resource) for action, resource in rights(resources["NotifyRole"]["Properties"])}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
