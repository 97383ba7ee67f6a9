"""What API Gateway makes of a body, without a cloud around it: what a model finds wrong, and what a template writes.

The gateway of the local cloud uses the very same code.

Taught in notebooks/02_the_front_door.ipynb
"""

import json
from typing import Any

from orderlab.cloud.loading import quickly


def model_errors(schema: Any, body: Any) -> list[str]:
    """What a model (JSON Schema draft 4) finds wrong with a body, nothing if it fits.

    Raises ModelError for a schema that is none of draft 4.
    """
    with quickly():
        from orderlab.cloud.gateway.models import RequestModels

    return RequestModels("course", {"Body": schema}).errors("Body", json.dumps(body))


def mapped(template: str, body: Any) -> str:
    """The text that a mapping template writes for a body: it knows $input.path, $input.json, $input.body and $util.

    Raises SyntaxProblem for what is no Velocity, and RenderProblem for a template that fails.
    """
    with quickly():
        from orderlab.cloud.gateway import variables, velocity

    known: Any = {"input": variables.Input(None, json.dumps(body)), "util": variables.Util()}  # type: ignore[arg-type]
    return str(velocity.render(velocity.compile(template), known))
