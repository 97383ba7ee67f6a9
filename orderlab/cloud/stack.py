"""The stack: infra/template.yaml translated as AWS SAM does it, and created on moto's CloudFormation.

The template is the only description of the cloud. It is read as it is deployed; a lesson may break it from outside
with overrides. Whatever moto silently skips is recorded here with its properties resolved, so that a queue policy or a
request model takes effect; what nobody knows stops the stack with the resource's name.
"""

import copy
import json
import logging
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import moto.cloudformation.models as formation
import moto.cloudformation.parsing as parsing
import yaml
from moto.backends import get_backend
from moto.core.common_models import CloudFormationModel
from moto.events.models import Archive as MotoArchive
from moto.events.models import EventBus as MotoBus
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from . import honoured, template_text
from .functions import package
from .guard import ACCOUNT, REGION

TEMPLATE = Path(__file__).resolve().parents[2] / "infra" / "template.yaml"
PACKAGES = "orderlab-packages"  # the bucket that a deploy would upload to
# Types that moto's CloudFormation skips without a word, and what their Ref is: a property, or the logical id.
RECORDED = {
    "AWS::ApiGateway::Account": None,
    "AWS::ApiGateway::ApiKey": "Name",
    "AWS::ApiGateway::GatewayResponse": None,
    "AWS::ApiGateway::Model": "Name",
    "AWS::ApiGateway::RequestValidator": None,
    "AWS::ApiGateway::Stage": "StageName",
    "AWS::ApiGateway::UsagePlan": None,
    "AWS::ApiGateway::UsagePlanKey": None,
    "AWS::Budgets::Budget": None,
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::Lambda::EventInvokeConfig": None,
    "AWS::S3::BucketPolicy": None,
    "AWS::SNS::Subscription": None,
    "AWS::SNS::TopicPolicy": None,
    "AWS::SQS::QueuePolicy": None,
    "AWS::ElastiCache::ServerlessCache": "ServerlessCacheName",
}
_failed: list[str] = []  # the resources that could not be made, the one that is to blame first


class TemplateError(ValueError):
    """The template cannot be made into a stack; the message names the resource and what is wrong with it."""


@dataclass(frozen=True)
class Resource:
    """One resource of the stack, its intrinsic functions resolved."""

    logical_id: str
    type: str
    physical_id: str
    properties: dict[str, Any]
    arn: str | None = None


@dataclass
class Stack:
    """The resources by logical id, and the outputs."""

    name: str = "orderlab"
    region: str = REGION
    resources: dict[str, Resource] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)

    def of_type(self, type: str) -> list[Resource]:
        """The resources of one CloudFormation type, in the template's order."""
        return [resource for resource in self.resources.values() if resource.type == type]

    def logical_id(self, physical_id: str, type: str = "AWS::Lambda::Function") -> str | None:
        """The logical id behind a function's name (or another resource's, by its type)."""
        named = (r for r in self.resources.values() if r.physical_id == physical_id and r.type == type)
        return next((resource.logical_id for resource in named), None)


class _Recorded(CloudFormationModel):
    """A resource that is kept as data. The base of one class for each type in RECORDED."""

    type_name, name_property = "", None

    def __init__(self, name: str, properties: dict[str, Any], logical_id: str) -> None:
        self.physical_resource_id = str(properties.get(self.name_property or "") or logical_id)
        self.properties = properties

    @classmethod
    def cloudformation_name_type(cls) -> str:
        return cls.name_property or ""

    @classmethod
    def cloudformation_type(cls) -> str:
        return cls.type_name

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **kwargs: Any
    ) -> "_Recorded":
        return cls(resource_name, cloudformation_json.get("Properties") or {}, kwargs["LogicalId"])

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return True

    def get_cfn_attribute(self, attribute_name: str) -> str:
        if self.type_name == "AWS::ElastiCache::ServerlessCache" and attribute_name.startswith("Endpoint"):
            return "cache.local"  # moto asks for "Endpoint" where the template says Endpoint.Address
        if self.type_name == "AWS::CloudWatch::Alarm" and attribute_name == "Arn":
            return f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{self.physical_resource_id}"
        return f"{self.physical_resource_id}.{attribute_name}"

    def delete(self, account_id: str, region_name: str) -> None:
        """Nothing is behind it."""


def install() -> None:
    """Teach moto's CloudFormation the types that it skips; once a process."""
    if "AWS::SQS::QueuePolicy" in parsing.get_model_map():
        return
    for type_name, name_property in RECORDED.items():
        attributes = {"type_name": type_name, "name_property": name_property, "__module__": "moto.orderlab.models"}
        type(type_name.replace("::", ""), (_Recorded,), attributes)
    known = [*CloudFormationModel.__subclasses__(), *_Recorded.__subclasses__()]
    known.remove(_Recorded)  # type: ignore[type-abstract]
    parsing.get_model_list.cache_clear()
    parsing.get_model_map.cache_clear()
    parsing.get_name_type_map.cache_clear()
    parsing.get_model_list = lambda: known  # type: ignore[assignment]
    parsing.parse_and_create_resource = _noting(parsing.parse_and_create_resource)
    formation.yaml = _JsonFirst()
    MotoBus.physical_resource_id = property(lambda bus: bus.name)  # type: ignore[attr-defined]  # `!Ref Bus` is right
    MotoArchive.physical_resource_id = property(lambda archive: archive.name)  # type: ignore[attr-defined]
    MotoArchive.create_from_cloudformation_json = classmethod(_create_archive)  # type: ignore[assignment]


_moto_archive = MotoArchive.create_from_cloudformation_json.__func__  # type: ignore[attr-defined]


def _create_archive(cls: Any, resource_name: str, cloudformation_json: Any, *more: Any, **named: Any) -> Any:
    """moto takes an archive's EventPattern for a text, as CreateArchive has it; in a template it is an object."""
    properties = cloudformation_json["Properties"]
    if isinstance(properties.get("EventPattern"), dict):
        properties = {**properties, "EventPattern": json.dumps(properties["EventPattern"])}
    return _moto_archive(cls, resource_name, {**cloudformation_json, "Properties": properties}, *more, **named)


def _noting(make: Callable[..., Any]) -> Callable[..., Any]:
    """Note which resource cannot be made: moto's errors do not say."""

    def parse_and_create_resource(logical_id: str, *arguments: Any, **named: Any) -> Any:
        try:
            return make(logical_id, *arguments, **named)
        except Exception:
            _failed.append(logical_id)
            raise

    return parse_and_create_resource


class _JsonFirst:
    """Stands for the `yaml` module inside moto's CloudFormation: ours are JSON, which is read 50 times faster."""

    def __getattr__(self, name: str) -> Any:
        return getattr(yaml, name)

    @staticmethod
    def load(text: str, Loader: Any = None) -> Any:
        return json.loads(text) if text.startswith("{") else yaml.load(text, Loader=Loader)


def read(path: Path) -> dict[str, Any]:
    """The template as it stands in the file. Raises TemplateError when it is not there or not YAML."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise TemplateError(f"there is no template {path.name} in {path.parent.name}/") from None
    return copy.deepcopy(_parse(text, path.name))


def _parse(text: str, name: str) -> dict[str, Any]:
    try:
        template = template_text.parse(text)
    except Exception as error:
        raise TemplateError(f"{name} is not YAML: {error}") from None
    if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict):
        raise TemplateError(f"{name} has no Resources")
    return template


def override(template: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    """A copy of the template with some resources' properties changed: {"StockQueue": {"VisibilityTimeout": 30}}.

    Dicts are merged, everything else is replaced; None takes a property away. A logical id with None for its
    properties takes the resource away. Raises TemplateError for a resource that the template does not have.
    """
    changed = copy.deepcopy(template)
    for logical_id, properties in overrides.items():
        if logical_id not in changed["Resources"]:
            raise TemplateError(f"override of {logical_id}: the template has no such resource")
        if properties is None:
            del changed["Resources"][logical_id]
        else:
            _merge(changed["Resources"][logical_id].setdefault("Properties", {}), properties)
    return changed


def _merge(into: dict[str, Any], changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        if value is None:
            into.pop(name, None)
        elif isinstance(value, dict) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = value


@lru_cache(maxsize=32)
def _translate(template: str, parameters: str) -> str:
    """What AWS SAM makes of the template. Cached: the same input gives the same answer."""
    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
    logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it warns of metrics that it did not send to anybody
    try:
        translated = Translator({}, Parser()).translate(json.loads(template), json.loads(parameters))
    except Exception as error:
        causes = getattr(error, "causes", None) or [error]
        raise TemplateError("; ".join(str(getattr(cause, "message", cause)) for cause in causes)) from None
    return json.dumps(translated)


def create(template: dict[str, Any], folder: Path, parameters: dict[str, str], client: Callable[[str], Any]) -> Stack:
    """Create the stack on moto. The deployment packages are zipped and uploaded first, as a deploy does."""
    translated = translate(template, folder, parameters, client("s3"))
    name = "orderlab"
    _failed.clear()
    try:
        client("cloudformation").create_stack(
            StackName=name,
            TemplateBody=json.dumps(for_moto(translated)),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
        )
    except Exception as error:
        said = re.search(r'"message": "(.*?)"', str(error)) or re.search("(.*)", f"{type(error).__name__}: {error}")
        raise TemplateError(
            f"{_failed[0] if _failed else 'the stack'} cannot be created: {said and said[1]}"
        ) from error
    made = next(iter(get_backend("cloudformation")[ACCOUNT][REGION].stacks.values()))
    stack = Stack(name, REGION)
    for logical_id, described in translated["Resources"].items():
        found = made.resource_map[logical_id]
        if found is None:
            continue  # its condition is false
        properties = parsing.clean_json(copy.deepcopy(described.get("Properties") or {}), made.resource_map)
        _judge(honoured.check_made, logical_id, described["Type"], properties, found)
        physical_id = str(getattr(found, "physical_resource_id", logical_id))
        arn = getattr(found, "arn", None) or getattr(found, "function_arn", None) or getattr(found, "queue_arn", None)
        stack.resources[logical_id] = Resource(logical_id, described["Type"], physical_id, properties, arn)
    stack.outputs = {output["OutputKey"]: str(output["OutputValue"]) for output in made.outputs or []}
    return stack


def translate(template: dict[str, Any], folder: Path, parameters: dict[str, str], s3: Any) -> dict[str, Any]:
    """What AWS SAM makes of the template, after its deployment packages were uploaded through the client `s3`."""
    _check_parameters(template.get("Parameters") or {}, parameters)
    _judge(honoured.check_shape, template)
    prepared = _with_packages(copy.deepcopy(template), folder, s3)
    text = _translate(json.dumps(prepared), json.dumps(parameters, sort_keys=True))
    _judge(honoured.check, text)
    found: dict[str, Any] = json.loads(text)
    return found


def for_moto(template: dict[str, Any]) -> dict[str, Any]:
    """A translated template as moto takes it: it asks of every integration what a MOCK has not."""
    methods = {}
    for name, described in template["Resources"].items():
        properties = described.get("Properties") or {}
        if described["Type"] == "AWS::ApiGateway::Method" and "Integration" in properties:
            integration = {"IntegrationHttpMethod": "POST", "Uri": "none", **properties["Integration"]}
            methods[name] = {**described, "Properties": {**properties, "Integration": integration}}
    return {**template, "Resources": {**template["Resources"], **methods}}


def _check_parameters(described: dict[str, Any], given: dict[str, str]) -> None:
    """Refuse what CloudFormation would refuse; moto takes any value."""
    for name, value in given.items():
        if name not in described:
            raise TemplateError(f"the template has no parameter {name}; it has {', '.join(sorted(described))}")
        rule = described[name]
        allowed, pattern = rule.get("AllowedValues"), rule.get("AllowedPattern")
        if (allowed and value not in map(str, allowed)) or (pattern and not re.fullmatch(pattern, value)):
            why = rule.get("ConstraintDescription") or f"must be one of {allowed or pattern}"
            raise TemplateError(f"parameter {name} cannot be {value!r}: {why}")


def _judge(check: Callable[..., None], *arguments: Any) -> None:
    try:
        check(*arguments)
    except honoured.Refused as refused:
        raise TemplateError(str(refused)) from None


def _with_packages(template: dict[str, Any], folder: Path, s3: Any) -> dict[str, Any]:
    """Upload each CodeUri's zip and point the functions to it."""
    places = [template.get("Globals", {}).get("Function", {})]
    places += [r.get("Properties", {}) for r in template["Resources"].values() if "Function" in str(r.get("Type"))]
    uploaded: dict[str, str] = {}
    for place in places:
        uri = place.get("CodeUri")
        if not isinstance(uri, str) or uri.startswith("s3://"):
            continue
        if uri not in uploaded:
            zipped = _zip(template, uri, folder)
            if not uploaded:
                s3.create_bucket(Bucket=PACKAGES)
            uploaded[uri] = f"{uri.strip('/.') or 'package'}.zip"
            s3.put_object(Bucket=PACKAGES, Key=uploaded[uri], Body=zipped)
        place["CodeUri"] = f"s3://{PACKAGES}/{uploaded[uri]}"
    return template


def _zip(template: dict[str, Any], uri: str, folder: Path) -> bytes:
    try:
        contents = package.files(template.get("Metadata") or {}, uri, folder)
    except package.PackageError as error:
        raise TemplateError(str(error)) from None
    return _cached_zip(tuple((name, path, path.stat().st_mtime_ns) for name, path in contents.items()))


@lru_cache(maxsize=8)
def _cached_zip(files: tuple[tuple[str, Path, int], ...]) -> bytes:
    return package.build({name: path for name, path, _ in files})
