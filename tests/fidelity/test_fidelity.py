"""The fidelity table is what the worlds answer today: asked again, and compared with the committed files."""

import json
import os
from pathlib import Path

import fidelity_run as run
import fidelity_worlds as worlds
import pytest

from orderlab.cloud import fidelity

REFRESH = "run `python tests/fidelity/fidelity_run.py` and look at the difference"
VECTORS = os.environ.get("ORDERLAB_VECTORS")


def test_our_column_is_what_this_cloud_answers_and_is_right() -> None:
    """Every rule is kept: a departure belongs into the list of what is not covered."""
    now = run.answers(worlds.ours)
    assert now == {rule.id: rule.aws for rule in run.EVERY}
    assert now == {row.id: row.ours for row in fidelity.table()}, REFRESH


def test_moto_s_column_is_what_moto_answers() -> None:
    """By the version that the file names; another one may know better."""
    told = fidelity.table().versions["moto"]
    if worlds.moto_version() != told:
        pytest.skip(f"moto {worlds.moto_version()} is installed, and the table was made with {told}")
    assert run.answers(worlds.moto) == {row.id: row.moto for row in fidelity.table()}, REFRESH


def test_the_file_says_what_the_probes_say() -> None:
    """Rules, sources and departures are written once, beside the probes."""
    table = fidelity.table()
    assert [(r.id, r.area, r.rule, r.aws, r.known, r.source) for r in table] == [
        (r.id, r.area, r.rule, r.aws, r.known, r.source) for r in run.EVERY
    ], REFRESH
    assert table.not_covered == run.NOT_COVERED, REFRESH
    assert len({rule.id for rule in run.EVERY}) == len(run.EVERY)
    assert all(row.ministack for row in table) and table.versions["ministack"]


@pytest.mark.skipif(not VECTORS, reason="ORDERLAB_VECTORS is not set: no recorded rows to count")
def test_the_counts_of_whole_languages_are_right_and_ours_are_full() -> None:
    """Ours and moto's are counted again; ministack's stand as they were counted."""
    assert run.languages(Path(str(VECTORS))) == fidelity.table().languages, REFRESH
    assert all(one["ours"] == one["rows"] for one in fidelity.table().languages)


def test_the_readable_document_is_made_of_the_same_file() -> None:
    """Nobody edits it."""
    text = fidelity.FILE.with_name("FIDELITY.md").read_text("utf-8")
    assert text == fidelity.Fidelity(json.loads(fidelity.FILE.read_text("utf-8"))).document(), REFRESH


def test_the_table_prints_in_a_terminal_and_in_a_notebook() -> None:
    """With its counts first, and what a world answered where it is not AWS's answer."""
    table = fidelity.table()
    kept, asked = table.right("ours")
    assert kept == asked == sum(row.known != fidelity.READING for row in table) < len(table)
    assert 0 < table.right("moto")[0] < table.right("moto")[1]
    assert repr(table).startswith(f"Rules kept, of those asked: ours {kept}/{asked}, moto ")
    page = table._repr_html_()
    assert page.count("<tr>") == len(table) + 1 and "[<" not in page
    assert "&lt;" in fidelity.Fidelity({
        "versions": {}, "languages": [], "not_covered": [],
        "rules": [dict.fromkeys(("id", "area", "rule", "aws", "known", "source", "ours", "moto", "ministack"), "<b>")],
    })._repr_html_()  # fmt: skip


def test_an_open_cloud_gives_the_table() -> None:
    """`cloud.fidelity()` in a cell."""
    from orderlab.cloud import Cloud

    with Cloud(template=worlds.FRONT) as cloud:
        assert cloud.fidelity() is fidelity.table()
