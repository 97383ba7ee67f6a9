"""The seam to moto's queues: what moto itself sends or counts goes through the local cloud's messages.

moto keeps the queues and their settings, and its S3 sends to them; GetQueueAttributes counts. Four names of
moto's `Queue` are replaced while a cloud is open, for its own queues only.
"""

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from moto.sqs.models import Queue

if TYPE_CHECKING:
    from .service import Queues

COUNTS = (  # in the order of Queues.counts
    "approximate_number_of_messages",
    "approximate_number_of_messages_not_visible",
    "approximate_number_of_messages_delayed",
)


def install(queues: "Queues") -> Callable[[], None]:
    """Replace moto's names, and return what puts the originals back."""
    replaced = {name: vars(Queue)[name] for name in ("add_message", *COUNTS)}

    def is_ours(queue: Queue) -> bool:
        return queues.backend.queues.get(queue.name) is queue

    def add_message(queue: Queue, message: Any) -> None:
        if not is_ours(queue):
            return replaced["add_message"](queue, message)
        queues.send(
            queue.name,
            message.body,
            attributes={name: _as_sent(value) for name, value in (message.message_attributes or {}).items()},
            delay=max(0.0, (message.delayed_until - message.sent_timestamp) / 1000),
            group=message.group_id,
            dedup=message.deduplication_id,
            source="moto",
            system=message.system_attributes,
        )

    def counting(place: int) -> property:
        original = replaced[COUNTS[place]]
        return property(lambda queue: queues.counts(queue.name)[place] if is_ours(queue) else original.fget(queue))

    replacements = {"add_message": add_message, **{name: counting(place) for place, name in enumerate(COUNTS)}}
    for name, replacement in replacements.items():
        setattr(Queue, name, replacement)

    def uninstall() -> None:
        for name, original in replaced.items():
            setattr(Queue, name, original)

    return uninstall


def _as_sent(attribute: dict[str, Any]) -> dict[str, Any]:
    """A message attribute as it travels: binary values in base64."""
    value = attribute.get("BinaryValue")
    return {**attribute, "BinaryValue": base64.b64encode(value).decode()} if isinstance(value, bytes) else attribute
