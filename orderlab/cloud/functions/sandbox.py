"""A process as an execution environment: the Runtime API as the parent speaks it, and the child's calls to AWS.

Lambda answers GET invocation/next with an event and headers, and takes POST invocation/<id>/response, POST
invocation/<id>/error and POST init/error. The child's calls to AWS come to the same address, and are answered in the
invocation's own task: time, faults, steps and the trace are those of a handler in process.
Source: Lambda developer guide, runtimes-api. Taught in notebooks/06_where_state_lives.ipynb
"""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from botocore.awsrequest import AWSPreparedRequest, HeadersDict
from botocore.exceptions import ReadTimeoutError

from ..guard import Refused
from ..wire.answers import NotYet
from . import child
from .child import Ended, Exited, Reported
from .endpoint import Asked, Endpoint
from .shipping import RunnerError, ship, unpack

if TYPE_CHECKING:
    from .processes import Processes

API = "/2018-06-01/runtime"
INIT_LIMIT = 10.0  # seconds that an environment may take to start


class Process:
    """One execution environment: a child process, and the conversation with it."""

    cold_start = (0.0, 0.0)  # what a start takes is real here

    def __init__(self, runner: "Processes", function: Any, write: Callable[[str], None], skew: float) -> None:
        self._runner, self._function, self._write, self._skew = runner, function, write, skew
        self._scheduler = runner.scheduler
        self._inbox: Queue[Asked | Ended] = Queue()
        self._next: Asked | None = None  # the child's request for an event, while it waits for one
        self._since = 0.0  # real seconds: the child has been running since then

    def adopt(self, handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        """Start the process with a function from outside the package."""
        return self.load(*ship(handler))

    def load(self, handler: str, added: dict[str, bytes] | None = None) -> Callable[[Any, Any], Any]:
        """Start the process, and return what invokes its handler. Raises Reported or Exited when it does not start."""
        function, begun = self._function, self._scheduler.now
        folder = unpack(Path(self._runner.folder.name), function.code, added or {})
        self._endpoint = Endpoint(self._inbox.put)
        self._since = time.perf_counter()
        try:
            given = child.variables(function, handler, folder, self._endpoint.address)
            line = child.command(handler, self._offset())
            self._child = child.Child(line, folder, given, lambda status: self._inbox.put(Ended(status)))
        except RunnerError:
            self._endpoint.close()
            raise
        self._runner.alive.add(self)
        try:
            self._next = self._until("/invocation/next", "/init/error", limit=INIT_LIMIT)
            if self._next.path == API + "/init/error":
                raise Reported(json.loads(self._next.body))
        except BaseException:
            self.retire()
            raise
        self._runner.tell("init", function.logical_id, "process", seconds=round(self._scheduler.now - begun, 6))
        return self._invoke

    def retire(self) -> None:
        """Kill the child, with all that it started, and close its endpoint."""
        if self in self._runner.alive:
            self._runner.alive.discard(self)
            self._child.kill()
            self._endpoint.close()
            self._log(self._child.lines())

    def _invoke(self, event: Any, context: Any) -> Any:
        """Give the child an event and return its answer. Raises Reported, or Exited when it dies."""
        invocation = self._scheduler.current().context  # type: ignore[union-attr]
        request_id, deadline = invocation.request_id, invocation.deadline
        answer, error = f"/invocation/{request_id}/response", f"/invocation/{request_id}/error"
        self._since = time.perf_counter()  # between two events no time of the child passes
        try:
            ready = self._next or self._until("/invocation/next", limit=deadline - self._scheduler.now)
            self._next = None
            left = deadline - self._scheduler.now
            trace = f"Root=1-{int(self._scheduler.now):08x}-{request_id.replace('-', '')[:24]};Sampled=0"
            headers = {
                "Content-Type": "application/json",
                "Lambda-Runtime-Aws-Request-Id": request_id,
                "Lambda-Runtime-Deadline-Ms": str(int((time.time() + left) * 1000)),  # in real time
                "Lambda-Runtime-Invoked-Function-Arn": self._function.arn,
                "Lambda-Runtime-Trace-Id": trace,
            }
            self._hand(ready, 200, headers, json.dumps(event).encode())
            said = self._until(answer, error, limit=left)
            self._hand(said, 202, {"Content-Type": "application/json"}, b'{"status":"OK"}\n')
            self._log(self._child.lines())
        except BaseException:
            self.retire()
            raise
        if said.path == API + error:
            raise Reported(json.loads(said.body))
        return json.loads(said.body)

    def _until(self, *wanted: str, limit: float) -> Asked:
        """Serve the child until it asks the Runtime API for one of these. After `limit` seconds it is killed."""
        deadline = self._scheduler.now + limit
        while True:
            said = self._hear(deadline - self._scheduler.now)
            if said is None:
                self.retire()
                self._scheduler.sleep(deadline - self._scheduler.now + 0.001)  # an invocation's own timer strikes here
                message = f"Init timed out after {limit:.2f} seconds"
                raise Reported({"errorType": "Sandbox.Timedout", "errorMessage": message})
            self._scheduler.sleep(max(0.0, said.at - self._since))
            if isinstance(said, Ended):
                raise Exited(self._scheduler.current().context.request_id, said.status)  # type: ignore[union-attr]
            self._log(self._child.lines(int(said.headers.get("Orderlab-Written", 0))))
            if said.path in [API + path for path in wanted]:
                return said
            if said.path == "/aws":
                self._call(said)
            else:
                self._hand(said, 403, {}, b'{"errorType":"InvalidStateTransition","errorMessage":"Not now"}')

    def _hear(self, limit: float) -> Asked | Ended | None:
        """What the child says next; None when `limit` real seconds have passed since it went on."""
        end = self._since + limit
        while (left := end - time.perf_counter()) > 0 or not self._inbox.empty():
            with suppress(Empty):
                return self._inbox.get(timeout=max(0.0, min(left, 0.2)))  # short: on Windows Ctrl-C waits for its end
        return None

    def _call(self, asked: Asked) -> None:
        """Let the cloud answer a call to AWS as if the handler had made it in this process."""
        line, _, body = asked.body.partition(b"\n")
        event, method, url, headers, patience = json.loads(line)
        _, service, operation = event.split(".", 2)
        request = AWSPreparedRequest(method, url, HeadersDict(headers), body, False)
        caller, config = self._scheduler.current().context, SimpleNamespace(read_timeout=patience)  # type: ignore[union-attr]
        told: tuple[int, dict[str, str]] | None = None
        content = b""
        try:
            response = self._runner.wire.call_for(caller, service, operation, request, config)
            told, content = (response.status_code, dict(response.headers)), response.content
        except ReadTimeoutError:
            pass  # the answer was lost
        except (NotYet, Refused) as error:
            kind = type(error).__name__
            told, content = (
                (400, {"x-amzn-errortype": kind}),
                json.dumps({"__type": kind, "message": str(error)}).encode(),
            )
        self._hand(asked, 200, {}, json.dumps(told).encode() + b"\n" + content)

    def _hand(self, asked: Asked, status: int, headers: Any, body: bytes) -> None:
        """Answer the child: from now on it runs, and its time passes."""
        self._since = time.perf_counter()
        asked.answer(status, {**headers, "Orderlab-Clock": repr(self._offset())}, body)

    def _offset(self) -> float:
        return self._scheduler.now + self._skew - time.time()

    def _log(self, lines: list[str]) -> None:
        for line in lines:
            self._write(line)
