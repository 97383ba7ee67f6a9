"""Answers to the exercises of lesson 12: further right ones, and one wrong one for each misconception of the lesson."""

from typing import Any

TABLE = {"Fn::GetAtt": "CatalogueTable.Arn"}
RULE = {"Fn::GetAtt": "OrderPlacedRule.Arn"}


def properties(template: Any, name: str) -> Any:
    """A resource's properties."""
    return template["Resources"][name]["Properties"]


def mended(
    template: Any, *, visible: int = 180, days: int = 7, action: Any = "dynamodb:GetItem", resource: Any = TABLE,
    policy: bool = True,
) -> Any:  # fmt: skip
    """The template mended, but for what is told otherwise."""
    properties(template, "StockQueue")["VisibilityTimeout"] = visible
    properties(template, "RelayLogs")["RetentionInDays"] = days
    reads = properties(template, "NotifyRole")["Policies"][0]["PolicyDocument"]["Statement"][-1]
    reads.update(Action=action, Resource=resource)
    if policy:
        sends = properties(template, "ReviewQueuePolicy")["PolicyDocument"]["Statement"][0]
        sends["Condition"]["ArnEquals"]["aws:SourceArn"].append(RULE)
    return template


def by_helper(template: Any) -> Any:
    """Right: in lists, and with logs for two weeks."""
    return mended(template, days=14, action=["dynamodb:GetItem"], resource=[TABLE], visible=200)


def as_long_as_the_function(template: Any) -> Any:
    """Wrong: the visibility timeout stays."""
    return mended(template, visible=30)


def six_times_before(template: Any) -> Any:
    """Wrong: six times the old time-out."""
    return mended(template, visible=60)


def forgets_the_policy(template: Any) -> Any:
    """Wrong: EventBridge may not send."""
    return mended(template, policy=False)


def from_anywhere(template: Any) -> Any:
    """Wrong: no condition at all."""
    mended(template, policy=False)
    del properties(template, "ReviewQueuePolicy")["PolicyDocument"]["Statement"][0]["Condition"]
    return template


def a_second_policy(template: Any) -> Any:
    """Wrong: a policy of its own for the rule."""
    mended(template)
    template["Resources"]["SecondPolicy"] = template["Resources"]["ReviewQueuePolicy"]
    return template


def all_actions(template: Any) -> Any:
    """Wrong: the star of the actions stays."""
    return mended(template, action="dynamodb:*")


def all_tables(template: Any) -> Any:
    """Wrong: the star of the resources stays."""
    return mended(template, resource="*")


def writes_too(template: Any) -> Any:
    """Wrong: more than Notify does."""
    return mended(template, action=["dynamodb:GetItem", "dynamodb:PutItem"])


def reads_nothing(template: Any) -> Any:
    """Wrong: the right, and what it is for, are taken away."""
    mended(template)
    properties(template, "NotifyRole")["Policies"][0]["PolicyDocument"]["Statement"].pop()
    del properties(template, "Notify")["Environment"]["Variables"]["CATALOGUE_TABLE"]
    return template


def logs_for_ever(template: Any) -> Any:
    """Wrong: logs without an end."""
    mended(template)
    del properties(template, "RelayLogs")["RetentionInDays"]
    return template


def no_log_group(template: Any) -> Any:
    """Wrong: Lambda will make one."""
    mended(template)
    del template["Resources"]["RelayLogs"]
    del properties(template, "Relay")["LoggingConfig"]
    role = properties(template, "RelayRole")["Policies"][0]["PolicyDocument"]
    role["Statement"] = [one for one in role["Statement"] if "RelayLogs" not in str(one)]
    return template


def taken_back(template: Any) -> Any:
    """Wrong: ReserveStock has no more time than before."""
    mended(template)
    properties(template, "ReserveStock")["Timeout"] = 10
    return template


def forgets_to_return(template: Any) -> None:
    """Wrong: changes the template and returns nothing."""
    mended(template)


def names(logs: Any) -> list[str]:
    """Every log group's name."""
    found, more = [], {}
    while True:
        page = logs.describe_log_groups(**more)
        found += [group["logGroupName"] for group in page["logGroups"]]
        if "nextToken" not in page:
            return found
        more = {"nextToken": page["nextToken"]}


def by_set(logs: Any, functions: list[str]) -> list[str]:
    """Right: whole names, of every page."""
    return sorted({f"/aws/lambda/{name}" for name in functions} & {*names(logs)})


def one_by_one(logs: Any, functions: list[str]) -> list[str]:
    """Right: asks for each by its prefix, and compares whole names."""
    found = []
    for wanted in (f"/aws/lambda/{name}" for name in functions):
        page = logs.describe_log_groups(logGroupNamePrefix=wanted)
        found += [one["logGroupName"] for one in page["logGroups"] if one["logGroupName"] == wanted]
    return found


def one_page(logs: Any, functions: list[str]) -> list[str]:
    """Wrong: whole names, of the first page."""
    wanted = {f"/aws/lambda/{name}" for name in functions}
    there = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    return [name for name in there if name in wanted]


def containing(logs: Any, functions: list[str]) -> list[str]:
    """Wrong: every page, and names that contain ours."""
    return [name for name in names(logs) if any(one in name for one in functions)]


def same_page(logs: Any, functions: list[str]) -> list[str]:
    """Wrong: asks for the first page again and again."""
    wanted, found = {f"/aws/lambda/{name}" for name in functions}, set()
    while "nextToken" in (page := logs.describe_log_groups()):
        found |= {group["logGroupName"] for group in page["logGroups"]} & wanted
    return sorted(found | ({group["logGroupName"] for group in page["logGroups"]} & wanted))


def always_a_token(logs: Any, functions: list[str]) -> list[str]:
    """Wrong: expects a token on the last page."""
    wanted, found, token = {f"/aws/lambda/{name}" for name in functions}, set(), "0"
    while token:
        page = logs.describe_log_groups(nextToken=token)
        found |= {group["logGroupName"] for group in page["logGroups"]} & wanted
        token = page["nextToken"]
    return sorted(found)


RIGHT: dict[str, list[Any]] = {
    "12.1": [5.26, 5.256, 20 * 5 * 730 * 3600 / 20 * 0.4 / 1e6],
    "12.2": [mended, by_helper],
    "12.3": [by_set, one_by_one],
}
WRONG: dict[str, list[tuple[Any, str]]] = {  # the answer, and words of the message that it must get
    "12.1": [
        (1.05, "One poller for each queue"),
        (105.12, "a long poll of an empty queue lasts 20 seconds"),
        (0.26, "That is one queue"),
        (13_140_000, "wanted in dollars"),
        (0.1728, "That is one day"),
    ],
    "12.2": [
        (as_long_as_the_function, "six times the function's time-out"),
        (six_times_before, "six times the function's time-out"),
        (forgets_the_policy, "forgets a rule"),
        (from_anywhere, "any rule of any account"),
        (a_second_policy, "a second one overwrites"),
        (all_actions, "The action is still a star"),
        (all_tables, "The resource is still a star"),
        (writes_too, "and nothing else"),
        (reads_nothing, "may not read the catalogue"),
        (logs_for_ever, "has no end"),
        (no_log_group, "stays when the stack goes"),
        (taken_back, "takes back"),
        (forgets_to_return, "must return the template"),
    ],
    "12.3": [
        (one_page, "reads one page"),
        (containing, "a neighbour's log group"),
        (same_page, "never ends"),
        (always_a_token, "has no nextToken"),
    ],
}
