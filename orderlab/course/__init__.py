"""What a lesson needs: `start`, a shop, the map, an order's story, figures and panels, predictions, checks, progress.

A name is loaded when it is first asked for, so that a lesson's first cell does not wait for what it does not use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .billing import Bill as Bill
    from .billing import bill as bill
    from .board import progress as progress
    from .bodies import mapped as mapped
    from .bodies import model_errors as model_errors
    from .chaining import chained as chained
    from .chaining import take_orders as take_orders
    from .checks import check as check
    from .checks import hint as hint
    from .contending import contention as contention
    from .copies import checkpoint as checkpoint
    from .counting import counted as counted
    from .counting import counters as counters
    from .dated import charges as charges
    from .dying import deaths as deaths
    from .dying import where_it_may_die as where_it_may_die
    from .entrance import crowd as crowd
    from .entrance import send_day as send_day
    from .entrance import stopped as stopped
    from .fanout import who_got_what as who_got_what
    from .fated import fates as fates
    from .figures import Plot as Plot
    from .gathering import gather as gather
    from .lanes import timeline as timeline
    from .lending import lend as lend
    from .lining import line as line
    from .listening import let_in as let_in
    from .listening import own_queue as own_queue
    from .listening import taken as taken
    from .loans import lives as lives
    from .loans import margins as margins
    from .panels import panel as panel
    from .picture import system_map as system_map
    from .playground import why as why
    from .predictions import predict as predict
    from .predictions import reveal as reveal
    from .rushing import deliveries as deliveries
    from .rushing import rush as rush
    from .shop import audited as audited
    from .shop import on_hand as on_hand
    from .shop import open_shop as open_shop
    from .shop import place as place
    from .shop import provider_down as provider_down
    from .shop import status as status
    from .sliders import slider as slider
    from .starting import start as start
    from .telling import story as story
    from .tens import ten as ten
    from .testing import run_tests as run_tests
    from .testing import sample_event as sample_event
    from .tries import attempts as attempts
    from .visiting import environments as environments
    from .visiting import visits as visits
    from .walking import walk as walk

_HOME = {  # name: the module of this room that has it, never one of the same name
    "Bill": "billing",
    "Plot": "figures",
    "attempts": "tries",
    "audited": "shop",
    "bill": "billing",
    "chained": "chaining",
    "charges": "dated",
    "check": "checks",
    "checkpoint": "copies",
    "contention": "contending",
    "counted": "counting",
    "counters": "counting",
    "crowd": "entrance",
    "deaths": "dying",
    "deliveries": "rushing",
    "environments": "visiting",
    "fates": "fated",
    "gather": "gathering",
    "hint": "checks",
    "lend": "lending",
    "let_in": "listening",
    "line": "lining",
    "lives": "loans",
    "mapped": "bodies",
    "margins": "loans",
    "model_errors": "bodies",
    "on_hand": "shop",
    "open_shop": "shop",
    "own_queue": "listening",
    "panel": "panels",
    "place": "shop",
    "predict": "predictions",
    "progress": "board",
    "provider_down": "shop",
    "reveal": "predictions",
    "run_tests": "testing",
    "rush": "rushing",
    "sample_event": "testing",
    "send_day": "entrance",
    "slider": "sliders",
    "start": "starting",
    "status": "shop",
    "stopped": "entrance",
    "story": "telling",
    "system_map": "picture",
    "take_orders": "chaining",
    "taken": "listening",
    "ten": "tens",
    "timeline": "lanes",
    "visits": "visiting",
    "walk": "walking",
    "where_it_may_die": "dying",
    "who_got_what": "fanout",
    "why": "playground",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'orderlab.course' has no attribute {name!r}; it has {', '.join(sorted(_HOME))}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
