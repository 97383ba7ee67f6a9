"""The local cloud: the template on moto, plus what moto lacks, on a virtual clock, with faults and a trace.

`Cloud` is loaded when it is first asked for: the pure pieces (the pattern language, say) do not wait for moto.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cloud import Cloud as Cloud
    from .faults import Faults as Faults


def __getattr__(name: str) -> Any:
    if name == "Cloud":
        from .loading import quickly

        with quickly():
            globals()[name] = import_module(".cloud", __name__).Cloud
        return globals()[name]
    if name == "Faults":
        return import_module(".faults", __name__).Faults
    raise AttributeError(f"module 'orderlab.cloud' has no attribute {name!r}")
