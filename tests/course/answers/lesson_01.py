"""Answers to the exercises of lesson 01: further right ones, and one wrong one for each misconception of the lesson."""

import json
from decimal import Decimal
from typing import Any

QUESTION = {"FunctionName": "stock", "InvocationType": "RequestResponse"}


def looks(order_id: str, client: Any) -> Any:
    """Right: the error leaves with its message."""
    response = client.invoke(**QUESTION, Payload=json.dumps({"orderId": order_id}))
    answer = json.loads(response["Payload"].read())
    if "FunctionError" in response:
        raise RuntimeError(answer["errorMessage"])
    return answer


def gets(order_id: str, client: Any) -> Any:
    """Right: looks first, and does not read what it does not need."""
    response = client.invoke(**QUESTION, Payload=json.dumps({"orderId": order_id}))
    if response.get("FunctionError"):
        raise ConnectionError("stock failed")
    return json.load(response["Payload"])


def trusting(order_id: str, client: Any) -> Any:
    """Wrong: the code as the lesson gives it."""
    response = client.invoke(**QUESTION, Payload=json.dumps({"orderId": order_id}))
    return json.loads(response["Payload"].read())


def status_of(order_id: str, client: Any) -> Any:
    """Wrong: looks at the status, which is 200 in any case."""
    response = client.invoke(**QUESTION, Payload=json.dumps({"orderId": order_id}))
    if response["StatusCode"] != 200:
        raise RuntimeError("stock failed")
    return json.loads(response["Payload"].read())


def nothing(order_id: str, client: Any) -> Any:
    """Wrong: an error becomes no answer."""
    response = client.invoke(**QUESTION, Payload=json.dumps({"orderId": order_id}))
    return None if "FunctionError" in response else json.loads(response["Payload"].read())


def rejected(order_id: str, client: Any) -> Any:
    """Wrong: an error becomes a no."""
    response = client.invoke(**QUESTION, Payload=json.dumps({"orderId": order_id}))
    return {"status": "REJECTED"} if "FunctionError" in response else json.loads(response["Payload"].read())


def looks_inside(order_id: str, client: Any) -> Any:
    """Wrong: any answer with the word errorMessage is an error."""
    answer = trusting(order_id, client)
    if answer and "errorMessage" in answer:
        raise RuntimeError(answer["errorMessage"])
    return answer


def wants_words(order_id: str, client: Any) -> Any:
    """Wrong: an empty answer is an error."""
    answer = looks(order_id, client)
    if not answer:
        raise RuntimeError("no answer")
    return answer


def wants_a_yes(order_id: str, client: Any) -> Any:
    """Wrong: a no is an error."""
    answer = looks(order_id, client)
    if answer and answer["status"] != "RESERVED":
        raise RuntimeError("no goods")
    return answer


def reads(body: str) -> tuple[str, int, str]:
    """Right: the error's message where there is one."""
    record = json.loads(body)
    context, error = record["requestContext"], record.get("responsePayload")
    why = error["errorMessage"] if error else context["condition"]
    return record["requestPayload"]["detail"]["orderId"], context["approximateInvokeCount"], why


def gets_with_defaults(body: str) -> tuple[str, int, str]:
    """Right: the condition is what there is by default."""
    record = json.loads(body)
    context = record["requestContext"]
    why = record.get("responsePayload", {}).get("errorMessage", context["condition"])
    return (record["requestPayload"]["detail"]["orderId"], context["approximateInvokeCount"], why)


def unread(body: Any) -> tuple[str, int, str]:
    """Wrong: takes the text for a dict."""
    return body["requestPayload"]["detail"]["orderId"], 3, body["responsePayload"]["errorMessage"]


def always_answered(body: str) -> tuple[str, int, str]:
    """Wrong: every event has had an answer."""
    record = json.loads(body)
    return (*reads(body)[:2], record["responsePayload"]["errorMessage"])


def request_id(body: str) -> tuple[str, int, str]:
    """Wrong: Lambda's id in place of the order's."""
    return (json.loads(body)["requestContext"]["requestId"], *reads(body)[1:])


def three_tries(body: str) -> tuple[str, int, str]:
    """Wrong: always three."""
    order_id, _, why = reads(body)
    return order_id, 3, why


def condition(body: str) -> tuple[str, int, str]:
    """Wrong: why Lambda gave up, and not why the function failed."""
    return (*reads(body)[:2], json.loads(body)["requestContext"]["condition"])


def kind_of_error(body: str) -> tuple[str, int, str]:
    """Wrong: the type of the error."""
    record = json.loads(body)
    error = record.get("responsePayload")
    return (*reads(body)[:2], error["errorType"] if error else record["requestContext"]["condition"])


RIGHT: dict[str, list[Any]] = {
    "1.1": [720 * (1 - 0.99**5), 35.3, Decimal("35.29")],
    "1.2": [looks, gets],
    "1.3": [reads, gets_with_defaults],
}
WRONG: dict[str, list[tuple[Any, str]]] = {  # the answer, and words of the message that it must get
    "1.1": [
        (36, "adds the five up"),
        (7.2, "one service alone"),
        (720 * 0.99**5, "can take orders"),
        (60 * 720 * (1 - 0.99**5), "looks like minutes"),
        (1 - 0.99**5, "share of the month"),
        (4.9, "share of the month"),
        (720 * (1 - 0.99**3), "for three services"),
    ],
    "1.2": [
        (trusting, "the key FunctionError"),
        (status_of, "The status is 200 here too"),
        (nothing, "the error must go up"),
        (rejected, "the error must go up"),
        (looks_inside, "Look at the response"),
        (wants_words, "An empty answer is an answer"),
        (wants_a_yes, "No is an answer too"),
    ],
    "1.3": [
        (unread, "json.loads makes a dict"),
        (always_answered, "no responsePayload"),
        (request_id, "The order stands in what"),
        (three_tries, "not always three"),
        (condition, "own error says why"),
        (kind_of_error, "wanted is its message"),
    ],
}
