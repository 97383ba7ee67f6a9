"""The quick reader of templates reads what SAM's own reads, and refuses what it refuses."""

import subprocess
import sys
from typing import Any

import pytest
import yaml
from samtranslator.yaml_helper import yaml_parse

from orderlab.cloud.stack.template import TEMPLATE, TemplateError, read
from orderlab.cloud.stack.text import parse
from orderlab.offline import ROOT

TEXTS = [
    "A: !Ref B",
    "A: !GetAtt Queue.Arn",
    "A: !GetAtt [Queue, Arn]",
    "A: !GetAtt Nested.Outputs.Url",
    "A: !Sub 'arn:${AWS::Region}:x'",
    "A: !If [Yes, !Ref B, !Ref 'AWS::NoValue']",
    "A: !Sub\n  - '${x}'\n  - x: !Ref B",
    "A: !Condition On",
    "A: !Transform {Name: 'AWS::Include', Parameters: {Location: here}}",
    "A: &one {B: 1}\nC: *one",
    "A: &one {B: 1}\nC:\n  <<: *one\n  D: 2",
    "A: 010\nB: 0x1F\nC: 1_000\nD: 12:30:45\nE: 1e3\nF: .5",
    "A: yes\nB: on\nC: ~\nD: 'yes'\nE: NULL",
    "A: 2012-10-17\nB: '2012-10-17'\nC: 2026-01-05T09:00:00Z",
    "A: |\n  one\n  two\nB: >-\n  one\n  two",
    "A: {}\nB: []\nC:",
    "A: 'ä – 日本 🛒'\nB: \"\\u00e4\\n\"",
    "A: 1\nA: 2",
    '{"A": {"Ref": "B"}}',
    "",
    "- 1\n- 2",
]
BROKEN = [
    "A: [1",
    "A: {B",
    "A:\n\t- 1",
    "A: *none",
    "A: 'open",
    "A: b: c",
    "A: @x",
    "%",
    "A: !!python/object:os.system {}",
]


def outcome(reader: Any, text: str) -> Any:
    try:
        return reader(text)
    except yaml.YAMLError as error:
        return type(error)


@pytest.mark.parametrize("text", [TEMPLATE.read_text(encoding="utf-8"), *TEXTS], ids=["the template", *TEXTS])
def test_a_template_reads_as_sam_reads_it(text: str) -> None:
    assert parse(text) == yaml_parse(text)
    assert repr(parse(text)) == repr(yaml_parse(text))  # the order of keys, and the types of scalars


@pytest.mark.parametrize("text", BROKEN)
def test_what_sam_refuses_is_refused(text: str) -> None:
    refused = outcome(yaml_parse, text)
    assert isinstance(refused, type) and issubclass(refused, yaml.YAMLError)
    assert outcome(parse, text) is refused


def test_a_yaml_error_says_where(tmp_path: Any) -> None:
    path = tmp_path / "template.yaml"
    path.write_text("Resources:\n  Queue: [1\n", encoding="utf-8")
    with pytest.raises(TemplateError, match=r"(?s)template.yaml is not YAML: .*line 3"):
        read(path)


def test_a_template_that_is_read_twice_is_nobody_elses() -> None:
    read(TEMPLATE)["Resources"].clear()
    assert read(TEMPLATE)["Resources"]


def test_without_libyaml_python_reads_it() -> None:
    code = (
        "import yaml; del yaml.CSafeLoader\n"
        "from orderlab.cloud.stack.text import parse\n"
        "print(parse('A: !GetAtt B.Arn\\nC: !Sub x'))"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ran.stdout.strip() == "{'A': {'Fn::GetAtt': ['B', 'Arn']}, 'C': {'Fn::Sub': 'x'}}", ran.stderr
