"""What a receipt handle can still do: it is what a consumer has in its hand, not the message.

Each receive gives out a new handle. In a standard queue a message is deleted by its newest handle, even when its
visibility timeout has ended; an older one "succeeds" and deletes nothing, because somebody else has the message now.
A FIFO queue refuses a handle as soon as it has expired. Source: SQS API reference, DeleteMessage; recorded calls.
Taught in notebooks/04_the_queue.ipynb
"""

import base64
import binascii

from .limits import invalid, refusal
from .lines import IN_FLIGHT, Message, Store


def handle_of(store: Store, message: Message) -> str:
    """The handle of this receive of a message: as opaque as AWS's, and different for each receive."""
    return base64.b64encode(f"{store.name} {message.number} {message.receives}".encode()).decode()


def find(store: Store, handle: str, *, newest: bool) -> Message | None:
    """The message behind a handle; None when it is gone, or when `newest` and it was received again since.

    Raises Refusal: ReceiptHandleIsInvalid for what is no handle of this queue, InvalidParameterValue for an
    expired one of a FIFO queue.
    """
    try:
        name, number, receive = base64.b64decode(handle, validate=True).decode().split()
        message, stale = store.messages.get(int(number)), False
        if message is not None:
            stale = message.receives != int(receive)
    except (binascii.Error, ValueError):
        name = ""
    if name != store.name:
        text = f'The input receipt handle "{handle}" is not a valid receipt handle.'
        raise refusal("ReceiptHandleIsInvalid", text)
    if message is None:
        return None
    if store.queue.fifo_queue and (stale or message.place != IN_FLIGHT):
        raise invalid(handle, "ReceiptHandle", "The receipt handle has expired.")
    return None if newest and stale else message
