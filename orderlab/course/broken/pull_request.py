"""A pull request to the template with four mistakes that real ones have; the project's policy names each.

What the team wants is right: ReserveStock may take longer, a person gets every order that is placed to look at, Notify
may look up an article, and Relay's log is kept for a while. How it is done is not.

Taught in notebooks/12_ship_it.ipynb
"""

from typing import Any

Template = dict[str, Any]
REVIEW = {
    "Id": "review",
    "Arn": {"Fn::GetAtt": "ReviewQueue.Arn"},
    "RetryPolicy": {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185},
    "DeadLetterConfig": {"Arn": {"Fn::GetAtt": "UndeliveredQueue.Arn"}},
}


def change(template: Template) -> Template:
    """Big orders, reviews and article names: the template with the pull request in it."""
    of = {name: one.setdefault("Properties", {}) for name, one in template["Resources"].items()}
    of["ReserveStock"]["Timeout"] = 30
    of["StockQueue"]["VisibilityTimeout"] = 30  # the message comes back when the function is over
    of["OrderPlacedRule"]["Targets"].append(REVIEW)
    of["Notify"]["Environment"]["Variables"]["CATALOGUE_TABLE"] = {"Ref": "CatalogueTable"}
    reads = {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}  # so that it just works
    of["NotifyRole"]["Policies"][0]["PolicyDocument"]["Statement"].append(reads)
    del of["RelayLogs"]["RetentionInDays"]  # we may need them
    return template
