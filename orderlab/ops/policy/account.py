"""The policy for what concerns the account: nothing account-wide, nothing that tells on people, nothing without end.

Taught in notebooks/12_ship_it.ipynb
"""

import json
import re
from collections.abc import Iterator

from .template import Resources, as_list, named, of_type

ACCOUNT_WIDE = {  # there is one of each in an account and region, and others use it too
    "AWS::AccessAnalyzer::Analyzer",
    "AWS::ApiGateway::Account",
    "AWS::CE::AnomalyMonitor",
    "AWS::CloudTrail::Trail",
    "AWS::Config::ConfigurationRecorder",
    "AWS::GuardDuty::Detector",
    "AWS::IAM::ServiceLinkedRole",
    "AWS::Logs::AccountPolicy",
    "AWS::Logs::ResourcePolicy",
    "AWS::S3::StorageLens",
    "AWS::SecurityHub::Hub",
    "AWS::XRay::ResourcePolicy",
    "AWS::XRay::SamplingRule",
}
TELLING = ("identity", "apiKey", "authorizer", "input", "body", "header", "querystring", '$context.path"')
LONGEST_LOG = 14  # days
SHOWN = ("AWS::SQS::Queue", "AWS::Lambda::Function")  # what a dashboard of the whole system must not forget
NAMES = {  # properties that are the name of a thing in the account, where another learner may have one
    "AlarmName", "ArchiveName", "BucketName", "BudgetName", "DashboardName", "FunctionName", "LogGroupName",
    "QueueName", "RoleName", "ServerlessCacheName", "StateMachineName", "TableName", "UsagePlanName",
}  # fmt: skip
CALLED = ("AWS::ApiGateway::ApiKey", "AWS::ApiGateway::RestApi", "AWS::Events::EventBus", "AWS::Events::Rule")  # Name
NO_REGION = {"DashboardName", "BudgetName"}  # of the account, whatever the region
FREE_METRICS = 50  # of a dashboard that costs nothing; CloudWatch pricing, November 2026


def check_account(resources: Resources) -> Iterator[str]:
    """Every finding about settings of the account, access logs, the dashboard and the budget."""
    for name, resource in resources.items():
        if resource["Type"] in ACCOUNT_WIDE or resource["Type"].startswith("AWS::Organizations::"):
            yield f"{name}: is a setting of the whole account, which others use too: no stack of a lab may change it"
        if resource.get("DeletionPolicy", "Delete") != "Delete":
            yield f"{name}: would be left behind by a lab that is deleted (DeletionPolicy)"
    for name, group in of_type(resources, "AWS::Logs::LogGroup").items():
        days = group.get("RetentionInDays", 0)
        if not 0 < days <= LONGEST_LOG:
            how_long = f"{days} days, and {LONGEST_LOG} at most" if days else "ever"
            yield f"{name}: is kept for {how_long} (RetentionInDays)"
    yield from _names(resources)
    yield from _access_logs(resources)
    yield from _dashboards(resources)
    yield from _budgets(resources)


def _names(resources: Resources) -> Iterator[str]:
    """Two learners share an account, and one learner has stacks in two regions."""
    for name, resource in resources.items():
        properties = resource.get("Properties", {})
        for key, value in {**properties, **properties.get("Budget", {})}.items():
            own = key in NAMES or (key == "Name" and resource["Type"] in CALLED)
            if not own or not isinstance(value, str) or named(value) in resources:
                continue  # a reference is the name that another resource has
            if "${NamePrefix}-" not in value:
                yield f"{name}: is called {value} for every learner of the account ({key})"
            elif key in NO_REGION and "${AWS::Region}" not in value:
                yield f"{name}: is called the same in every region of the account, and there is but one ({key})"


def _access_logs(resources: Resources) -> Iterator[str]:
    for name, stage in of_type(resources, "AWS::ApiGateway::Stage").items():
        setting = stage.get("AccessLogSetting")
        if setting is None:
            continue
        group = named(setting.get("DestinationArn", "").rpartition("log-group:")[2])
        if resources.get(group, {}).get("Type") != "AWS::Logs::LogGroup":
            yield f"{name}: its access log goes to a log group that the stack does not own"
        told = [word for word in TELLING if word in setting.get("Format", "")]
        if told:
            yield f"{name}: its access log tells of people and what they sent: {', '.join(told)}"
        if not _is_json(setting.get("Format", "")):
            yield f"{name}: a line of its access log is no JSON"


def _dashboards(resources: Resources) -> Iterator[str]:
    for name, dashboard in of_type(resources, "AWS::CloudWatch::Dashboard").items():
        if not _is_json(dashboard["DashboardBody"]):
            yield f"{name}: its body is no JSON"
            continue
        widgets = json.loads(dashboard["DashboardBody"])["widgets"]
        metrics = [metric for widget in widgets for metric in widget["properties"].get("metrics", [])]
        if len(metrics) > FREE_METRICS:
            yield f"{name}: shows {len(metrics)} metrics; with more than {FREE_METRICS} a dashboard is never free"
        shown = set(re.findall(r"\$\{(\w+)", dashboard["DashboardBody"]))
        watched = {n for n, r in resources.items() if r["Type"] in SHOWN and "Condition" not in r}
        for missing in sorted(watched - shown):
            yield f"{name}: does not show {missing}"


def _budgets(resources: Resources) -> Iterator[str]:
    for name, budget in of_type(resources, "AWS::Budgets::Budget").items():
        told = budget.get("NotificationsWithSubscribers", [])
        if not any(subscriber.get("Address") for notice in told for subscriber in as_list(notice["Subscribers"])):
            yield f"{name}: tells nobody (NotificationsWithSubscribers)"
        if "BudgetLimit" not in budget["Budget"]:
            yield f"{name}: has no limit, so nothing is ever above it"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
