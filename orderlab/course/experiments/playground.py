"""`why()`: does an event match a pattern, and if not, which field is to blame? A playground for event patterns.

It asks the very matcher that the local cloud's bus asks (`orderlab.cloud.rules`), so what it says is what a rule does.
EventBridge's own TestEventPattern answers true or false only. Taught in notebooks/03_the_bus.ipynb
"""

from typing import Any

from orderlab.cloud.rules import InvalidPattern, explain

from ..answers.showing import Said


def why(pattern: dict[str, Any], event: dict[str, Any]) -> Said:
    """Say whether the event matches; if not, a line for each field that is not met; if PutRule refuses it, why."""
    try:
        reasons = explain(pattern, event)
    except InvalidPattern as error:
        return Said(f"✗ refused when the rule is made: {error}")
    return Said("\n".join(["✗ no match", *(f"  {one}" for one in reasons)]) if reasons else "✓ match")
