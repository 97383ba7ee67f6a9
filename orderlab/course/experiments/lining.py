"""`line()`: a producer that sends so many messages each second to ReserveStock's queue, and the line that forms.

Little's law: the mean number in the line is the mean rate of arrival times the mean stay, whatever happens in between.
Source: J. D. C. Little, "A proof for the queuing formula L = λW", Operations Research 9, 1961.
Taught in notebooks/04_the_queue.ipynb
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .lending import FUNCTION, QUEUE, toil

if TYPE_CHECKING:
    from orderlab.cloud import Cloud

LOOKS = 10  # a second


@dataclass(frozen=True)
class Line:
    """What was seen ten times a second until the line was empty: messages in it, and the oldest one's age in seconds.

    `stays` are the seconds from the send of each message to its deletion.
    """

    lengths: tuple[int, ...]
    ages: tuple[float, ...]
    stays: tuple[float, ...]

    @property
    def length(self) -> float:
        """The mean number of messages in the line."""
        return sum(self.lengths) / len(self.lengths)

    @property
    def rate(self) -> float:
        """Messages that came, per second of the whole time."""
        return len(self.stays) / len(self.lengths) * LOOKS

    def after(self, second: int) -> tuple[int, int]:
        """Messages in the line after so many seconds, and the age of the oldest in whole seconds."""
        return self.lengths[second * LOOKS - 1], round(self.ages[second * LOOKS - 1])

    @property
    def stay(self) -> float:
        """The mean stay, in seconds."""
        return sum(self.stays) / len(self.stays)


def line(cloud: "Cloud", per_second: int, seconds: int = 40, work: float = 0.9) -> Line:
    """Empty the cloud and send `per_second` messages a second for so long; each is `work` seconds of work.

    Five copies of the function may run, as the mapping says, and the queue is the template's.
    """
    cloud.reset()
    cloud.replace(FUNCTION, toil)
    sqs, url = cloud.client("sqs"), cloud.outputs[f"{QUEUE}Url"]
    entries = [{"Id": str(n), "MessageBody": str(work)} for n in range(per_second)]
    lengths: list[int] = []
    ages: list[float] = []
    while len(lengths) < seconds * LOOKS or lengths[-1]:
        if len(lengths) < seconds * LOOKS and len(lengths) % LOOKS == 0:
            sqs.send_message_batch(QueueUrl=url, Entries=entries)
        cloud.advance(1 / LOOKS)
        there = cloud.queues.messages(url)
        lengths.append(len(there))
        ages.append(cloud.now - there[0].sent_at if there else 0.0)
    sent = {row.what: row.at for row in cloud.trace.select("send")}
    stays = (row.at - sent[row.what] for row in cloud.trace.select("delete"))
    return Line(tuple(lengths), tuple(ages), tuple(stays))
