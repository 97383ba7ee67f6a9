"""What a lesson needs: `start`, a shop, the map, an order's story, figures and panels, predictions, checks, progress.

A name is loaded when it is first asked for, so that a lesson's first cell does not wait for what it does not use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .answers.board import progress as progress
    from .answers.checks import check as check
    from .answers.checks import hint as hint
    from .answers.predictions import predict as predict
    from .answers.predictions import reveal as reveal
    from .answers.testing import run_tests as run_tests
    from .answers.testing import sample_event as sample_event
    from .billing import Bill as Bill
    from .billing import bill as bill
    from .console.terminal import on_aws as on_aws
    from .console.terminal import rehearsal as rehearsal
    from .dated import charges as charges
    from .drawing.figures import Plot as Plot
    from .drawing.panels import panel as panel
    from .drawing.sliders import slider as slider
    from .experiments.bodies import mapped as mapped
    from .experiments.bodies import model_errors as model_errors
    from .experiments.chaining import chained as chained
    from .experiments.chaining import take_orders as take_orders
    from .experiments.contending import contention as contention
    from .experiments.counting import counted as counted
    from .experiments.counting import counters as counters
    from .experiments.dying import deaths as deaths
    from .experiments.dying import where_it_may_die as where_it_may_die
    from .experiments.entrance import crowd as crowd
    from .experiments.entrance import send_day as send_day
    from .experiments.entrance import stopped as stopped
    from .experiments.fanout import who_got_what as who_got_what
    from .experiments.fated import fates as fates
    from .experiments.gathering import gather as gather
    from .experiments.herd import herd as herd
    from .experiments.herd import waves as waves
    from .experiments.lending import lend as lend
    from .experiments.lining import line as line
    from .experiments.listening import let_in as let_in
    from .experiments.listening import own_queue as own_queue
    from .experiments.listening import taken as taken
    from .experiments.loans import lives as lives
    from .experiments.loans import margins as margins
    from .experiments.outage import hanging as hanging
    from .experiments.playground import why as why
    from .experiments.poking import poke as poke
    from .experiments.pricing import month as month
    from .experiments.pricing import priced as priced
    from .experiments.recovering import recoveries as recoveries
    from .experiments.rushing import deliveries as deliveries
    from .experiments.rushing import rush as rush
    from .experiments.tens import ten as ten
    from .experiments.visiting import environments as environments
    from .experiments.visiting import visits as visits
    from .history.lanes import timeline as timeline
    from .history.telling import story as story
    from .history.tries import attempts as attempts
    from .history.walking import walk as walk
    from .map.picture import system_map as system_map
    from .pages.copies import checkpoint as checkpoint
    from .shop import audited as audited
    from .shop import on_hand as on_hand
    from .shop import open_shop as open_shop
    from .shop import place as place
    from .shop import provider_down as provider_down
    from .shop import status as status
    from .starting import start as start

_HOME = {  # name: the module of this room that has it, never one of the same name
    "Bill": "billing",
    "Plot": "drawing.figures",
    "attempts": "history.tries",
    "audited": "shop",
    "bill": "billing",
    "chained": "experiments.chaining",
    "charges": "dated",
    "check": "answers.checks",
    "checkpoint": "pages.copies",
    "contention": "experiments.contending",
    "counted": "experiments.counting",
    "counters": "experiments.counting",
    "crowd": "experiments.entrance",
    "deaths": "experiments.dying",
    "deliveries": "experiments.rushing",
    "environments": "experiments.visiting",
    "fates": "experiments.fated",
    "gather": "experiments.gathering",
    "hanging": "experiments.outage",
    "herd": "experiments.herd",
    "hint": "answers.checks",
    "lend": "experiments.lending",
    "let_in": "experiments.listening",
    "line": "experiments.lining",
    "lives": "experiments.loans",
    "mapped": "experiments.bodies",
    "margins": "experiments.loans",
    "model_errors": "experiments.bodies",
    "month": "experiments.pricing",
    "on_aws": "console.terminal",
    "on_hand": "shop",
    "open_shop": "shop",
    "own_queue": "experiments.listening",
    "panel": "drawing.panels",
    "place": "shop",
    "poke": "experiments.poking",
    "predict": "answers.predictions",
    "priced": "experiments.pricing",
    "progress": "answers.board",
    "provider_down": "shop",
    "recoveries": "experiments.recovering",
    "rehearsal": "console.terminal",
    "reveal": "answers.predictions",
    "run_tests": "answers.testing",
    "rush": "experiments.rushing",
    "sample_event": "answers.testing",
    "send_day": "experiments.entrance",
    "slider": "drawing.sliders",
    "start": "starting",
    "status": "shop",
    "stopped": "experiments.entrance",
    "story": "history.telling",
    "system_map": "map.picture",
    "take_orders": "experiments.chaining",
    "taken": "experiments.listening",
    "ten": "experiments.tens",
    "timeline": "history.lanes",
    "visits": "experiments.visiting",
    "walk": "history.walking",
    "waves": "experiments.herd",
    "where_it_may_die": "experiments.dying",
    "who_got_what": "experiments.fanout",
    "why": "experiments.playground",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'orderlab.course' has no attribute {name!r}; it has {', '.join(sorted(_HOME))}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
