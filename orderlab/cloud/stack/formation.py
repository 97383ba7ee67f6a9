"""What moto's CloudFormation is taught: the types that it skips, and the templates that it cannot read.

Whatever it would silently skip is recorded with its properties resolved, so that a queue policy or a request model
takes effect; what nobody knows stops the stack with the resource's name.
"""

import json
from collections.abc import Callable
from typing import Any

import moto.cloudformation.models as formation
import moto.cloudformation.parsing as parsing
import yaml
from moto.backends import get_backend
from moto.core.common_models import CloudFormationModel
from moto.events.models import Archive as MotoArchive
from moto.events.models import EventBus as MotoBus

from ..guard import ACCOUNT, REGION

STACK = "orderlab"  # moto's name of it
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
failed: list[str] = []  # the resources that could not be made, the one that is to blame first


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
            failed.append(logical_id)
            raise

    return parse_and_create_resource


class _JsonFirst:
    """Stands for the `yaml` module inside moto's CloudFormation: ours are JSON, which is read 50 times faster."""

    def __getattr__(self, name: str) -> Any:
        return getattr(yaml, name)

    @staticmethod
    def load(text: str, Loader: Any = None) -> Any:
        return json.loads(text) if text.startswith("{") else yaml.load(text, Loader=Loader)


def form(client: Callable[[str], Any], operation: str, translated: dict[str, Any], parameters: dict[str, str]) -> None:
    """Have moto create or update its one stack from a translated template. Raises what boto3 raises."""
    getattr(client("cloudformation"), operation)(
        StackName=STACK,
        TemplateBody=json.dumps(_for_moto(translated)),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
    )


def formed() -> Any:
    """moto's one stack."""
    return next(iter(get_backend("cloudformation")[ACCOUNT][REGION].stacks.values()))


def outputs() -> dict[str, str]:
    """The outputs of moto's one stack."""
    return {one["OutputKey"]: str(one["OutputValue"]) for one in formed().outputs or ()}


def physical_id(logical_id: str, made: Any) -> str:
    """The physical id of what moto made of a resource."""
    return str(getattr(made, "physical_resource_id", logical_id))


def _for_moto(template: dict[str, Any]) -> dict[str, Any]:
    """A translated template as moto takes it: it asks of every integration what a MOCK has not."""
    methods = {}
    for name, described in template["Resources"].items():
        properties = described.get("Properties") or {}
        if described["Type"] == "AWS::ApiGateway::Method" and "Integration" in properties:
            integration = {"IntegrationHttpMethod": "POST", "Uri": "none", **properties["Integration"]}
            methods[name] = {**described, "Properties": {**properties, "Integration": integration}}
    return {**template, "Resources": {**template["Resources"], **methods}}
