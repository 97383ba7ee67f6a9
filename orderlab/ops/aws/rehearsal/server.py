"""The played account on the network: one loopback port that speaks what boto3 speaks to AWS.

CloudFormation and what moto lacks are played here; every other call goes to moto's own backends. The service and the
region of a call stand in its signature, as they do on AWS.
"""

import json
import re
import sys
from collections.abc import Callable
from datetime import datetime
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl

import jmespath
from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders
from moto.core.botocore_stubber import BotocoreStubber

from orderlab.cloud.guard import REGION

from ..proof import LISTS
from .answers import Refusal, read_query, refuse, write
from .formation import Formation
from .scenarios import SCENARIOS, Scenario
from .world import KEEP, World

SCOPE = re.compile(r"Credential=[^/]+/\d{8}/([\w-]+)/([\w-]+)/aws4_request")
HOSTS = {"iam": "iam.amazonaws.com", "budgets": "budgets.amazonaws.com"}  # global ones; else service.region
QUERY = ("cloudformation", "sts", "ec2", "elasticache")  # whose operation stands in the body
WORDS = re.compile(r"(?<!^)(?=[A-Z])")
Reply = tuple[int, dict[str, str], bytes]


class PlayedAccount:
    """The account: a world, a CloudFormation in it, and the scenario that both follow."""

    def __init__(self, scenario: Scenario, start: datetime) -> None:
        self.world = World()
        self.asked: dict[str, int] = {}
        self.formation = Formation(self.world, scenario, start)
        self.lock = Lock()

    def play(self, scenario: Scenario) -> None:
        """Follow another scenario from now on; what there is stays."""
        self.formation.scenario, self.asked = scenario, {}

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> Reply:
        """Answer one call."""
        region, service = self._scope(headers)
        query = dict(parse_qsl(body.decode("latin-1"))) if service in QUERY else {}
        name = query.get("Action", "")
        try:
            self._fault(name)
            if service == "cloudformation":
                told = read_query(body)
                operation: Callable[[dict[str, Any]], dict[str, Any]] | None
                operation = getattr(self.formation, WORDS.sub("_", name).lower(), None)
                if operation is None:
                    raise Refusal("InvalidAction", f"Could not find operation {name}")
                return write(service, name, operation(told))
            if service == "tagging":
                return write("resourcegroupstaggingapi", "GetResources", self.formation.get_resources(json.loads(body)))
            if path.rstrip("/").endswith("/account-settings"):
                return write("lambda", "GetAccountSettings", self._limits())
            if name == "GetCallerIdentity":
                account = self.formation.scenario.account
                who = {"UserId": "AIDAEXAMPLE", "Account": account, "Arn": f"arn:aws:iam::{account}:user/learner"}
                return write("sts", name, who)
            if name == "DescribeRegions":
                state = "opt-in-not-required" if self.formation.scenario.enabled else "not-opted-in"
                return write("ec2", name, {"Regions": [{"RegionName": REGION, "OptInStatus": state}]})
            if name == "DescribeServerlessCaches":
                names = self.formation.book.of_type("AWS::ElastiCache::ServerlessCache")
                return write(service, name, {"ServerlessCaches": [{"ServerlessCacheName": one} for one in names]})
        except Refusal as refusal:
            return refuse(refusal)
        if method == "PUT" and path.endswith("?policy"):  # moto reads no Condition, so a Deny would deny all
            return 204, {}, b""
        return self._moto(method, HOSTS.get(service, f"{service}.{region}.amazonaws.com"), path, headers, body)

    def left(self) -> dict[str, list[str]]:
        """Everything that is in the account, by type; nothing when it is as it was at the beginning."""
        found = {
            "AWS::CloudFormation::Stack": [s.id for s in self.formation.book.stacks if s.status != "DELETE_COMPLETE"]
        }
        found["AWS::EC2::VPC"] = self.world.networks()
        for type, (service, operation, path, _) in LISTS.items():
            if service in ("cloudformation", "budgets", "elasticache"):
                continue
            client = self.world.client(service)
            pager = client.can_paginate(operation)
            pages = client.get_paginator(operation).paginate() if pager else [getattr(client, operation)()]
            found[type] = [name for page in pages for name in jmespath.search(path, page) or () if name not in KEEP]
        return {type: names for type, names in found.items() if names}

    def _scope(self, headers: Any) -> tuple[str, str]:
        found = SCOPE.search(headers.get("Authorization", ""))
        return (found.group(1), found.group(2)) if found else (REGION, "s3")

    def _fault(self, name: str) -> None:
        for fault in self.formation.scenario.faults:
            if fault.operation == name:
                self.asked[name] = count = self.asked.get(name, 0) + 1
                if fault.after < count <= fault.after + fault.times:
                    raise Refusal(fault.code, fault.message, fault.status)

    def _limits(self) -> dict[str, Any]:
        limit = self.formation.scenario.limit
        return {"AccountLimit": {"ConcurrentExecutions": limit, "UnreservedConcurrentExecutions": limit}}

    def _moto(self, method: str, host: str, path: str, headers: Any, body: bytes) -> Reply:
        sent = HTTPHeaders()
        for key, value in headers.items():
            if key.lower() not in ("host", "expect", "connection"):
                sent[key] = value
        sent["Host"] = host
        request = AWSPreparedRequest(method, f"https://{host}{path}", sent, body, False)
        found = BotocoreStubber().process_request(request)
        if found is None:
            return 501, {}, f"the rehearsal has nothing behind {host}".encode()
        status, answered, content = found
        raw = content if isinstance(content, bytes) else str(content or "").encode()
        return status, {str(key): str(value) for key, value in answered.items()}, raw


class Server(ThreadingHTTPServer):
    """One that says nothing of a client that was stopped."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell of a mistake of the rehearsal's."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def serve(account: PlayedAccount, port: int = 0) -> ThreadingHTTPServer:
    """A server on loopback that is ready; the caller lets it run."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer in one piece: two would wait for each other, 40 ms each time
        disable_nagle_algorithm = True

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with account.lock:
                if self.path.startswith("/_rehearsal"):
                    status, headers, answer = _control(account, self.command, body)
                else:
                    try:
                        status, headers, answer = account.answer(self.command, self.path, self.headers, body)
                    except Exception as error:  # a mistake of the rehearsal's: whoever asks is told, and may not retry
                        status, headers, answer = refuse(Refusal("Rehearsal", f"{type(error).__name__}: {error}"))
            self.send_response_only(status)
            for key, value in headers.items():
                if key.lower() not in ("content-length", "transfer-encoding", "connection", "date"):
                    self.send_header(key, value)
            self.send_header("Date", formatdate(account.formation.book.now.timestamp(), usegmt=True))
            told = next((value for key, value in headers.items() if key.lower() == "content-length"), "")
            self.send_header("Content-Length", told if self.command == "HEAD" and told else str(len(answer)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _any

        def handle_expect_100(self) -> bool:
            went_on = super().handle_expect_100()
            self.wfile.flush()  # else the client waits a second before it sends its file
            return went_on

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    return Server(("127.0.0.1", port), Handler)


def _control(account: PlayedAccount, method: str, body: bytes) -> Reply:
    """GET tells what is in the account; POST names the scenario to follow from now on."""
    if method == "POST":
        account.play(SCENARIOS[json.loads(body)["scenario"]])
    return 200, {"content-type": "application/json"}, json.dumps(account.left() if method == "GET" else {}).encode()
