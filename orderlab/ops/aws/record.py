"""What AWS answered, line by line in a file, for the comparison with what this course says that it answers.

A line is one answer: the operation, the status and the answer's members. Whoever reads it learns nothing of the
account: its digits become those of AWS's examples, and what names a person, a key or a secret is left out. Nothing of
a request is kept.
"""

import json
import re
from pathlib import Path
from typing import Any

from orderlab.installing import Problem

EXAMPLE = "111122223333"
HIDDEN = re.compile(
    r"(?i)^(UserId|Credentials|Owner|.*Secret.*|.*Password.*|value|SessionToken|AccessKeyId|HTTPHeaders|HostId"
    r"|RequestId|TemplateBody|Body)$"
)
KEYS = re.compile(r"\b(AKIA|ASIA|AIDA|AROA)[A-Z0-9]{12,}\b")
PERSON = re.compile(r"(arn:[\w-]+:(?:iam|sts)::\d*:(?:user|assumed-role|federated-user)/)[^\s\"',]+")


class Record:
    """A file of answers. Raises Problem when it cannot be written."""

    def __init__(self, path: Path, account: str) -> None:
        self.path, self.account = path, account
        try:
            path.write_text("", encoding="utf-8")
        except OSError as error:
            raise Problem(f"--record {path} cannot be written ({error.strerror}): name another file") from None

    def listen(self, client: Any) -> None:
        """Write down every answer that this client gets."""
        client.meta.events.register("after-call", self._answered)

    def _answered(self, http_response: Any, parsed: Any, model: Any, **_: Any) -> None:
        line = {
            "service": model.service_model.service_name,
            "operation": model.name,
            "status": http_response.status_code,
            "answer": _without_secrets({key: value for key, value in parsed.items() if key != "ResponseMetadata"}),
        }
        with self.path.open("a", encoding="utf-8") as file:
            file.write(self._anonymous(json.dumps(line, default=str, sort_keys=True)) + "\n")

    def _anonymous(self, text: str) -> str:
        text = PERSON.sub(r"\1somebody", KEYS.sub("KEY", text))
        return text.replace(self.account, EXAMPLE)


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: "hidden" if HIDDEN.match(key) else _without_secrets(each) for key, each in value.items()}
    return [_without_secrets(each) for each in value] if isinstance(value, list) else value
