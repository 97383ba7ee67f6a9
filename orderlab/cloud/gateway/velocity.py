"""Velocity as API Gateway's mapping templates speak it, on the airspeed library.

airspeed is near to Velocity 1.7; what differs is put right here, in a copy of it that nobody else sees: texts keep
their backslashes and double a quote to hold one, names may have hyphens, `#set` is seen outside of its loop, and values
are those of `values`.
Source: API Gateway developer guide, api-gateway-mapping-template-reference; Velocity 1.7 user guide; recordings in
localstack's test_apigateway_integrations.
Not known of AWS: what `#if` makes of an empty text (false here: compare it with "", as every guide does), and how its
errors read. Refused by name: #define, #macro, #include, #parse, `#set` by index (say .put), `${x|y}`, requestOverride.

Taught in notebooks/02_the_front_door.ipynb.
"""

import importlib.util
import operator
import re
from functools import lru_cache
from typing import Any

from ..wire.answers import NotYet
from . import values

_REFUSED = re.compile(
    r"#(?:define|macro|include|parse|evaluate)\b|#set\s*\(\s*\$[^=]*\[|\$!?\{[^}]*\||\brequestOverride\b"
)


class SyntaxProblem(ValueError):
    """A template that Velocity cannot read."""


def compile(source: str) -> Any:
    """The template, ready for `render`. Raises SyntaxProblem, and NotYet for what is refused by name."""
    if refused := _REFUSED.search(source):
        raise NotYet(f"a mapping template says {refused[0]}, which the local cloud does not know")
    engine = _engine()
    template = engine.Template(source)
    try:
        template.ensure_compiled()
    except (engine.TemplateError, engine.NoMatch) as error:
        raise SyntaxProblem(f"is no Velocity that can be read: {error}") from None
    return template


def render(template: Any, variables: dict[str, Any]) -> str:
    """The text that the template makes of $input, $util, $context and so on. Raises RenderProblem, NotYet."""
    engine = _engine()

    class Variables(engine.LocalNamespace):  # type: ignore[name-defined]
        """What #set makes anywhere, in a loop too, is seen everywhere after it."""

        def find_outermost(self, key: str) -> Any:
            return self

        def top(self) -> Any:
            return self

    known = Variables({})
    known.update(variables)
    try:
        return template.merge(known)
    except engine.TemplateError as error:
        cause = error.__cause__ or error
        if isinstance(cause, NotYet | values.RenderProblem):
            raise cause from None
        raise values.RenderProblem(f"{type(cause).__name__}: {cause}") from None


@lru_cache(maxsize=1)
def _engine() -> Any:
    """airspeed, read a second time for ourselves, and put right."""
    spec = importlib.util.find_spec("airspeed")
    assert spec is not None and spec.loader is not None
    engine: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(engine)
    engine.StringLiteral.STRING = re.compile(r"'((?:''|[^'])*)'")
    engine.StringLiteral.ESCAPED_CHAR = re.compile(r"'(')")
    engine.InterpolatedStringLiteral.STRING = re.compile(r'"((?:""|[^"])*)"')
    engine.InterpolatedStringLiteral.ESCAPED_CHAR = re.compile(r'"(")')
    engine.NameOrCall.NAME = re.compile(r"([a-z_][a-z0-9_-]*)", re.I)
    engine.SetDirective.PLACE = re.compile(r"\s*\$([a-z_][\w-]*(?:\.[a-z_][\w-]*)*)", re.I)
    engine.FallthroughHashText.PLAIN = re.compile(
        r"(\#(?!end|else|elseif|\{(?:end|else|elseif)\}|(?:if|set|foreach)\b))"
    )
    operators = engine.BinaryOperator.OPERATORS
    for sign, word in ((">", "gt"), (">=", "ge"), ("<", "lt"), ("<=", "le")):
        operators[sign] = operators[word] = values.order(getattr(operator, word))
    operators["=="] = operators["eq"] = values.equal
    operators["!="] = operators["ne"] = lambda a, b: not values.equal(a, b)

    def look_up(self: Any, owner: Any, loader: Any, namespace: Any) -> Any:
        if self.parameters is not None:
            return values.call(owner, self.name, self.parameters.calculate(namespace, loader))
        found = values.get(owner, self.name)
        return found if self.index is None else values.get(found, self.index.calculate(namespace, loader))

    def go_on(self: Any, owner: Any, loader: Any, namespace: Any) -> Any:
        if not isinstance(self.expression, engine.ArrayIndex):
            return self.expression.calculate(owner, loader, namespace)
        found = values.get(owner, self.expression.calculate(namespace, loader))
        return self.subexpression.calculate(found, loader, namespace) if self.subexpression else found

    def write(self: Any, stream: Any, namespace: Any, loader: Any) -> None:
        plain = self.expression is None
        stream.write(self.my_text() if plain else values.text(self.expression.calculate(namespace, loader)))

    def put(self: Any, stream: Any, namespace: Any, loader: Any) -> None:
        value, owner = self.value.calculate(namespace, loader), namespace
        for step in self.terms[:-1]:
            owner = values.get(owner, step)
        if owner is namespace:
            namespace.set_inherited(self.terms[0], value)
        elif isinstance(owner, values.Map):
            owner.put(self.terms[-1], value)
        else:
            raise values.RenderProblem(f"{self.my_text().strip()} sets something inside of what is no map")

    engine.NameOrCall.calculate, engine.SubExpression.calculate = look_up, go_on
    engine.FormalReference.evaluate_raw, engine.SetDirective.evaluate_raw = write, put
    return engine
