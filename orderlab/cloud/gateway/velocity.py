"""Velocity as API Gateway's mapping templates speak it, on the airspeed library.

airspeed is near to Velocity 1.7; what differs is put right here, in a copy of it that nobody else sees: texts keep
their backslashes and double a quote to hold one, names may have hyphens, `#set` may index and is seen outside of its
loop, and values are those of `values`.
Source: API Gateway developer guide, api-gateway-mapping-template-reference; Velocity 1.7 user guide; recordings in
localstack's test_apigateway_integrations (vtl_map_assignation).
Not known of AWS: what `#if` makes of an empty text (false here: compare it with "", as every guide does), and how its
errors read. `${x|y}`, which is of a later Velocity, is refused.

Taught in notebooks/02_the_front_door.ipynb.
"""

import importlib.util
import operator
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from ..wire import NotYet
from . import values


class SyntaxProblem(ValueError):
    """A template that Velocity cannot read."""


def compile(source: str) -> Any:
    """The template, ready for `render`. Raises SyntaxProblem."""
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
    try:
        return template.merge(_top(engine, variables))
    except engine.TemplateError as error:
        cause = error.__cause__ or error
        if isinstance(cause, NotYet | values.RenderProblem):
            raise cause from None
        raise values.RenderProblem(f"{type(cause).__name__}: {cause}") from None


def _top(engine: Any, variables: dict[str, Any]) -> Any:
    """The variables of one rendering: what #set makes anywhere, in a loop too, is seen everywhere after it."""

    class Variables(engine.LocalNamespace):
        def find_outermost(self, key: str) -> Any:
            return self

        def top(self) -> Any:
            return self

    top = Variables({})
    top.update(variables)
    return top


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
    directives = r"end|else|elseif|\{(?:end|else|elseif)\}|(?:if|set|foreach|macro|define)\b"
    engine.FallthroughHashText.PLAIN = re.compile(rf"(\#(?!{directives}))")
    ordered = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
    words = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
    operators = engine.BinaryOperator.OPERATORS
    operators.update({name: values.order(compare) for name, compare in ordered.items()})
    operators.update({word: operators[name] for word, name in words.items()})
    operators.update({"==": values.equal, "eq": values.equal})
    operators.update(dict.fromkeys(("!=", "ne"), lambda a, b: not values.equal(a, b)))

    def look_up(self: Any, owner: Any, loader: Any, namespace: Any) -> Any:
        arguments = None if self.parameters is None else self.parameters.calculate(namespace, loader)
        if isinstance(owner, engine.LocalNamespace):
            try:
                found = owner[self.name]
            except KeyError:
                found = ""
            if isinstance(found, engine._FunctionDefinition):  # of #define
                stream = engine.StoppableStream()
                found.execute_function(stream, namespace, arguments or [], loader)
                return stream.getvalue()
        else:
            found = values.get(owner, self.name) if arguments is None else values.call(owner, self.name, arguments)
        return found if self.index is None else values.get(found, self.index.calculate(namespace, loader))

    def go_on(self: Any, owner: Any, loader: Any, namespace: Any) -> Any:
        if not isinstance(self.expression, engine.ArrayIndex):
            return self.expression.calculate(owner, loader, namespace)
        found = values.get(owner, self.expression.calculate(namespace, loader))
        return self.subexpression.calculate(found, loader, namespace) if self.subexpression else found

    def write(self: Any, stream: Any, namespace: Any, loader: Any) -> None:
        if self.alternate is not None:
            raise NotYet(f"a mapping template says {self.my_text()}; alternate values are of a later Velocity")
        plain = self.expression is None
        stream.write(self.my_text() if plain else values.text(self.expression.calculate(namespace, loader)))

    def steps(expression: Any) -> Iterator[Any]:
        yield expression.part.name
        if expression.part.index is not None:
            yield expression.part.index
        rest = expression.subexpression
        while rest is not None:
            if not isinstance(rest.expression, engine.ArrayIndex):
                yield from steps(rest.expression)
                return
            yield rest.expression
            rest = rest.subexpression

    def read_set(self: Any) -> None:
        self.identity_match(self.START)
        self.require_match(re.compile(r"\s*\$"), "a $variable")
        self.place = self.require_next_element(engine.VariableExpression, "a variable")
        self.require_match(self.EQUALS, "=")
        self.value = self.require_next_element(engine.Expression, "expression")
        self.require_match(self.END, "closing paren")

    def do_set(self: Any, stream: Any, namespace: Any, loader: Any) -> None:
        value = self.value.calculate(namespace, loader)
        found = [step if isinstance(step, str) else step.calculate(namespace, loader) for step in steps(self.place)]
        if len(found) == 1:
            namespace.set_inherited(found[0], value)
            return
        try:
            owner = namespace[found[0]]
        except KeyError:
            owner = ""
        for step in found[1:-1]:
            owner = values.get(owner, step)
        if not isinstance(owner, values.Map):
            raise values.RenderProblem(f"{self.my_text().strip()} sets something inside of what is no map")
        owner.put(str(found[-1]), value)

    engine.NameOrCall.calculate = look_up
    engine.SubExpression.calculate = go_on
    engine.FormalReference.evaluate_raw = write
    engine.SetDirective.parse, engine.SetDirective.evaluate_raw = read_set, do_set
    return engine
