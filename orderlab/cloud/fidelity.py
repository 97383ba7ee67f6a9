"""The fidelity table: rule by rule, what AWS does, what this cloud does, and what moto and ministack do.

Every line was asked of each world by the same probe, over boto3 or HTTP; `tests/fidelity` asks this cloud and moto
again at each run and compares, and refreshes the file. ministack lives in real time and was run where it is installed.
What is not covered is listed too. A probe tells what it asks and no more: a right answer is no proof of everything
around it.

Taught in notebooks/12_ship_it.ipynb.
"""

import html
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("fidelity.json")
READING = "our reading"
WORLDS = ("ours", "moto", "ministack")


@dataclass(frozen=True)
class Row:
    """One rule: AWS's answer to its probe with its source, and the answers of the three worlds.

    `known` is how AWS's answer is known: "recorded" from AWS, "documented", or "our reading" of what AWS leaves open.
    """

    id: str
    area: str
    rule: str
    aws: str
    known: str
    source: str
    ours: str
    moto: str
    ministack: str

    def mark(self, world: str) -> str:
        """`yes` where a world answers as AWS is known to do, else its own answer."""
        answer = str(getattr(self, world))
        return "yes" if answer == self.aws and self.known != READING else answer


class Fidelity:
    """The table. Prints in a terminal and in a notebook; `rows`, `languages` and `not_covered` are its parts."""

    def __init__(self, read: dict[str, Any]) -> None:
        self.versions: dict[str, str] = read["versions"]
        self.rows = tuple(Row(**row) for row in read["rules"])
        self.languages: list[dict[str, Any]] = read["languages"]
        self.not_covered = tuple((row["area"], row["what"], row["instead"]) for row in read["not_covered"])

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def right(self, world: str) -> tuple[int, int]:
        """How many rules this world keeps, of those that it was asked about; our readings do not count."""
        asked = [row for row in self.rows if getattr(row, world) != "not run" and row.known != READING]
        return sum(row.mark(world) == "yes" for row in asked), len(asked)

    def __repr__(self) -> str:
        lines = [
            f"{row.area:<10} {row.rule}\n{'':<10} AWS ({row.known}): {row.aws}\n{_others(row)}" for row in self.rows
        ]
        return "\n".join([self._summary(), "", *lines])

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{name}</th>" for name in ("area", "rule", "AWS", "known", *WORLDS))
        cells = ((row.area, row.rule, row.aws, row.known, *(row.mark(world) for world in WORLDS)) for row in self.rows)
        body = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in cells)
        return (
            f"<p>{html.escape(self._summary())}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    def document(self) -> str:
        """The table as Markdown, for those who browse."""
        parts = [HEAD.format(summary=self._summary())]
        for area in dict.fromkeys(row.area for row in self.rows):
            parts.append(f"\n## {area.capitalize()}\n\n| rule | AWS | known | ours | moto | ministack | source |")
            parts.append("|---|---|---|---|---|---|---|")
            for row in self.rows:
                if row.area == area:
                    cells = (row.rule, row.aws, row.known, *(row.mark(world) for world in WORLDS), row.source)
                    parts.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")
        parts.append("\n## Whole languages, against recorded answers\n\n| language | rows | ours | moto | ministack |")
        parts.append("|---|---|---|---|---|")
        for one in self.languages:
            parts.append(f"| {one['name']} | {one['rows']} | {' | '.join(str(one[w]) for w in WORLDS)} |")
        parts.append("\n## Not covered\n\n| area | what | here |\n|---|---|---|")
        parts += [f"| {' | '.join(row)} |" for row in self.not_covered]
        return "\n".join(parts) + "\n"

    def _summary(self) -> str:
        told = (f"{world} {self.versions.get(world, '')} {'/'.join(map(str, self.right(world)))}" for world in WORLDS)
        return "Rules kept, of those asked: " + ", ".join(" ".join(one.split()) for one in told) + "."


HEAD = """# How true the local cloud is

Made by `tests/fidelity` from `fidelity.json`, do not edit. {summary}

Each row is one probe, asked of all worlds from the same CloudFormation template. "yes": answers as AWS does; otherwise
the answer that it gave. moto runs no functions here: it needs Docker for that, which no test can count on. ministack
lives in real time: what needs hours is "not run", and for the rest a probe waits up to five seconds. AWS itself was not
asked. "known" tells where its answer is from: "recorded" on AWS and published, "documented", or "our reading" of what
its documentation leaves open; such a row counts for nobody, and shows what each world answered."""


def _others(row: Row) -> str:
    return "\n".join(f"{'':<10} {world}: {row.mark(world)}" for world in WORLDS)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


@lru_cache(maxsize=1)
def table() -> Fidelity:
    """The table as it was last written."""
    return Fidelity(json.loads(FILE.read_text("utf-8")))
