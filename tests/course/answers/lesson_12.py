"""Answers to the exercises of lesson 12: further right ones, and one wrong one for each misconception of the lesson."""

from typing import Any

from orderlab.ops.policy import findings, source

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


def by_further_statements(template: Any) -> Any:
    """Right: a statement more, in both policies, one of them alone in a policy of its own."""
    mended(template, policy=False)
    policies = properties(template, "NotifyRole")["Policies"]
    reads = policies[0]["PolicyDocument"]["Statement"].pop()
    policies.append({"PolicyName": "article", "PolicyDocument": {"Version": "2012-10-17", "Statement": reads}})
    sends = properties(template, "ReviewQueuePolicy")["PolicyDocument"]["Statement"]
    ours = {"ArnLike": {"aws:SourceArn": RULE}, "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    sends.append({**sends[0], "Action": ["sqs:SendMessage"], "Condition": ours})
    sends[-1]["Principal"] = {"Service": ["events.amazonaws.com"]}
    return template


def by_one_rule(template: Any) -> Any:
    """Right: the review rule takes every order, so that no big one comes twice."""
    mended(template, policy=False)
    properties(template, "OrderPlacedRule")["Targets"].pop()
    del properties(template, "ReviewRule")["EventPattern"]["detail"]
    return template


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


def all_but(template: Any) -> Any:
    """Wrong: all actions but one."""
    mended(template)
    reads = properties(template, "NotifyRole")["Policies"][0]["PolicyDocument"]["Statement"][-1]
    reads["NotAction"] = "dynamodb:DeleteTable"
    del reads["Action"]
    return template


def all_but_a_table(template: Any) -> Any:
    """Wrong: every resource but one."""
    mended(template)
    reads = properties(template, "NotifyRole")["Policies"][0]["PolicyDocument"]["Statement"][-1]
    reads["NotResource"] = reads.pop("Resource")
    return template


def star_in_a_list(template: Any) -> Any:
    """Wrong: the star stands beside the right action."""
    return mended(template, action=["dynamodb:GetItem", "dynamodb:*"])


def by_name(template: Any) -> Any:
    """Wrong: a name instead of an ARN."""
    return mended(template, resource="CatalogueTable")


def writes_elsewhere(template: Any) -> Any:
    """Wrong: another table's variable, so that the policy says nothing of it."""
    mended(template, resource=[TABLE, {"Fn::GetAtt": "OrdersTable.Arn"}])
    properties(template, "Notify")["Environment"]["Variables"]["ORDERS_TABLE"] = {"Ref": "OrdersTable"}
    return template


def forgets_its_record(template: Any) -> Any:
    """Wrong: Notify may no longer delete its record after a failure."""
    mended(template)
    properties(template, "NotifyRole")["Policies"][0]["PolicyDocument"]["Statement"][1]["Action"] = "dynamodb:PutItem"
    return template


def under_a_condition(template: Any) -> Any:
    """Wrong: a condition that is never true."""
    mended(template)
    never = {"StringEquals": {"aws:RequestedRegion": "nowhere"}}
    properties(template, "NotifyRole")["Policies"][0]["PolicyDocument"]["Statement"][-1]["Condition"] = never
    return template


def from_another_account(template: Any) -> Any:
    """Wrong: the queue's policy asks for an account that nobody is in."""
    mended(template)
    sends = properties(template, "ReviewQueuePolicy")["PolicyDocument"]["Statement"][0]
    sends["Condition"]["StringEquals"] = {"aws:SourceAccount": "1"}
    return template


def denied(template: Any) -> Any:
    """Wrong: the queue denies to all."""
    mended(template)
    statements = properties(template, "ReviewQueuePolicy")["PolicyDocument"]["Statement"]
    statements.append({**statements[1], "Condition": {"Bool": {"aws:PrincipalIsAWSService": "true"}}})
    return template


def any_source(template: Any) -> Any:
    """Wrong: a star among the sources."""
    mended(template)
    sends = properties(template, "ReviewQueuePolicy")["PolicyDocument"]["Statement"][0]
    sends["Condition"]["ArnEquals"]["aws:SourceArn"].append("*")
    return template


def ten_days(template: Any) -> Any:
    """Wrong: a number that CloudWatch Logs does not know."""
    return mended(template, days=10)


def a_text(template: Any) -> Any:
    """Wrong: a number in quotes."""
    return mended(template, visible="180")  # type: ignore[arg-type]


def for_a_day(template: Any) -> Any:
    """Wrong: longer than SQS can."""
    return mended(template, visible=86_400)


def no_deliveries(template: Any) -> Any:
    """Wrong: a disabled rule sends nothing, to anybody."""
    mended(template)
    properties(template, "OrderPlacedRule")["State"] = "DISABLED"
    return template


def without_the_table(template: Any) -> Any:
    """Wrong: what does not exist needs no rights."""
    mended(template)
    del template["Resources"]["CatalogueTable"]
    return template


def without_a_policy(template: Any) -> Any:
    """Wrong: the queue has none."""
    mended(template)
    del template["Resources"]["ReviewQueuePolicy"]
    return template


def the_old_one(template: Any) -> Any:
    """Wrong: the template without the pull request."""
    return source()


def what_is_found(template: Any) -> Any:
    """Wrong: the findings, instead of the template."""
    return findings(mended(template), settings=({},))


def a_part(template: Any) -> Any:
    """Wrong: something is left of it."""
    mended(template)
    return {"Resources": template["Resources"]}


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


def by_paginator(logs: Any, functions: list[str]) -> Any:
    """Right: boto3's own loop, as a generator."""
    for page in logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix="/aws/lambda/"):
        for group in page["logGroups"]:
            if group["logGroupName"].removeprefix("/aws/lambda/") in functions:
                yield group["logGroupName"]


def by_search(logs: Any, functions: list[str]) -> Any:
    """Right: a set, by the paginator's search."""
    pages = logs.get_paginator("describe_log_groups").paginate(PaginationConfig={"PageSize": 2})
    return {*pages.search("logGroups[].logGroupName")} & {f"/aws/lambda/{name}" for name in functions}


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
    wanted, found, page = {f"/aws/lambda/{name}" for name in functions}, set(), logs.describe_log_groups()
    while True:
        found |= {group["logGroupName"] for group in page["logGroups"]} & wanted
        page = logs.describe_log_groups(nextToken=page["nextToken"])


def no_token_at_first(logs: Any, functions: list[str]) -> list[str]:
    """Wrong: boto3 refuses None."""
    return [group["logGroupName"] for group in logs.describe_log_groups(nextToken=None)["logGroups"]]


def guesses_a_token(logs: Any, functions: list[str]) -> list[str]:
    """Wrong: a token is whatever AWS says."""
    return [group["logGroupName"] for group in logs.describe_log_groups(nextToken="0")["logGroups"]]


def three_pages(logs: Any, functions: list[str]) -> list[str]:
    """Wrong: as many pages as the author's account has."""
    found, page = [], logs.describe_log_groups()
    for _ in range(3):
        found += [group["logGroupName"] for group in page["logGroups"]]
        page = logs.describe_log_groups(nextToken=page["nextToken"]) if "nextToken" in page else {"logGroups": []}
    return [name for name in found if name in {f"/aws/lambda/{one}" for one in functions}]


def as_given(logs: Any, functions: list[str]) -> list[str]:
    """Wrong: what the exercise gives."""
    there = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    return [name for name in there if any(one in name for one in functions)]


def in_any_case(logs: Any, functions: list[str]) -> list[str]:
    """Wrong: AWS's names differ by their case."""
    return [name for name in names(logs) if name.lower() in {f"/aws/lambda/{one}" for one in functions}]


def by_last_part(logs: Any, functions: list[str]) -> list[str]:
    """Wrong: what stands before it belongs to the name."""
    return [name for name in names(logs) if name.rpartition("/")[2] in functions]


def guesses(logs: Any, functions: list[str]) -> list[str]:
    """Wrong: never looks."""
    return [f"/aws/lambda/{name}" for name in functions]


def all_or_nothing(logs: Any, functions: list[str]) -> list[str]:
    """Wrong: nothing, unless all are there."""
    found = by_set(logs, functions)
    return found if len(found) == len(functions) else []


def tells_functions(logs: Any, functions: list[str]) -> list[str]:
    """Wrong: the functions' names."""
    return [name.rpartition("/")[2] for name in by_set(logs, functions)]


def counts(logs: Any, functions: list[str]) -> int:
    """Wrong: how many."""
    return len(by_set(logs, functions))


def maps(logs: Any, functions: list[str]) -> dict[str, bool]:
    """Wrong: a dict."""
    return dict.fromkeys(by_set(logs, functions), True)


def prints(logs: Any, functions: list[str]) -> None:
    """Wrong: prints them."""
    print(by_set(logs, functions))


def doubles(logs: Any, functions: list[str]) -> list[str]:
    """Wrong: each one twice."""
    return by_set(logs, functions) * 2


def renames(logs: Any, functions: list[str]) -> list[str]:
    """Wrong: its caller's list is another one afterwards."""
    functions[:] = [f"/aws/lambda/{name}" for name in functions]
    return [name for name in names(logs) if name in functions]


RIGHT: dict[str, list[Any]] = {
    "12.1": [5.26, 5.256, 20 * 5 * 730 * 3600 / 20 * 0.4 / 1e6],
    "12.2": [mended, by_helper, by_further_statements, by_one_rule],
    "12.3": [by_set, one_by_one, by_paginator, by_search],
}
WRONG: dict[str, list[tuple[Any, str]]] = {  # the answer, and words of the message that it must get
    "12.1": [
        (1.05, "One poller for each queue"),
        (105.12, "a long poll of an empty queue lasts 20 seconds"),
        (0.26, "That is one queue"),
        (13_140_000, "wanted in dollars"),
        (657_000, "wanted in dollars"),
        (525.6, "in cents"),
        (0.1728, "That is one day"),
        (0.17, "That is one day"),
        (63.07, "That is a year"),
        (0.79, "three queues"),
        (5.3, "not to the cent"),
        (5.25, "not to the cent"),
        (5.18, "This one has 730 hours"),
        ("5.26", "without quotes"),
        ([5.26], "without quotes"),
        (0, "too little"),
        (26.28, "too much"),
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
        (what_is_found, "must return the template"),
        (a_part, "has lost a part"),
        (the_old_one, "may not read the catalogue"),
        (all_but, "all but something: name what Notify does"),
        (all_but_a_table, "all but something: name the table"),
        (star_in_a_list, "The action is still a star"),
        (by_name, "no ARN of the stack"),
        (writes_elsewhere, "and nothing else"),
        (forgets_its_record, "the rights that it had"),
        (under_a_condition, "no condition and nothing denied"),
        (from_another_account, "a condition on aws:SourceArn is enough"),
        (denied, "it denies what it allows"),
        (any_source, "somebody else send, too"),
        (ten_days, "1, 3, 5, 7 and 14"),
        (a_text, "without quotes"),
        (for_a_day, "43,200 seconds at most"),
        (no_deliveries, "takes back"),
        (without_the_table, "more than the four mistakes"),
        (without_a_policy, "still finds something"),
    ],
    "12.3": [
        (one_page, "stops too early"),
        (three_pages, "stops too early"),
        (as_given, "Two things are wrong at once"),
        (in_any_case, "a neighbour's log group"),
        (by_last_part, "a neighbour's log group"),
        (guesses, "do not guess"),
        (all_or_nothing, "misses log groups"),
        (tells_functions, "Those are functions"),
        (counts, "A list of names is wanted"),
        (maps, "A list of names is wanted"),
        (prints, "It returns nothing"),
        (doubles, "names one twice"),
        (renames, "changes the list of functions"),
        (no_token_at_first, "The first call has no nextToken"),
        (guesses_a_token, "The first call has no nextToken"),
        (containing, "a neighbour's log group"),
        (same_page, "never ends"),
        (always_a_token, "has no nextToken"),
    ],
}
