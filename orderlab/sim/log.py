"""What happened, written down while it happens: a column for each fact, a row for each request, attempt and service.

Columns of numbers rather than an object for each row: cheaper to write, nothing for the garbage collector to look at,
and an array in the end. A row's number is its handle in the whole simulation.
"""

PENDING, OK, FAILED, REFUSED, TIMED_OUT = range(5)
NEVER = float("nan")


class Log:
    """Requests that one kind of client made to one service, their attempts, and those that were served; seconds."""

    __slots__ = (
        "answered",
        "asked",
        "began",
        "begun",
        "client",
        "ended",
        "left",
        "outcome",
        "request",
        "sent",
        "served",
    )

    def __init__(self) -> None:
        self.client: list[int] = []  # requests
        self.began: list[float] = []
        self.asked = self.began  # the same, unless clients let their work wait
        self.ended: list[float] = []
        self.request: list[int] = []  # attempts
        self.sent: list[float] = []
        self.answered: list[float] = []
        self.outcome: list[int] = []
        self.served: list[int] = []  # attempts that found a slot, in the order in which service began
        self.begun: list[float] = []
        self.left: list[float] = []
