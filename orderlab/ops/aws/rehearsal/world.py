"""What stands behind the played CloudFormation: moto, with the template's resources made as the local cloud makes them.

So a bucket is a bucket that refuses to go while it is full, and the lists that the proof asks for are lists.
"""

import contextlib
import json
import tempfile
import warnings
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import ClientError
from moto import mock_aws

from orderlab.cloud import guard
from orderlab.cloud.stack import formation, translation
from orderlab.cloud.stack.template import TEMPLATE, TemplateError, read

from ...described import made
from .answers import Refusal
from .dependencies import in_order
from .timeline import Made

KEEP = {"default"}  # what every account has: the default event bus


class World:
    """One account of moto's. There is one in a process, so the rehearsal has a process of its own."""

    def __init__(self) -> None:
        guard.hide_credentials()
        formation.install()
        self._mock = mock_aws()
        self._mock.start()
        self.client = cache(boto3.Session(region_name=guard.REGION).client)  # by its service; moto answers it

    def read(self, url: str) -> dict[str, Any]:
        """A template from the bucket that its address names."""
        parts = urlsplit(url)
        bucket, inside, _ = (parts.hostname or "").partition(".s3.")
        key = parts.path.lstrip("/")
        if not inside:  # the bucket stands in the path
            bucket, _, key = key.partition("/")
        try:
            text = self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode()
        except ClientError as error:
            raise Refusal("ValidationError", "S3 error: Access Denied") from error
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "template.yaml")
            path.write_text(text, encoding="utf-8")
            return read(path)

    def translate(self, template: dict[str, Any], parameters: Mapping[str, str]) -> dict[str, Any]:
        """What SAM makes of it, with those resources whose conditions hold, in the order of their dependencies."""
        try:
            found = translation.translate(template, TEMPLATE.parent, dict(parameters), self.client("s3"))
        except TemplateError as error:
            raise Refusal("ValidationError", f"Transform AWS::Serverless-2016-10-31 failed with: {error}") from None
        there = made(found, parameters)
        return {**found, "Resources": {name: there[name] for name in in_order(there)}}

    def make(self, translated: dict[str, Any], parameters: Mapping[str, str]) -> None:
        """Make the resources of a translated template."""
        self._form("create_stack", translated, parameters)

    def change(self, translated: dict[str, Any], parameters: Mapping[str, str], kept: set[str]) -> None:
        """Make what is new, change what differs, delete what is gone; not the VPCs that are kept, by their ids."""
        formed = formation.formed().resource_map
        gone = {*formed} - {*translated["Resources"]}
        network = [name for name in gone if formed._resource_json_map[name]["Type"].startswith("AWS::EC2::")]
        if network:
            for vpc in {*self.networks()} - kept:
                delete_network(self.client("ec2"), vpc)
        for name in network:  # moto deletes these in an order in which they cannot go
            del formed._parsed_resources[name], formed._resource_json_map[name]
        self._form("update_stack", translated, parameters)

    def _form(self, operation: str, translated: dict[str, Any], parameters: Mapping[str, str]) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # moto's remarks on types that are recorded
            formation.form(self.client, operation, translated, dict(parameters))

    def ids(self) -> dict[str, str]:
        """Physical ids by logical id."""
        formed = formation.formed().resource_map
        return {name: formation.physical_id(name, formed[name]) for name in formed}

    def outputs(self) -> dict[str, str]:
        """The stack's outputs."""
        return formation.outputs()

    def unmake(self, kept: set[str]) -> None:
        """Delete the resources, but not the buckets and the VPCs that are kept, by their names and ids."""
        with contextlib.suppress(ClientError):
            self.client("cloudformation").delete_stack(StackName=formation.STACK)
        gateway = self.client("apigateway")
        for api in gateway.get_rest_apis()["items"]:  # moto forgets this one
            gateway.delete_rest_api(restApiId=api["id"])
        for vpc in {*self.networks()} - kept:  # ... and deletes these in an order in which they cannot go
            delete_network(self.client("ec2"), vpc)
        for bucket in self.buckets() - kept:
            if "-artifacts-" not in bucket and not self.full(bucket):
                self.client("s3").delete_bucket(Bucket=bucket)

    def stands(self, made: Made) -> bool:
        """Is this VPC, subnet or security group still there?"""
        ec2, id = self.client("ec2"), made.physical_id
        listed = {
            "AWS::EC2::VPC": self.networks,
            "AWS::EC2::Subnet": lambda: [one["SubnetId"] for one in ec2.describe_subnets()["Subnets"]],
            "AWS::EC2::SecurityGroup": lambda: [
                one["GroupId"] for one in ec2.describe_security_groups()["SecurityGroups"]
            ],
        }
        return id in listed[made.type]()

    def networks(self) -> list[str]:
        """The ids of all VPCs but the one that every account has."""
        return [vpc["VpcId"] for vpc in self.client("ec2").describe_vpcs()["Vpcs"] if not vpc["IsDefault"]]

    def buckets(self) -> set[str]:
        """The names of all buckets."""
        return {bucket["Name"] for bucket in self.client("s3").list_buckets()["Buckets"]}

    def full(self, bucket: str) -> bool:
        """Has this bucket something in it?"""
        if bucket not in self.buckets():
            return False
        found = self.client("s3").list_object_versions(Bucket=bucket)
        return bool(found.get("Versions") or found.get("DeleteMarkers"))

    def put(self, bucket: str, key: str) -> None:
        """Put an object there, as a handler does that is still at work."""
        self.client("s3").put_object(Bucket=bucket, Key=key, Body=json.dumps({"late": True}).encode())

    def log(self, group: str) -> None:
        """Make a log group."""
        with contextlib.suppress(ClientError):
            self.client("logs").create_log_group(logGroupName=group)


def full_buckets(world: World, resources: list[Made]) -> list[str]:
    """The logical ids of the buckets that cannot be deleted now."""
    return [made.logical_id for made in resources if made.type == "AWS::S3::Bucket" and world.full(made.physical_id)]


def delete_network(ec2: Any, vpc: str) -> None:
    """Delete a VPC and all that is in it, in an order in which it can go."""
    of_vpc = [{"Name": "vpc-id", "Values": [vpc]}]
    ends = ec2.describe_vpc_endpoints(Filters=of_vpc)["VpcEndpoints"]
    if ends:
        ec2.delete_vpc_endpoints(VpcEndpointIds=[each["VpcEndpointId"] for each in ends])
    for table in ec2.describe_route_tables(Filters=of_vpc)["RouteTables"]:
        own = [each for each in table["Associations"] if not each.get("Main")]
        for each in own:
            ec2.disassociate_route_table(AssociationId=each["RouteTableAssociationId"])
        if not any(each.get("Main") for each in table["Associations"]):
            ec2.delete_route_table(RouteTableId=table["RouteTableId"])
    for subnet in ec2.describe_subnets(Filters=of_vpc)["Subnets"]:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    groups = [
        one for one in ec2.describe_security_groups(Filters=of_vpc)["SecurityGroups"] if one["GroupName"] != "default"
    ]
    for group in groups:
        if group["IpPermissions"]:  # one names the other
            ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=group["IpPermissions"])
    for group in groups:
        ec2.delete_security_group(GroupId=group["GroupId"])
    ec2.delete_vpc(VpcId=vpc)
