"""Watch a stack at work: each event once, in order, until the stack itself has come to rest.

Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orderlab.installing import Problem

from . import stacks
from .account import Account
from .explain import clean
from .talk import Say

POLL, PATIENCE = 4.0, 1350  # seconds, polls: an hour and a half; a cache and a VPC take half an hour
QUIET = 8  # polls without an event; an operation that was just begun may take some seconds to tell of itself
Event = Mapping[str, Any]


@dataclass(frozen=True)
class Seen:
    """How an operation ended: the stack's last status, and its events, oldest first."""

    status: str
    events: Sequence[Event]


def events_since(account: Account, stack_id: str, known: set[str]) -> list[Event]:
    """The events that are not known yet, oldest first; CloudFormation gives pages with the newest first."""
    found: list[Event] = []
    more: dict[str, str] = {}
    while True:
        page = account.ask("cloudformation", "describe_stack_events", StackName=stack_id, **more)
        for event in page["StackEvents"]:
            if event["EventId"] in known:
                return found[::-1]
            found.append(event)
        if not page.get("NextToken"):
            return found[::-1]
        more = {"NextToken": page["NextToken"]}


def known(account: Account, stack_id: str) -> set[str]:
    """The ids of all events until now."""
    return {event["EventId"] for event in events_since(account, stack_id, set())}


def before_this_operation(account: Account, stack_id: str) -> set[str]:
    """The ids of the events before the operation that is under way, for who comes in the middle of it."""
    events = events_since(account, stack_id, set())
    begun = [n for n, event in enumerate(events) if is_of_stack(event, stack_id) and began(event)]
    return {event["EventId"] for event in events[: begun[-1] if begun else 0]}


def watch_first(account: Account, stack: stacks.Stack, say: Say) -> stacks.Stack | None:
    """Watch the operation that is under way; the stack of that name after it."""
    say(f"the stack {stack.name} is {stack.status}: watching it first")
    watch(account, stack.id, before_this_operation(account, stack.id), say)
    return stacks.find(account)


def began(event: Event) -> bool:
    """Is this the event with which somebody's operation begins?"""
    return event.get("ResourceStatusReason", "") == "User Initiated"


def is_of_stack(event: Event, stack_id: str) -> bool:
    """Is the event the stack's own, not a resource's?"""
    return event.get("PhysicalResourceId") == stack_id and event["ResourceType"] == "AWS::CloudFormation::Stack"


def watch(account: Account, stack_id: str, known: set[str], say: Say) -> Seen:
    """Say each new event until the stack rests. Raises Problem when that takes more than an hour and a half."""
    seen: list[Event] = []
    known, quiet = set(known), 0
    for _ in range(PATIENCE):
        new = events_since(account, stack_id, known)
        for event in new:
            known.add(event["EventId"])
            seen.append(event)
            say(line(event))
        own = [event for event in seen if is_of_stack(event, stack_id)]
        if own and is_rest(own[-1]["ResourceStatus"]):
            return Seen(own[-1]["ResourceStatus"], seen)
        quiet = 0 if new else quiet + 1
        if quiet >= QUIET and not own:  # the stack may have come to rest before we looked: its own word counts
            stack = stacks.find(account, stack_id)
            status = stack.status if stack else "DELETE_COMPLETE"
            if is_rest(status):
                return Seen(status, seen)
        account.pause(POLL)
    raise Problem("the stack is still at work after an hour and a half: run the same command again to go on watching")


def is_rest(status: str) -> bool:
    """Has an operation ended with this status?"""
    return not status.endswith("_IN_PROGRESS")


def line(event: Event) -> str:
    """An event in one line: when (UTC), what became of which resource, and why."""
    when = event["Timestamp"].strftime("%H:%M:%S")
    reason = clean(event.get("ResourceStatusReason", ""))
    told = f"{when}  {event['ResourceStatus']:20}  {event['LogicalResourceId']} ({event['ResourceType']})"
    return f"{told}: {reason}" if reason else told
