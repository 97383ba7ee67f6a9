"""The audit: is anything lost, charged twice, oversold, or unexplained? Judged from the books alone.

No handler counts anything for it. A counter tells what a handler believes that it did; a crash between the deed and
the counter makes the two differ, and so does a bug: that difference is what an audit looks for. Each of the four
numbers is a count of findings, and each finding names the order, code or queue and says what is wrong with it.

Taught in notebooks/11_game_day.ipynb
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from . import findings
from .books import Books, Letter
from .ends import End, end_of
from .findings import KINDS, Expected, Finding
from .money import money_findings


@dataclass(frozen=True)
class Audit:
    """The verdict: how each order ended, by order id, and all that is wrong, the gravest first."""

    ends: dict[str, End]
    findings: tuple[Finding, ...]

    @property
    def counts(self) -> dict[str, int]:
        """The four numbers, all zero if all is well."""
        found = Counter(finding.kind for finding in self.findings)
        return {kind: found[kind] for kind in KINDS}


def audit(books: Books, expected: Expected) -> Audit:
    """Judge the books against what is expected of them."""
    letters: defaultdict[str, list[Letter]] = defaultdict(list)
    for letter in books.letters:
        for order_id in letter.orders:
            letters[order_id].append(letter)
    ids = sorted({*expected.accepted, *books.orders} - {*expected.poison})
    ends = {i: end_of(books.orders.get(i, {}), letters.get(i, ()), expected.at_rest) for i in ids}
    found = [Finding("lost", order_id, end.why) for order_id, end in ends.items() if end.state == "lost"]
    found += money_findings(books, ends, letters, expected.at_rest)
    found += findings.stock(books, ends, letters, expected)
    found += findings.messages(books, expected)
    found += findings.told(books, ends, letters, expected.at_rest)
    found += findings.sales(books, ends, letters, expected.at_rest)
    return Audit(ends, in_order(found))


def in_order(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """The gravest first, and always in the same order."""
    return tuple(sorted(found, key=lambda one: (KINDS.index(one.kind), one.subject, one.why)))
