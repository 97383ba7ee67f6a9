"""What an operation does: to the world, to the stack, and to the events that it will tell.

Taught in notebooks/12_ship_it.ipynb
"""

from . import timeline
from .book import Book, PlayedStack, Wanted
from .recorded import NOT_EMPTY
from .scenarios import Scenario
from .timeline import Made
from .world import World, full_buckets

RECEIPTS, API = "ReceiptsBucket", "AWS::ApiGateway::RestApi"


def _failing(wanted: Wanted, scenario: Scenario) -> dict[str, str]:
    """What of a change set fails, logical ids with the reason: the recorded failure was of reserved concurrency."""
    if wanted.parameters.get("ReservedConcurrency") != "on":
        return {}
    return {name: why for name, why in scenario.failing.items() if name in wanted.touched}


class Operations:
    """Creations, updates and deletions of stacks; each follows the scenario that it is given."""

    def __init__(self, world: World, book: Book) -> None:
        self.world, self.book = world, book
        self.orphans: list[tuple[list[dict[str, str]], Made]] = []  # what updates left behind, and its tags

    def create(self, stack: PlayedStack, wanted: Wanted, scenario: Scenario) -> None:
        """Make everything, or fail and take it back."""
        stack.parameters, stack.tags = wanted.parameters, wanted.tags
        if failing := _failing(wanted, scenario):
            stack.coming = [*timeline.failed_creation(self._made(stack, wanted, {}), failing)]
            return
        self.world.make(wanted.template, wanted.parameters)
        self._adopt(stack, wanted)
        stack.coming = [*timeline.creation(stack.resources)]

    def update(self, stack: PlayedStack, wanted: Wanted, scenario: Scenario) -> None:
        """Make what is new, change the rest, delete what is gone; or fail, and the stack is as it was."""
        before = {made.logical_id: made for made in stack.resources}
        new = {*wanted.described} - {*before}
        if failing := _failing(wanted, scenario):
            ids = {name: made.physical_id for name, made in before.items()}
            changed = [made for made in self._made(stack, wanted, ids) if made.logical_id in wanted.touched]
            stack.coming = [*timeline.failed_update(changed, new, failing)]
            return
        gone = [made for name, made in before.items() if name not in wanted.described]
        orphans = [made for made in gone if made.logical_id in scenario.staying]
        self.world.change(wanted.template, wanted.parameters, {made.physical_id for made in orphans})
        self.orphans += [(stack.tags, made) for made in orphans]
        stack.parameters, stack.tags = wanted.parameters, wanted.tags
        self._adopt(stack, wanted)
        changed = [made for made in stack.resources if made.logical_id in wanted.touched]
        stack.coming = [*timeline.update(changed, new, gone, scenario.staying)]

    def delete(self, stack: PlayedStack, scenario: Scenario) -> None:
        """Delete everything that can be deleted."""
        if scenario.written_late and stack.status != "DELETE_FAILED":
            for made in stack.resources:
                if made.logical_id == RECEIPTS:
                    self.world.put(made.physical_id, "receipts/late.json")
        staying = dict.fromkeys(full_buckets(self.world, stack.resources), NOT_EMPTY.rows[0][2])
        there = {made.logical_id for made in stack.resources}
        staying |= {name: why for name, why in scenario.staying.items() if name in there}
        kept = [made for made in stack.resources if made.logical_id in staying]
        self.world.unmake({made.physical_id for made in [*kept, *(made for _, made in self.orphans)]})
        stack.coming = [*timeline.deletion(stack.resources, staying)]
        if scenario.logged_late and not staying:
            for made in stack.resources:
                if made.type == API:
                    self.world.log(f"API-Gateway-Execution-Logs_{made.physical_id}/live")
        stack.resources = kept

    def left_behind(self) -> list[tuple[list[dict[str, str]], Made]]:
        """What is no stack's any more and still there, with its tags."""
        self.orphans = [(tags, made) for tags, made in self.orphans if self.world.stands(made)]
        return self.orphans

    def _adopt(self, stack: PlayedStack, wanted: Wanted) -> None:
        stack.outputs, stack.described = self.world.outputs(), wanted.described
        stack.resources = self._made(stack, wanted, self.world.ids())

    def _made(self, stack: PlayedStack, wanted: Wanted, ids: dict[str, str]) -> list[Made]:
        return [
            Made(name, one["Type"], ids.get(name) or f"{stack.name}-{name}-{self.book.id(name)[:12].upper()}")
            for name, one in wanted.described.items()
        ]
