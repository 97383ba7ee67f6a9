"""The package is the template's list and the bundled client, the same bytes on every machine."""

import hashlib
import io
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest

from orderlab.cloud.functions import package
from orderlab.cloud.stack.template import TEMPLATE, read
from orderlab.installing import Problem, clean_environment
from orderlab.ops.aws import stage

ROOT = Path(__file__).parents[2]


def copy_of_the_sources(folder: Path, change) -> Path:
    """The template and what it ships, copied, each file's bytes changed; returns the template's path."""
    for name in ("infra/template.yaml", "orderlab/__init__.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    for room in ("orders", "patterns"):
        shutil.copytree(ROOT / "orderlab" / room, folder / "orderlab" / room)
    for file in folder.rglob("*.py"):
        file.write_bytes(change(file.read_bytes()))
    return folder / "infra" / "template.yaml"


def test_it_ships_what_the_local_cloud_runs_and_the_bundled_client() -> None:
    """One list for both; nothing of the course, no compiled file."""
    staged = stage.stage()
    listed = package.files(read(TEMPLATE)["Metadata"], "build/", TEMPLATE.parent)
    own = {name for name in staged.files if not name.startswith("valkey")}
    assert own == set(listed)
    assert {"valkey/__init__.py", "valkey/client.py", "orderlab/orders/place.py"} <= set(staged.files)
    assert not [name for name in staged.files if "__pycache__" in name or "/cloud/" in name or "/course/" in name]
    assert any("LICENSE" in name for name in staged.files)


def test_line_endings_dates_and_owners_are_no_part_of_it(tmp_path) -> None:
    """A clone on Windows, made another day, gives the same digest and the same zip."""
    template = copy_of_the_sources(tmp_path, lambda content: content.replace(b"\n", b"\r\n"))
    here, there = stage.stage(), stage.stage(template)
    assert there.digest == here.digest and there.zipped() == here.zipped()


def test_one_changed_byte_changes_the_digest(tmp_path) -> None:
    """The digest stands for every file."""
    template = copy_of_the_sources(tmp_path, lambda content: content)
    assert stage.stage(template).digest == stage.stage().digest
    (tmp_path / "orderlab" / "orders" / "get.py").write_bytes(b"# changed\n")
    assert stage.stage(template).digest != stage.stage().digest


def test_lambda_can_read_every_file_of_the_zip() -> None:
    """rw-r--r-- for Lambda's own user, made on Unix whatever made it, sorted, with the earliest date of a zip."""
    with zipfile.ZipFile(io.BytesIO(stage.stage().zipped())) as zipped:
        entries = zipped.infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {entry.external_attr >> 16 for entry in entries} == {0o100644}
    assert {(entry.create_system, entry.date_time) for entry in entries} == {(3, (1980, 1, 1, 0, 0, 0))}


def test_the_handlers_run_from_the_stage_alone(tmp_path) -> None:
    """Every handler of the template is imported from the stage, and the client is the bundled one."""
    stage.write(stage.stage(), tmp_path / "build")
    functions = read(TEMPLATE)["Resources"].values()
    handlers = sorted(
        {one["Properties"]["Handler"] for one in functions if one["Type"].endswith("Serverless::Function")}
    )
    code = (
        "import importlib, sys\n"
        f"sys.path.insert(0, {str(tmp_path / 'build')!r})\n"
        f"for handler in {handlers!r}:\n"
        "    module, _, name = handler.rpartition('.')\n"
        "    found = importlib.import_module(module)\n"
        "    assert callable(getattr(found, name)) and 'build' in found.__file__, found.__file__\n"
        "import valkey\n"
        "assert 'build' in valkey.__file__\n"
        "print('ok')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, timeout=120,
        env={**clean_environment(), "AWS_DEFAULT_REGION": "us-east-1", "ORDERS_TABLE": "t"},
    )  # fmt: skip
    assert done.stdout.strip() == "ok", done.stderr


def test_a_stage_holds_nothing_of_an_older_one(tmp_path) -> None:
    """What was there goes."""
    old = tmp_path / "build" / "old.py"
    old.parent.mkdir()
    old.write_text("")
    staged = stage.stage()
    stage.write(staged, tmp_path / "build")
    found = {path.relative_to(tmp_path / "build").as_posix(): path for path in (tmp_path / "build").rglob("*.*")}
    files = {name: path.read_bytes() for name, path in found.items() if path.is_file()}
    assert set(files) == {name for name in staged.files if "." in name.rpartition("/")[2]}
    assert not old.exists()


def test_a_client_that_is_not_the_locks_is_refused(tmp_path) -> None:
    """The lock says which version runs on AWS."""
    lock = tmp_path / "requirements.lock"
    lock.write_text("valkey==0.0.1 \\\n    --hash=sha256:0\n")
    with pytest.raises(Problem, match=r"valkey \S+ is installed, and requirements.lock says 0\.0\.1"):
        stage.stage(lock=lock)
    lock.write_text("boto3==1\n")
    with pytest.raises(Problem, match="names no version of valkey"):
        stage.stage(lock=lock)


def test_a_client_that_was_changed_after_its_installation_is_refused(monkeypatch) -> None:
    """Each file is compared with the hash that its wheel recorded."""
    found = distribution("valkey")
    real = type(found).locate_file

    def elsewhere(self, path):
        return Path(__file__) if str(path).endswith("valkey/client.py") else real(self, path)

    monkeypatch.setattr(type(found), "locate_file", elsewhere)
    with pytest.raises(Problem, match=r"valkey/client\.py is not the file that its package recorded"):
        stage.stage()


def test_the_command_prints_the_digest_and_on_request_every_hash(capsys, tmp_path) -> None:
    """Two machines can be compared by one line, and by file when it differs; a folder that is not empty is kept."""
    folder = ["--folder", str(tmp_path / "build")]
    assert stage.main(["--list", *folder]) == 0
    with pytest.raises(Problem, match="is not empty, and nothing in it was touched"):
        stage.main(folder)
    with pytest.raises(Problem, match=r"cannot be written \(Not a directory\): name another one"):
        stage.main(["--folder", f"{__file__}/build"])
    lines = capsys.readouterr().out.splitlines()
    staged = stage.stage()
    assert lines[-1] == f"digest {staged.digest}"
    assert f"{hashlib.sha256(staged.files['orderlab/orders/place.py']).hexdigest()}  orderlab/orders/place.py" in lines
    assert len(lines) == len(staged.files) + 2
