"""The project's own policy: what must hold of infra/template.yaml before anything is deployed from it.

template   reading it the way AWS does: translated by SAM, its conditions decided
messages   rules and mappings: no message is lost without a trace
queues     dead letters, encryption, and who may send
alarms     each place where work waits calls a person, and stops calling
roles      one for each function, nothing managed, no star
rights     functions: each may do what it needs and no more
doors      no way in but the API, no strange code, no secret
front      the API
stores     tables, buckets, the archive, the cache and its network
account    nothing account-wide, no name that others have, nothing without end
saga       the state machine of Saga=orchestration

It reads and never deploys. That it finds what it should is tested by planting one defect at a time.
Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Mapping, Sequence
from datetime import date

from .account import check_account
from .alarms import check_alarms
from .doors import check_doors
from .front import check_front, check_source
from .messages import check_messages
from .queues import check_queues
from .rights import check_rights
from .roles import check_roles
from .saga import check_saga
from .stores import check_stores
from .template import Template, settle, source, translate

__all__ = ["SETTINGS", "findings", "source"]

EVERYTHING = {
    "Saga": "orchestration",
    "Cache": "on",
    "ReservedConcurrency": "on",
    "Authorization": "iam",
    "Tracing": "on",
    "Dashboard": "on",
    "AccessLogs": "on",
    "Budget": "somebody@example.org",
    "Chaos": "on",
}
SETTINGS: tuple[dict[str, str], ...] = (
    {},
    {"Cache": "on"},
    {"ReservedConcurrency": "on"},
    {"Cache": "on", "ReservedConcurrency": "on"},
    {"Saga": "orchestration"},
    {"Saga": "orchestration", "Cache": "on", "ReservedConcurrency": "on"},
    EVERYTHING,
    {**EVERYTHING, "Saga": "choreography", "Cache": "off", "ReservedConcurrency": "off"},
)


def findings(
    template: Template, today: date | None = None, settings: Sequence[Mapping[str, str]] = SETTINGS
) -> list[str]:
    """What is wrong with a template (`source()`), under these parameters, on a day (today); [] when nothing is.

    Each finding is one line and begins with the logical id that it is about.
    """
    found = list(check_source(template))
    translated = translate(template)
    for setting in settings:
        resources = settle(translated, **setting)["Resources"]
        found += [*check_messages(resources), *check_queues(resources), *check_alarms(resources)]
        found += [*check_roles(resources), *check_rights(resources, today or date.today()), *check_doors(resources)]
        found += [*check_front(resources), *check_stores(resources), *check_account(resources), *check_saga(resources)]
    return list(dict.fromkeys(found))
