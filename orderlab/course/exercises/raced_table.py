"""A DynamoDB table that somebody else uses between two calls of an answer: the worst for whoever reads, then writes.

The table is boto3's, on moto. A race is played by letting somebody else's whole call fall between two of the answer's
own calls. Taught in notebooks/06_where_state_lives.ipynb
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from orderlab.course.answers.exercise import uncounted

Visit = list[Any]  # an environment's number, a customer, an article; and, if one falls in between, another visit


@cache
def _database() -> Any:
    """DynamoDB on moto, in the process in which an answer is tried; only for an answer that asks for it."""
    import boto3
    from moto import mock_aws

    mock_aws().start()
    session = boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing", region_name="us-east-1")
    return session.resource("dynamodb")


class Table:
    """A boto3 table with one key. `meddle` is called once, just before the second call of whoever works on it."""

    def __init__(self, name: str, key: str, rows: Sequence[dict[str, Any]] = ()) -> None:
        self.name, self.key, self.rows = name, key, rows
        self.calls, self.meddle = 0, None  # type: int, Callable[[], Any] | None
        self._real: Any = None

    def __getattr__(self, name: str) -> Any:
        real = getattr(self.real(), name)
        return self._called(real) if callable(real) else real

    def real(self) -> Any:
        """The table itself, made when it is first needed. None of its steps count as the answer's."""
        if self._real is None:
            with uncounted():
                self._real = self._made()
        return self._real

    def _made(self) -> Any:
        found = _database()
        for table in found.tables.all():
            table.delete()
        made = found.create_table(
            TableName=self.name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": self.key, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": self.key, "AttributeType": "S"}],
        )
        for row in self.rows:
            made.put_item(Item=row)
        return made

    def _called(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            self.calls += 1
            if self.calls == 2:
                self.interrupt()
            with uncounted():
                return real(*args, **named)

        return call

    def interrupt(self) -> None:
        """Let the other one have their turn, if they have not had it yet."""
        meddle, self.meddle = self.meddle, None
        if meddle is not None:
            meddle()


def visiting(answer: Any, visits: list[Visit]) -> dict[str, Any]:
    """What is in each customer's basket, by the last answer that they got; and the most calls that a visit made.

    Each environment has a copy of the answer's code.
    """
    import cloudpickle

    code = cloudpickle.dumps(answer)
    copies: dict[int, Any] = {}
    table, last, most = Table("baskets", "customer"), {}, 0

    def visit(environment: int, customer: str, sku: str, between: Visit | None = None) -> None:
        nonlocal most
        if environment not in copies:
            with uncounted():
                copies[environment] = cloudpickle.loads(code)
        table.calls, table.meddle = 0, (lambda: visit(*between)) if between else None
        said = copies[environment]({"customer": customer, "sku": sku}, table)
        most = max(most, table.calls)
        table.interrupt()
        last[customer] = sorted(said)

    for one in visits:
        visit(*one)
    return {"baskets": last, "calls": most}


def selling(answer: Any, stock: int, wishes: list[int], sku: str = "lamp") -> dict[str, Any]:
    """Let customers buy; every second one falls between two calls of the one before. What they were told, what is left.

    `left` is None where there is no row; `calls` is the most that one customer's purchase made.
    """
    table = Table("stock", "sku", [{"sku": "lamp", "onHand": stock}])
    sold, most = 0, 0

    def buy(quantity: int, between: int | None = None) -> None:
        nonlocal sold, most
        table.calls, table.meddle = 0, (lambda: buy(between)) if between is not None else None
        said = answer(table, sku, quantity)
        most = max(most, table.calls)
        table.interrupt()
        sold += quantity if said is True else 0

    for n in range(0, len(wishes), 2):
        buy(*wishes[n : n + 2])
    with uncounted():
        row = table.real().get_item(Key={"sku": sku}).get("Item")
    return {"sold": sold, "left": None if row is None else int(row["onHand"]), "calls": most}
