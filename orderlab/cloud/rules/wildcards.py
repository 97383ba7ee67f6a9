r"""The wildcard operator of event patterns: how it is written, what it matches, and when it costs too much.

On AWS `*` stands for any characters, or none; `\*` and `\\` are the characters themselves; two stars in a row and
any other escape are refused when the rule is made (AWS docs, eb-create-pattern-operators). A rule that keeps too
many half-matched wildcards in the air is refused as well: see `complexity`.

Taught in notebooks/03_the_bus.ipynb.
"""

from collections.abc import Callable, Iterable

STAR = -1
Tokens = tuple[int, ...]
"""A wildcard as the bytes of its UTF-8 text, with `STAR` for each star; the quotes around the value are part of it."""

MAX_COMPLEXITY = 10
"""What the README of aws/event-ruler suggests for one rule. AWS accepts 7 and refuses 11; 8 to 10 are not recorded."""


def tokens(text: str) -> Tokens:
    """Reads a wildcard; raises ValueError where AWS does, with AWS's text (positions count bytes and the quote)."""
    data = f'"{text}"'.encode()
    parsed: list[int] = []
    at = 0
    while at < len(data):
        here, following = data[at : at + 1], data[at + 1 : at + 2]
        if here == b"*":
            if following == b"*":
                raise ValueError(f"Consecutive wildcard characters at pos {at}")
            parsed.append(STAR)
        elif here == b"\\":
            if following not in (b"*", b"\\"):
                raise ValueError(f"Invalid escape character at pos {at}")
            parsed.append(following[0])
            at += 1
        else:
            parsed.append(here[0])
        at += 1
    return tuple(parsed)


def matcher(text: str) -> Callable[[str], bool]:
    """A test for whole strings: the pieces between the stars must follow one another. Raises ValueError as `tokens`."""
    pieces: list[bytearray] = [bytearray()]
    for token in tokens(text)[1:-1]:
        if token == STAR:
            pieces.append(bytearray())
        else:
            pieces[-1].append(token)
    first, *middle = [piece.decode() for piece in pieces]
    if not middle:
        return lambda value: value == first
    last = middle.pop()

    def test(value: str) -> bool:
        end = len(value) - len(last)
        if not (value.startswith(first) and value.endswith(last) and len(first) <= end):
            return False
        at = len(first)
        for piece in middle:  # the leftmost place is always the best one: it leaves most room for the rest
            at = value.find(piece, at, end)
            if at < 0:
                return False
            at += len(piece)
        return True

    return test


def complexity(operators: Iterable[Iterable[Tokens]], limit: int = MAX_COMPLEXITY + 1) -> int:
    """The most beginnings of wildcards that one value of a field could be matching at once; stops counting at `limit`.

    Each of `operators` is one wildcard, or the list of one anything-but. "*a*a" scores 4: at the value "aa" AWS has
    to keep "*", "*a", "*a*" and "*a*a" in the air. The measure is that of the `MachineComplexityEvaluator` in
    aws/event-ruler: look at every set of beginnings that some value can reach.
    """
    edges: list[dict[int, int]] = [{}]  # a tree of all beginnings: a node is a beginning, an edge its next byte
    owners: list[set[int]] = [set()]  # the operators that a beginning belongs to
    for owner, texts in enumerate(operators):
        for text in texts:
            node = 0
            for token in text:
                if token not in edges[node]:
                    edges[node][token] = len(edges)
                    edges.append({})
                    owners.append(set())
                node = edges[node][token]
                owners[node].add(owner)
    stars = {node for edge in edges for token, node in edge.items() if token == STAR}

    def settle(nodes: Iterable[int]) -> frozenset[int]:
        """A star may stand for nothing, so whoever is before one is behind it too."""
        return frozenset(nodes).union(edges[node][STAR] for node in nodes if STAR in edges[node])

    start = settle({0})
    seen, waiting, worst = {start}, [start], 0
    while waiting and worst < limit:
        here = waiting.pop()
        named = {token for node in here for token in edges[node]} - {STAR}
        for byte in (*named, None):  # None is any byte that nobody waits for: only the stars swallow it
            there = settle({edges[node][byte] for node in here if byte in edges[node]} | (here & stars))
            if there not in seen:
                seen.add(there)
                waiting.append(there)
                worst = max(worst, sum(len(owners[node]) for node in there))
    return min(worst, limit)
