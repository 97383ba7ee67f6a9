"""The fields of an event: finding every value of a path, and which array element each of them came from.

On AWS arrays vanish from a path: the path items.sku reaches the sku of every item. A path is only the keys joined by
dots, so the key "a.b" and a b inside a are one field. Values of two fields may be combined only if they do not come
from different elements of one array: {"items": {"sku": ["A"], "price": [5]}} needs one item with both. Source: AWS
docs eb-event-patterns-arrays and eb-event-patterns; aws/event-ruler, "JSON Array Matching".

Taught in notebooks/03_the_bus.ipynb.
"""

from collections.abc import Sequence
from typing import Any

Array = tuple[int, str]
"""One array of one event: the identity of the list, and its path (one list object may stand at two places)."""
Trail = tuple[tuple[Array, int], ...]
"""Where a value was found: the arrays that were passed, outermost first, and the index of the element taken."""
Ways = tuple[tuple[str, str, Any], ...]
"""All ways to spell a path: (key, path so far, ways to go on: none where the path ends)."""


def ways(path: str) -> Ways:
    """Prepares a dotted path for `values`: "a.b" is the key "a" and then "b", or the key "a.b"."""
    starts = [0, *(at + 1 for at, letter in enumerate(path) if letter == ".")]
    ends = [*(start - 1 for start in starts[1:]), len(path)]
    onward: dict[int, Ways] = {len(path) + 1: ()}
    for number, start in reversed(list(enumerate(starts))):
        onward[start] = tuple((path[start:end], path[:end], onward[end + 1]) for end in ends[number:])
    return onward[0]


def values(event: dict[str, Any], path: Ways) -> list[tuple[Any, Trail]]:
    """Every scalar at `path`, with its trail; objects and empty arrays are no values."""
    found: list[tuple[Any, Trail]] = []
    _collect(event, path, "", (), found)
    return found


def _collect(node: Any, path: Ways, name: str, trail: Trail, found: list[tuple[Any, Trail]]) -> None:
    if isinstance(node, dict):
        for key, longer, rest in path:
            if key in node:
                _collect(node[key], rest, longer, trail, found)
    elif isinstance(node, list):
        for index, element in enumerate(node):
            inside = isinstance(element, dict | list)
            _collect(element, path, name, (*trail, ((id(node), name), index)) if inside else trail, found)
    elif not path:
        found.append((node, trail))


Choice = tuple[Sequence[Trail], Sequence[Trail] | None]
"""What a field allows: the trails of the values that pass and, if the field may be absent, those of all its values."""


def consistent(choices: Sequence[Choice]) -> bool:
    """Whether one trail can be taken from each choice without taking two different elements of one array.

    A field that may be absent is so if it has no value in the elements taken by the choices before it: order matters,
    and as on AWS it is the alphabetical order of the paths.
    """
    if all(() in passing or present == [] for passing, present in choices):  # nothing lies inside an array
        return True
    later: list[set[Array]] = [set()]
    for passing, present in reversed(choices[1:]):
        later.append(later[-1].union(array for trail in (*passing, *(present or ())) for array, _ in trail))
    return _take(choices, later[::-1], 0, {}, set())


def _take(
    choices: Sequence[Choice], later: list[set[Array]], number: int, taken: dict[Array, int], dead: set[Any]
) -> bool:
    if number == len(choices):
        return True
    passing, present = choices[number]
    nexts = [{**taken, **dict(trail)} for trail in passing if _agrees(taken, trail)]
    if present is not None and not any(_agrees(taken, trail) for trail in present):
        nexts.append(taken)
    for each in nexts:
        # Only arrays that a later field looks into still matter: forgetting the others keeps the search short.
        kept = {array: index for array, index in each.items() if array in later[number]}
        state = (number, frozenset(kept.items()))
        if state not in dead:
            if _take(choices, later, number + 1, kept, dead):
                return True
            dead.add(state)
    return False


def _agrees(taken: dict[Array, int], trail: Trail) -> bool:
    return all(taken.get(array, index) == index for array, index in trail)
