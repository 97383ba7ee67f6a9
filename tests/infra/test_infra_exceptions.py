"""What checkov and the serverless rules find is refused unless the template says why it is meant."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from orderlab.ops.described import INFRA
from orderlab.ops.policy.template import source

FILE = INFRA.parent / ".ci" / "exceptions.py"


def load() -> ModuleType:
    """The script that CI runs."""
    spec = importlib.util.spec_from_file_location("ci_exceptions", FILE)
    assert spec is not None and spec.loader is not None
    module, path = importlib.util.module_from_spec(spec), list(sys.path)  # the script adds the repository
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    sys.path[:] = path
    return module


script = load()
WHY = "The queue's own redrive keeps what failed."
QUEUE = script.Finding("CKV_AWS_27", "StockQueue", "AWS::SQS::Queue", "Ensure it is encrypted")


def checkov(*failed: tuple[str, str], passed: int = 9) -> dict[str, Any]:
    """A report as checkov writes it, of these findings: rule and resource with its type."""
    checks = [{"check_id": rule, "resource": resource, "check_name": "Ensure it is so"} for rule, resource in failed]
    return {"summary": {"passed": passed, "parsing_errors": 0}, "results": {"failed_checks": checks}}


def test_a_finding_without_an_exception_is_refused() -> None:
    """By resource, by type, and neither."""
    assert script.judge({QUEUE}, {}) == ["StockQueue: CKV_AWS_27 Ensure it is encrypted"]
    for place in ("StockQueue", "AWS::SQS::Queue"):
        assert script.judge({QUEUE}, {"CKV_AWS_27": {"Of": [place], "Because": WHY}}) == []
    for rule, place in (("CKV_AWS_27", "PaymentQueue"), ("CKV_AWS_28", "StockQueue")):
        assert QUEUE.text in script.judge({QUEUE}, {rule: {"Of": [place], "Because": WHY}})[0]


def test_an_exception_without_a_finding_or_without_a_reason_is_refused() -> None:
    """What a tool no longer finds is taken out again; "no" is no reason."""
    exceptions = {"CKV_AWS_27": {"Of": ["StockQueue", "AWS::S3::Bucket"], "Because": WHY}}
    (stale,) = script.judge({QUEUE}, exceptions)
    assert stale.startswith("CKV_AWS_27: nothing is found on AWS::S3::Bucket")
    (mute,) = script.judge({QUEUE}, {"CKV_AWS_27": {"Of": ["StockQueue"], "Because": "no"}})
    assert mute.startswith("CKV_AWS_27: the exception does not say why")


def test_a_report_of_nothing_is_refused() -> None:
    """A tool that read no template has found nothing, and says so in its counts."""
    assert script.from_checkov(checkov(("CKV_AWS_27", "AWS::SQS::Queue.StockQueue"))) == {
        script.Finding("CKV_AWS_27", "StockQueue", "AWS::SQS::Queue", "Ensure it is so")
    }
    for nothing in (checkov(passed=0), {}, checkov() | {"summary": {"passed": 9, "parsing_errors": 1}}):
        with pytest.raises(ValueError, match="checkov has not read"):
            script.from_checkov(nothing)
    unread = {"Location": {"Path": None}, "Rule": {"Id": "E0000"}, "Message": "not a template"}
    with pytest.raises(ValueError, match="E0000 not a template"):
        script.from_cfn_lint([unread], {})


def test_the_two_reports_are_judged_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From their files: here nothing is found, so every exception of the template is stale; the exit status is 1."""
    files = tmp_path / "checkov.json", tmp_path / "cfn_lint.json"
    for path, report in zip(files, (checkov(), []), strict=True):
        path.write_text(json.dumps(report), encoding="utf-8")
    assert script.main(*files) == 1
    exceptions = source()["Metadata"]["OrderLab"]["Exceptions"]
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == sum(len(described["Of"]) for described in exceptions.values())
    files[0].write_text("Traceback", encoding="utf-8")
    assert script.main(*files) == 1


def test_every_exception_is_of_something_in_the_template() -> None:
    """A logical id or a type, and a reason in words."""
    template = source()
    known = {*template["Resources"], *(resource["Type"] for resource in template["Resources"].values())}
    for rule, described in template["Metadata"]["OrderLab"]["Exceptions"].items():
        assert described.keys() == {"Of", "Because"}, rule
        assert set(described["Of"]) <= known | {"AWS::Lambda::Function"}, rule
        assert len(described["Because"].split()) >= 8, rule
