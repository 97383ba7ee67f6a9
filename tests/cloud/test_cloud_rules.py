"""The event pattern language: recorded rows, the operators one by one, arrays, refusals, and laws that must hold."""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from orderlab.cloud.rules import InvalidPattern, explain, matches, parse, wildcards

VECTORS = os.environ.get("ORDERLAB_VECTORS")
needs_vectors = pytest.mark.skipif(not VECTORS, reason="ORDERLAB_VECTORS is not set: no recorded rows to compare with")
ORDER = {
    "source": "orders.api",
    "detail-type": "OrderPlaced",
    "resources": [],
    "detail": {
        "orderId": "ORD-7",
        "total": 123400,
        "note": None,
        "gift": True,
        "ip": "10.0.0.17",
        "items": [{"sku": "MUG", "qty": 1, "tags": ["blue", "new"]}, {"sku": "HAT", "qty": 5, "tags": []}],
    },
}


def detail(**fields: Any) -> dict[str, Any]:
    return {"detail": fields}


def verdict(pattern: Any, event: Any) -> str:
    try:
        return "match" if matches(pattern, event) else "no_match"
    except InvalidPattern:
        return "error"


@needs_vectors
def test_every_recording_of_the_service_is_reproduced_with_its_text() -> None:
    """TestEventPattern on AWS: verdicts, and the very words of the refusals."""
    rows = json.loads(Path(str(VECTORS), "eventbridge_patterns_aws.json").read_text("utf-8"))
    wrong = [row["name"] for row in rows if verdict(row["pattern"], row["event"]) != row["expect"]]
    assert not wrong
    for row in (row for row in rows if row["error"]):
        with pytest.raises(InvalidPattern, match=f"^{re.escape(row['error']['Message'])}$"):
            parse(row["pattern"])


@needs_vectors
def test_every_verdict_of_the_open_engine_is_reproduced_and_explained() -> None:
    """Patterns over order events, labelled by the engine; an explanation is given exactly where there is no match."""
    lines = Path(str(VECTORS), "eventbridge_patterns_ruler.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert not [row["id"] for row in rows if verdict(row["pattern"], row["event"]) != row["expect"]]
    valid = [row for row in rows if row["expect"] != "error"]
    assert not [row["id"] for row in valid if bool(explain(row["pattern"], row["event"])) == (row["expect"] == "match")]


@pytest.mark.parametrize(
    ("alternative", "accepted", "rejected"),
    [
        ("MUG", ["MUG"], ["mug", "MUG ", 0, None]),
        ("", [""], [" ", None, False, 0]),
        ("5", ["5"], [5, 5.0]),
        (5, [5, 5.0], ["5", True, 50]),
        (1, [1, 1.0], [True, "1"]),
        (0, [0, -0.0], [False, None, ""]),
        (True, [True], ["true", 1, False]),
        (None, [None], ["null", "", 0, False]),
        (2**53 + 1, [2**53 + 1], [2**53, float(2**53)]),
        ({"prefix": "ORD-"}, ["ORD-7", "ORD-"], ["ord-7", "XORD-7", 7]),
        ({"prefix": ""}, ["", "x"], [7, None, True]),
        ({"suffix": ".png"}, ["a.png"], ["a.PNG", "png"]),
        ({"prefix": {"equals-ignore-case": "ord"}}, ["ORD-7", "oRd"], ["or"]),
        ({"suffix": {"equals-ignore-case": ".Png"}}, ["a.PNG", ".png"], ["png", "a.png "]),
        ({"equals-ignore-case": "straße"}, ["STRASSE", "Straße"], ["STRASS", "strasse\n"]),
        ({"exactly": "MUG"}, ["MUG"], ["mug"]),
        ({"anything-but": "PAID"}, ["paid", "", 5, None, True], ["PAID"]),
        ({"anything-but": ["A", "B"]}, ["C", 5], ["A", "B"]),
        ({"anything-but": 5}, [6, "5", None, True], [5, 5.0]),
        ({"anything-but": 1}, [True], [1]),
        ({"anything-but": [1, 2]}, [3, "1"], [1, 2.0]),
        ({"anything-but": {"prefix": ["a", "b"]}}, ["ca", 5], ["ab", "b"]),
        ({"anything-but": {"suffix": ".jpg"}}, ["a.png"], ["a.jpg"]),
        ({"anything-but": {"equals-ignore-case": ["EUR", "gbp"]}}, ["USD", 1], ["eur", "GBP"]),
        ({"anything-but": {"wildcard": "*/tmp/*"}}, ["a/b", 5], ["x/tmp/y"]),
        ({"anything-but": {"wildcard": ["a*", "*z"]}}, ["b"], ["a", "xz"]),
        ({"numeric": [">", 0, "<=", 5]}, [0.1, 5], [0, 5.1, "3", True]),
        ({"numeric": ["=", 3.018e2]}, [301.8], [301.80001]),
        ({"numeric": ["<", 0]}, [-1e300], [0, None]),
        ({"numeric": [">", 1]}, [2**53], [12345678901234567]),
        ({"wildcard": "dir/*/a*.txt"}, ["dir//a.txt", "dir/x/y/abc.txt"], ["dir/a.txt", "dir/x/b.txt", 5]),
        ({"wildcard": r"\*\\*"}, ["*\\", "*\\x"], ["x\\", "*x"]),
        ({"wildcard": "ab*ba"}, ["abba", "abxba"], ["aba", "ab"]),
        ({"cidr": "10.0.0.0/24"}, ["10.0.0.0", "10.0.0.255", "010.0.0.1"], ["10.0.1.0", "10.0.0", "10.0.0.0/24", None]),
        ({"cidr": "2001:db8::/32"}, ["2001:db8::1", "2001:0DB8:ffff::"], ["2001:db9::", "10.0.0.1"]),
        ("2001:db8::1", ["2001:0db8:0:0:0:0:0:1"], ["2001:db8::2"]),
        ("10.0.0.1", ["10.0.0.1", "::ffff:a00:1"], ["10.0.0.2", "1"]),
        ({"exists": True}, ["", None, False, 0], []),
    ],
)
def test_an_operator_accepts_and_rejects_what_it_should(alternative: Any, accepted: list, rejected: list) -> None:
    """One alternative against single values of every JSON type."""
    pattern = parse({"value": [alternative]})
    assert [value for value in accepted if not pattern.matches({"value": value})] == []
    assert [value for value in rejected if pattern.matches({"value": value})] == []


def test_fields_are_and_alternatives_are_or() -> None:
    """Every named field must match; one of a field's alternatives is enough."""
    assert matches({"source": ["orders.api", "orders.stock"], **detail(total=[{"numeric": [">=", 100000]}])}, ORDER)
    assert not matches({"source": ["orders.api"], **detail(total=[{"numeric": ["<", 100000]}])}, ORDER)
    assert matches(detail(total=["x", {"numeric": [">=", 100000]}]), ORDER)


def test_exists_looks_at_leaves_only() -> None:
    """An object and an empty array are no values, so they do not exist; null does."""
    assert matches(detail(note=[{"exists": True}], missing=[{"exists": False}]), ORDER)
    assert matches({"detail": [{"exists": False}], "resources": [{"exists": False}]}, ORDER)
    assert not matches({"detail": [{"exists": True}]}, ORDER)
    assert matches(detail(missing=[{"exists": False}, "x"]), ORDER)
    assert not matches(detail(missing=[{"anything-but": "x"}]), ORDER)


def test_a_list_matches_if_any_of_its_values_does() -> None:
    """Also for anything-but: one other value is enough."""
    assert matches({"a": ["x"]}, {"a": ["y", ["x"]]})
    assert matches({"a": [{"anything-but": "x"}]}, {"a": ["x", "y"]})
    assert not matches({"a": [{"anything-but": "x"}]}, {"a": ["x"]})
    assert not matches({"a": ["x"]}, {"a": []})


def test_fields_inside_one_array_must_be_met_by_the_same_element() -> None:
    """A mug once and five hats are not five mugs; nested arrays are compared at every level."""
    assert matches(detail(items={"sku": ["HAT"], "qty": [5]}), ORDER)
    assert not matches(detail(items={"sku": ["MUG"], "qty": [5]}), ORDER)
    assert matches(detail(items={"sku": ["MUG"], "tags": ["new"]}, orderId=["ORD-7"]), ORDER)
    assert not matches(detail(items={"sku": ["HAT"], "tags": ["new"]}), ORDER)
    assert matches(detail(items={"qty": [5], "tags": [{"exists": False}]}), ORDER)
    event = {"a": [{"b": [{"c": 1, "d": 1}, {"c": 2, "d": 2}], "e": 1}, {"b": [{"c": 1, "d": 2}], "e": 2}]}
    assert matches({"a": {"b": {"c": [1], "d": [2]}, "e": [2]}}, event)
    assert not matches({"a": {"b": {"c": [1], "d": [2]}, "e": [1]}}, event)


def test_two_arrays_are_independent_even_if_one_list_stands_in_both() -> None:
    """Consistency is asked of one array of the event, not of a Python list that was used twice."""
    rows = [{"x": 1}, {"x": 2}]
    assert matches({"a": {"x": [1]}, "b": {"x": [2]}}, {"a": rows, "b": rows})


def test_a_dotted_key_is_a_nested_key() -> None:
    """In the pattern, in the event, and half and half."""
    for pattern in ({"a": {"b": {"c": ["x"]}}}, {"a.b.c": ["x"]}, {"a.b": {"c": ["x"]}}, {"a": {"b.c": ["x"]}}):
        for event in ({"a": {"b": {"c": "x"}}}, {"a.b.c": "x"}, {"a.b": {"c": "x"}}, {"a": [{"b.c": "x"}]}):
            assert matches(pattern, event)
        assert not matches(pattern, {"a": {"b": "x"}, "c": "x"})


def test_a_path_named_twice_counts_as_named_last() -> None:
    """As two spellings, as a repeated key of the JSON text, and inside $or."""
    assert matches('{"a": ["x"], "a": ["y"]}', {"a": "y"})
    assert matches({"a": {"b": ["x"]}, "a.b": ["y"]}, {"a": {"b": "y"}})
    assert matches('{"a": {"b": ["x"]}, "a": {"c": ["y"]}}', {"a": {"b": "x", "c": "y"}})
    assert matches({"a": ["x"], "$or": [{"a": ["y"]}, {"b": ["z"]}]}, {"a": "y"})


def test_or_joins_fields_at_any_depth() -> None:
    """Several $or multiply, and one may hold another."""
    pattern = detail(**{"$or": [{"total": [{"numeric": ["<", 1]}]}, {"$or": [{"gift": [True]}, {"note": ["x"]}]}]})
    assert matches(pattern, ORDER)
    assert not matches(pattern, {"detail": {"total": 5, "gift": False, "note": "y"}})
    both = {"$or": [{"a": [1]}, {"b": [1]}], "c": {"$or": [{"d": [1]}, {"e": [1]}]}}
    assert matches(both, {"b": 1, "c": {"d": 1}})
    assert not matches(both, {"b": 1, "c": {"d": 2}})


def test_pattern_and_event_may_be_json_text() -> None:
    """As PutRule and TestEventPattern get them; digits that a double cannot hold are kept."""
    assert matches('{"total": [{"numeric": [">", 1e2]}]}', '{"total": 100.5}')
    assert not matches('{"total": [0.1]}', '{"total": 0.1000000000000000055}')
    assert not matches('{"total": [{"numeric": [">", 0]}]}', '{"total": 0.1000000000000000055}')
    assert matches('{"note": ["ä🚀"]}', json.dumps({"note": "ä🚀"}))


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ({}, "Empty objects are not allowed"),
        ({"detail": {}}, "Empty objects are not allowed"),
        ([], "Filter is not an object"),
        ("[]", "Filter is not an object"),
        ("nonsense", "Expecting value"),
        ("[" * 2000, "recursion|Expecting value"),  # from Python 3.12 on, json nests as deep as this
        ({"a": {1, 2}}, "not JSON serializable"),
        ({"a": "x"}, '"a" must be an object or an array'),
        ({"a": []}, "Empty arrays are not allowed"),
        ({"a": [["x"]]}, "Match value must be String, number, true, false, or null"),
        ({"a": [{}]}, "Match expression name not found"),
        ({"a": [{"Prefix": "x"}]}, "Unrecognized match type Prefix"),
        ({"a": [{"prefix": "x", "suffix": "y"}]}, "Only one key allowed in match expression"),
        ({"a": [{"prefix": {"suffix": "y"}}]}, "Unsupported prefix pattern: suffix"),
        ({"a": [{"suffix": {}}]}, "Suffix expression name not found"),
        ({"a": [{"exactly": 5}]}, "exact match pattern must be a string"),
        ({"a": [{"exists": "true"}]}, "exists match pattern must be either true or false."),
        ({"a": [{"anything-but": {"numeric": [">", 1]}}]}, "Unsupported anything-but pattern: numeric"),
        ({"a": [{"anything-but": ["x", 1]}]}, "mixed type is not supported"),
        ({"a": [{"anything-but": []}]}, "mixed type is not supported"),
        ({"a": [{"anything-but": {}}]}, "Anything-But expression name not found"),
        ({"a": [{"anything-but": {"wildcard": 5}}]}, "wildcard match pattern must be a string"),
        ({"a": [{"numeric": []}]}, "Invalid member in numeric match: ]"),
        ({"a": [{"numeric": ["=>", 5]}]}, "Unrecognized numeric range operator: =>"),
        ({"a": [{"numeric": ["=", "5"]}]}, "Value of equals must be numeric"),
        ({"a": [{"numeric": ["<", 5, ">", 1]}]}, "Too many elements in numeric expression"),
        ({"a": [{"numeric": [">", 1, "<", 5, "<", 6]}]}, "Too many terms in numeric range expression"),
        ({"a": [{"numeric": [">", 1, 5]}]}, "Bad value in numeric range: 5"),
        ({"a": [{"numeric": [">", 1, ">", 5]}]}, "Bad numeric range operator: >"),
        ({"a": [{"numeric": [">=", 5, "<=", 5]}]}, "Bottom must be less than top"),
        ({"a": [{"numeric": [">", 12345678901234567]}]}, "Cannot compare number : 12345678901234567"),
        ({"a": [{"cidr": "10.0.0.0/32"}]}, "IPv4 mask bits must be < 32"),
        ({"a": [{"cidr": "::/128"}]}, "IPv6 mask bits must be < 128"),
        ({"a": [{"cidr": "10.0.0.0/x"}]}, "Malformed CIDR, mask bits must be an integer"),
        ({"a": [{"cidr": "10.0.0.0/-1"}]}, "Malformed CIDR, mask bits must not be negative"),
        ({"a": [{"cidr": "10.0.0.300/8"}]}, "Invalid IP address: 10.0.0.300"),
        ({"a": [{"wildcard": "ä**"}]}, "Consecutive wildcard characters at pos 3"),
        ({"a": [{"wildcard": "x\\"}]}, "Invalid escape character at pos 2"),
        ({"$or": {"a": ["x"]}}, "It must be an Array followed with $or."),
        ({"$or": ["x", "y"]}, "Only JSON object is allowed in array of $or relationship."),
        ({"$or": [{"a": ["x"]}]}, "There must have at least 2 Objects in $or relationship."),
        ({"$or": [{"prefix": ["x"]}, {"a": ["x"]}]}, "prefix is Ruler reserved fieldName"),
        ({"a": [{"wildcard": "*:*:*:*:*:*"}]}, "Rule is too complex"),
        ({"a": ["x" * 2048]}, "the pattern has 2058 characters, more than 2048"),
        ({str(n): {"$or": [{"a": [1]}, {"b": [1]}]} for n in range(40)}, "$or multiplies to more than 1000"),
    ],
)
def test_a_malformed_pattern_is_refused_with_its_reason(pattern: Any, reason: str) -> None:
    """InvalidPattern carries the service's words, behind the service's introduction."""
    with pytest.raises(InvalidPattern) as refusal:
        parse(pattern)
    assert str(refusal.value).startswith("Event pattern is not valid. Reason: ")
    assert reason in str(refusal.value) or re.search(reason, str(refusal.value))


@pytest.mark.parametrize(
    ("operators", "score"),
    [
        (["*"], 1),
        (["abc"], 1),
        (["*ab"], 2),
        (["*aa"], 3),
        (["a*bbb"], 4),
        (["*ab*b*b*"], 7),
        (["*a*a*a*a*a*a*a*a*"], 17),
        (["ab*cd", "ab*wx", "ab*yz"], 6),
        (["F*eatureFeature", "Fe*atureFeature", "Fea*tureFeature"], 10),
    ],
)
def test_complexity_counts_the_beginnings_that_one_value_can_keep_open(operators: list[str], score: int) -> None:
    """The engine's own examples, with the quotes of a value taken off."""
    bare = [[wildcards.tokens(text)[1:-1]] for text in operators]
    assert wildcards.complexity(bare, limit=100) == score
    assert wildcards.complexity(bare, limit=5) == min(score, 5)


def test_wildcards_of_one_field_add_up_and_those_of_two_fields_do_not() -> None:
    """The limit is per field, over all alternatives and branches."""
    one, other = {"wildcard": "*a*a*a"}, {"wildcard": "*a*a*b"}
    assert parse({"x": [one], "y": [other]})
    assert parse({"x": [one, one]})
    for pattern in ({"x": [one, other]}, {"$or": [{"x": [one]}, {"x": [other]}]}):
        with pytest.raises(InvalidPattern, match="Rule is too complex"):
            parse(pattern)


def test_an_explanation_names_each_field_that_is_not_met() -> None:
    """What was seen, what was wanted, and nothing about fields that match."""
    pattern = {"source": ["orders.api"], **detail(total=[{"numeric": ["<", 5]}], coupon=["X", {"prefix": "Y"}])}
    assert explain(pattern, ORDER) == [
        'detail.coupon is missing; the pattern wants "X" or {"prefix": "Y"}',
        'detail.total is 123400; the pattern wants {"numeric": ["<", 5]}',
    ]
    assert explain({"source": ["orders.api"]}, ORDER) == []


def test_an_explanation_tells_when_no_single_element_meets_all() -> None:
    """Each field is met by some item, but no item meets both; and each way through $or has its own reasons."""
    clash = ["detail.items.qty, detail.items.sku are met one by one, but not in the same element of the array"]
    assert explain(detail(items={"sku": ["MUG"], "qty": [5]}), ORDER) == clash
    assert explain({"$or": [{"source": ["x"]}, {"detail-type": ["y"]}]}, ORDER) == [
        '$or, way 1: source is "orders.api"; the pattern wants "x"',
        '$or, way 2: detail-type is "OrderPlaced"; the pattern wants "y"',
    ]
    assert explain({"$or": [{"source": ["x"]}, {"detail-type": ["OrderPlaced"]}]}, ORDER) == []
    assert explain(detail(gift=[{"exists": False}]), ORDER) == [
        'detail.gift is true; the pattern wants {"exists": false}'
    ]


def test_a_long_array_that_nearly_matches_is_settled_quickly() -> None:
    """Independent arrays do not multiply: 200 x 200 x 200 elements are not tried in all combinations."""
    event = {name: [{"x": 1}] * 200 for name in "abc"} | {"d": [{"x": 1, "y": 2}, {"x": 2, "y": 1}]}
    tried = 0

    def count(frame: Any, what: str, _: Any) -> None:
        nonlocal tried
        tried += what == "call" and frame.f_code.co_name == "_agrees"

    sys.setprofile(count)
    try:
        assert not matches({**{name: {"x": [1]} for name in "abcd"}, "d": {"x": [1], "y": [1]}}, event)
    finally:
        sys.setprofile(None)
    assert 0 < tried < 10_000


texts = st.text("aAbß*\\.é🚀 ", max_size=6)
scalars = st.one_of(texts, st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none())
keys = st.sampled_from(["a", "b", "c", "a.b"])
events = st.dictionaries(
    keys,
    st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3)),
    max_size=3,
)
fixed = settings(derandomize=True, deadline=None, max_examples=200)


def leaves(node: Any, path: str = "") -> list[tuple[str, Any]]:
    if isinstance(node, dict):
        return [leaf for key, each in node.items() for leaf in leaves(each, f"{path}.{key}" if path else key)]
    if isinstance(node, list):
        return [leaf for each in node for leaf in leaves(each, path)]
    return [(path, node)]


@fixed
@given(events, st.data())
def test_a_pattern_made_of_a_leaf_of_the_event_always_matches(event: dict[str, Any], data: st.DataObject) -> None:
    """Wherever the leaf is: in objects, arrays, behind dotted keys."""
    assume(leaves(event))
    path, value = data.draw(st.sampled_from(leaves(event)))
    assert matches({path: [value]}, event)
    assert matches({path: [{"exists": True}]}, event)
    assert not matches({path: [{"exists": False}]}, event)
    assert matches({path: [value]}, json.dumps(event))


@fixed
@given(scalars, st.one_of(texts, st.integers(-5, 5)), texts.filter(bool))
def test_anything_but_is_the_complement_on_a_single_value(value: Any, named: Any, text: str) -> None:
    """For values, and for each of the string operators it can hold."""
    pairs = [({"anything-but": named}, named)]
    for operator in ("prefix", "suffix", "equals-ignore-case"):
        pairs.append(({"anything-but": {operator: text}}, {operator: text}))
    for negative, positive in pairs:
        if isinstance(positive, str) and "." in positive and positive.replace(".", "").isdigit():
            continue
        assert matches({"v": [negative]}, {"v": value}) != matches({"v": [positive]}, {"v": value})


@fixed
@given(events, st.lists(st.tuples(keys, scalars), min_size=2, max_size=3), keys, scalars)
def test_or_distributes_over_the_other_fields(event: dict, ways: list, key: str, value: Any) -> None:
    """A pattern with $or matches exactly if one of the patterns without it does."""
    common = {f"d.{key}": [value, {"exists": False}]}
    joined = {**common, "$or": [{path: [wanted]} for path, wanted in ways]}
    apart = [{**common, path: [wanted]} for path, wanted in ways]
    assert matches(joined, event) == any(matches(each, event) for each in apart)


@fixed
@given(st.lists(st.dictionaries(st.sampled_from("xyz"), st.integers(0, 2), max_size=3), max_size=4), st.data())
def test_array_consistency_is_one_element_meeting_every_field(rows: list[dict[str, int]], data: st.DataObject) -> None:
    """Compared with the plain definition on an array of flat objects."""
    wanted = data.draw(st.dictionaries(st.sampled_from("xyz"), st.integers(0, 2), min_size=1))
    pattern = {"rows": {key: [value] for key, value in wanted.items()}}
    assert matches(pattern, {"rows": rows}) == any(wanted.items() <= row.items() for row in rows)


@fixed
@given(st.text("ab*", max_size=6), st.text("ab", max_size=8))
def test_a_wildcard_is_a_regular_expression_with_dots(pattern: str, value: str) -> None:
    """The stars against `.*`; two stars in a row are refused."""
    if "**" in pattern:
        with pytest.raises(ValueError, match="Consecutive wildcard characters"):
            wildcards.matcher(pattern)
        return
    assert wildcards.matcher(pattern)(value) == bool(re.fullmatch(pattern.replace("*", ".*"), value))


@fixed
@given(
    events, st.dictionaries(keys, st.lists(scalars | st.just({"exists": False}), min_size=1, max_size=2), min_size=1)
)
def test_an_explanation_is_empty_exactly_when_the_event_matches(event: dict, pattern: dict) -> None:
    """One code path: what explains also decides."""
    assert (explain(pattern, event) == []) == matches(pattern, event)
