"""The template and the parameters of a deploy, checked here before AWS is asked.

Taught in notebooks/12_ship_it.ipynb
"""

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yaml import YAMLError

from orderlab.cloud.stack.text import parse
from orderlab.installing import Problem

from ..described import TEMPLATE


@dataclass(frozen=True)
class Template:
    """The file's text, and what is in it."""

    text: str
    body: Mapping[str, Any]

    @property
    def types(self) -> set[str]:
        """The types of its resources, as CloudFormation makes them."""
        found = {each["Type"] for each in self.body["Resources"].values()}
        return {"AWS::Lambda::Function" if type == "AWS::Serverless::Function" else type for type in found}


def read(path: Path = TEMPLATE) -> Template:
    """The course's template. Raises Problem when it cannot be read."""
    try:
        return _described(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError, KeyError, YAMLError) as error:
        raise Problem(f"{path.name} is no template: {' '.join(str(error).split())}") from None


def _described(text: str) -> Template:
    body = parse(text)
    return Template(text, {"Parameters": {}, **body, "Resources": dict(body["Resources"])})


def add_argument(parser: argparse.ArgumentParser) -> None:
    """The option --set NAME=VALUE, as often as wanted."""
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", dest="parameters",
        help="a parameter of the template, such as Saga=orchestration",
    )  # fmt: skip


def parameters(told: Sequence[str], template: Template, prefix: str) -> dict[str, str]:
    """The parameters that were given, and the prefix. Raises Problem for one that the template would refuse."""
    described = template.body["Parameters"]
    given = {"NamePrefix": prefix}
    for each in told:
        name, equals, value = each.partition("=")
        if not equals or name not in described:
            raise Problem(f"--set {each!r}: write NAME=VALUE, with a name of {', '.join(sorted(described))}")
        if name == "NamePrefix":
            raise Problem("the prefix is said with --prefix, so that every command knows it")
        rule = described[name]
        allowed, pattern = rule.get("AllowedValues"), rule.get("AllowedPattern")
        if (allowed and value not in map(str, allowed)) or (pattern and not re.fullmatch(pattern, value)):
            raise Problem(
                f"--set {each}: {rule.get('ConstraintDescription') or f'{name} is one of {allowed or pattern}'}"
            )
        least, most = rule.get("MinValue"), rule.get("MaxValue")
        if rule["Type"] == "Number" and not (re.fullmatch(r"\d+(\.\d+)?", value) and least <= float(value) <= most):
            raise Problem(f"--set {each}: {name} is a number from {least} to {most}")
        given[name] = value
    return given
