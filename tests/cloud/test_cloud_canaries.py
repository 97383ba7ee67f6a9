"""One canary for each name of moto, botocore, boto3 and samtranslator that the local cloud leans on.

Most of them are nobody's promise. When a new release takes one away or changes its arguments, its canary says which of
our modules leans on it and what would break. Two more tests find names that are used and have no canary: one reads our
source, one watches the objects of moto while the order system runs.
"""

import ast
import importlib
import inspect
import json
import subprocess
import sys
import textwrap
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from moto.core.utils import camelcase_to_underscores

ROOM = Path(__file__).resolve().parents[2] / "orderlab" / "cloud"
PACKAGES = ("moto", "botocore", "boto3", "samtranslator")

# name: (its parameters, or "" where they do not matter to us, what would break without it)
CANARIES: dict[str, tuple[str, str]] = {
    "boto3.DEFAULT_SESSION": ("", "boto3.client() in a cell would make a session of its own"),
    "boto3.Session": ("", "the session that all clients share, and the quick import of moto"),
    "boto3.__file__": ("", "the process runner would not find the packages of this Python"),
    "boto3.client": ("", "every call"),
    "botocore.UNSIGNED": ("", "calls would be signed, which costs a quarter of each"),
    "botocore.auth.SIGV4_TIMESTAMP": ("", "signing a request to the API, and judging it"),
    "botocore.auth.SigV4Auth": ("credentials service_name region_name", "as above"),
    "botocore.awsrequest.AWSRequest": ("method url headers data", "as above"),
    "botocore.credentials.Credentials": ("access_key secret_key token", "as above"),
    "botocore.awsrequest.AWSPreparedRequest": ("method url headers body stream_output", "reading a call"),
    "botocore.awsrequest.AWSResponse": ("url status_code headers raw", "answering a call"),
    "botocore.awsrequest.HeadersDict": ("", "a process's call would be read without its headers"),
    "botocore.client.ClientCreator": ("", "the cache of client classes"),
    "botocore.client.ClientCreator._create_client_class": ("self service_name service_model", "as above"),
    "botocore.config.Config": ("", "Cloud.client()"),
    "botocore.endpoint.time": ("", "botocore's back-off would sleep for real"),
    "botocore.exceptions.ReadTimeoutError": ("", "the fault lost-response"),
    "botocore.handlers.BUILTIN_HANDLERS": ("", "a client's read time-out would not be known, calls would be signed"),
    "botocore.handlers.BUILTIN_HANDLERS.append": ("", "as above"),
    "botocore.model.ListShape": ("", "speed: parameters checked value by value"),
    "botocore.model.MapShape": ("", "as above"),
    "botocore.model.OperationNotFoundError": ("", "a call to an operation that nobody knows"),
    "botocore.model.Shape": ("", "speed: parameters checked value by value"),
    "botocore.model.StructureShape": ("", "as above"),
    "botocore.regions.EndpointProvider": ("ruleset_data partition_data", "the cache of endpoint rules"),
    "botocore.regions.EndpointRulesetResolver.construct_endpoint": (
        "self operation_model call_args request_context",
        "speed: an endpoint worked out again for each call",
    ),
    "botocore.retries.standard.ExponentialBackoff": ("", "botocore's jitter would not be the seed's"),
    "botocore.retries.standard.ExponentialBackoff.__init__": ("self max_backoff random", "as above"),
    "botocore.retries.standard.ExponentialBackoff.__init__.__defaults__": ("", "as above"),
    "botocore.session.get_session": ("", "the service models that calls are read by"),
    "botocore.useragent.UserAgentString": ("", "the user agent would be built twice for each call"),
    "botocore.useragent.UserAgentString.to_string": ("self", "as above"),
    "botocore.utils.is_json_value_header": ("shape", "speed: parameters checked value by value"),
    "botocore.validate.ParamValidator": ("", "Cloud.client() checks less: AWS's own answer to a wrong parameter"),
    "botocore.validate.ParamValidator.validate": ("self params shape", "as above"),
    "botocore.validate.ValidationErrors": ("", "as above"),
    "moto.awslambda.models.EventInvokeConfig": ("arn last_modified config", "destinations that boto3 sets"),
    "moto.awslambda.models.LambdaFunction": ("", "moto's own SNS and logs would run no code"),
    "moto.awslambda.models.LambdaFunction.invoke": ("self body request_headers response_headers", "as above"),
    "moto.backends.get_backend": ("name", "moto's queues, tables, rules, functions and buckets"),
    "moto.cloudformation.models.yaml": ("", "a stack would be read 50 times more slowly"),
    "moto.cloudformation.parsing.clean_json": ("resource_json resources_map", "resolved properties"),
    "moto.cloudformation.parsing.get_model_list": ("", "recorded types"),
    "moto.cloudformation.parsing.get_model_list.cache_clear": ("", "recorded types"),
    "moto.cloudformation.parsing.get_model_map": ("", "recorded types"),
    "moto.cloudformation.parsing.get_model_map.cache_clear": ("", "recorded types"),
    "moto.cloudformation.parsing.get_name_type_map": ("", "recorded types"),
    "moto.cloudformation.parsing.get_name_type_map.cache_clear": ("", "recorded types"),
    "moto.cloudformation.parsing.parse_and_create_resource": (
        "logical_id resource_json resources_map account_id region_name",
        "an error of creation would not name its resource",
    ),
    "moto.core.base_backend.BaseBackend": ("", "speed: S3's addresses read anew for each request"),
    "moto.core.base_backend.BaseBackend.urls": ("", "as above"),
    "moto.core.botocore_stubber.BotocoreStubber": ("", "every call would go past the local cloud"),
    "moto.core.botocore_stubber.BotocoreStubber.__call__": ("self event_name request kwargs", "as above"),
    "moto.core.botocore_stubber.BotocoreStubber.process_request": ("self request", "speed: rows by the long way"),
    "moto.core.botocore_stubber.MockRawResponse": ("response_input", "answers"),
    "moto.core.common_models.BaseModel": ("", "moto would keep every row that was ever made"),
    "moto.core.common_models.BaseModel.__new__": ("", "as above"),
    "moto.core.common_models.CloudFormationModel": ("", "recorded types"),
    "moto.core.common_models.CloudFormationModel.__subclasses__": ("", "recorded types"),
    "moto.core.exceptions.JsonRESTError": ("error_type message", "refusals of a request token"),
    "moto.core.models.RESPONSES_METHODS": ("", "requests to the execute-api host"),
    "moto.core.models.botocore_stubber": ("", "every call would go past the local cloud"),
    "moto.core.models.responses_mock.add": ("", "requests to the execute-api host"),
    "moto.core.models.responses_mock.registered": ("", "as above"),
    "moto.core.models.responses_mock.remove": ("", "as above"),
    "moto.core.responses.ActionResult": ("result", "the answer to a request token that was seen before"),
    "moto.core.responses.camelcase_to_underscores": ("argument", "speed: replaced by name in a loop"),
    "moto.core.responses.gen_amzn_requestid_long": ("headerdict", "speed: fifty-two draws for a request id"),
    "moto.core.responses.method_names_from_class": ("clazz", "speed: replaced by name in a loop"),
    "moto.core.utils.unix_time": ("dt", "moto's clock would be this machine's"),
    "moto.core.utils.unix_time_millis": ("dt", "moto's clock would be this machine's"),
    "moto.core.utils.utcnow": ("", "moto's clock would be this machine's"),
    "moto.dynamodb.comparisons.ConditionExpressionParser": ("", "the memory of a condition's words"),
    "moto.dynamodb.comparisons.ConditionExpressionParser._lex_condition_expression": ("self", "as above"),
    "moto.dynamodb.comparisons.ConditionExpressionParser.parse": ("self", "the memory of a condition"),
    "moto.dynamodb.exceptions.ItemSizeTooLarge": ("", "a row's limit"),
    "moto.dynamodb.models.dynamo_type.DynamoType.size": ("self", "the size of what is rare in a row"),
    "moto.dynamodb.models.dynamo_type.Item": ("", "quick copies of rows"),
    "moto.dynamodb.models.dynamo_type.LimitedSizeDict": ("", "a row's limit, looked at more quickly"),
    "moto.dynamodb.parsing.ast_nodes.DepthFirstTraverser": ("", "the walk over an expression's tree"),
    "moto.dynamodb.parsing.ast_nodes.DepthFirstTraverser.traverse": ("self node", "as above"),
    "moto.dynamodb.parsing.ast_nodes.DepthFirstTraverser.pre_processing_of_child": ("self", "as above"),
    "moto.dynamodb.parsing.ast_nodes.Expression": ("", "the clauses of an update"),
    "moto.dynamodb.parsing.ast_nodes.Node.find_clauses": ("self clause_types", "as above"),
    "moto.dynamodb.parsing.ast_nodes.UpdateExpressionFunction": ("", "as above"),
    "moto.dynamodb.parsing.ast_nodes.Node": ("", "the copy of an expression's tree"),
    "moto.dynamodb.parsing.expressions.UpdateExpressionParser": ("", "the memory of an update's tree"),
    "moto.dynamodb.parsing.expressions.UpdateExpressionParser.make": ("", "as above"),
    "moto.dynamodb.comparisons.get_filter_expression": (
        "expr names values",
        "the conditions of a transaction's items",
    ),
    "moto.dynamodb.exceptions.AttributeDoesNotExist": ("", "the reasons of a cancelled transaction"),
    "moto.dynamodb.exceptions.ERROR_TYPE_PREFIX": ("", "refusals of a request token"),
    "moto.dynamodb.exceptions.IncorrectDataType": ("", "the reasons of a cancelled transaction"),
    "moto.dynamodb.exceptions.InvalidAttributeTypeError": ("", "as above"),
    "moto.dynamodb.exceptions.InvalidUpdateExpressionInvalidDocumentPath": ("", "as above"),
    "moto.dynamodb.exceptions.ItemSizeToUpdateTooLarge": ("", "as above"),
    "moto.dynamodb.exceptions.MockValidationException": ("message", "a transaction with a wrong key"),
    "moto.dynamodb.exceptions.MultipleTransactionsException": ("", "two actions on one item"),
    "moto.dynamodb.exceptions.ProvidedKeyDoesNotExist": ("", "the reasons of a cancelled transaction"),
    "moto.dynamodb.exceptions.TransactWriteSingleOpException": ("", "an item with two actions"),
    "moto.dynamodb.exceptions.TransactionCanceledException": ("", "the reasons of a cancelled transaction"),
    "moto.dynamodb.models.DynamoDBBackend": ("", "transactions would copy whole tables"),
    "moto.dynamodb.models.DynamoDBBackend.transact_write_items": ("self transact_items", "as above"),
    "moto.dynamodb.models.DynamoDBBackend.update_item": ("self table_name key", "the records of a stream"),
    "moto.dynamodb.models.DynamoType": ("type_as_dict", "the rows that a transaction touches"),
    "moto.dynamodb.models.Item": ("", "rows that expire, and the records of a stream"),
    "moto.dynamodb.models.Table": ("", "as above"),
    "moto.dynamodb.models.copy": ("", "as above"),
    "moto.dynamodb.models.table.StreamShard.add": ("self old new", "the records of a stream"),
    "moto.dynamodb.parsing.validators.ActionCountValidator": ("", "speed: an update looked through again"),
    "moto.dynamodb.parsing.validators.OverlappingPathsValidator": ("expression_attribute_names", "as above"),
    "moto.dynamodb.parsing.validators.UpdateHashRangeKeyValidator": (
        "table_key_attributes expression_attribute_names",
        "as above",
    ),
    "moto.dynamodb.responses.DynamoHandler": ("", "speed: rows by the long way"),
    "moto.dynamodb.responses.DynamoHandler.dynamodb_backend": ("", "speed: the tables looked up again"),
    "moto.dynamodb.responses.DynamoHandler.transact_write_items": ("self", "ClientRequestToken"),
    "moto.dynamodb.responses.DynamoResult": ("result", "speed: answers walked through once more"),
    "moto.dynamodb.responses.DynamoResult.execute_result": ("self context", "as above"),
    "moto.dynamodb.responses.dynamo_to_dict": ("obj", "speed: each value of an answer asked what it is"),
    "moto.events.models.Archive": ("", "`!Ref Archive`, and an archive's EventPattern in a template"),
    "moto.events.models.Archive.create_from_cloudformation_json.__func__": (
        "cls resource_name cloudformation_json account_id region_name",
        "an archive's EventPattern in a template",
    ),
    "moto.events.models.EventBus": ("", "`!Ref Bus`"),
    "moto.mock_aws": ("", "moto itself"),
    "moto.moto_api._internal.mock_random": ("", "ids of moto would differ from run to run"),
    "moto.moto_api._internal.mock_random.getrandbits": ("k", "as above"),
    "moto.moto_api._internal.mock_random.seed": ("", "ids of moto would differ from run to run"),
    "moto.sns.exceptions.InvalidParameterValue": ("", "what Publish refuses"),
    "moto.sns.exceptions.SNSException": ("", "what Publish and Subscribe refuse"),
    "moto.sns.exceptions.TopicNotFound": ("", "Publish to a topic that is not there"),
    "moto.sns.models.SNSBackend": ("", "messages would be delivered by moto, at once and without retries"),
    "moto.sns.models.SNSBackend.publish": ("self message arn phone_number subject", "as above"),
    "moto.settings.enable_iso_regions": ("", "speed: S3's addresses read anew for each request"),
    "moto.settings.get_s3_custom_endpoints": ("", "as above"),
    "moto.sqs.models.Queue": ("", "what moto's SNS and S3 send would not reach the local cloud's queues"),
    "moto.sqs.models.Queue.add_message": ("self message", "as above"),
    "moto.sqs.models.Queue.approximate_number_of_messages": ("", "GetQueueAttributes would count moto's messages"),
    "moto.sqs.models.Queue.approximate_number_of_messages_delayed": ("", "as above"),
    "moto.sqs.models.Queue.approximate_number_of_messages_not_visible": ("", "as above"),
    "samtranslator.parser.parser.Parser": ("", "the translation of AWS::Serverless types"),
    "samtranslator.translator.translator.Translator": ("managed_policy_map sam_parser", "as above"),
    "samtranslator.yaml_helper.intrinsics_multi_constructor": (
        "loader tag_prefix node",
        "!Ref and its like",
    ),
}
OURS = {
    "moto.dynamodb.parsing.ast_nodes.Node.__deepcopy__",
    "moto.events.models.Archive.physical_resource_id",
    "moto.events.models.EventBus.physical_resource_id",
}  # set by us, absent in moto
# What our modules read off moto's objects: class, and the names, found by watching (below).
OBJECTS: dict[str, str] = {
    "moto.awslambda.models.LambdaBackend": "get_function list_functions",
    "moto.awslambda.models.LambdaFunction": (
        "arn code_bytes environment_vars event_invoke_config function_arn function_name handler last_modified "
        "layers memory_size physical_resource_id policy reserved_concurrency run_time timeout"
    ),
    "moto.cloudformation.models.Stack": "outputs resource_map",
    "moto.dynamodb.models.DynamoDBBackend": "get_item get_table put_item tables update_time_to_live",
    "moto.dynamodb.models.table.StreamRecord": "record",
    "moto.dynamodb.models.table.StreamShard": "id items",
    "moto.dynamodb.models.table.Table": (
        "arn hash_key_attr hash_key_type items lambda_event_source_mappings latest_stream_label name "
        "physical_resource_id range_key_attr range_key_type stream_shard table_arn table_key_attrs ttl"
    ),
    "moto.events.models.EventBus": "arn name physical_resource_id rules",
    "moto.events.models.EventPattern": "dump",
    "moto.events.models.EventsBackend": "archives event_buses",
    "moto.events.models.Rule": (
        "arn event_pattern managed_by name physical_resource_id scheduled_expression state targets"
    ),
    "moto.s3.models.FakeBucket": "arn keys name physical_resource_id",
    "moto.s3.models.S3Backend": "buckets",
    "moto.sqs.models.Queue": (
        "arn dead_letter_queue delay_seconds fifo_queue lambda_event_source_mappings maximum_message_size "
        "message_retention_period name physical_resource_id policy queue_arn redrive_policy "
        "visibility_timeout"
    ),
    "moto.sqs.models.SQSBackend": "queues",
}
TRIED = {
    "arn",
    "function_arn",
    "physical_resource_id",
    "queue_arn",
    "redrive_allow_policy",
}  # with getattr and a default, on any resource


def find(dotted: str) -> Any:
    """The object behind a dotted name. Raises AttributeError when a part is not there."""
    parts = dotted.split(".")
    found, rest = importlib.import_module(parts[0]), parts[1:]
    while rest:
        try:
            found = inspect.getattr_static(found, rest[0]) if inspect.isclass(found) else getattr(found, rest[0])
        except AttributeError:
            if not inspect.ismodule(found):
                raise
            found = importlib.import_module(f"{found.__name__}.{rest[0]}")
        rest.pop(0)
    return found


def users(dotted: str) -> list[str]:
    last = dotted.rpartition(".")[2]
    return sorted(str(path.relative_to(ROOM)) for path in ROOM.rglob("*.py") if last in path.read_text("utf-8"))


def told() -> dict[str, list[str] | None]:
    """Of each name in CANARIES that is there, its parameters (None where it has none to tell)."""
    found: dict[str, list[str] | None] = {}
    for dotted, (parameters, _) in CANARIES.items():
        with suppress(AttributeError, ImportError):
            there = find(dotted)
            found[dotted] = list(inspect.signature(there).parameters) if parameters else None
    return found


@pytest.fixture(scope="module")
def untouched() -> dict[str, list[str] | None]:
    """What a fresh interpreter has, in which nothing of ours stands in moto's place."""
    return json.loads(subprocess.run([sys.executable, __file__], check=True, capture_output=True, text=True).stdout)


@pytest.mark.parametrize("dotted", CANARIES)
def test_a_name_that_we_lean_on_is_there_with_its_arguments(dotted: str, untouched: Any) -> None:
    """A canary: when it falls silent, look at the modules that it names before the dependency is raised."""
    parameters, why = CANARIES[dotted]
    lean = f"{', '.join(users(dotted))} in orderlab/cloud lean(s) on it: {why}"
    assert dotted in untouched, f"{dotted} is gone. {lean}"
    wanted, there = parameters.split(), untouched[dotted] or []
    assert there[: len(wanted)] == wanted, f"{dotted} takes {there}, not {wanted}. {lean}"


def test_every_name_that_our_source_uses_has_a_canary() -> None:
    """Whoever uses one more name writes its canary, and takes it away with the last use."""
    used = {path: names for path in ROOM.rglob("*.py") if (names := _names(ast.parse(path.read_text("utf-8"))))}
    every = set().union(*used.values())
    missing = {
        f"{name} ({path.relative_to(ROOM)})"
        for path, names in used.items()
        for name in names - set(CANARIES) - OURS
        if not any(other.startswith(f"{name}.") for other in every) and not _is_module(name)
    }
    assert not missing, f"used in orderlab/cloud, but without a line in CANARIES: {sorted(missing)}"
    idle = [name for name in CANARIES if not users(name)]
    assert not idle, f"in CANARIES, but nothing in orderlab/cloud names it any more: {idle}"


def _is_module(name: str) -> bool:
    try:
        return inspect.ismodule(find(name))
    except (AttributeError, ImportError):
        return False


def _names(tree: ast.AST) -> set[str]:
    """The dotted names of the four packages that a module imports, reads, sets, or names to setattr and its like."""
    known: dict[str, str] = {}
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] in PACKAGES:
                    known[alias.asname or alias.name.split(".")[0]] = (
                        alias.name if alias.asname else alias.name.split(".")[0]
                    )
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in PACKAGES:
            for alias in node.names:
                known[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                found.add(f"{node.module}.{alias.name}")

    def dotted(node: ast.AST) -> str | None:
        if isinstance(node, ast.Name):
            return known.get(node.id)
        if isinstance(node, ast.Attribute):
            base = dotted(node.value)
            return base and f"{base}.{node.attr}"
        return None

    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and (name := dotted(node.value)):
            known[node.targets[0].id] = name
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (name := dotted(node)):
            found.add(name)
        if isinstance(node, ast.Call) and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
            name = dotted(node.args[0])
            if name:
                found.add(f"{name}.{node.args[1].value}")
    return {name for name in found if "." in name}


@contextmanager
def _watched(class_name: str, seen: dict[str, set[str]]) -> Iterator[None]:
    """Note which attributes of this class's objects our modules read or set."""
    cls = find(class_name)
    get, put = cls.__getattribute__, cls.__setattr__
    note = seen[class_name]

    def is_ours(name: str) -> bool:
        return not name.startswith("__") and sys._getframe(2).f_code.co_filename.startswith(str(ROOM))

    def getattribute(self: Any, name: str) -> Any:
        if is_ours(name):
            note.add(name)
        return get(self, name)

    def setattribute(self: Any, name: str, value: Any) -> None:
        if is_ours(name):
            note.add(name)
        put(self, name, value)

    own = {n: vars(cls)[n] for n in ("__getattribute__", "__setattr__") if n in vars(cls)}
    cls.__getattribute__, cls.__setattr__ = getattribute, setattribute
    try:
        yield
    finally:
        for name in ("__getattribute__", "__setattr__"):
            if name in own:
                setattr(cls, name, own[name])
            else:
                delattr(cls, name)


def test_what_our_modules_read_off_moto_s_objects_is_there_and_listed() -> None:
    """The order system runs on the whole template, and each class in OBJECTS is watched."""
    from orderlab.cloud import Cloud

    seen: dict[str, set[str]] = defaultdict(set)
    with ExitStack() as stack:
        for class_name in OBJECTS:
            stack.enter_context(_watched(class_name, seen))
        with Cloud(parameters={"Cache": "on"}) as cloud:
            order = {"customerId": "C-1", "items": [{"sku": "mug", "quantity": 1}]}
            headers = {"Idempotency-Key": "k-12345678", "x-api-key": cloud.api_key}
            row = {"sku": {"S": "mug"}, "price": {"N": "3"}, "name": {"S": "mug"}}
            cloud.client("dynamodb").put_item(TableName=cloud.outputs["CatalogueTableName"], Item=row)
            assert cloud.request("POST", "/orders", body=order, headers=headers).status == 202
            cloud.advance(1.0)
            cloud.reset()
    unlisted = {f"{cls}.{name}" for cls, names in seen.items() for name in names - set(OBJECTS[cls].split()) - TRIED}
    assert not unlisted, f"read in orderlab/cloud, but not listed in OBJECTS: {sorted(unlisted)}"
    silent = [cls for cls in OBJECTS if not seen[cls]]
    assert set(silent) <= {"moto.dynamodb.models.table.StreamRecord"}, f"in OBJECTS, but nobody reads it: {silent}"


@pytest.mark.parametrize("class_name", OBJECTS)
def test_an_attribute_that_we_read_is_written_in_moto_s_class(class_name: str) -> None:
    """Set in its methods, or there as a property or a method of it or of a class that it is made from."""
    gone = set(OBJECTS[class_name].split()) - _own_words(class_name) - TRIED
    lean = {name: ", ".join(users(name)) for name in gone}
    assert not gone, f"{class_name} lost what these modules of orderlab/cloud read: {lean}"


def _own_words(class_name: str) -> set[str]:
    """The names of a class's methods and properties, and of the attributes that its methods set."""
    words = set(dir(find(class_name)))
    for cls in find(class_name).__mro__:
        if cls.__module__.startswith("moto."):
            tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
            words |= {camelcase_to_underscores(n.value) for n in ast.walk(tree) if _is_word(n)}  # for setattr
            words |= {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)}
    return words


def _is_word(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier()


if __name__ == "__main__":
    print(json.dumps(told()))
