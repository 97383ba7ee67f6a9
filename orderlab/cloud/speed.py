"""boto3 and moto without the work that they do again for every client and every call.

Nothing here changes an answer. A client's class and its endpoint rules depend on the service alone; the user agent is
read by nobody here; moto looks up a class's methods, and takes an operation's name apart, on every call, loads S3's
addresses anew for each request, and keeps whatever it has made. Each name that is replaced has a test that compares
the two ways.
"""

import dataclasses
import json
import os
from collections.abc import Callable
from functools import cached_property, lru_cache, partial
from inspect import getattr_static
from typing import Any

import botocore.client
import botocore.regions
import botocore.useragent
import jmespath
import moto.core.responses
from moto import settings
from moto.core.base_backend import BaseBackend
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.common_models import BaseModel
from moto.dynamodb.responses import DynamoHandler, DynamoResult
from moto.moto_api._internal import mock_random

from . import quick_parameters
from .guard import ACCOUNT
from .tables import quick_expressions, quick_rows

# The operations on rows, which a run makes thousands of, and the methods of moto's DynamoDB that answer them.
ROWS = {
    "DynamoDB_20120810." + name
    for name in (
        *("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"),
        *("BatchGetItem", "BatchWriteItem", "TransactGetItems", "TransactWriteItems"),
    )
}
_ABSENT = object()
_originals: list[tuple[Any, str, Any]] = []


def install() -> None:
    """Remember instead of doing again; idempotent."""
    if _originals:
        return
    creator = botocore.client.ClientCreator
    _replace(creator, "_create_client_class", _by_service(creator._create_client_class))
    _replace(botocore.regions, "EndpointProvider", _by_identity(botocore.regions.EndpointProvider))
    resolver = botocore.regions.EndpointRulesetResolver
    _replace(resolver, "construct_endpoint", _by_parameters(resolver.construct_endpoint))
    _replace(botocore.useragent.UserAgentString, "to_string", lambda self: "orderlab")
    for name in ("camelcase_to_underscores", "method_names_from_class"):
        _replace(moto.core.responses, name, lru_cache(maxsize=4096)(getattr(moto.core.responses, name)))
    # moto keeps every row and record that was ever made, for its dashboard: a long run would only get slower.
    _replace(BaseModel, "__new__", staticmethod(lambda cls, *_, **__: object.__new__(cls)))
    _replace(DynamoResult, "execute_result", _as_it_is(DynamoResult.execute_result))
    _replace(BotocoreStubber, "process_request", _straight(BotocoreStubber.process_request))
    _replace(moto.core.responses, "gen_amzn_requestid_long", _request_id)
    # An execution environment that starts runs its modules, and each dataclass in them writes a program of its own.
    _replace(dataclasses, "exec", _compiled_once)
    urls: Any = BaseBackend.urls
    _replace(BaseBackend, "urls", property(_by_settings(urls.fget)))
    for owner, name, new in (*quick_parameters.REPLACED, *quick_rows.REPLACED, *quick_expressions.REPLACED):
        _replace(owner, name, new)


def uninstall() -> None:
    """Give boto3 and moto their own ways back."""
    while _originals:
        owner, name, original = _originals.pop()
        if original is _ABSENT:
            delattr(owner, name)
        else:
            setattr(owner, name, original)


def _replace(owner: Any, name: str, new: Any) -> None:
    _originals.append((owner, name, getattr_static(owner, name, _ABSENT)))
    setattr(owner, name, new)


def _as_it_is(serialize: Callable[..., Any]) -> Callable[..., Any]:
    """A row is JSON already, in AWS's own names; moto walks through it by the service model once more."""

    def execute_result(self: Any, context: Any) -> Any:
        try:
            return 200, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(self.result)
        except TypeError:  # bytes, a date: those need the model
            return serialize(self, context)

    return execute_result


class _Rows(DynamoHandler):
    """moto's DynamoDB for one request: it looks its tables up once."""

    @cached_property
    def dynamodb_backend(self) -> Any:
        """The tables of its account and region."""
        return super().dynamodb_backend


def _straight(process: Callable[..., Any]) -> Callable[..., Any]:
    """An operation on rows goes to moto's DynamoDB at once: no address is matched, no web request is made of it."""

    def process_request(self: BotocoreStubber, request: Any) -> Any:
        target, body = _text(request.headers.get("X-Amz-Target")), _text(request.body)
        if target not in ROWS or '"B"' in body or '"BS"' in body:  # bytes need the service model
            return process(self, request)
        handler = _Rows()
        handler.headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.0"}
        handler.querystring, handler.response_headers = {}, {"server": "amazon.com"}
        account = os.environ.get("MOTO_ACCOUNT_ID", ACCOUNT)
        if "Authorization" in request.headers:  # tells the account, and the region where the address does not
            handler.headers["Authorization"] = _text(request.headers["Authorization"])
            account = handler.get_current_account()
        handler.params = json.loads(body)
        handler.region = handler.get_region_from_url(handler, request.url)
        handler.current_account = account
        return handler.call_action()

    return process_request


def _request_id(headers: dict[str, Any] | None = None) -> str:
    """One draw where moto makes fifty-two."""
    request_id = f"{mock_random.getrandbits(256):064X}"[:52]
    if headers is not None:
        headers["x-amzn-requestid"] = request_id
    return request_id


_compiled = lru_cache(maxsize=4096)(partial(compile, filename="<string>", mode="exec", dont_inherit=True))


def _compiled_once(source: str, globals: dict[str, Any], locals: dict[str, Any]) -> None:
    """`exec` for the methods that a dataclass writes as text: the same text is compiled once."""
    exec(_compiled(source), globals, locals)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""


def _by_service(make: Callable[..., Any]) -> Callable[..., Any]:
    """One class per service and version, whatever client it is for."""
    known: dict[tuple[str, str], Any] = {}

    def create_client_class(self: Any, service_name: str, service_model: Any) -> Any:
        key = service_name, service_model.api_version
        if key not in known:
            known[key] = make(self, service_name, service_model)
        return known[key]

    return create_client_class


def _by_identity(make: Callable[..., Any]) -> Callable[..., Any]:
    """One provider per rule set; botocore keeps the rule sets, so their identity is stable while they are kept here."""
    known: dict[tuple[int, int, bool], tuple[Any, Any]] = {}

    def provider(ruleset_data: Any, partition_data: Any, excluded_params: Any = None) -> Any:
        key = id(ruleset_data), id(partition_data), bool(excluded_params)
        if key not in known:
            made = make(ruleset_data=ruleset_data, partition_data=partition_data, excluded_params=excluded_params)
            known[key] = made, (ruleset_data, partition_data)  # kept, so that the ids stay theirs
        return known[key][0]

    return provider


def _by_settings(make: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    """A service's addresses and what answers them, once for the two settings of moto that they depend on."""
    known: dict[tuple[type, tuple[str, ...], bool], dict[str, Any]] = {}

    def urls(self: BaseBackend) -> dict[str, Any]:
        key = type(self), tuple(settings.get_s3_custom_endpoints()), settings.enable_iso_regions()
        if key not in known:
            known[key] = make(self)
        return known[key]

    return urls


def _by_parameters(construct: Callable[..., Any]) -> Callable[..., Any]:
    """An endpoint for each operation of a client and the parameters in it that choose one; S3 has hooks of its own."""

    def construct_endpoint(self: Any, operation_model: Any, call_args: Any, request_context: Any) -> Any:
        if self._service_model.service_name == "s3":
            return construct(self, operation_model, call_args, request_context)
        named = [(call_args or {}).get(each.member_name) for each in operation_model.context_parameters]
        paths = [each["path"] for each in dict(operation_model.operation_context_parameters).values()]
        found = [jmespath.search(path, call_args or {}) for path in paths]
        known, key = self.__dict__.setdefault("_endpoints", {}), (operation_model.name, repr(named), repr(found))
        if key not in known:
            known[key] = construct(self, operation_model, call_args, request_context)
        return known[key]

    return construct_endpoint
