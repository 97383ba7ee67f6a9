"""What AWS's own client does in an outage, and that our retry and budget do the same, attempt by attempt.

botocore answers from a hook, so there is no network; its sleeping is written down, and its chance is ours.
Source: botocore 1.44.5, retries/standard.py, retries/quota.py and data/_retry.json; its "standard" mode is the default.
"""

import itertools
import json
import math
import random
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.endpoint
import pytest
from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, ReadTimeoutError
from botocore.retries.standard import ExponentialBackoff

from orderlab.patterns.backoff import exponential, full_jitter
from orderlab.patterns.budget import Budget
from orderlab.patterns.retry import Retry

OK, DOWN = (200, ""), (500, "InternalServerError")
THROTTLED = (400, "ThrottlingException")
MEASURED = {"0.1": "1.105", "0.2": "1.235", "0.3": "1.227", "0.5": "1.12", "0.9": "1.03"}
"""Attempts per call over 2,000 calls of one botocore 1.44.5 client, by the share of attempts that fail."""

Answer = tuple[int, str]
NOWHERE = "http://127.0.0.1:9"  # on this machine, which nothing that keeps other tests offline refuses


class Failed(Exception):
    """Our side's error; `after` is how long the server asks to wait, in seconds."""

    def __init__(self, after: float | None) -> None:
        super().__init__()
        self.after = after


@dataclass
class Server:
    """Answers attempt after attempt, and writes down the attempts and waits of each call; chance goes by attempt."""

    answers: Iterator[Any]
    after: str | None = None  # what it says in x-amz-retry-after, in milliseconds
    attempts: int = 0
    slept: list[float] = field(default_factory=list)
    calls: list[tuple[int, bool, list[float]]] = field(default_factory=list)

    def chance(self) -> float:
        """One number for each attempt, however often it is asked for: ours draws also for a retry that is refused."""
        return self.attempts * 0.618033988749895 % 1.0

    def attempt(self) -> Any:
        """One attempt's answer."""
        self.attempts += 1
        return next(self.answers)

    def call(self, make: Callable[[], Any], errors: tuple[type[Exception], ...], times: int) -> "Server":
        """Make so many calls, and note of each: attempts, whether it worked, the waits."""
        for _ in range(times):
            before, self.slept = self.attempts, []
            try:
                make()
            except errors:
                self.calls.append((self.attempts - before, False, self.slept))
            else:
                self.calls.append((self.attempts - before, True, self.slept))
        return self

    @property
    def counts(self) -> list[int]:
        """Attempts of each call."""
        return [attempts for attempts, _, _ in self.calls]

    @property
    def retries(self) -> int:
        """Attempts beyond the first of each call."""
        return self.attempts - len(self.calls)


Theirs = Callable[..., Server]


@pytest.fixture
def theirs(monkeypatch: pytest.MonkeyPatch) -> Theirs:
    """A function that makes calls with a new botocore client, whose attempts a Server answers."""

    def run(server: Server, times: int, service: str = "dynamodb", **retries: Any) -> Server:
        config = Config(retries=retries or None, account_id_endpoint_mode="disabled")
        with monkeypatch.context() as patch:
            patch.setattr(ExponentialBackoff.__init__, "__defaults__", (20, server.chance, None, None))
            patch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda wait: server.slept.append(wait)))
            keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
            client: Any = boto3.client(service, "us-east-1", endpoint_url=NOWHERE, config=config, **keys)

            def respond(request: Any, **_: Any) -> AWSResponse:
                answer = server.attempt()
                if isinstance(answer, Exception):
                    raise answer
                status, code = answer
                headers = HeadersDict({"x-amz-retry-after": server.after} if server.after is not None else {})
                body = json.dumps({"__type": f"x#{code}", "message": code} if code else {}).encode()
                return AWSResponse(request.url, status, headers, SimpleNamespace(stream=lambda: iter([body])))

            client.meta.events.register(f"before-send.{service}", respond)
            ask = client.list_tables if service == "dynamodb" else client.list_queues
            return server.call(ask, (ClientError, BotoCoreError), times)

    return run


def ours(
    server: Server, times: int, cost: float = 14, base: float = 0.025, attempts: int = 4, refund: bool = True
) -> Server:
    """The same with the objects of orderlab.patterns, set as botocore's standard mode is."""
    budget = Budget(500, per_success=1, cost=cost, refund=refund)
    after = int(server.after) / 1000 if server.after is not None else None
    policy = Retry(
        attempts, full_jitter(base, 20), retry_on=Failed, budget=budget, retry_after=lambda error: error.after
    )

    def ask() -> None:
        if server.attempt() is not OK:
            raise Failed(after)

    def call() -> None:
        policy.call(ask, clock=lambda: 0.0, sleep=lambda wait: server.slept.append(wait), rng=server.chance)

    return server.call(call, (Failed,), times)


def always(answer: Any) -> Server:
    """A server that gives one answer for ever."""
    return Server(itertools.repeat(answer))


def failing(share: float, seed: int, down: Answer = DOWN) -> Server:
    """A server that fails this share of the attempts; the same ones for the same seed."""
    rng = random.Random(f"{share} {seed}")
    return Server(down if rng.random() < share else OK for _ in itertools.count())


@pytest.mark.parametrize("down", [DOWN, ConnectTimeoutError(endpoint_url="x"), ReadTimeoutError(endpoint_url="x")])
def test_an_outage_costs_a_standard_client_35_retries_and_then_none(theirs: Theirs, down: Any) -> None:
    """Four attempts for eleven calls, three for one, then one each: 500 tokens, 14 a retry; ours the same."""
    server = theirs(always(down), 200)
    assert server.counts == [4] * 11 + [3] + [1] * 188
    assert server.retries == 35 == 500 // 14
    assert ours(always(DOWN), 200).calls == server.calls


def test_being_throttled_costs_it_100_retries_and_then_none(theirs: Theirs) -> None:
    """Five tokens each, and waits of up to 1, 2 and 4 seconds; ours the same."""
    server = theirs(always(THROTTLED), 200)
    assert server.counts == [4] * 33 + [2] + [1] * 166
    assert server.retries == 100 == 500 // 5
    assert ours(always(THROTTLED), 200, cost=5, base=1.0).calls == server.calls


@pytest.mark.parametrize(("share", "down"), [*((float(share), DOWN) for share in MEASURED), (0.5, THROTTLED)])
def test_whatever_share_fails_ours_does_what_botocore_does_call_by_call(
    theirs: Theirs, share: float, down: Answer
) -> None:
    """The same attempts, the same waits to the last bit, the same calls that work, over 400 calls."""
    cost, base = (14, 0.025) if down is DOWN else (5, 1.0)
    mine, their = failing(share, 1, down), failing(share, 1, down)
    assert ours(mine, 400, cost, base).calls == theirs(their, 400).calls


@pytest.mark.parametrize(("share", "measured"), MEASURED.items())
def test_a_steady_share_of_failures_multiplies_the_load_by_what_was_measured_of_botocore(
    share: str, measured: str
) -> None:
    """One run of botocore lies within three standard deviations of ours, and of what its own rounding hides.

    Up to 20 % the quota never ends, and the load is that of four attempts, (1 - f^4) / (1 - f); then it is rationed.
    """
    runs = [ours(failing(float(share), seed), 2000).attempts / 2000 for seed in range(10)]
    mean, deviation = statistics.mean(runs), statistics.stdev(runs)
    rounding = 0.5 * 10.0 ** -len(measured.partition(".")[2])
    assert abs(mean - float(measured)) <= 3 * deviation * math.sqrt(1 + 1 / len(runs)) + rounding
    whole = (1 - float(share) ** 4) / (1 - float(share))
    if float(share) <= 0.2:
        assert abs(mean - whole) <= 3 * deviation / math.sqrt(len(runs))
    else:
        assert mean < 0.95 * whole


def test_one_token_for_every_success_would_ration_retries_that_botocore_makes() -> None:
    """Without the refund the quota of 30 % failures ends far earlier: 1.07 times the load, not 1.23."""
    with_it, without = (ours(failing(0.3, 0), 2000, refund=refund).attempts / 2000 for refund in (True, False))
    assert with_it > 1.2 and without < 1.1


def test_a_client_of_another_service_makes_three_attempts_from_50_milliseconds(theirs: Theirs) -> None:
    """SQS: 17 calls of three attempts and one of two make 35 retries."""
    server = theirs(always((500, "InternalFailure")), 40, "sqs")
    assert server.counts == [3] * 17 + [2] + [1] * 22
    assert ours(always(DOWN), 40, base=0.05, attempts=3).calls == server.calls


def test_a_retry_that_worked_gets_its_tokens_back_and_only_its_own(theirs: Theirs) -> None:
    """Two failures and a success cost 14, not 28 - 1: 34 such calls leave 24 tokens, enough for one retry more."""
    pattern = [DOWN, DOWN, OK]
    server = theirs(Server(itertools.cycle(pattern)), 100)
    assert server.counts[:36] == [3] * 34 + [2, 1]
    assert ours(Server(itertools.cycle(pattern)), 100).calls == server.calls


def test_a_legacy_client_makes_ten_attempts_for_ever(theirs: Theirs) -> None:
    """Ten times the load, without jitter, and 25.55 s of sleep in each call: 50 ms doubled eight times."""
    server = theirs(always(DOWN), 50, mode="legacy")
    assert server.counts == [10] * 50
    steps = [exponential(0.05, 100)(retry, 0.0, server.chance) for retry in range(1, 10)]
    assert all(slept == steps for _, _, slept in server.calls)
    assert sum(server.calls[0][2]) == pytest.approx(25.55)


@pytest.mark.parametrize("after", ["0", "20", "400", "4999"])
def test_what_the_server_asks_for_is_waited(theirs: Theirs, after: str) -> None:
    """x-amz-retry-after is a floor, in milliseconds; up to 5 s both sides wait the same."""
    down, mine = always(DOWN), always(DOWN)
    down.after = mine.after = after
    assert theirs(down, 12).calls == ours(mine, 12).calls
    assert all(wait >= int(after) / 1000 for _, _, slept in down.calls for wait in slept)


def test_a_server_that_asks_for_longer_than_5_seconds_is_obeyed_by_ours_only(theirs: Theirs) -> None:
    """botocore comes back after 5 s and its own wait; ours never before the time, its `deadline` gives up instead."""
    down, mine = always(DOWN), always(DOWN)
    down.after = mine.after = "60000"
    waits = [wait for _, _, slept in theirs(down, 12).calls for wait in slept]
    assert len(waits) == 35 and all(5 <= wait <= 5.1 for wait in waits)
    assert {wait for _, _, slept in ours(mine, 12).calls for wait in slept} == {60.0}
