"""What a lesson needs: `start`, the map of the system, one order's story, figures that state their facts, a shop.

A name is loaded when it is first asked for, so that a lesson's first cell does not wait for what it does not use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .figures import Plot as Plot
    from .picture import system_map as system_map
    from .shop import on_hand as on_hand
    from .shop import open_shop as open_shop
    from .shop import place as place
    from .shop import status as status
    from .starting import start as start
    from .timeline import story as story
    from .tries import attempts as attempts

_HOME = {  # name: the module of this room that has it, never one of the same name
    "Plot": "figures",
    "attempts": "tries",
    "on_hand": "shop",
    "open_shop": "shop",
    "place": "shop",
    "start": "starting",
    "status": "shop",
    "story": "timeline",
    "system_map": "picture",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'orderlab.course' has no attribute {name!r}; it has {', '.join(sorted(_HOME))}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
