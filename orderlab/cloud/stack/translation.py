"""What AWS SAM makes of a template, once its parameters, its shape and what is asked of it were judged."""

import copy
import json
import logging
import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from ..guard import REGION
from . import honoured
from .packages import upload
from .template import TemplateError


def translate(template: dict[str, Any], folder: Path, parameters: dict[str, str], s3: Any) -> dict[str, Any]:
    """What AWS SAM makes of the template, after its deployment packages were uploaded through the client `s3`."""
    _check_parameters(template.get("Parameters") or {}, parameters)
    honoured.check_shape(template)
    prepared = upload(copy.deepcopy(template), folder, s3)
    text = _translate(json.dumps(prepared), json.dumps(parameters, sort_keys=True))
    honoured.check(text)
    found: dict[str, Any] = json.loads(text)
    return found


def _check_parameters(described: dict[str, Any], given: dict[str, str]) -> None:
    """Refuse what CloudFormation would refuse; moto takes any value."""
    for name, value in given.items():
        if name not in described:
            raise TemplateError(f"the template has no parameter {name}; it has {', '.join(sorted(described))}")
        rule = described[name]
        allowed, pattern = rule.get("AllowedValues"), rule.get("AllowedPattern")
        if (allowed and value not in map(str, allowed)) or (pattern and not re.fullmatch(pattern, value)):
            why = rule.get("ConstraintDescription") or f"must be one of {allowed or pattern}"
            raise TemplateError(f"parameter {name} cannot be {value!r}: {why}")


@lru_cache(maxsize=32)
def _translate(template: str, parameters: str) -> str:
    """What AWS SAM makes of the template. Cached: the same input gives the same answer."""
    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
    logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it warns of metrics that it did not send to anybody
    try:
        translated = Translator({}, Parser()).translate(json.loads(template), json.loads(parameters))
    except Exception as error:
        causes = getattr(error, "causes", None) or [error]
        raise TemplateError("; ".join(str(getattr(cause, "message", cause)) for cause in causes)) from None
    return json.dumps(translated)
