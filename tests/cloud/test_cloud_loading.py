"""Moto is imported quickly, and nothing of what that takes stays behind."""

import subprocess
import sys

from orderlab.offline import ROOT


def told_by(code: str) -> list[str]:
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.split()


def test_what_was_imported_is_never_searched_for_garbage_again() -> None:
    told = told_by(
        "import gc\n"
        "from orderlab.cloud.loading import quickly\n"
        "with quickly():\n    print(gc.isenabled()); import moto.sqs\n"
        "print(gc.isenabled(), gc.get_freeze_count() > 10_000, len(gc.get_objects()) < 1_000)\n"
        "kept = [[n] for n in range(100)]; frozen = gc.get_freeze_count()\n"
        "with quickly():\n    import moto.sqs\n"
        "print(gc.get_freeze_count() <= frozen)\n"  # nothing new was imported
    )
    assert told == ["False", "True", "True", "True", "True"]


def test_who_collects_no_garbage_goes_on_without() -> None:
    assert told_by(
        "import gc; gc.disable()\n"
        "from orderlab.cloud.loading import quickly\n"
        "with quickly():\n    import moto.sqs\n"
        "print(gc.isenabled())"
    ) == ["False"]
