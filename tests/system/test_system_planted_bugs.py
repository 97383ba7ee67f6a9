"""The hunt is worth something: five bugs that are easy to write are each caught by it."""

import pytest

from orderlab.ops import hunt

BUGS = {
    "no CHARGING row: money may be on its way, and no row says so": (
        "orders/payment.py",
        '    old = rows.put(rows.new(table, row))\n    if old is not None and old["status"] != "CHARGING":\n',
        '    old = rows.get(table, orderId=placed.order_id, part="PAYMENT")\n    if old is not None:\n',
        "ChargePayment",
        (
            "orders/payment.py",
            '    return _move(table, charged(old or row, answer, now), "CHARGING")\n',
            "    new = charged(row, answer, now)\n    old = rows.put(rows.new(table, new))\n"
            '    return str((old or new)["status"])\n',
        ),
    ),
    "the tombstone is ignored: a late OrderPlaced reserves for a cancelled order": (
        "orders/stock.py",
        '[{"Put": rows.new(table, row)}, *',
        '[{"Put": _over_a_tombstone(table, row) or rows.new(table, row)}, *',
        "ReserveStock",
        (
            "orders/stock.py",
            "def reserved(placed",
            "def _over_a_tombstone(table, row):\n"
            '    old = rows.get(table, orderId=row["orderId"], part="STOCK") or {}\n'
            '    buried = old.get("status") == "TOMBSTONE"\n'
            '    return {"TableName": table, "Item": rows.to_item(row)} if buried else None\n\n\ndef reserved(placed',
        ),
    ),
    "the relay skips FailedEntryCount: a refused event is gone": (
        "orders/relay.py",
        "        if code in NOT_NOW:\n",
        "        if code in ():\n",
        "Relay",
        ("orders/relay.py", "        elif code:\n", "        elif code in ():\n"),
    ),
    "settlement without its condition: it reads, changes and writes the row": (
        "orders/settlement.py",
        '    action = rows.update(*_place(outcome.order_id), change, "attribute_exists(orderId)", names, values)\n'
        "    try:\n"
        '        answer = clients.dynamodb().update_item(**action, ReturnValues="ALL_NEW")\n',
        "    table, key = _place(outcome.order_id)\n"
        '    row = rows.get(table, **key, part="ORDER")\n'
        "    row[outcome.part] = outcome.status\n"
        "    if outcome.reason is not None:\n"
        '        row.setdefault("reason", outcome.reason)\n'
        "    try:\n"
        "        clients.dynamodb().put_item(TableName=table, Item=rows.to_item(row))\n"
        '        answer = {"Attributes": rows.to_item(row)}\n',
        "",
        None,
    ),
    "a time-out is taken for a decline": (
        "orders/asking.py",
        '    if "FunctionError" in response:\n        raise Unknown("the provider failed")\n',
        '    if "FunctionError" in response:\n'
        '        return {"answer": "declined", "amount": request["amount"], "at": ""}\n',
        "PaymentProvider",
        None,
    ),
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_caught(mutated, bug: str) -> None:
    """The same hunt that finds nothing in the shipped code finds it."""
    module, old, new, only, more = BUGS[bug]
    cloud = mutated(module, old, new, more)
    for seed in range(12):
        catch = next(hunt.singles(cloud, seed, only=only), None)
        if catch is not None:
            break
    assert catch is not None
