"""The Architecture Blog's sweep, by AWS's own simulator and by ours: seconds for the same part of it.

`python -m orderlab.ops.bench.published CHECKOUT` prints a JSON object. CHECKOUT is a clone of
github.com/aws-samples/aws-arch-backoff-simulator, which no package index has. Its functions run as they
are. They are given `xrange`, a name of Python 2, and a seeded generator in place of the global one; the file's last
line, which would begin the whole sweep, is left out; and the instants of the calls, which it writes to a file, are
thrown away, to its advantage: ours are kept.
"""

import ast
import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from orderlab.sim.contention import article_strategies, contend

from .peers import NotMeasured

NAMES = {"backoff_types", "setup_sim", "run_sim", "Stats"}  # what is used of its file
FILE = Path("src", "backoff_simulator.py")
CLIENTS = (10, 50, 100, 150, 190)  # from end to end of the article's axis
ROUNDS = 5
AGREEMENT = 0.05  # the share by which the calls of both may differ; by chance they differ by 1 %
Trial = Callable[[int, str, int], int]  # clients, strategy, seed to the calls that it took


def measure(checkout: Path, clients: tuple[int, ...] = CLIENTS, rounds: int = ROUNDS) -> dict[str, float]:
    """Seconds and calls of one round, "theirs" and "ours", over all strategies and `clients`; the median of `rounds`.

    The two take turns at every single trial, so that a machine whose speed drifts is as slow for the one as for the
    other. Raises NotMeasured.
    """
    theirs, ours = _theirs(checkout), _ours()
    seconds: dict[str, list[float]] = {"theirs": [], "ours": []}
    calls = {"theirs": 0, "ours": 0}
    for seed in range(rounds):
        spent = {"theirs": 0.0, "ours": 0.0}
        for count in clients:
            for name in article_strategies():
                for side, trial in (("theirs", theirs), ("ours", ours)):
                    begun = perf_counter()
                    calls[side] += trial(count, name, seed)
                    spent[side] += perf_counter() - begun
        for side, each in spent.items():
            seconds[side].append(each)
    if not abs(calls["ours"] / calls["theirs"] - 1) < AGREEMENT:
        raise NotMeasured(f"{checkout} does other work: {calls['theirs']} calls, where ours makes {calls['ours']}")
    return {
        "theirs": median(seconds["theirs"]),
        "ours": median(seconds["ours"]),
        "calls, theirs": calls["theirs"] / rounds,
        "calls, ours": calls["ours"] / rounds,
    }


def _ours() -> Trial:
    strategies = article_strategies()
    return lambda count, name, seed: contend(count, strategies[name], seed=seed).calls


def _theirs(checkout: Path) -> Trial:
    """One trial of AWS's simulator."""
    try:
        source = ast.parse((checkout / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError):
        raise NotMeasured(f"{checkout} is no checkout of aws-arch-backoff-simulator: no {FILE.as_posix()}") from None
    source.body = [statement for statement in source.body if not isinstance(statement, ast.Expr)]
    names: dict[str, Any] = {"xrange": range, "__name__": "backoff_simulator"}
    exec(compile(source, str(checkout / FILE), "exec"), names)
    if not names.keys() >= NAMES:
        raise NotMeasured(f"{FILE.as_posix()} in {checkout} lacks {', '.join(sorted(NAMES - names.keys()))}")
    strategies = {name: strategy for strategy, name in names["backoff_types"]}

    def trial(count: int, name: str, seed: int) -> int:
        names["random"] = random.Random(seed)
        queue, stats = names["setup_sim"](count, strategies[name], _Nowhere(), names["Stats"]())
        names["run_sim"](queue)
        return int(stats.calls)

    return trial


class _Nowhere:
    def write(self, line: str) -> None:
        """Keep nothing."""


if __name__ == "__main__":
    try:
        print(json.dumps(measure(Path(sys.argv[1]))))
    except NotMeasured as problem:
        print(json.dumps({"problem": str(problem)}))
