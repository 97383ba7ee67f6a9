"""Read environment.yml with conda's own parser, which conda-lock carries; conda's solve is not run."""

import contextlib
import io
import sys

from conda_lock._vendor.conda.env.env import from_file
from conda_lock._vendor.conda.models.match_spec import MatchSpec


def main(path: str) -> int:
    """Return 0 when conda reads `path` without a complaint and finds what is meant; else say what is wrong."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        environment = from_file(path)
    if said.getvalue().strip():
        print(f"{path}: conda complains: {said.getvalue().strip()}")
        return 1
    specs = [MatchSpec(line) for line in environment.dependencies["conda"]]
    by_pip = environment.dependencies["pip"]
    if [spec.name for spec in specs] != ["python", "pip"] or "-e ." not in by_pip:
        print(f"{path}: conda reads {specs} and {by_pip}")
        return 1
    print(f"{path}: conda reads {', '.join(map(str, specs))} and {len(by_pip)} lines for pip")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
