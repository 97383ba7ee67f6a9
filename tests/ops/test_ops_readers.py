"""A file of orders is read whatever program saved it, or is refused in one clear line."""

import pytest

from orderlab.ops.days.day import Unusable
from orderlab.ops.days.readers import decode, read_day

HEAD = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID\n"
CSV = HEAD + "1,A,{name},2,2010-12-01 08:26:00,1.5,7\n"
JSON = '{"customerId": "C-1", "items": [{"sku": "A", "quantity": 2}]}\n'


@pytest.fixture
def write(tmp_path):
    def write(data, name="day.csv"):
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    return write


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_the_encodings_that_spreadsheets_save_are_read(write, encoding):
    """A byte order mark is no part of the first column's name."""
    day = read_day(write(CSV.format(name="CAFÉ").encode(encoding)))
    assert day.catalogue["A"].name == "CAFÉ"


def test_a_file_of_mixed_encodings_is_read_line_by_line():
    """One Latin-1 line does not spoil the UTF-8 lines around it."""
    assert decode("é\n".encode() + "é\n".encode("latin-1") + b"e") == "é\né\ne"


@pytest.mark.parametrize("ends", ["\r\n", "\r"])
def test_any_line_end_is_one(write, ends):
    """Windows and old Macs too."""
    assert len(read_day(write(CSV.format(name="X").replace("\n", ends))).requests) == 1


@pytest.mark.parametrize("name", ["day.jsonl", "day.json", "day.ndjson", "day.csv", "day"])
def test_json_lines_are_known_by_name_or_by_their_first_character(write, name):
    """So a file needs no option that says what it is."""
    assert read_day(write(JSON, name)).requests[0].body["customerId"] == "C-1"


def test_json_lines_whose_first_line_is_broken_are_json_lines_by_name(write):
    """The broken line is skipped like any other."""
    assert read_day(write("oops\n" + JSON, "day.jsonl")).skipped[0].line == 1


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf \n\n", "is empty"),
        (b"PK\x03\x04rest", "save the sheet as CSV"),
        (b"\x00\x01\x02binary", "has no column"),
        (b'[{"customerId": "C-1"}]', "one order request per line"),
        (b"a,b,c\n1,2,3\n", "has no column InvoiceNo"),
        (HEAD.encode(), "there is only a line of column names"),
        (CSV.format(name="X").replace(",2,2010", ",x,2010").encode(), "1 unreadable, the first is line 2"),
        (CSV.format(name="X").replace("\n1,", "\nC1,").encode(), r"1 refused \(cancellation\)"),
        (b'{"customerId": ""}', r"1 refused \(no customer\)"),
        (b'{"customerId"', "1 unreadable, the first is line 1: not JSON"),
    ],
)
def test_a_file_without_an_order_is_one_clear_error(write, data, why):
    """It names the file and what is wrong with it, in one line."""
    path = write(data)
    with pytest.raises(Unusable, match=why) as error:
        read_day(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_a_file_that_cannot_be_opened_is_one_clear_error(tmp_path):
    """Missing, or a folder."""
    for path in (tmp_path / "no.csv", tmp_path):
        with pytest.raises(Unusable, match=r"^cannot read "):
            read_day(path)
