"""A CloudFormation that plays: change sets, stacks and their events, in the words and orders that were recorded."""

from datetime import datetime
from typing import Any

from .answers import Refusal
from .book import Book, PlayedStack, Wanted, arn_of, as_described, changed, decided
from .operations import Operations
from .recorded import NO_CHANGES, STARTED
from .scenarios import Scenario
from .timeline import Step
from .world import World

PAGE = 100  # events, resources or changes on a page


class Formation:
    """The stacks of one account; each public method answers the operation of its name."""

    def __init__(self, world: World, scenario: Scenario, start: datetime) -> None:
        self.world, self.scenario, self.book = world, scenario, Book(start)
        self.operations = Operations(world, self.book)
        self.wanted: dict[tuple[str, str], Wanted] = {}
        if scenario.taken:
            self.book.stacks.append(
                PlayedStack("orderlab", self.book.arn("stack", "orderlab"), start, [], "CREATE_COMPLETE")
            )

    def create_change_set(self, told: dict[str, Any]) -> dict[str, Any]:
        """Translate the template, and compare it with what is there."""
        if "CAPABILITY_AUTO_EXPAND" not in told.get("Capabilities", ()):
            raise Refusal("InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_AUTO_EXPAND]")
        stack, kind = self.book.find(told["StackName"]), told.get("ChangeSetType", "UPDATE")
        parameters = {each["ParameterKey"]: each["ParameterValue"] for each in told.get("Parameters", ())}
        new = stack is None or stack.status == "REVIEW_IN_PROGRESS"
        if kind == "CREATE" and not new:
            raise Refusal("ValidationError", f"Stack [{told['StackName']}] already exists and cannot be created again "
                                             "with the changeSet [orderlab].")  # fmt: skip
        if kind == "UPDATE" and new:
            raise Refusal("ValidationError", f"Stack [{told['StackName']}] does not exist")
        template = self.world.translate(self.world.read(told["TemplateURL"]), parameters)
        described = decided(template, parameters)
        tags = told.get("Tags", [])
        if stack is None:
            stack = PlayedStack(told["StackName"], self.book.arn("stack", told["StackName"]), self.book.now, tags)
            self.book.stacks.append(stack)
            self.book.tell(stack, Step(None, "REVIEW_IN_PROGRESS", STARTED))
        changes = [*changed(stack.described, described)]
        status, reason = ("CREATE_COMPLETE", "") if changes else ("FAILED", NO_CHANGES)
        key = (stack.id, told["ChangeSetName"])
        id = self.book.arn("changeSet", told["ChangeSetName"])
        self.wanted[key] = Wanted(
            told["ChangeSetName"], id, stack.id, status, reason, parameters, template, described, tags, changes
        )
        return {"Id": id, "StackId": stack.id}

    def describe_change_set(self, told: dict[str, Any]) -> dict[str, Any]:
        """Its status and its changes, a page at a time."""
        wanted = self._wanted(told)
        start = int(told.get("NextToken", "0"))
        answer: dict[str, Any] = {
            "ChangeSetName": wanted.name,
            "ChangeSetId": wanted.id,
            "StackId": wanted.stack,
            "StackName": self.book.stack(wanted.stack).name,
            "CreationTime": self.book.now,
            "ExecutionStatus": "AVAILABLE" if wanted.status == "CREATE_COMPLETE" else "UNAVAILABLE",
            "Status": wanted.status,
            "Changes": wanted.changes[start : start + PAGE],
        }
        if wanted.reason:
            answer["StatusReason"] = wanted.reason
        if start + PAGE < len(wanted.changes):
            answer["NextToken"] = str(start + PAGE)
        return answer

    def delete_change_set(self, told: dict[str, Any]) -> dict[str, Any]:
        """Forget it; there need not be one."""
        stack = self.book.stack(told["StackName"])
        self.wanted.pop((stack.id, told["ChangeSetName"]), None)
        return {}

    def execute_change_set(self, told: dict[str, Any]) -> dict[str, Any]:
        """Begin the operation."""
        wanted = self._wanted(told)
        stack = self.book.stack(wanted.stack)
        if stack.status.endswith("_IN_PROGRESS") and stack.status != "REVIEW_IN_PROGRESS":
            raise Refusal(
                "InvalidChangeSetStatus", f"Stack [{stack.name}] is in {stack.status} state and can not be updated."
            )
        del self.wanted[stack.id, wanted.name]
        operate = self.operations.create if stack.status == "REVIEW_IN_PROGRESS" else self.operations.update
        operate(stack, wanted, self.scenario)
        return {}

    def describe_stacks(self, told: dict[str, Any]) -> dict[str, Any]:
        """One stack, by its name or, deleted too, by its id; or all."""
        if "StackName" not in told:
            return {"Stacks": [as_described(one) for one in self.book.stacks if one.status != "DELETE_COMPLETE"]}
        stack = self.book.stack(told["StackName"])
        self.book.go_on(stack)
        return {"Stacks": [as_described(stack)]}

    def describe_stack_events(self, told: dict[str, Any]) -> dict[str, Any]:
        """The newest first, a page at a time."""
        found = self.book.find(told["StackName"])
        if found is None:
            raise Refusal("ValidationError", f"Stack [{told['StackName']}] does not exist")
        if "NextToken" not in told:
            self.book.go_on(found)
        newest, start = found.events[::-1], 0
        if "NextToken" in told:
            start = next(n for n, event in enumerate(newest) if event["EventId"] == told["NextToken"])
        answer: dict[str, Any] = {"StackEvents": newest[start : start + PAGE]}
        if start + PAGE < len(newest):
            answer["NextToken"] = newest[start + PAGE]["EventId"]
        return answer

    def list_stack_resources(self, told: dict[str, Any]) -> dict[str, Any]:
        """What the stack consists of, a page at a time."""
        stack, start = self.book.stack(told["StackName"]), int(told.get("NextToken", "0"))
        state = "DELETE_COMPLETE" if stack.status == "DELETE_COMPLETE" else "CREATE_COMPLETE"
        listed = [
            {
                "LogicalResourceId": made.logical_id, "PhysicalResourceId": made.physical_id,
                "ResourceType": made.type, "LastUpdatedTimestamp": stack.created, "ResourceStatus": state,
            }
            for made in stack.resources
        ]  # fmt: skip
        answer: dict[str, Any] = {"StackResourceSummaries": listed[start : start + PAGE]}
        if start + PAGE < len(listed):
            answer["NextToken"] = str(start + PAGE)
        return answer

    def delete_stack(self, told: dict[str, Any]) -> dict[str, Any]:
        """Begin the deletion; a stack that is not there is no error."""
        stack = self.book.find(told["StackName"])
        if stack is None or stack.status in ("DELETE_COMPLETE", "DELETE_IN_PROGRESS"):
            return {}
        self.wanted = {key: one for key, one in self.wanted.items() if key[0] != stack.id}
        self.operations.delete(stack, self.scenario)
        return {}

    def get_resources(self, told: dict[str, Any]) -> dict[str, Any]:
        """The Resource Groups Tagging API: the ARNs of what carries a tag."""
        wanted = {(each["Key"], value) for each in told.get("TagFilters", ()) for value in each["Values"]}
        stacks = [stack for stack in self.book.stacks if stack.status != "DELETE_COMPLETE"]
        tagged = [(stack.tags, arn) for stack in stacks for arn in [stack.id, *map(arn_of, stack.resources)]]
        tagged += [(tags, arn_of(made)) for tags, made in self.operations.left_behind()]
        found = [
            {"ResourceARN": arn, "Tags": tags}
            for tags, arn in tagged
            if arn and wanted <= {(tag["Key"], tag["Value"]) for tag in tags}
        ]
        return {"PaginationToken": "", "ResourceTagMappingList": found}

    def _wanted(self, told: dict[str, Any]) -> Wanted:
        for (stack, _), wanted in self.wanted.items():
            if told["ChangeSetName"] == wanted.id:
                return wanted
            if told["ChangeSetName"] == wanted.name and told.get("StackName") in (stack, self.book.stack(stack).name):
                return wanted
        raise Refusal("ChangeSetNotFound", f"ChangeSet [{told['ChangeSetName']}] does not exist", 404)
