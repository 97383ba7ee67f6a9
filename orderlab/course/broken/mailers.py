"""Notify as it goes wrong: the mail server is down, a mail is sent by a function that then fails, a mail takes long.

A printed line stands for the mail. The shipped Notify remembers what it has sent, under a key made from the order.
Taught in notebooks/01_ask_or_tell.ipynb
"""

import time
from typing import Any


def server_down(event: dict[str, Any], context: Any) -> None:
    """No mail leaves. Raises ConnectionError."""
    raise ConnectionError("the mail server does not answer")


def mail_first(event: dict[str, Any], context: Any) -> None:
    """Send the mail, then note that it was sent, which fails. Raises ConnectionError."""
    print("mail sent for", event["detail"]["orderId"])
    raise ConnectionError("the statistics server does not answer")


def slow_mail(event: dict[str, Any], context: Any) -> None:
    """Send the mail, in 4 s."""
    time.sleep(4)
    print("mail sent for", event["detail"]["orderId"])
