"""A small world for the tests of the cloud's pieces: a template and a handler file of the test's own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest

HEAD = """\
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Metadata:
  OrderLab:
    Package: {build/: [../app.py]}
Globals:
  Function: {Runtime: python3.13, CodeUri: build/, Timeout: 3, MemorySize: 128}
Resources:
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """`world(app_source, resources_yaml, **cloud_arguments)` opens a cloud of just these; it is closed afterwards."""
    yield from _worlds(tmp_path)


@pytest.fixture(scope="module")
def lasting_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """The same for a whole file of tests: they share a cloud, and each of them resets it."""
    yield from _worlds(tmp_path_factory.mktemp("world"))


def _worlds(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    from orderlab.cloud import Cloud

    opened: list[Any] = []

    def make(app: str, resources: str, **arguments: Any) -> Any:
        (tmp_path / "infra").mkdir(exist_ok=True)
        (tmp_path / "app.py").write_text(dedent(app))
        template = tmp_path / "infra" / "template.yaml"
        template.write_text(HEAD + indent(dedent(resources), "  "))
        opened.append(Cloud(template=template, **arguments))
        return opened[-1]

    yield make
    for cloud in opened:
        cloud.close()
