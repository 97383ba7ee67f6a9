"""EventBridge rules: does an event match a pattern (`matching`), and what does a target get of it (`transform`)?"""

from .matching import InvalidPattern, Pattern, explain, matches, parse
from .transform import InvalidTarget, render, render_text, validate_target

__all__ = [
    "InvalidPattern",
    "InvalidTarget",
    "Pattern",
    "explain",
    "matches",
    "parse",
    "render",
    "render_text",
    "validate_target",
]
