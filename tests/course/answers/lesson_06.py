"""Answers to the exercises of lesson 06: further right ones, and one wrong one for each misconception of the lesson."""

from fractions import Fraction
from typing import Any

from botocore.exceptions import ClientError

Event = dict[str, Any]
kept: list[str] = []
by_customer: dict[str, list[str]] = {}

APPEND = "SET goods = list_append(if_not_exists(goods, :none), :new)"


def appended(event: Event, table: Any) -> list[str]:
    """Right: DynamoDB appends."""
    answer = table.update_item(
        Key={"customer": event["customer"]},
        UpdateExpression=APPEND,
        ExpressionAttributeValues={":none": [], ":new": [event["sku"]]},
        ReturnValues="ALL_NEW",
    )
    return list(answer["Attributes"]["goods"])


def counted(event: Event, table: Any) -> list[str]:
    """Right: a number for each article."""
    answer = table.update_item(
        Key={"customer": event["customer"]},
        UpdateExpression="ADD #sku :one",
        ExpressionAttributeNames={"#sku": event["sku"]},
        ExpressionAttributeValues={":one": 1},
        ReturnValues="ALL_NEW",
    )
    found = answer["Attributes"]
    return [sku for sku, number in found.items() if sku != "customer" for _ in range(int(number))]


def versioned(event: Event, table: Any) -> list[str]:
    """Right: read, and write only over what was read; else begin again."""
    key = {"customer": event["customer"]}
    for _ in range(9):
        row = table.get_item(Key=key, ConsistentRead=True).get("Item", {"goods": [], "version": 0})
        new = {**key, "goods": [*row["goods"], event["sku"]], "version": row["version"] + 1}
        try:
            table.put_item(
                Item=new,
                ConditionExpression="attribute_not_exists(version) OR version = :old",
                ExpressionAttributeValues={":old": row["version"]},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            continue
        return list(new["goods"])
    raise TimeoutError("always somebody else")


def in_a_global(event: Event, table: Any) -> list[str]:
    """Wrong: the code as the lesson gives it."""
    kept.append(event["sku"])
    return list(kept)


def a_global_for_each(event: Event, table: Any) -> list[str]:
    """Wrong: nobody sees another's basket any more, but it is still in one environment."""
    by_customer.setdefault(event["customer"], []).append(event["sku"])
    return list(by_customer[event["customer"]])


def one_row_for_all(event: Event, table: Any) -> list[str]:
    """Wrong: outside, and everybody's."""
    answer = table.update_item(
        Key={"customer": "basket"},
        UpdateExpression=APPEND,
        ExpressionAttributeValues={":none": [], ":new": [event["sku"]]},
        ReturnValues="ALL_NEW",
    )
    return list(answer["Attributes"]["goods"])


def get_then_put(event: Event, table: Any) -> list[str]:
    """Wrong: reads, and writes over what came in between."""
    key = {"customer": event["customer"]}
    row = table.get_item(Key=key, ConsistentRead=True).get("Item", {"goods": []})
    table.put_item(Item={**key, "goods": [*row["goods"], event["sku"]]})
    return [*row["goods"], event["sku"]]


def as_a_set(event: Event, table: Any) -> list[str]:
    """Wrong: two mugs are one."""
    answer = table.update_item(
        Key={"customer": event["customer"]},
        UpdateExpression="ADD goods :new",
        ExpressionAttributeValues={":new": {event["sku"]}},
        ReturnValues="ALL_NEW",
    )
    return list(answer["Attributes"]["goods"])


def conditioned(table: Any, sku: str, quantity: int) -> bool:
    """Right: the condition in the update."""
    try:
        table.update_item(
            Key={"sku": sku},
            UpdateExpression="SET onHand = onHand - :q",
            ConditionExpression="onHand >= :q",
            ExpressionAttributeValues={":q": quantity},
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return False
        raise
    return True


def added(table: Any, sku: str, quantity: int) -> bool:
    """Right: ADD of a negative number, and the table's own exception."""
    try:
        table.update_item(
            Key={"sku": sku},
            UpdateExpression="ADD onHand :less",
            ConditionExpression="attribute_exists(sku) AND onHand >= :q",
            ExpressionAttributeValues={":q": quantity, ":less": -quantity},
        )
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        return False
    return True


def read_then_write(table: Any, sku: str, quantity: int) -> bool:
    """Wrong: check first, then take."""
    row = table.get_item(Key={"sku": sku}, ConsistentRead=True).get("Item", {"onHand": 0})
    if row["onHand"] < quantity:
        return False
    table.put_item(Item={"sku": sku, "onHand": row["onHand"] - quantity})
    return True


def read_then_update(table: Any, sku: str, quantity: int) -> bool:
    """Wrong: the update is one step, but the check is another."""
    row = table.get_item(Key={"sku": sku}, ConsistentRead=True).get("Item", {"onHand": 0})
    if row["onHand"] < quantity:
        return False
    table.update_item(
        Key={"sku": sku}, UpdateExpression="ADD onHand :less", ExpressionAttributeValues={":less": -quantity}
    )
    return True


def uncaught(table: Any, sku: str, quantity: int) -> bool:
    """Wrong: sold out is an error."""
    table.update_item(
        Key={"sku": sku},
        UpdateExpression="SET onHand = onHand - :q",
        ConditionExpression="onHand >= :q",
        ExpressionAttributeValues={":q": quantity},
    )
    return True


def no_condition(table: Any, sku: str, quantity: int) -> bool:
    """Wrong: takes whatever is there."""
    table.update_item(
        Key={"sku": sku}, UpdateExpression="SET onHand = onHand - :q", ExpressionAttributeValues={":q": quantity}
    )
    return True


def is_there(table: Any, sku: str, quantity: int) -> bool:
    """Wrong: one is there, so two are."""
    try:
        table.update_item(
            Key={"sku": sku},
            UpdateExpression="SET onHand = onHand - :q",
            ConditionExpression="onHand > :zero",
            ExpressionAttributeValues={":q": quantity, ":zero": 0},
        )
    except ClientError:
        return False
    return True


def more_than_enough(table: Any, sku: str, quantity: int) -> bool:
    """Wrong: the last one stays."""
    try:
        table.update_item(
            Key={"sku": sku},
            UpdateExpression="SET onHand = onHand - :q",
            ConditionExpression="onHand > :q",
            ExpressionAttributeValues={":q": quantity},
        )
    except ClientError:
        return False
    return True


def says_nothing(table: Any, sku: str, quantity: int) -> bool | None:
    """Wrong: done, and nobody is told."""
    try:
        table.update_item(
            Key={"sku": sku},
            UpdateExpression="SET onHand = onHand - :q",
            ConditionExpression="onHand >= :q",
            ExpressionAttributeValues={":q": quantity},
        )
    except ClientError:
        return False
    return None


RIGHT: dict[str, list[Any]] = {
    "6.1": [12, 12.0, Fraction(60, 5)],
    "6.2": [appended, counted, versioned],
    "6.3": [conditioned, added],
}
WRONG: dict[str, list[tuple[Any, str]]] = {  # the answer, and words of the message that it must get
    "6.1": [
        (60, "one counter for all"),
        (5, "the number of environments"),
        (6, "fewer are inside at once"),
        (3, "not rate divided by stay"),
    ],
    "6.2": [
        (in_a_global, "the environment's memory"),
        (a_global_for_each, "the environment's memory"),
        (one_row_for_all, "somebody else has put in"),
        (get_then_put, "the second to write wins"),
        (as_a_set, "Two mugs are two mugs"),
    ],
    "6.3": [
        (read_then_write, "check in the write itself"),
        (read_then_update, "check in the write itself"),
        (uncaught, "That is an answer"),
        (no_condition, "goods that are not there"),
        (is_there, "goods that are not there"),
        (says_nothing, "no customer was told True"),
        (more_than_enough, "never sold"),
    ],
}
