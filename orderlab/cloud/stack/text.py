"""A template's text, read: YAML with CloudFormation's short forms, such as !Ref, written out.

PyYAML reads it with libyaml wherever it was built with that, as in its wheels: ten times quicker than in Python.
"""

from functools import lru_cache
from typing import Any

import yaml


@lru_cache(maxsize=8)
def parse(text: str) -> Any:
    """What a template says. It is shared: who changes it takes a copy. Raises yaml.YAMLError for what is no YAML."""
    from samtranslator.yaml_helper import intrinsics_multi_constructor

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        pass

    Loader.add_multi_constructor("!", intrinsics_multi_constructor)
    return yaml.load(text, Loader)  # a safe loader's child
