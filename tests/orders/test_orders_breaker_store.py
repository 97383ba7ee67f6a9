"""The shared breaker's record in DynamoDB: replaced only by who was first."""

import json
from typing import Any

from botocore.exceptions import ReadTimeoutError

from orderlab.orders import rows
from orderlab.orders.breaker_store import BreakerStore
from orderlab.patterns.breaker import CircuitBreaker
from orderlab.patterns.shared_breaker import SharedBreaker


def shared(now: float = 0.0) -> SharedBreaker:
    """What one execution environment has."""
    return SharedBreaker(BreakerStore("provider"), CircuitBreaker(5, 30.0, 1))


def test_a_record_comes_back_as_it_was(shop: Any) -> None:
    """With lists, floats and None; and a version that grows."""
    store = BreakerStore("provider")
    assert store.load() == (None, 0)
    record = {"state": "open", "opened_at": 1767603600.25, "probes": [[1, 2.5]], "tenths": [], "x": None, "n": 3}
    assert store.save(record, 0) is None
    assert store.load() == (record, 1)
    assert store.save({**record, "n": 4}, 1) is None and store.load()[1] == 2


def test_who_comes_second_is_told_what_is_there(shop: Any) -> None:
    """At the first save as at any later one, also when it was deleted; another dependency's record is another row."""
    store = BreakerStore("provider")
    assert store.save({"n": 1}, 0) is None and store.save({"n": 2}, 0) == ({"n": 1}, 1)
    assert store.save({"n": 2}, 1) is None and store.save({"n": 3}, 1) == ({"n": 2}, 2)
    assert store.load() == ({"n": 2}, 2)
    assert BreakerStore("other").save({"n": 9}, 0) is None
    shop.clients.dynamodb().delete_item(TableName="breaker", Key={"name": {"S": "provider"}})
    assert store.save({"n": 3}, 2) == (None, 0)


def test_a_write_that_was_sent_twice_is_our_own(shop: Any, monkeypatch: Any) -> None:
    """boto3 sends it again when its answer was lost, and then finds our own row in the way."""
    client = shop.clients.dynamodb()
    real, lost = client.put_item, [True]

    def put(**params: Any) -> Any:
        if lost.pop() if lost else False:
            real(**params)
        return real(**params)

    monkeypatch.setattr(client, "put_item", put)
    assert BreakerStore("provider").save({"n": 1}, 0) is None
    assert BreakerStore("provider").load() == ({"n": 1}, 1)


def test_fifty_environments_count_together_and_send_one_probe(shop: Any) -> None:
    """Five failures in all, not five each; and after 30 s one of them may ask."""
    fleet = [shared() for _ in range(50)]
    reached = 0
    for breaker in fleet:
        permit = breaker.allow(100.0)
        if permit is not None:
            reached += 1
            breaker.failure(100.0, permit)
    assert reached == 5
    probes = [breaker for breaker in fleet if breaker.allow(130.0) is not None]
    assert len(probes) == 1
    assert rows.get("breaker", name="provider")["record"]["state"] == "half-open"  # type: ignore[index]


def test_two_environments_that_fail_at_once_are_two_failures(shop: Any) -> None:
    """Neither is lost when one saves between the other's read and its write."""
    first, second = shared(), shared()
    permit, other = first.allow(1.0), second.allow(1.0)
    shop.before("PutItem", lambda: second.failure(1.0, other))
    first.failure(1.0, permit)
    assert rows.get("breaker", name="provider")["record"]["failures"] == 2  # type: ignore[index]


def test_a_table_that_does_not_answer_leaves_it_to_the_environment(shop: Any, monkeypatch: Any) -> None:
    """Payments go on."""
    breaker = shared()

    def silent(**_: Any) -> None:
        raise ReadTimeoutError(endpoint_url="x")

    monkeypatch.setattr(shop.clients.dynamodb(), "get_item", silent)
    assert breaker.allow(1.0) is not None
    monkeypatch.undo()


def test_a_breaker_that_trips_is_counted_once(shop: Any, capsys: Any) -> None:
    """One line in CloudWatch's embedded metric format, from the one environment whose write won."""
    store = BreakerStore("provider")
    assert store.save({"state": "closed"}, 0) is None
    assert capsys.readouterr().out == ""
    assert store.save({"state": "open"}, 1) is None and store.save({"state": "open"}, 1) is not None
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    (made,) = line["_aws"]["CloudWatchMetrics"]
    assert (made["Namespace"], made["Metrics"][0]["Name"], line["BreakerOpened"]) == ("OrderLab", "BreakerOpened", 1)
    assert line[made["Dimensions"][0][0]].endswith("/provider")
