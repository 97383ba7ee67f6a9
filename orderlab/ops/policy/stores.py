"""The policy for tables, buckets, the archive, the cache and its network: closed, limited, and gone with the lab.

Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Iterator

from .template import Resources, as_list, named, of_type, refuses_plain, statements


def check_stores(resources: Resources) -> Iterator[str]:
    """Every finding about what keeps data, and the network, each beginning with the logical id it is about."""
    yield from _buckets(resources)
    yield from _tables(resources)
    yield from _endless(resources)
    yield from _network(resources)


def _buckets(resources: Resources) -> Iterator[str]:
    policies = of_type(resources, "AWS::S3::BucketPolicy").values()
    for name, bucket in of_type(resources, "AWS::S3::Bucket").items():
        blocked = bucket.get("PublicAccessBlockConfiguration", {})
        if len(blocked) != 4 or not all(value is True for value in blocked.values()):
            yield f"{name}: can be made public (PublicAccessBlockConfiguration)"
        if "BucketEncryption" not in bucket:
            yield f"{name}: does not say how it is encrypted"
        rules = bucket.get("LifecycleConfiguration", {}).get("Rules", [])
        if not any(r.get("Status") == "Enabled" and "ExpirationInDays" in r and "Prefix" not in r for r in rules):
            yield f"{name}: keeps everything for ever (LifecycleConfiguration)"
        everything = {f"${{{name}.Arn}}", f"${{{name}.Arn}}/*"}
        said = [s for p in policies if named(p["Bucket"]) == name for s in statements(p)]
        if not any(refuses_plain(s, "s3:*") and set(as_list(s.get("Resource"))) == everything for s in said):
            yield f"{name}: its policy does not refuse what comes without TLS, and that alone"


def _tables(resources: Resources) -> Iterator[str]:
    for name, table in of_type(resources, "AWS::DynamoDB::Table").items():
        if table.get("BillingMode") != "PAY_PER_REQUEST":
            yield f"{name}: costs money while nobody uses it (BillingMode)"
        if not {"MaxReadRequestUnits", "MaxWriteRequestUnits"} <= table.get("OnDemandThroughput", {}).keys():
            yield f"{name}: a mistake may cost without a limit (OnDemandThroughput)"
        if table.get("DeletionProtectionEnabled"):
            yield f"{name}: cannot be deleted with the lab (DeletionProtectionEnabled)"
        if (resources[name].get("DeletionPolicy"), resources[name].get("UpdateReplacePolicy")) != ("Delete", "Delete"):
            yield f"{name}: would be left behind by a lab that is deleted (DeletionPolicy)"


def _network(resources: Resources) -> Iterator[str]:
    for kind in ("NatGateway", "InternetGateway", "EIP"):
        for name in of_type(resources, "AWS::EC2::" + kind):
            yield f"{name}: the private network needs no way out, and pays for it by the hour"
    doors = {n: g.get("SecurityGroupIngress", []) for n, g in of_type(resources, "AWS::EC2::SecurityGroup").items()}
    doors |= {name: [door] for name, door in of_type(resources, "AWS::EC2::SecurityGroupIngress").items()}
    for name, rules in doors.items():
        if any(rule.get("CidrIp") == "0.0.0.0/0" or rule.get("CidrIpv6") == "::/0" for rule in rules):
            yield f"{name}: lets the whole world in"
    for name, endpoint in of_type(resources, "AWS::EC2::VPCEndpoint").items():
        if endpoint.get("VpcEndpointType", "Gateway") != "Gateway":
            yield f"{name}: is paid by the hour: the tables have a gateway endpoint, which costs nothing"
        for statement in statements(endpoint) or [{"Action": "*"}]:
            told = [test.get("aws:PrincipalArn") for test in statement.get("Condition", {}).values()]
            roles = [role for each in told for role in as_list(each)]
            if "*" in str(statement["Action"]) or not roles or not all(named(role) for role in roles):
                yield f"{name}: lets everything through"


def _endless(resources: Resources) -> Iterator[str]:
    """What is paid by size and grows, beside tables and buckets."""
    for name, archive in of_type(resources, "AWS::Events::Archive").items():
        if not archive.get("RetentionDays"):
            yield f"{name}: keeps every event for ever (RetentionDays)"
    for name, cache in of_type(resources, "AWS::ElastiCache::ServerlessCache").items():
        if not {"DataStorage", "ECPUPerSecond"} <= cache.get("CacheUsageLimits", {}).keys():
            yield f"{name}: a mistake may cost without a limit (CacheUsageLimits)"
