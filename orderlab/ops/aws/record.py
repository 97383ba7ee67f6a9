"""What AWS answered, line by line in a file, for the comparison with what this course says that it answers.

A line is one answer: the operation, the status and the answer's members. Whoever reads it learns nothing of the
account: its digits become those of AWS's examples, what names a person, a key or a secret is left out, and of a list of
everything in the account only what carries our prefix is kept: a function of somebody else's may have a password among
its variables. Nothing of a request is kept.
"""

import json
import re
from pathlib import Path
from typing import Any

from orderlab.installing import Problem

EXAMPLE = "111122223333"
HIDDEN = re.compile(
    r"(?i:Credentials|Owner|.*Secret.*|.*Password.*|value|.*Token|AccessKeyId|HTTPHeaders|TemplateBody|Body"
    r"|Environment|AssumeRolePolicyDocument)"
    r"|(?!LogicalResourceId|PhysicalResourceId|StackId|ChangeSetId|EventId)(.*[a-z])?Id|id|UUID"
)
OURS_OR_HIDDEN = re.compile("PhysicalResourceId|OutputValue")  # an id, unless the template gave the name
# Answers that list what anybody has in the account; a test holds that each list of the proof is here.
WHOLE_ACCOUNT = {
    "DescribeAlarms", "DescribeBudgets", "DescribeLogGroups", "DescribeServerlessCaches", "DescribeStacks",
    "GetApiKeys", "GetResources", "GetRestApis", "GetUsagePlans", "ListArchives", "ListBuckets", "ListDashboards",
    "ListEventBuses", "ListEventSourceMappings", "ListFunctions", "ListQueues", "ListRoles", "ListStateMachines",
    "ListTables", "ListTopics",
}  # fmt: skip
MASKS = (
    (re.compile(r"\b(AKIA|ASIA|AIDA|AROA)[A-Z0-9]{12,}\b"), "KEY"),
    (re.compile(r"(arn:[\w-]+:(?:iam|sts)::\d*:(?:user|assumed-role|federated-user)/)[^\s\"',]+"), r"\1somebody"),
    (re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+"), "somebody@example.com"),
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "UUID"),
    (re.compile(r"\b\w{10}(?=\.execute-api\.)"), "API"),
    (re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])"), EXAMPLE),
)


class Record:
    """A file of answers, to whose end they are written. Raises Problem when it cannot be written."""

    def __init__(self, path: Path, prefix: str = "orderlab") -> None:
        self.path, self.ours = path, re.compile(rf"(?<![\w-]){re.escape(prefix)}(?=[-/:.\"]|$)")
        try:
            path.open("a", encoding="utf-8").close()
        except OSError as error:
            raise Problem(f"--record {path} cannot be written ({error.strerror}): name another file") from None

    def listen(self, client: Any) -> None:
        """Write down every answer that this client gets."""
        client.meta.events.register("after-call", self._answered)

    def _answered(self, http_response: Any, parsed: Any, model: Any, **_: Any) -> None:
        told = {key: value for key, value in parsed.items() if key != "ResponseMetadata"}
        if model.name in WHOLE_ACCOUNT:
            told = {
                key: [each for each in value if self._is_ours(each)] if isinstance(value, list) else value
                for key, value in told.items()
            }
        line = {
            "service": model.service_model.service_name,
            "operation": model.name,
            "status": http_response.status_code,
            "answer": self._without_secrets(told),
        }
        text = json.dumps(line, default=str, sort_keys=True)
        for mask, instead in MASKS:
            text = mask.sub(instead, text)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(text + "\n")

    def _is_ours(self, value: Any) -> bool:
        return bool(self.ours.search(json.dumps(value, default=str)))

    def _without_secrets(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._without_secrets(each) for each in value]
        if not isinstance(value, dict):
            return value
        return {
            key: "hidden"
            if HIDDEN.fullmatch(key) or (OURS_OR_HIDDEN.fullmatch(key) and not self._is_ours(each))
            else self._without_secrets(each)
            for key, each in value.items()
        }
