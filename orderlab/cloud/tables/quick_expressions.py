"""moto's expressions without reading, walking and copying them again for every row.

An expression's text says how it is read. moto reads a condition twice for every write, and copies an update's tree and
walks over it six times, asking each node what it is. What was read is only asked, never changed, so each function here
does what the one does that it stands for, and is compared with it.
Taught in notebooks/06_where_state_lives.ipynb
"""

from collections import deque
from functools import lru_cache
from typing import Any

from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.parsing.ast_nodes import (  # type: ignore[attr-defined]
    DepthFirstTraverser,
    Expression,
    Node,
    UpdateExpressionFunction,
)
from moto.dynamodb.parsing.expressions import UpdateExpressionParser  # type: ignore[attr-defined]
from moto.dynamodb.parsing.validators import (
    ActionCountValidator,
    OverlappingPathsValidator,
    UpdateHashRangeKeyValidator,
)

KNOWN = 1024  # expressions
# What they look at: the expression's text, its names, and the table's keys, never a row. They change nothing.
ROWLESS = (ActionCountValidator, OverlappingPathsValidator, UpdateHashRangeKeyValidator)
_parse, _lex = ConditionExpressionParser.parse, ConditionExpressionParser._lex_condition_expression
_make = UpdateExpressionParser.make
_conditions: dict[tuple[Any, ...], tuple[Any, list[str], list[str]]] = {}
_words: dict[str | None, list[Any]] = {}
_kinds: dict[tuple[type, ...], dict[type, tuple[bool, type | None]]] = {}
_passed: set[tuple[Any, ...]] = set()
_does_nothing = DepthFirstTraverser.pre_processing_of_child


def parse(self: ConditionExpressionParser) -> Any:
    """A condition, read once for one text, its names and its values: what was read is only asked, never changed."""
    key = self.condition_expression, repr(self.expression_attribute_names), repr(self.expression_attribute_values)
    if key not in _conditions:
        found = _parse(self)
        if len(_conditions) >= KNOWN:
            _conditions.clear()
        _conditions[key] = found, [*self.expr_attr_names_found], [*self.expr_attr_values_found]
        return found
    found, names, values = _conditions[key]
    self.expr_attr_names_found.extend(names)
    self.expr_attr_values_found.extend(values)
    return found


def lex(self: ConditionExpressionParser) -> deque[Any]:
    """A condition's words, taken apart once for each text; what is done with them is done to new ones."""
    if self.condition_expression not in _words:
        if len(_words) >= KNOWN:
            _words.clear()
        _words[self.condition_expression] = list(_lex(self))
    return deque(word._replace(children=[]) for word in _words[self.condition_expression])


@lru_cache(maxsize=KNOWN)
def read(text: str) -> Any:
    """An update, read once for each text, which its tree and each copy of that remember."""
    tree = _make(text)
    tree.__dict__["text"] = text
    return tree


def copied(node: Any, parent: Any = None) -> Any:
    """A node of an expression's tree and everything below it, without asking each what it is made of."""
    new = object.__new__(type(node))
    new.__dict__.update(node.__dict__)
    new.parent = parent
    if node.children is not None:
        new.children = [copied(each, new) if isinstance(each, Node) else each for each in node.children]
    return new


def traverse(self: Any, root: Any) -> Any:
    """moto's walk over a tree, from the leaves up, without asking again what is to be done with a class of nodes.

    One that looks at no row is not walked again: an update that passed once will pass.
    """
    text = root.__dict__.get("text") if isinstance(self, ROWLESS) else None
    walked = None if text is None else (type(self), text, repr(vars(self)))
    if walked in _passed:
        return root
    acts = self._processing_map()
    acted_on = tuple(acts)
    kinds = _kinds.setdefault(acted_on, {})
    before = None if type(self).pre_processing_of_child is _does_nothing else self.pre_processing_of_child

    def walk(node: Any, place: int) -> Any:
        found = type(node)
        if found not in kinds:
            kinds[found] = _kind(found, acted_on)
        is_node, wanted = kinds[found]
        if not is_node:
            return node
        parent = node.parent
        for n, child in enumerate(node.children or ()):
            if before is not None:
                before(node, n)
            walk(child, n)
        if wanted is not None:
            node = acts[wanted](node)
            node.parent = parent
            if parent:
                parent.children[place] = node
        return node

    found = walk(root, -1)
    if walked is not None:
        if len(_passed) >= KNOWN:
            _passed.clear()
        _passed.add(walked)
    return found


def _kind(found: type, acted_on: tuple[type, ...]) -> tuple[bool, type | None]:
    """Is this class one of nodes, and which of those that are acted on is it?"""
    return issubclass(found, Node), next((wanted for wanted in acted_on if issubclass(found, wanted)), None)


def find_clauses(self: Any, wanted: list[type]) -> list[Any]:
    """The clauses of some classes below a node, without asking an abstract class of each of its children."""
    clauses = []
    for child in self.children or ():
        found = type(child)
        if found in wanted:
            clauses.append(child)
        elif _holds_clauses(found):  # type: ignore[arg-type]
            clauses.extend(child.find_clauses(wanted))
    return clauses


@lru_cache(maxsize=1024)
def _holds_clauses(found: type) -> bool:
    return issubclass(found, Expression | UpdateExpressionFunction)


REPLACED: tuple[tuple[Any, str, Any], ...] = (
    (ConditionExpressionParser, "parse", parse),
    (ConditionExpressionParser, "_lex_condition_expression", lex),
    (UpdateExpressionParser, "make", staticmethod(read)),
    (Node, "__deepcopy__", lambda self, memo: copied(self)),
    (Node, "find_clauses", find_clauses),
    (DepthFirstTraverser, "traverse", traverse),
)
"""Whose name, the name, and what stands for it: `orderlab.cloud.speed` puts them in and takes them out."""
