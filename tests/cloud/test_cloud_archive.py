"""Archives and replays: what a bus remembers, and how it comes back."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.events.models import Archive

from orderlab.cloud.stack.template import TemplateError
from orderlab.cloud.wire.answers import NotYet

TEMPLATE = """
App: {Type: AWS::Serverless::Function, Properties: {FunctionName: app, Handler: app.handler}}
Bus: {Type: AWS::Events::EventBus, Properties: {Name: orders}}
Kept:
  Type: AWS::Events::Archive
  Properties: {ArchiveName: kept, SourceArn: !GetAtt Bus.Arn, RetentionDays: 14}
Placed:
  Type: AWS::Events::Rule
  Properties:
    Name: placed
    EventBusName: !Ref Bus
    EventPattern: {detail-type: [OrderPlaced]}
    Targets: [{Id: app, Arn: !GetAtt App.Arn}]
Every:
  Type: AWS::Events::Rule
  Properties:
    Name: every
    EventBusName: !Ref Bus
    EventPattern: {source: [{prefix: shop}]}
    Targets: [{Id: app, Arn: !GetAtt App.Arn, InputPath: $}]
AppPermission:
  Type: AWS::Lambda::Permission
  Properties: {FunctionName: !Ref App, Action: lambda:InvokeFunction, Principal: events.amazonaws.com}
"""
APP = "import json\n\ndef handler(event, context):\n    print(json.dumps(event))"
MINUTE = 60.0


class Shop:
    """A cloud with a bus `orders`, its archive `kept` and two rules that print what they get."""

    def __init__(self, cloud: Any) -> None:
        self.cloud, self.events = cloud, boto3.client("events")
        self.bus = self.events.describe_event_bus(Name="orders")["Arn"]
        self.archive = self.events.describe_archive(ArchiveName="kept")["ArchiveArn"]
        self.begin = cloud.now

    def put(self, n: int, kind: str = "OrderPlaced", **parts: Any) -> dict[str, Any]:
        entry = {
            "EventBusName": "orders",
            "Source": "shop",
            "DetailType": kind,
            "Detail": json.dumps({"n": n}),
            **parts,
        }
        return dict(self.events.put_events(Entries=[entry])["Entries"][0])

    def replay(self, name: str = "again", start: float = 0.0, end: float = 1000.0, **changes: Any) -> dict[str, Any]:
        """Replay the window from `start` to `end`, in seconds from the beginning."""
        only = changes.pop("only", None)
        asked = {
            "ReplayName": name,
            "EventSourceArn": self.archive,
            "EventStartTime": self.begin + start,
            "EventEndTime": self.begin + end,
            "Destination": {"Arn": self.bus, **({"FilterArns": only} if only else {})},
            **changes,
        }
        return dict(self.events.start_replay(**asked))

    def got(self, replay: str | None = None) -> list[int]:
        """The numbers that the function got, in order, in replays of this name (None: first-hand)."""
        shown = [json.loads(row.what) for row in self.cloud.trace.select("log")]
        return [event["detail"]["n"] for event in shown if event.get("replay-name") == replay]

    def state(self, name: str = "again") -> str:
        return str(self.events.describe_replay(ReplayName=name)["State"])

    def count(self) -> int:
        return int(self.events.describe_archive(ArchiveName="kept")["EventCount"])


@pytest.fixture
def shop(world: Callable[..., Any]) -> Shop:
    return Shop(world(APP, TEMPLATE))


# archives


def test_an_archive_counts_what_its_bus_took_and_nothing_of_another_bus(shop: Shop) -> None:
    """Events without a rule too; refused entries and other buses' events not."""
    shop.put(1), shop.put(2, "Unheard")
    shop.put(3, EventBusName="default"), shop.put(4, Detail="[]")
    described = shop.events.describe_archive(ArchiveName="kept")
    assert (described["EventCount"], described["SizeBytes"], described["State"]) == (2, 2 * 4 + 11 + 7 + 16, "ENABLED")
    assert (described["RetentionDays"], described["EventSourceArn"]) == (14, shop.bus)
    assert "EventPattern" not in described


def test_an_archive_of_the_template_may_have_a_pattern(world: Callable[..., Any]) -> None:
    """An object there, a text through CreateArchive; a bad one stops the stack by name."""
    pattern = TEMPLATE.replace("RetentionDays: 14", "EventPattern: {detail: {n: [{numeric: ['>', 1]}]}}")
    shop = Shop(world(APP, pattern))
    for n in (1, 2, 3):
        shop.put(n)
    assert shop.count() == 2
    described = shop.events.describe_archive(ArchiveName="kept")
    assert json.loads(described["EventPattern"]) == {"detail": {"n": [{"numeric": [">", 1]}]}}
    with pytest.raises(TemplateError, match="archive kept: InvalidEventPatternException"):
        world(APP, pattern.replace("[{numeric: ['>', 1]}]", "[{numeric: 1}]"))


def test_an_archive_made_at_run_time_keeps_from_then_on(shop: Shop) -> None:
    """Checked here, kept by moto; deleted with its events, and made again empty."""
    shop.put(1)
    with pytest.raises(ClientError, match="Event pattern is not valid"):
        shop.events.create_archive(ArchiveName="mine", EventSourceArn=shop.bus, EventPattern='{"source": [{"x": 1}]}')
    shop.events.create_archive(ArchiveName="mine", EventSourceArn=shop.bus, EventPattern='{"source": ["shop"]}')
    shop.put(2), shop.put(3, Source="other")
    described = shop.events.describe_archive(ArchiveName="mine")
    assert (described["EventCount"], json.loads(described["EventPattern"])) == (1, {"source": ["shop"]})
    shop.events.delete_archive(ArchiveName="mine")
    with pytest.raises(ClientError, match=r"ResourceNotFoundException.* Archive mine does not exist."):
        shop.events.describe_archive(ArchiveName="mine")
    shop.events.create_archive(ArchiveName="mine", EventSourceArn=shop.bus)
    assert shop.events.describe_archive(ArchiveName="mine")["EventCount"] == 0


def test_an_event_leaves_its_archive_after_the_retention(shop: Shop) -> None:
    """Fourteen days here; an archive without RetentionDays keeps for ever."""
    shop.events.create_archive(ArchiveName="ever", EventSourceArn=shop.bus)
    shop.put(1)
    shop.cloud.advance(14 * 86_400 - 1)
    assert shop.count() == 1
    shop.cloud.advance(1)
    assert shop.count() == 0
    assert shop.events.describe_archive(ArchiveName="ever")["EventCount"] == 1


# replays


def test_a_replay_brings_the_window_back_in_virtual_time(shop: Shop) -> None:
    """From its start, without its end; the same events with `replay-name`, and not archived a second time."""
    for n in range(4):
        shop.put(n)
        shop.cloud.run(shop.begin + MINUTE * (n + 1))
    answer = shop.replay(start=60, end=180, Description="two of four")
    assert answer["State"] == "STARTING"
    assert answer["ReplayArn"].endswith(":replay/again")
    assert shop.state() == "STARTING"
    began = shop.cloud.now
    shop.cloud.run()
    assert shop.got("again") == [1, 1, 2, 2]
    assert shop.cloud.now - began < 30
    told = shop.events.describe_replay(ReplayName="again")
    assert (told["State"], told["Description"], told["EventSourceArn"]) == ("COMPLETED", "two of four", shop.archive)
    assert told["EventLastReplayedTime"].timestamp() == shop.begin + 120
    assert told["ReplayStartTime"].timestamp() == began < told["ReplayEndTime"].timestamp()
    assert shop.count() == 4
    first, *_, last = [json.loads(row.what) for row in shop.cloud.trace.select("log") if '"n": 1}' in row.what]
    assert {**first, "replay-name": "again"} == last


def test_the_events_own_time_decides_what_a_replay_brings(shop: Shop) -> None:
    """StartReplay: "based on the time in the event", which a producer may have set."""
    shop.put(1, Time=shop.begin - 500), shop.put(2)
    shop.cloud.run()
    shop.replay(start=-600, end=-400)
    shop.cloud.run()
    assert shop.got("again") == [1, 1]


def test_a_minute_comes_after_the_minute_before_it_and_has_no_order_itself(shop: Shop) -> None:
    """Ten events in each of two minutes."""
    for n in range(20):
        shop.put(n, Time=shop.begin + 60 * (n % 2))
    shop.cloud.run()
    shop.replay(end=120, only=[shop.events.describe_rule(Name="placed", EventBusName="orders")["Arn"]])
    shop.cloud.run()
    brought = [row.detail["event"] for row in shop.cloud.trace.select("replayed")]
    sent = [row.detail["event"] for row in shop.cloud.trace.select("event")]
    assert (set(brought[:10]), set(brought[10:])) == (set(sent[::2]), set(sent[1::2]))
    assert brought != sent[::2] + sent[1::2]
    assert sorted(shop.got("again")) == list(range(20))


def test_only_the_listed_rules_get_a_replay_and_a_disabled_one_never(shop: Shop) -> None:
    """FilterArns; a rule whose pattern wants no replay-name gets nothing either."""
    every = shop.events.describe_rule(Name="every", EventBusName="orders")["Arn"]
    shop.put(1, "Other")
    shop.cloud.run()
    shop.replay("one", only=[every])
    shop.cloud.run()
    assert shop.got("one") == [1]
    shop.events.disable_rule(Name="every", EventBusName="orders")
    shop.replay("none", only=[every])
    shop.cloud.run()
    assert (shop.got("none"), shop.state("none")) == ([], "COMPLETED")
    first_hand = json.dumps({"source": ["shop"], "replay-name": [{"exists": False}]})
    shop.events.put_rule(Name="every", EventBusName="orders", EventPattern=first_hand, State="ENABLED")
    shop.put(2, "Other"), shop.replay("deaf")
    shop.cloud.run()
    assert (shop.got(), shop.got("deaf")) == ([1, 2], [])


@pytest.mark.parametrize(
    ("code", "words", "changes"),
    [
        ("ValidationException", "EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime.",
         {"start": 5, "end": 5}),
        ("ValidationException", "Parameter EventSourceArn is not valid. Reason: Archive gone does not exist.",
         {"EventSourceArn": "arn:aws:events:us-east-1:123456789012:archive/gone"}),
        ("ValidationException", "Parameter EventSourceArn is not valid. Reason: Must contain an archive ARN.",
         {"EventSourceArn": "arn:aws:events:us-east-1:123456789012:event-bus/orders"}),
        ("ValidationException", "Destination.Arn is not valid. Reason: Cross event bus replay is not permitted.",
         {"Destination": {"Arn": "arn:aws:events:us-east-1:123456789012:event-bus/default"}}),
        ("ValidationException", "Parameter Destination.Arn is not valid. Reason: Must contain an event bus ARN.",
         {"Destination": {"Arn": "arn:aws:sqs:us-east-1:123456789012:orders"}}),
        ("ResourceNotFoundException", "Event bus gone does not exist.",
         {"Destination": {"Arn": "arn:aws:events:us-east-1:123456789012:event-bus/gone"}}),
        ("ValidationException", "us-east-1:123456789012:rule/orders/gone is no rule of the event bus orders",
         {"only": ["arn:aws:events:us-east-1:123456789012:rule/orders/gone"]}),
        ("ResourceAlreadyExistsException", "Replay first already exists.", {"name": "first"}),
    ],
)  # fmt: skip
def test_what_start_replay_refuses(shop: Shop, code: str, words: str, changes: dict[str, Any]) -> None:
    """In AWS's words where they were recorded, and nothing is replayed."""
    shop.replay("first")
    with pytest.raises(ClientError) as error:
        shop.replay(**{"name": "other", **changes})
    assert error.value.response["Error"]["Code"] == code
    assert words in error.value.response["Error"]["Message"]
    with pytest.raises(ClientError, match="Replay other does not exist"):
        shop.events.describe_replay(ReplayName="other")


def test_what_is_not_done_with_replays_and_archives_says_so(shop: Shop) -> None:
    """By name, instead of moto's answer, which knows no virtual time."""
    shop.replay()
    for refused, asked in (("cancel_replay", {"ReplayName": "again"}), ("list_replays", {}), ("list_archives", {})):
        with pytest.raises(NotYet, match=refused.title().replace("_", "")):
            getattr(shop.events, refused)(**asked)
    shop.cloud.run()
    assert shop.state() == "COMPLETED"


def test_after_a_reset_there_is_nothing_to_replay_and_the_history_is_a_new_clouds(shop: Shop) -> None:
    """Run-time archives are gone too."""

    def story() -> str:
        for n in range(5):
            shop.put(n)
        shop.replay()
        shop.cloud.run()
        return str(shop.cloud.trace.text())

    first = story()
    shop.events.create_archive(ArchiveName="mine", EventSourceArn=shop.bus)
    shop.cloud.reset()
    assert shop.count() == 0
    with pytest.raises(ClientError, match="Replay again does not exist"):
        shop.events.describe_replay(ReplayName="again")
    assert list(shop.cloud.bus.backend.archives) == ["kept"]
    assert story() == first


def test_moto_still_keeps_archives_where_they_are_read(shop: Shop) -> None:
    """A canary for each name of moto that is read."""
    archive = shop.cloud.bus.backend.archives["kept"]
    assert isinstance(archive, Archive)
    assert (archive.event_bus_name, archive.source_arn, archive.retention) == ("orders", shop.bus, 14)
    assert archive.event_pattern.dump() is None
    assert archive.uuid
    assert archive.describe()["ArchiveName"] == "kept"
