"""The stack, created on moto's CloudFormation from what SAM made of the template."""

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import moto.cloudformation.parsing as parsing

from ..guard import REGION
from . import formation, honoured
from .resources import Resource, Stack
from .template import TemplateError
from .translation import translate


def create(template: dict[str, Any], folder: Path, parameters: dict[str, str], client: Callable[[str], Any]) -> Stack:
    """Create the stack on moto. The deployment packages are zipped and uploaded first, as a deploy does."""
    translated = translate(template, folder, parameters, client("s3"))
    formation.failed.clear()
    try:
        formation.form(client, "create_stack", translated, parameters)
    except Exception as error:
        said = re.search(r'"message": "(.*?)"', str(error)) or re.search("(.*)", f"{type(error).__name__}: {error}")
        blame = formation.failed[0] if formation.failed else "the stack"
        raise TemplateError(f"{blame} cannot be created: {said and said[1]}") from error
    made = formation.formed()
    stack = Stack(formation.STACK, REGION)
    for logical_id, described in translated["Resources"].items():
        found = made.resource_map[logical_id]
        if found is None:
            continue  # its condition is false
        properties = parsing.clean_json(copy.deepcopy(described.get("Properties") or {}), made.resource_map)
        honoured.check_made(logical_id, described["Type"], properties, found)
        physical_id = formation.physical_id(logical_id, found)
        arn = getattr(found, "arn", None) or getattr(found, "function_arn", None) or getattr(found, "queue_arn", None)
        stack.resources[logical_id] = Resource(logical_id, described["Type"], physical_id, properties, arn)
    stack.outputs = formation.outputs()
    return stack
