"""Event source mappings: which sources Lambda polls for which functions.

A queue's mapping is a `Poller`, a stream's a `Reader`. Both begin with the stack or at run time, go on with other
settings, and end. Source: Lambda developer guide, invocation-eventsourcemapping; texts from recorded calls.

Taught in notebooks/04_the_queue.ipynb
"""

from typing import Any

from ..functions.service import Functions
from ..queues.service import Queues
from ..scheduler import Scheduler
from ..stack.resources import Stack
from ..stack.template import TemplateError
from ..trace import Trace
from ..wire.answers import Refusal
from .poller import Poller
from .reader import Reader
from .settings import Mapping, check, conflict, invalid, is_queue, read

WRITES = {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems", "ExecuteStatement"}


class Mappings:
    """The mappings of one local cloud, by logical id. Raises TemplateError for one that AWS would refuse.

    `tables` are moto's, by name.
    """

    def __init__(
        self, scheduler: Scheduler, trace: Trace, queues: Queues, functions: Functions, stack: Stack, tables: Any
    ) -> None:
        self.scheduler, self.trace, self.queues, self.functions = scheduler, trace, queues, functions
        self.tables = tables
        self.working: dict[str, Poller | Reader] = {}
        for resource in stack.of_type("AWS::Lambda::EventSourceMapping"):
            try:
                self.add(resource.logical_id, resource.properties)
            except Refusal as refusal:
                raise TemplateError(refusal.message) from None

    def add(self, name: str, properties: dict[str, Any]) -> None:
        """Start a mapping from its CloudFormation properties. Raises Refusal for what AWS refuses."""
        mapping = self._checked(name, properties)
        made = self.working[name] = self._made(mapping)
        if isinstance(made, Reader):
            made.begin()
        else:
            self.queues.watch(mapping.source, lambda: self._look(name))
            made.look()

    def change(self, name: str, properties: dict[str, Any]) -> None:
        """Go on with other settings; what runs already ends as it began. Raises Refusal, and changes nothing then."""
        self.working[name].become(self._checked(name, properties))

    def remove(self, name: str) -> None:
        """End a mapping."""
        self.working.pop(name).stop()

    def poke(self, operation: str) -> None:
        """A table may have been written to: look at the streams."""
        for reader in self.working.values() if operation in WRITES else ():
            if isinstance(reader, Reader):
                reader.written(self.scheduler.hops)

    def behind(self, name: str) -> int:
        """How many records of its stream this mapping has not dealt with yet."""
        found = self.working.get(name)
        return found.waiting if isinstance(found, Reader) else 0

    def clear(self) -> None:
        """Forget what is gathered or under way, and begin again: for a cloud that is emptied."""
        for name, old in self.working.items():
            old.stop()
            self.working[name] = self._made(old.mapping)

    def _look(self, name: str) -> None:
        if name in self.working:
            self.working[name].look()

    def _made(self, mapping: Mapping) -> Poller | Reader:
        if is_queue(mapping.source):
            return Poller(mapping, self.scheduler, self.queues, self.functions)
        return Reader(mapping, self._table(mapping), self.scheduler, self.trace, self.functions)

    def _checked(self, name: str, properties: dict[str, Any]) -> Mapping:
        mapping = read(name, properties)
        try:
            function = self.functions.resolve(mapping.function)
        except Refusal:
            raise invalid(f"{name}: Function does not exist") from None
        conflict(mapping, [each.mapping for each in self.working.values()])
        if not is_queue(mapping.source):
            self._table(mapping)
            return mapping
        try:
            queue = self.queues.store(mapping.source).queue
        except Refusal as refusal:
            words = f"SQS Error Code: {refusal.code}. SQS Error Message: {refusal.message}"
            raise invalid(f"{name}: Error occurred while ReceiveMessage. {words}") from None
        check(mapping, function, queue)
        return mapping

    def _table(self, mapping: Mapping) -> Any:
        """moto's table behind a mapping's stream. Raises Refusal when there is none."""
        for table in self.tables.values():
            stream = f"{table.table_arn}/stream/{table.latest_stream_label}"
            if table.stream_shard is not None and mapping.source == stream:
                return table
        raise invalid(f"{mapping.name}: Stream not found: {mapping.source}")
