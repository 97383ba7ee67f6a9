"""An execution environment: one private copy of the function's modules, with its own variables and clock.

On AWS a function's environment is a small machine that is made at a cold start, handles one event at a time, keeps its
globals from one event to the next, and disappears whenever Lambda likes. Two environments share nothing. Here each is
a set of modules of its own, loaded from the deployment package through a private `__import__`; `time`, `datetime`,
`random`, `uuid` and `os.environ` inside it are its own, in virtual time. Third-party modules (boto3) are shared.
Taught in notebooks/06_where_state_lives.ipynb
"""

import builtins
import datetime as real_datetime
import os as real_os
import random as real_random
import sys
import time as real_time
import uuid as real_uuid
from collections.abc import Callable
from itertools import count
from types import FunctionType, ModuleType
from typing import Any

from ..scheduler import Scheduler
from ..wire.calls import Crash
from .handlers import find
from .invocation import Function
from .package import Package, open_package
from .virtual import virtual_datetime, virtual_time

_numbers = count(1)


class Environment:
    """One execution environment of one function. `now` gives virtual seconds, `sleep` parks in virtual time."""

    cold_start = (0.15, 0.35)  # seconds to make an environment, from and to; AWS promises none

    def __init__(
        self,
        package: Package,
        variables: dict[str, str],
        *,
        now: Callable[[], float],
        sleep: Callable[[float], None],
        write: Callable[[str], None],
        seed: str,
        skew: float = 0.0,
    ) -> None:
        self.package, self.variables = package, dict(variables)
        self.prefix = f"_env{next(_numbers)}."
        self._write = write
        self._own = _own_modules(lambda: now() + skew, sleep, self.variables, real_random.Random(seed))
        self._modules: dict[str, ModuleType] = {}
        self._builtins = {**vars(builtins), "__import__": self._import, "print": self._print}

    def load(self, handler: str) -> Callable[[Any, Any], Any]:
        """Import the handler's module and return the handler. Raises RuntimeFault, or what the module raises."""
        return find(handler, self._load)

    def adopt(self, handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        """Run a function from outside the package (a cell's, a lesson's naive version) as if it had been deployed.

        A function of a module's file is loaded with it into this environment; one that was defined in a cell is given
        this environment's clock, chance and variables in place of the real modules that it names.
        """
        module = sys.modules.get(handler.__module__)
        source = getattr(module, "__file__", None) or ""
        if source.endswith(".py") and getattr(module, handler.__name__, None) is handler:
            with open(source, encoding="utf-8") as file:
                modules = {**self.package.modules, handler.__module__: (file.read(), False)}
            for depth in range(1, handler.__module__.count(".") + 1):
                modules.setdefault(".".join(handler.__module__.split(".")[:depth]), ("", True))
            self.package = Package(f"{self.package.digest}+{hash(modules[handler.__module__][0])}", modules)
            return self.load(f"{handler.__module__}.{handler.__name__}")
        own = {name: self._own.get(getattr(value, "__name__", ""), value) if isinstance(value, ModuleType) else value
               for name, value in handler.__globals__.items()}  # fmt: skip
        own["__builtins__"] = self._builtins
        return FunctionType(handler.__code__, own, handler.__name__, handler.__defaults__, handler.__closure__)

    def retire(self) -> None:
        """Forget the modules: the environment is gone."""
        for name in self._modules:
            sys.modules.pop(self.prefix + name, None)
        self._modules.clear()

    def _print(self, *values: Any, sep: str = " ", end: str = "\n", file: Any = None, flush: bool = False) -> None:
        if file is None or file is sys.stdout or file is sys.stderr:
            self._write((sep if sep is not None else " ").join(map(str, values)))
        else:
            builtins.print(*values, sep=sep, end=end, file=file, flush=flush)

    def _load(self, name: str) -> ModuleType:
        """One module of the package, its parents first, executed once in this environment."""
        if name in self._modules:
            return self._modules[name]
        if name not in self.package.modules:
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
        parent, _, last = name.rpartition(".")
        holder = self._load(parent) if parent else None
        if name in self._modules:  # the parent imported it
            return self._modules[name]
        is_package = self.package.modules[name][1]
        module = ModuleType(self.prefix + name)
        module.__dict__["__builtins__"] = self._builtins
        module.__file__ = f"/var/task/{name.replace('.', '/')}.py"
        module.__package__ = self.prefix + (name if is_package else parent)
        if is_package:
            module.__path__ = []
        self._modules[name] = sys.modules[self.prefix + name] = module
        try:
            exec(self.package.code(name), module.__dict__)
        except BaseException:
            self._modules.pop(name, None)
            sys.modules.pop(self.prefix + name, None)
            raise
        if holder is not None:
            setattr(holder, last, module)
        return module

    def _import(
        self, name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0
    ) -> ModuleType:
        if level:
            base = str(globals["__package__"]).removeprefix(self.prefix).split(".")
            name = ".".join([*base[: len(base) - level + 1], *([name] if name else [])])
        if not level and name.partition(".")[0] in self._own and not (fromlist and "." in name):
            return self._own[name.partition(".")[0]]
        if name.partition(".")[0] not in self.package.modules:
            return builtins.__import__(name, globals, locals, fromlist, 0)
        module = self._load(name)
        if not fromlist:
            return module if level else self._modules[name.partition(".")[0]]
        for wanted in fromlist:
            if wanted != "*" and not hasattr(module, wanted) and f"{name}.{wanted}" in self.package.modules:
                self._load(f"{name}.{wanted}")
        return module


def make(scheduler: Scheduler, function: Function, write: Callable[[str], Any], seed: str, skew: float) -> Environment:
    """A new environment of a function, in the virtual time of this scheduler."""

    def sleep(seconds: float) -> None:
        task = scheduler.current()
        if task is not None and task.context.dead:
            raise Crash
        scheduler.sleep(seconds)

    package, now = open_package(function.code), lambda: scheduler.now
    return Environment(package, function.variables, now=now, sleep=sleep, write=write, seed=seed, skew=skew)


class _Shadow(ModuleType):
    """A standard module with some names replaced."""

    def __init__(self, real: ModuleType, **own: Any) -> None:
        super().__init__(real.__name__, real.__doc__)
        self._real = real
        self.__dict__.update(own)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def _own_modules(
    now: Callable[[], float], sleep: Callable[[float], None], variables: dict[str, str], chance: real_random.Random
) -> dict[str, ModuleType]:
    """What replaces the standard modules inside an environment: its clock, its chance, its variables."""

    drawn = {name: getattr(chance, name) for name in dir(chance) if not name.startswith("_")}
    return {
        "time": _Shadow(real_time, **virtual_time(now, sleep)),
        "datetime": _Shadow(real_datetime, datetime=virtual_datetime(now)),
        "random": _Shadow(real_random, **drawn),
        "uuid": _Shadow(real_uuid, uuid4=lambda: real_uuid.UUID(int=chance.getrandbits(128), version=4)),
        "os": _Shadow(
            real_os,
            environ=variables,
            getenv=variables.get,
            urandom=lambda n: bytes(chance.getrandbits(8) for _ in range(n)),
        ),
    }
