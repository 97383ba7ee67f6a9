"""The template is the system of the design: its names, its numbers, and nothing that CloudFormation would refuse."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from orderlab.ops.aws.target import PREFIX as PREFIX_OF_COMMANDS
from orderlab.ops.described import INFRA, defaults
from orderlab.ops.policy.rights import lambda_rights, rights
from orderlab.ops.policy.template import Resources, named, of_type, settle, source, translate
from orderlab.orders import order

PREFIX = "${NamePrefix}-"
FUNCTIONS = {  # logical id: (handler, timeout in seconds, variables)
    "PlaceOrder": ("place", 5, {"ORDERS_TABLE", "CATALOGUE_TABLE", "CACHE_URL"}),
    "GetOrder": ("get", 3, {"ORDERS_TABLE"}),
    "Relay": ("relay", 10, {"BUS_NAME", "RELAY_DEAD_QUEUE_URL"}),
    "ProjectSales": ("sales", 10, {"SALES_TABLE"}),
    "ReserveStock": ("stock", 10, {"ORDERS_TABLE", "STOCK_TABLE"}),
    "ChargePayment": ("payment", 30, {"ORDERS_TABLE", "BREAKER_TABLE", "RECEIPTS_BUCKET", "PROVIDER_FUNCTION"}),
    "PaymentProvider": ("provider", 5, {"LEDGER_TABLE", "CHAOS"}),
    "SettleOrder": ("settlement", 10, {"ORDERS_TABLE"}),
    "Notify": ("notify", 5, {"NOTIFICATIONS_TABLE"}),
}
SAGA = {  # the tasks of the orchestrated saga; logical id: (handler, timeout in seconds, variables)
    "SagaReserve": ("saga.reserve", 10, {"ORDERS_TABLE", "STOCK_TABLE"}),
    "SagaRelease": ("saga.release", 10, {"ORDERS_TABLE", "STOCK_TABLE"}),
    "SagaCharge": ("saga.charge", 30, FUNCTIONS["ChargePayment"][2]),
    "SagaUndoCharge": ("saga.undo_charge", 30, FUNCTIONS["ChargePayment"][2] - {"RECEIPTS_BUCKET"}),
    "SagaSettle": ("saga.settle", 10, {"ORDERS_TABLE"}),
}
MEANS = {  # a variable: the resource it names
    "ORDERS_TABLE": "OrdersTable",
    "STOCK_TABLE": "StockTable",
    "CATALOGUE_TABLE": "CatalogueTable",
    "BREAKER_TABLE": "BreakerTable",
    "SALES_TABLE": "SalesTable",
    "NOTIFICATIONS_TABLE": "NotificationsTable",
    "LEDGER_TABLE": "LedgerTable",
    "RECEIPTS_BUCKET": "ReceiptsBucket",
    "BUS_NAME": "Bus",
    "RELAY_DEAD_QUEUE_URL": "RelayDeadQueue",
    "PROVIDER_FUNCTION": "PaymentProvider",
}
WORK = {  # queue: (function, batch, window in seconds, visibility in seconds, receives, concurrency)
    "StockQueue": ("ReserveStock", 10, 0, 60, 5, 5),
    "PaymentQueue": ("ChargePayment", 5, 0, 180, 10, 5),
    "SettlementQueue": ("SettleOrder", 10, 0, 60, 5, 5),
}
QUEUES = {  # queue: (physical name, days that a message is kept)
    "StockQueue": ("stock", 4),
    "PaymentQueue": ("payment", 4),
    "SettlementQueue": ("settlement", 4),
    "ReviewQueue": ("review", 14),
    "StockDeadQueue": ("stock-dead", 14),
    "PaymentDeadQueue": ("payment-dead", 14),
    "SettlementDeadQueue": ("settlement-dead", 14),
    "RelayDeadQueue": ("relay-dead", 14),
    "NotifyDeadQueue": ("notify-dead", 14),
    "UndeliveredQueue": ("undelivered", 14),
}
KEYS = {
    "OrdersTable": ["orderId", "part"],
    "StockTable": ["sku"],
    "CatalogueTable": ["sku"],
    "BreakerTable": ["name"],
    "SalesTable": ["id"],
    "NotificationsTable": ["id"],
    "LedgerTable": ["key"],
}
CALLS = {  # what the code of a function does, and to what; a transaction needs the rights of its parts
    "PlaceOrder": {
        "dynamodb:PutItem OrdersTable",
        "dynamodb:GetItem OrdersTable",
        "dynamodb:BatchGetItem CatalogueTable",
    },
    "GetOrder": {"dynamodb:GetItem OrdersTable"},
    "Relay": {"events:PutEvents Bus", "sqs:SendMessage RelayDeadQueue"},
    "ProjectSales": {"dynamodb:PutItem SalesTable", "dynamodb:UpdateItem SalesTable"},
    "ReserveStock": {"dynamodb:PutItem OrdersTable", "dynamodb:UpdateItem StockTable"},
    "ChargePayment": {
        "dynamodb:PutItem OrdersTable",
        "dynamodb:GetItem BreakerTable",
        "dynamodb:PutItem BreakerTable",
        "s3:PutObject ReceiptsBucket",
        "lambda:InvokeFunction PaymentProvider",
    },
    "PaymentProvider": {"dynamodb:BatchGetItem LedgerTable", "dynamodb:PutItem LedgerTable"},
    "SettleOrder": {"dynamodb:UpdateItem OrdersTable"},
    "Notify": {"dynamodb:PutItem NotificationsTable", "dynamodb:DeleteItem NotificationsTable"},
}
CALLS |= {
    "SagaReserve": CALLS["ReserveStock"],
    "SagaRelease": CALLS["ReserveStock"],
    "SagaCharge": CALLS["ChargePayment"],
    "SagaUndoCharge": CALLS["ChargePayment"] - {"s3:PutObject ReceiptsBucket"},
    "SagaSettle": {"dynamodb:GetItem OrdersTable", "dynamodb:UpdateItem OrdersTable"},
}
RULES: dict[str, tuple[set[str], set[str]]] = {  # rule: (detail types, targets)
    "OrderPlacedRule": ({"OrderPlaced"}, {"StockQueue", "PaymentQueue"}),
    "OutcomesRule": ({"StockReserved", "StockRejected", "PaymentCaptured", "PaymentDeclined"}, {"SettlementQueue"}),
    "UndoRule": ({"OrderCancelled"}, {"StockQueue", "PaymentQueue"}),
    "ReviewRule": ({"OrderPlaced"}, {"ReviewQueue"}),
    "NotifyRule": ({"OrderConfirmed", "OrderCancelled"}, {"Notify"}),
}

PARAMETERS = {
    "NamePrefix": "orderlab",
    "Saga": "choreography",
    "Cache": "off",
    "ReservedConcurrency": "off",
    "Authorization": "api-key",
    "Tracing": "off",
    "Dashboard": "off",
    "AccessLogs": "off",
    "Budget": "off",
    "BudgetDollars": "5",
    "Chaos": "off",
}


SAGA_RULES: dict[str, tuple[set[str], set[str]]] = {"SagaRule": ({"OrderPlaced"}, {"SagaMachine"})}
WATCHED = ("Tracing", "Dashboard", "AccessLogs", "Budget")
LISTENING = {"OrderPlacedRule", "OutcomesRule", "UndoRule"}  # the rules by which services hear of each other


@pytest.fixture(scope="module", params=["choreography", "orchestration"])
def saga(request: pytest.FixtureRequest) -> str:
    """Who drives an order: the template's parameter Saga."""
    return str(request.param)


@pytest.fixture(scope="module")
def resources(saga: str) -> Resources:
    """The resources of the stack with that saga, translated and settled."""
    found: Resources = settle(translate(source()), Saga=saga)["Resources"]
    return found


def functions_of(saga: str) -> dict[str, tuple[str, int, set[str]]]:
    """The functions that the stack has with that saga."""
    return FUNCTIONS | (SAGA if saga == "orchestration" else {})


@pytest.fixture(scope="module")
def model(resources: Resources) -> dict[str, Any]:
    """The JSON schema of POST /orders."""
    schema: dict[str, Any] = resources["OrderRequest"]["Properties"]["Schema"]
    return schema


def test_the_functions_have_their_handlers_timeouts_and_variables(resources: Resources, saga: str) -> None:
    """Nine functions, or fourteen, of 512 MB on python3.13 and arm64, each with exactly the variables it uses."""
    functions = of_type(resources, "AWS::Lambda::Function")
    assert functions.keys() == functions_of(saga).keys()
    for name, (module, timeout, variables) in functions_of(saga).items():
        entry = module if "." in module else f"{module}.handler"
        function = functions[name]
        given = function["Environment"]["Variables"]
        assert (function["Handler"], function["Timeout"]) == (f"orderlab.orders.{entry}", timeout)
        assert given.keys() == variables
        assert {key: named(value) for key, value in given.items() if key in MEANS} == {
            key: MEANS[key] for key in variables if key in MEANS
        }
        assert (function["Runtime"], function["Architectures"], function["MemorySize"]) == (
            "python3.13",
            ["arm64"],
            512,
        )
        assert function["FunctionName"] == PREFIX + re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


def test_the_handlers_exist_and_read_their_variables() -> None:
    """Each handler is a function in a module that ships, and each variable is read by the code behind its handler."""
    package = INFRA.parent / "orderlab" / "orders"
    for name, (place, _, variables) in (FUNCTIONS | SAGA).items():
        module, _, entry = place.partition(".")
        tree = ast.parse((package / f"{module}.py").read_text(encoding="utf-8"))
        defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert (entry or "handler") in defined, f"orderlab.orders.{module} has no function for {name}"
        assert variables <= _variables(package, module, set()), name


def _variables(package: Path, module: str, seen: set[str]) -> set[str]:
    """The names in capitals that a module and what it imports from its own package write down as texts."""
    file = package / f"{module}.py"
    if module in seen or not file.exists():
        return set()
    seen.add(module)
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch("[A-Z_]+", node.value):
            found.add(node.value)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("orderlab.orders"):
            within = (node.module or "").split(".")[2:]
            for inner in within or [alias.name for alias in node.names]:
                found |= _variables(package, inner, seen)
    return found


@pytest.mark.parametrize("queue", WORK)
def test_a_work_queue_keeps_the_numbers_of_the_design(resources: Resources, queue: str) -> None:
    """Batch, window, visibility, receives and concurrency; and visibility is six timeouts plus the window."""
    function, batch, window, visibility, receives, concurrency = WORK[queue]
    (mapping,) = [
        m
        for m in of_type(resources, "AWS::Lambda::EventSourceMapping").values()
        if m["EventSourceArn"] == f"${{{queue}.Arn}}"
    ]
    settings = resources[queue]["Properties"]
    assert named(mapping["FunctionName"]) == function
    assert (mapping["BatchSize"], mapping["MaximumBatchingWindowInSeconds"]) == (batch, window)
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": concurrency}
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert settings["VisibilityTimeout"] == visibility == 6 * FUNCTIONS[function][1] + window
    assert settings["RedrivePolicy"]["maxReceiveCount"] == receives
    assert named(settings["RedrivePolicy"]["deadLetterTargetArn"]) == queue.replace("Queue", "DeadQueue")


def test_a_payment_is_tried_for_27_minutes(resources: Resources) -> None:
    """So an outage of 15 minutes is ridden out, and one of 40 is not: those orders wait in the dead-letter queue."""
    queue = resources["PaymentQueue"]["Properties"]
    last_try = (queue["RedrivePolicy"]["maxReceiveCount"] - 1) * queue["VisibilityTimeout"]
    assert last_try == 27 * 60


def test_queues_keep_their_names_and_days(resources: Resources) -> None:
    """Work queues keep 4 days; dead-letter queues and the review queue 14, which is SQS's limit."""
    found = {
        name: (queue["QueueName"], queue["MessageRetentionPeriod"] / 86_400)
        for name, queue in of_type(resources, "AWS::SQS::Queue").items()
    }
    assert found == {name: (PREFIX + physical, days) for name, (physical, days) in QUEUES.items()}
    assert "RedrivePolicy" not in resources["ReviewQueue"]["Properties"]


@pytest.mark.parametrize("function", ["Relay", "ProjectSales"])
def test_a_reader_of_the_stream_keeps_the_numbers_of_the_design(resources: Resources, function: str) -> None:
    """From the oldest record, ten at a time, bisecting, for 22 hours; then to S3, before the stream drops it at 24."""
    mapping = resources[f"{function}Mapping"]["Properties"]
    assert mapping == {
        "FunctionName": f"${{{function}}}",
        "EventSourceArn": "${OrdersTable.StreamArn}",
        "StartingPosition": "TRIM_HORIZON",
        "BatchSize": 10,
        "MaximumBatchingWindowInSeconds": 0,
        "ParallelizationFactor": 1,
        "BisectBatchOnFunctionError": True,
        "MaximumRecordAgeInSeconds": 79_200,
        "MaximumRetryAttempts": -1,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "DestinationConfig": {"OnFailure": {"Destination": "${FailedRecordsBucket.Arn}"}},
    }


def test_notify_is_retried_twice_and_then_kept(resources: Resources) -> None:
    """Lambda's own two retries of an asynchronous invocation, and a destination for what fails even so."""
    config = resources["NotifyInvokeConfig"]["Properties"]
    assert (config["FunctionName"], config["Qualifier"], config["MaximumRetryAttempts"]) == ("${Notify}", "$LATEST", 2)
    assert config["DestinationConfig"]["OnFailure"]["Destination"] == "${NotifyDeadQueue.Arn}"


def test_every_rule_is_one_of_these(resources: Resources, saga: str) -> None:
    """The machine's own rule exists under orchestration only."""
    expected = RULES | (SAGA_RULES if saga == "orchestration" else {})
    assert of_type(resources, "AWS::Events::Rule").keys() == expected.keys()


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_routes_by_content_to_its_targets(resources: Resources, rule: str, saga: str) -> None:
    """Targets get the whole envelope, are retried for a day, and leave what fails in one queue."""
    properties = resources[rule]["Properties"]
    kinds, targets = RULES[rule]
    assert set(properties["EventPattern"]["detail-type"]) == kinds
    assert properties["EventBusName"] == "${Bus}"
    assert properties["State"] == ("DISABLED" if saga == "orchestration" and rule in LISTENING else "ENABLED")
    assert {named(target["Arn"]) for target in properties["Targets"]} == targets
    for target in properties["Targets"]:
        assert target.keys() == {"Id", "Arn", "RetryPolicy", "DeadLetterConfig"}
        assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}
        assert target["DeadLetterConfig"] == {"Arn": "${UndeliveredQueue.Arn}"}


def test_only_orders_of_a_thousand_pounds_are_reviewed(resources: Resources) -> None:
    """The one rule that looks into the detail; money is in pence."""
    patterns = {name: rule["EventPattern"] for name, rule in of_type(resources, "AWS::Events::Rule").items()}
    assert patterns["ReviewRule"]["detail"] == {"total": [{"numeric": [">=", 100_000]}]}
    assert [name for name, pattern in patterns.items() if "detail" in pattern] == ["ReviewRule"]


def test_the_archive_keeps_every_event_of_the_bus(resources: Resources) -> None:
    """No pattern: a replay can bring back whatever was published, the two events without a rule too."""
    archive = resources["Archive"]["Properties"]
    assert archive["SourceArn"] == "${Bus.Arn}"
    assert "EventPattern" not in archive
    assert resources["Bus"]["Properties"]["Name"] == PREFIX + "orders"


def test_tables_have_their_keys_and_only_orders_has_a_stream(resources: Resources) -> None:
    """Tables other than orders never wake Relay; notifications expire."""
    tables = of_type(resources, "AWS::DynamoDB::Table")
    assert {name: [key["AttributeName"] for key in table["KeySchema"]] for name, table in tables.items()} == KEYS
    assert {n: t["StreamSpecification"] for n, t in tables.items() if "StreamSpecification" in t} == {
        "OrdersTable": {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    }
    assert {n: t["TimeToLiveSpecification"] for n, t in tables.items() if "TimeToLiveSpecification" in t} == {
        "NotificationsTable": {"AttributeName": "expires", "Enabled": True}
    }
    assert all(table["BillingMode"] == "PAY_PER_REQUEST" for table in tables.values())


def test_a_function_may_do_what_its_code_does_and_no_more(resources: Resources, saga: str) -> None:
    """Beside that, its role has only what Lambda itself needs for its log, its mapping and its destination."""
    for function in functions_of(saga):
        role = resources[named(resources[function]["Properties"]["Role"])]["Properties"]
        own = rights(role) - lambda_rights(function, resources)
        assert {f"{action} {named(resource)}" for action, resource in own} == CALLS[function], function
        assert lambda_rights(function, resources) <= rights(role), function


def test_only_relay_may_publish(resources: Resources) -> None:
    """The transactional outbox, held by rights: no other function can put an event on the bus."""
    publishers = {
        name
        for name, role in of_type(resources, "AWS::IAM::Role").items()
        if any(action.startswith("events:") for action, _ in rights(role))
    }
    assert publishers == {"RelayRole"}


def test_the_api_has_its_three_methods(resources: Resources) -> None:
    """Each needs the API key; POST also a valid body and the Idempotency-Key."""
    parts = of_type(resources, "AWS::ApiGateway::Resource")
    paths = {}
    for name, method in of_type(resources, "AWS::ApiGateway::Method").items():
        leaf = parts[named(method["ResourceId"])]
        parent = parts.get(named(leaf["ParentId"]), {}).get("PathPart")
        paths[name] = f"{method['HttpMethod']} " + "/".join(["", *filter(None, [parent, leaf["PathPart"]])])
        assert method["ApiKeyRequired"] is True
    assert sorted(paths.values()) == ["GET /orders/{orderId}", "GET /products/{sku}", "POST /orders"]
    post = resources["PostOrder"]["Properties"]
    assert post["RequestModels"] == {"application/json": "${OrderRequest}"}
    assert post["RequestParameters"] == {"method.request.header.Idempotency-Key": True}
    assert resources["Stage"]["Properties"]["StageName"] == "live"


def test_the_stage_in_the_permissions_is_the_stage(resources: Resources) -> None:
    """API Gateway may invoke a function for one method of one stage of one API."""
    stage = resources["Stage"]["Properties"]["StageName"]
    for name, path in (("PlaceOrderPermission", "POST/orders"), ("GetOrderPermission", "GET/orders/*")):
        assert resources[name]["Properties"]["SourceArn"].endswith(f":${{Api}}/{stage}/{path}")


def lines(count: int) -> list[dict[str, Any]]:
    return [{"sku": f"{85000 + n}A", "quantity": 1} for n in range(count)]


ACCEPTED = [
    {"customerId": "C-17850", "items": lines(1)},
    {"customerId": "a", "items": [{"sku": "POST", "quantity": 1}]},
    {"customerId": "C" * 64, "items": lines(99)},
    {"customerId": "17850.0", "items": [{"sku": "BANK CHARGES", "quantity": 100_000}]},
    {"customerId": "C_1", "items": [{"sku": "S" * 64, "quantity": 1}]},
]
REFUSED = [
    {"customerId": "C-1", "items": []},
    {"customerId": "C-1", "items": lines(100)},
    {"customerId": "C-1"},
    {"items": lines(1)},
    {"customerId": "", "items": lines(1)},
    {"customerId": "C" * 65, "items": lines(1)},
    {"customerId": "C 1", "items": lines(1)},
    {"customerId": 17850, "items": lines(1)},
    {"customerId": "C-1", "items": lines(1), "total": 1},
    {"customerId": "C-1", "items": [{"sku": "A", "quantity": 1, "price": 1}]},
    {"customerId": "C-1", "items": [{"sku": "A", "quantity": 0}]},
    {"customerId": "C-1", "items": [{"sku": "A", "quantity": 100_001}]},
    {"customerId": "C-1", "items": [{"sku": "A", "quantity": "1"}]},
    {"customerId": "C-1", "items": [{"sku": "A", "quantity": 1.5}]},
    {"customerId": "C-1", "items": [{"sku": "", "quantity": 1}]},
    {"customerId": "C-1", "items": [{"sku": "A ", "quantity": 1}]},
    {"customerId": "C-1", "items": [{"sku": "S" * 65, "quantity": 1}]},
    {"customerId": "C-1", "items": [{"sku": "A"}]},
    {"customerId": "C-1", "items": "A"},
    ["C-1"],
]


def test_the_model_is_a_valid_schema_of_draft_4(model: dict[str, Any]) -> None:
    """API Gateway knows draft 4 only, and keeps minItems and maxItems only in a raw model."""
    assert model["$schema"] == "http://json-schema.org/draft-04/schema#"
    jsonschema.Draft4Validator.check_schema(model)
    assert (model["properties"]["items"]["minItems"], model["properties"]["items"]["maxItems"]) == (1, 99)


@pytest.mark.parametrize("body", ACCEPTED)
def test_the_model_and_place_order_accept_the_same_bodies(model: dict[str, Any], body: Any) -> None:
    """What the gateway lets in, the function takes."""
    jsonschema.Draft4Validator(model).validate(body)
    assert order.parse(json.dumps(body)).customer_id == body["customerId"]


@pytest.mark.parametrize("body", REFUSED)
def test_the_model_and_place_order_refuse_the_same_bodies(model: dict[str, Any], body: Any) -> None:
    """What comes past the gateway under another content type, the function refuses by itself."""
    assert not jsonschema.Draft4Validator(model).is_valid(body)
    with pytest.raises(order.Invalid):
        order.parse(json.dumps(body))


def test_the_outputs_name_everything_that_a_client_needs(saga: str) -> None:
    """The API, and each function, table, bucket, the bus by name, each queue by URL; the machine where there is one."""
    outputs = settle(translate(source()), Saga=saga)["Outputs"]
    names = [*FUNCTIONS, *KEYS, "ReceiptsBucket", "FailedRecordsBucket", "Bus"]
    expected = {f"{name}Name": f"${{{name}}}" for name in names} | {f"{name}Url": f"${{{name}}}" for name in QUEUES}
    expected |= {
        "ApiId": "${Api}",
        "ApiKeyId": "${ApiKey}",
        "ApiUrl": "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${Stage}",
    }
    expected |= {"SagaMachineArn": "${SagaMachine}"} if saga == "orchestration" else {}
    assert {name: output["Value"] for name, output in outputs.items()} == expected


def test_the_cache_and_its_network_exist_only_on_request(resources: Resources) -> None:
    """Off: no VPC and an empty address. On: PlaceOrder alone joins the VPC, and speaks TLS to the cache."""
    network = ("AWS::EC2::", "AWS::ElastiCache::")
    assert not [name for name, r in resources.items() if r["Type"].startswith(network)]
    assert resources["PlaceOrder"]["Properties"]["Environment"]["Variables"]["CACHE_URL"] == ""
    cached = settle(translate(source()), Cache="on", Saga="orchestration")["Resources"]
    assert of_type(cached, "AWS::ElastiCache::ServerlessCache").keys() == {"PriceCache"}
    assert [name for name, f in of_type(cached, "AWS::Lambda::Function").items() if "VpcConfig" in f] == ["PlaceOrder"]
    url = cached["PlaceOrder"]["Properties"]["Environment"]["Variables"]["CACHE_URL"]
    assert url == "valkeys://${PriceCache.Endpoint.Address}:6379"


def test_reserved_concurrency_is_off_unless_asked_for(resources: Resources, saga: str) -> None:
    """A new account may have ten executions in all; AWS keeps a hundred of any account unreserved."""
    assert not [f for f in of_type(resources, "AWS::Lambda::Function").values() if "ReservedConcurrentExecutions" in f]
    template = source()
    reserved = settle(translate(template), ReservedConcurrency="on", Saga=saga)["Resources"]
    functions = of_type(reserved, "AWS::Lambda::Function")
    in_all = sum(function["ReservedConcurrentExecutions"] for function in functions.values())
    assert f"{in_all} concurrent executions" in template["Parameters"]["ReservedConcurrency"]["Description"]


def test_the_parameters_have_the_documented_defaults() -> None:
    """Nothing that costs money or that a new account refuses is on by itself."""
    parameters = source()["Parameters"]
    assert defaults(source()) == PARAMETERS
    prefix = re.compile(parameters["NamePrefix"]["AllowedPattern"])
    assert all(prefix.fullmatch(name) for name in ("orderlab", "ab", "team-7"))
    assert not any(prefix.fullmatch(name) for name in ("a", "Orders", "7up", "ab-", "under_score", "a" * 21))
    assert not any(prefix.fullmatch(name) for name in ("xn--lab", "a--b", "sthree-x", "amzn-s3-demo-x")), "S3's own"
    assert PREFIX_OF_COMMANDS.pattern == prefix.pattern


def test_a_bucket_s_name_is_one_under_the_longest_prefix(resources: Resources) -> None:
    """S3 takes 3 to 63 letters, digits and hyphens: the prefix has 20 at most, a region's name 14."""
    longest = {"NamePrefix": "a" * 20, "AWS::AccountId": "123456789012", "AWS::Region": "ap-southeast-1"}
    for name, bucket in of_type(resources, "AWS::S3::Bucket").items():
        told = re.sub(r"\$\{(.*?)\}", lambda found: longest[found.group(1)], bucket["BucketName"])
        assert re.fullmatch(r"[a-z0-9-]{3,63}", told), (name, told)


def test_chaos_turns_the_provider_s_own_knobs_and_is_off_by_default() -> None:
    """JSON with names that the provider knows; the shares are small enough for every order to end."""
    template = source()
    known = (INFRA.parent / "orderlab" / "orders" / "provider.py").read_text(encoding="utf-8")
    for chaos in ("off", "on"):
        resources = settle(translate(template), Chaos=chaos)["Resources"]
        knobs = json.loads(resources["PaymentProvider"]["Properties"]["Environment"]["Variables"]["CHAOS"])
        assert bool(knobs) == (chaos == "on")
        assert all(f'"{name}"' in known and 0 < share <= 0.1 for name, share in knobs.items())


def test_what_has_no_region_is_named_after_its_region() -> None:
    """Dashboards and budgets are the account's: a second stack elsewhere would overwrite the first's."""
    resources = settle(translate(source()), Dashboard="on", Budget="a@example.org")["Resources"]
    assert resources["Overview"]["Properties"]["DashboardName"] == PREFIX + "overview-${AWS::Region}"
    assert resources["MonthBudget"]["Properties"]["Budget"]["BudgetName"] == PREFIX + "month-${AWS::Region}"


def test_what_is_watched_costs_nothing_unless_asked_for() -> None:
    """Traces, dashboard, access logs and budget: neither resource nor setting nor right while they are off."""
    off, on = (
        settle(translate(source()), Saga="orchestration", **dict.fromkeys(WATCHED, value))["Resources"]
        for value in ("off", "on")
    )
    assert on.keys() - off.keys() == {"Overview", "AccessLog", "MonthBudget"}
    assert "xray:" not in json.dumps(off) and "AccessLogSetting" not in json.dumps(off)
    for name, function in of_type(on, "AWS::Lambda::Function").items():
        assert function["TracingConfig"] == {"Mode": "Active"}, name
        assert off[name]["Properties"]["TracingConfig"] == {"Mode": "PassThrough"}, name
    assert on["SagaMachine"]["Properties"]["TracingConfiguration"] == {"Enabled": True}
    assert on["Stage"]["Properties"]["TracingEnabled"] is True and off["Stage"]["Properties"]["TracingEnabled"] is False


def test_signing_is_asked_of_every_method_by_a_deployment_of_its_own() -> None:
    """A Deployment is a snapshot: under the same one a change of Authorization would never reach the stage."""
    made = {name: settle(translate(source()), Authorization=name)["Resources"] for name in ("api-key", "iam")}
    for name, kind in (("api-key", "NONE"), ("iam", "AWS_IAM")):
        methods = of_type(made[name], "AWS::ApiGateway::Method").values()
        assert {(m["AuthorizationType"], m["ApiKeyRequired"]) for m in methods} == {(kind, True)}
        (deployment,) = of_type(made[name], "AWS::ApiGateway::Deployment")
        assert made[name]["Stage"]["Properties"]["DeploymentId"] == f"${{{deployment}}}"
    assert made["iam"]["Stage"] != made["api-key"]["Stage"]


def test_the_package_list_ships_the_orders_and_the_patterns() -> None:
    """The one truth of what goes to Lambda: every path exists, and nothing of the course is among them."""
    template = source()
    assert template["Globals"]["Function"]["CodeUri"] == "build/"
    shipped = template["Metadata"]["OrderLab"]["Package"]["build/"]
    assert [(INFRA / path).resolve().relative_to(INFRA.parent).as_posix() for path in shipped] == [
        "orderlab/__init__.py",
        "orderlab/orders",
        "orderlab/patterns",
    ]
    assert all((INFRA / path).exists() for path in shipped)


def test_every_reference_names_something_in_the_template() -> None:
    """A misspelt logical id is found without cfn-lint too."""
    translated = translate(source())
    known = {*translated["Resources"], *translated["Parameters"]}
    settled = json.dumps(settle(translated, Cache="on", ReservedConcurrency="on", Saga="orchestration"))
    assert set(re.findall(r"\$\{([A-Z]\w*)(?=[.}])", settled)) <= known


@pytest.mark.skipif(
    not (Path(sys.executable).with_name("cfn-lint").exists() or shutil.which("cfn-lint")),
    reason="cfn-lint is not installed; CI has it",
)
def test_cfn_lint_has_nothing_to_say(tmp_path: Path) -> None:
    """Every type and property is in CloudFormation's specification, and every value is allowed there."""
    beside = Path(sys.executable).with_name("cfn-lint")
    program = str(beside) if beside.exists() else "cfn-lint"
    environment = os.environ | {"AWS_DEFAULT_REGION": "us-east-1"}
    ran = subprocess.run(
        [program, str(INFRA / "template.yaml")],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (0, ""), ran.stdout + ran.stderr
