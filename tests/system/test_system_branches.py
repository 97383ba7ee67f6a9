"""Any three values of the template's parameters together: a small day of orders has four zeros in its audit."""

import importlib.util
import itertools
import json
import math
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from orderlab.cloud import Cloud
from orderlab.cloud.stack.template import TEMPLATE, read
from orderlab.ops.audit.books import books_of
from orderlab.ops.audit.findings import Expected
from orderlab.ops.audit.verdict import audit
from orderlab.ops.days.play import poison_ids, put_poison, turn_knob, write_rows

FILE = Path(__file__).resolve().parents[2] / ".ci" / "branches.py"
OPENING = {"mug": 9, "lamp": 6}
PRICES = {"mug": 700, "lamp": 100_000}  # one lamp is an order of £1,000
POISON = poison_ids(1, 0)
ORDERS = [{"mug": 2}, {"lamp": 1}] * 5 + [{"mug": 99}, {"mug": 1, "lamp": 1}]


def script() -> ModuleType:
    """What CI writes the templates with that cfn-lint reads."""
    spec = importlib.util.spec_from_file_location("ci_branches", FILE)
    assert spec is not None and spec.loader is not None
    module, path = importlib.util.module_from_spec(spec), list(sys.path)  # the script adds the repository
    spec.loader.exec_module(module)
    sys.path[:] = path
    return module


BRANCHES = script().branches(read(TEMPLATE)["Parameters"])


def play(cloud: Any, signed: bool) -> set[str]:
    """A dozen orders, one poisonous event and one crash; the ids of the orders that were accepted."""
    cloud.faults.at_rate("crash-after", 1.0, where="dynamodb.TransactWriteItems", limit=1)
    tables, outputs = cloud.client("dynamodb"), cloud.outputs
    catalogue = [{"sku": {"S": s}, "price": {"N": str(p)}, "name": {"S": s}} for s, p in PRICES.items()]
    write_rows(tables, outputs["CatalogueTableName"], catalogue)
    on_hand = [{"sku": {"S": s}, "onHand": {"N": str(n)}} for s, n in OPENING.items()]
    write_rows(tables, outputs["StockTableName"], on_hand)
    turn_knob(cloud.client, outputs, declineRate=0.3)
    put_poison(cloud.client, outputs, POISON, "2026-01-05T09:00:00+00:00")
    sent = []
    for n, order in enumerate(ORDERS):
        body = {"customerId": "C-1", "items": [{"sku": sku, "quantity": units} for sku, units in order.items()]}
        headers = {"content-type": "application/json", "x-api-key": cloud.api_key, "Idempotency-Key": f"k{n}"}
        sent.append(cloud.request_at(cloud.now + 0.5 * n, "POST", "/orders", body=body, headers=headers, signed=signed))
    cloud.run()
    assert {answer.response.status for answer in sent} == {202}
    return {answer.response.json()["orderId"] for answer in sent}


@pytest.mark.parametrize("chosen", BRANCHES, ids=lambda chosen: "-".join(chosen.values()))
def test_a_small_day_has_four_zeros_in_every_branch(chosen: dict[str, str]) -> None:
    """Sold out, declined, £1,000, a poison message and a crash: every order ends, and nothing is lost or doubled."""
    by_machine = chosen["Saga"] == "orchestration"
    with Cloud(parameters=chosen) as cloud:
        accepted = play(cloud, signed=chosen["Authorization"] == "iam")
        books = books_of(cloud)
        struck, cached = cloud.faults.struck, cloud.stack.of_type("AWS::ElastiCache::ServerlessCache")
        failed = [row for row in cloud.trace.select("execution") if row.what == "failed"]
    verdict = audit(books, Expected(OPENING, accepted, () if by_machine else POISON))
    assert verdict.findings == ()
    assert len(accepted) == len(ORDERS) == len(verdict.ends)
    assert {end.state for end in verdict.ends.values()} == {"confirmed", "cancelled"}
    assert {end.why.partition(":")[0] for end in verdict.ends.values()} == {"", "out of stock", "payment declined"}
    assert [letter.queue for letter in books.letters].count("ReviewQueue") == 6  # the orders with a lamp in them
    assert len(failed) == by_machine  # there the poison is an execution that fails, and no dead letter
    assert struck == 1
    assert bool(cached) == (chosen["Cache"] == "on")
    assert all(cloud.outputs[name].startswith(chosen["NamePrefix"]) for name in cloud.outputs if name.endswith("Name"))


def test_a_parameter_without_values_to_try_is_an_error() -> None:
    """Whoever adds a parameter says what to try of it; values that are listed make a branch each."""
    branches = script().branches
    listed = {"Saga": {"AllowedValues": ["a", "b"]}, "Count": {"Type": "Number", "AllowedValues": [1]}}
    assert branches(listed) == [{"Saga": "a", "Count": "1"}, {"Saga": "b", "Count": "1"}]
    assert branches(listed, strength=1) == [{"Saga": "a", "Count": "1"}, {"Saga": "b", "Count": "1"}]
    with pytest.raises(ValueError, match="no AllowedValues of parameter New: say in EXAMPLES"):
        branches({**listed, "New": {"Type": "String"}})


def test_the_examples_are_the_extremes_of_what_the_template_admits() -> None:
    """The shortest and the longest prefix, by its pattern; and no example of what the template no longer has."""
    parameters = read(TEMPLATE)["Parameters"]
    examples = script().EXAMPLES
    assert set(examples) == {name for name, described in parameters.items() if "AllowedValues" not in described}
    pattern = parameters["NamePrefix"]["AllowedPattern"]
    shortest, longest = examples["NamePrefix"]
    assert re.fullmatch(pattern, shortest) and not re.fullmatch(pattern, shortest[:-1])
    assert re.fullmatch(pattern, longest) and not re.fullmatch(pattern, longest + "s")


def test_any_three_values_of_three_parameters_stand_together_in_a_branch() -> None:
    """And the branches are few: all combinations would be two thousand. The same list every time."""
    parameters = read(TEMPLATE)["Parameters"]
    values = {n: [*map(str, d.get("AllowedValues") or script().EXAMPLES[n])] for n, d in parameters.items()}
    for names in itertools.combinations(values, 3):
        wanted = set(itertools.product(*(values[name] for name in names)))
        assert {tuple(branch[name] for name in names) for branch in BRANCHES} == wanted, names
    assert len(BRANCHES) <= 20 <= math.prod(map(len, values.values())) // 100
    assert len({str(branch) for branch in BRANCHES}) == len(BRANCHES)
    assert script().branches(parameters) == BRANCHES


def test_nothing_in_the_template_hangs_on_more_than_two_parameters_at_once() -> None:
    """So three together are enough: a resource's own condition counts, and each Fn::If around a value."""
    template = read(TEMPLATE)
    hangs_on = {name: set(re.findall(r"'Ref': '(\w+)'", str(said))) for name, said in template["Conditions"].items()}

    def deepest(value: Any, above: set[str]) -> int:
        if isinstance(value, dict) and "Fn::If" in value:
            condition, *either = value["Fn::If"]
            return max(deepest(part, above | hangs_on[condition]) for part in either)
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return max([len(above), *(deepest(part, above) for part in parts)])

    found = {
        name: deepest(described, hangs_on.get(described.get("Condition"), set()))
        for name, described in template["Resources"].items()
    }
    assert max(found.values()) == 2, found
    assert all(len(names) == 1 for names in hangs_on.values())


def test_each_branch_is_translated_with_its_values_fixed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the linters read in CI: one file a branch, in which each parameter has the one value."""
    assert script().main(tmp_path) == 0
    said = f"{len(BRANCHES)} combinations of the template's parameters, any 3 values together in one of them\n"
    assert capsys.readouterr().out == said
    files = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(tmp_path.glob("*.json"))]
    fixed = [{name: str(described["Default"]) for name, described in made["Parameters"].items()} for made in files]
    assert fixed == BRANCHES
    assert all(
        d.get("AllowedValues", [d["Default"]]) == [d["Default"]] for m in files for d in m["Parameters"].values()
    )
    assert not any("Transform" in made for made in files)
