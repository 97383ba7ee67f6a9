"""Opens a file of orders: decodes it, whatever program saved it, and hands it to the reader of its format.

Taught in notebooks/00_start_here.ipynb
"""

from collections import Counter
from pathlib import Path

from .day import Day, Unusable
from .jsonlines import read_json_lines
from .retail import read_retail

_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def read_day(path: Path) -> Day:
    """The day in this file: JSON lines if it is named .jsonl, .ndjson or .json or starts with "{", else CSV.

    Raises Unusable, in one line, for a file that cannot be read or that has no order in it.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Unusable(f"cannot read {path}: {error.strerror or error}") from None
    if data.startswith(b"PK\x03\x04"):
        raise Unusable(f"{path} is a workbook or an archive: save the sheet as CSV and give that file")
    text = decode(data)
    if not text.strip():
        raise Unusable(f"{path} is empty: give a CSV of the Online Retail columns or JSON lines of order requests")
    if text.lstrip().startswith("["):
        raise Unusable(f"{path} is one JSON array: write one order request per line instead")
    is_json = path.suffix.lower() in (".jsonl", ".ndjson", ".json") or text.lstrip().startswith("{")
    day = (read_json_lines if is_json else read_retail)(text, str(path))
    if not day.usable:
        raise Unusable(f"{path} has no order that could be accepted: {_why_not(day)}")
    return day


def decode(data: bytes) -> str:
    """The text of a file in UTF-8, UTF-16 with its mark, or Latin-1, line by line: such files are mixed in practice."""
    if data.startswith(_UTF16):
        return data.decode("utf-16", errors="replace")
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return "\n".join(_decode_line(line) for line in data.split(b"\n"))


def _decode_line(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _why_not(day: Day) -> str:
    reasons = Counter(request.flaw.reason for request in day.requests if request.flaw)
    parts = [f"{count} refused ({reason})" for reason, count in sorted(reasons.items())]
    if day.skipped:
        first = day.skipped[0]
        parts.append(f"{len(day.skipped)} unreadable, the first is line {first.line}: {first.why}")
    return "; ".join(parts) or "there is only a line of column names"
