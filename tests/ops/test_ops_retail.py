"""Invoices of the Online Retail columns become order requests, whole or refused with line and reason."""

from decimal import Decimal

import pytest

from orderlab.ops.days.day import Refusal, Unusable, opening_stock
from orderlab.ops.days.retail import read_retail

HEAD = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"


def line(
    invoice="1", sku="A1", units="2", price="2.55", customer="17850.0", at="2010-12-01 08:26:00", name="LAMP"
) -> str:
    return f"{invoice},{sku},{name},{units},{at},{price},{customer},United Kingdom"


def read(*lines: str):
    return read_retail("\n".join((HEAD, *lines)), "shop.csv")


def test_one_invoice_is_one_request_with_its_number_as_the_key():
    """Two lines, one request; the float that a spreadsheet made of the customer's number is undone."""
    (request,) = read(line(sku="A1"), line(sku="B2", units="3")).requests
    assert request.key == "1" and request.line == 2 and request.flaw is None
    assert request.body == {
        "customerId": "C-17850",
        "items": [{"sku": "A1", "quantity": 2}, {"sku": "B2", "quantity": 3}],
    }


def test_lines_of_an_invoice_that_stand_apart_are_one_request():
    """The file need not be sorted by invoice."""
    day = read(line("1", "A"), line("2", "A"), line("1", "B"))
    assert [request.key for request in day.requests] == ["1", "2"]
    assert len(day.requests[0].body["items"]) == 2


def test_a_code_that_is_repeated_in_an_invoice_is_merged():
    """Its quantities are added up."""
    (request,) = read(line(units="2"), line(sku="B"), line(units="5")).requests
    assert request.body["items"] == [{"sku": "A1", "quantity": 7}, {"sku": "B", "quantity": 2}]


@pytest.mark.parametrize(
    ("lines", "refusal"),
    [
        ([line("C1", units="-1")], Refusal(2, "cancellation")),
        ([line("C1", units="1")], Refusal(2, "cancellation")),
        ([line(customer=""), line(customer="")], Refusal(2, "no customer")),
        ([line(customer="nan")], Refusal(2, "no customer")),
        ([line(), line(sku="B", units="-10")], Refusal(3, "quantity not positive")),
        ([line(), line(units="0")], Refusal(3, "quantity not positive")),
        ([line(units="60000"), line(units="60000")], Refusal(2, "quantity over 100000")),
        ([line(customer="1"), line(customer="2")], Refusal(2, "two customers")),
        ([line(sku="a/b")], Refusal(2, "customer, code or key of other characters, or too long")),
        ([line("A563186", "B", "1", "-11062.06", "")], Refusal(2, "no customer")),
    ],
)
def test_an_invoice_is_refused_whole_with_its_line_and_reason(lines, refusal):
    """Each kind of dirt has one reason, and the line that shows it."""
    day = read(*lines, line("9", "Z"))
    assert [request.flaw for request in day.requests] == [refusal, None]
    assert opening_stock(day.usable) == {"Z": 2}


def test_a_merge_never_makes_a_dirty_invoice_clean():
    """Ten and minus two are not eight: the API must see the quantity that it refuses."""
    (request,) = [one for one in read(line(units="10"), line(units="-2"), line("2")).requests if one.key == "1"]
    assert request.flaw == Refusal(3, "quantity not positive")
    assert {"sku": "A1", "quantity": -2} in request.body["items"]


def test_ninety_nine_codes_are_an_order_and_a_hundred_are_refused_at_the_hundredth():
    """The limit counts different codes, not lines."""
    codes = [line(sku=f"S{n}") for n in range(99)]
    fits, over = read(*codes, line(sku="S5")), read(*codes, line(sku="S5"), line(sku="S99"))
    assert fits.requests[0].flaw is None and len(fits.requests[0].body["items"]) == 99
    assert over.requests[0].flaw == Refusal(102, "more than 99 different codes")
    assert len(over.requests[0].body["items"]) == 100


def test_a_cancellation_is_no_request_and_is_never_sent():
    """Everything else that is refused is sent, so that the system itself refuses it."""
    credit, anonymous = read(line("C1", units="-1"), line("2", customer="")).requests
    assert credit.body is None
    assert anonymous.body == {"items": [{"sku": "A1", "quantity": 2}]}


def test_the_price_is_the_first_that_is_not_zero_in_the_whole_file():
    """Also in an invoice that is refused, and earlier or later than the order."""
    day = read(line(price="0.0"), line("C2", price="3.30"), line("3", price="2.10"))
    assert day.catalogue["A1"].price == 330


@pytest.mark.parametrize(
    ("text", "pence"), [("2.55", 255), ("0.29", 29), ("1.005", 101), ("0.001", 0), ("-11062.06", 0), ("8", 800)]
)
def test_prices_become_pence_exactly(text, pence):
    """No binary fraction on the way; half a penny is rounded up; bad debt is no price."""
    assert read(line(price=text)).catalogue["A1"].price == pence


def test_a_code_that_is_never_priced_is_given_away():
    """A free sample is part of an order too."""
    assert read(line(price="0")).catalogue["A1"].price == 0


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (line(units="six"), "Quantity 'six' is not a number"),
        (line(units=""), "Quantity '' is not a number"),
        (line(units="nan"), "Quantity 'nan' is not a number"),
        (line(units="1e99"), "Quantity '1e99' is not a number that an order can have"),
        (line(units="1.5"), "Quantity '1.5' is not a whole number"),
        (line(price="free"), "UnitPrice 'free' is not a number"),
        (line(price="inf"), "UnitPrice 'inf' is not a number"),
        (line(at="yesterday"), "InvoiceDate 'yesterday' is neither"),
        (line(at="2010-13-01 08:26:00"), "InvoiceDate '2010-13-01 08:26:00' is neither"),
        (line(invoice=""), "InvoiceNo is empty"),
        (line(sku=" "), "StockCode is empty"),
        ("1,A1,LAMP,2", "4 columns instead of 8"),
        (line(name="BIG, RED"), "9 columns instead of 8"),
        (line(name='"BIG'), "a quote is never closed"),
        (line(name='"BIG"RED'), "',' expected after '\"'"),
    ],
)
def test_an_unreadable_line_is_named_and_skipped_and_its_neighbours_are_read(bad, why):
    """The line number is that of the file; the rest of the same invoice goes on."""
    day = read(line(sku="X"), bad, *(line(sku=f"Y{n}") for n in range(9)))
    assert [skipped.line for skipped in day.skipped] == [3]
    assert day.skipped[0].why.startswith(why)
    assert len(day.requests[0].body["items"]) == 10


def test_blank_lines_are_nothing_and_still_count_as_lines():
    """A file that ends with empty lines has nothing wrong with it."""
    day = read("", line(), "", line(units="x"), "")
    assert [skipped.line for skipped in day.skipped] == [5]


def test_a_line_break_inside_quotes_belongs_to_the_line():
    """That is CSV, and the numbers of later lines stay right."""
    day = read(line(name='"RED\nLAMP, BIG"'), line(units="x"))
    assert day.catalogue["A1"].name == "RED\nLAMP, BIG"
    assert [skipped.line for skipped in day.skipped] == [4]


def test_an_open_quote_costs_its_own_line_and_not_the_next_one_that_has_quotes():
    """Joined with the next line it would be closed, but not make one line of eight columns."""
    day = read(line(name='"RED'), line(sku="B", name='"BIG, BLUE"'), line(sku="C"))
    assert [(skipped.line, skipped.why) for skipped in day.skipped] == [(2, "a quote is never closed")]
    assert [item["sku"] for item in day.requests[0].body["items"]] == ["B", "C"]


def test_requests_arrive_at_the_time_of_their_invoice_in_order():
    """In seconds after midnight of the first day; within a minute in the file's order."""
    day = read(
        line("3", at="2010-12-02 07:00:00"),
        line("2", at="12/1/2010 8:26"),
        line("1", at="2010-12-01T08:26:00"),
        line("2", sku="B", at="12/1/2010 8:27"),
    )
    assert [(request.key, request.arrives) for request in day.requests] == [
        ("2", 8 * 3600 + 26 * 60.0),
        ("1", 8 * 3600 + 26 * 60.0),
        ("3", 86400 + 7 * 3600.0),
    ]


def test_a_code_that_no_order_can_have_is_not_in_the_price_list():
    """DynamoDB takes no key of 3,000 characters, and the API none of these."""
    day = read(line(sku="x" * 3000), line("2", sku="a/b"), line("3", name="N" * 1000))
    assert list(day.catalogue) == ["A1"] and len(day.catalogue["A1"].name) == 200


def test_codes_that_are_no_goods_are_sold_like_goods():
    """Postage and bank charges stand in invoices as lines of their own."""
    codes = ["POST", "DOT", "M", "BANK CHARGES", "AMAZONFEE", "15056BL", "gift_0001_40"]
    (request,) = read(*(line(sku=code, name="") for code in codes)).requests
    assert request.flaw is None and [item["sku"] for item in request.body["items"]] == codes


@pytest.mark.parametrize("head", [HEAD.replace("Quantity,", ""), HEAD.replace(",", ";"), "hello"])
def test_a_missing_column_is_one_clear_error(head):
    """It names the file, the column, what was found and what is needed."""
    with pytest.raises(Unusable, match=r"^shop\.csv has no column .*Quantity.* are needed, separated by commas$"):
        read_retail(f"{head}\n{line()}", "shop.csv")


def test_other_columns_and_another_order_of_columns_do_not_matter():
    """Only the six that an order needs are looked for."""
    text = (
        "CustomerID, UnitPrice ,Till,InvoiceDate,Quantity,StockCode,InvoiceNo\r\n17850,1.5,3,2010-12-01 08:26,2,A,1\r\n"
    )
    (request,) = read_retail(text, "shop.csv").requests
    assert request.body == {"customerId": "C-17850", "items": [{"sku": "A", "quantity": 2}]}


def test_opening_stock_is_exact_where_binary_fractions_are_not():
    """90 x 0.7 is 63, though 90 * 0.7 is 62.99999999999999 to Python."""
    day = read(line(units="90"), line("2", sku="B", units="3"), line("3", sku="C", units="1"))
    assert opening_stock(day.usable, Decimal("0.7")) == {"A1": 63, "B": 2, "C": 0}
