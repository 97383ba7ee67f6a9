"""The order system on ministack, an open emulator of AWS that runs functions as processes: seconds an order.

`python -m orderlab.ops.bench.ministack FOLDER` prints a JSON object. ministack lives in a virtual environment of its
own in that folder and listens on loopback only. It gets the same template, translated alike, less the types of
resources that it refuses; those are named in the result.
"""

import http.client
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, perf_counter, sleep
from typing import Any

from .peers import NotMeasured, environment
from .shop import open_shop, request, statuses

VERSION = "1.5.33"
ORDERS, WARM = 100, 10
PATIENCE = 120.0  # seconds for anything to happen
ACCOUNT = "123456789012"
FAKE = {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}


@contextmanager
def running(python: Path, folder: Path) -> Iterator[int]:
    """ministack on a free port of this machine, which is given; it ends with the context. Raises NotMeasured."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "MINISTACK_HOST": "127.0.0.1", "LOG_LEVEL": "ERROR"}
    variables = {**os.environ, **FAKE, "MINISTACK_ACCOUNT_ID": ACCOUNT, **own}
    variables.pop("PYTHONPATH", None)  # its functions run what they were deployed with
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
    server = subprocess.Popen([str(python), "-m", "ministack"], env=variables, cwd=folder, **quiet)  # type: ignore[call-overload]
    try:
        _wait(lambda: _answers(port) or server.poll() is not None, "ministack does not start")
        if server.poll() is not None:
            raise NotMeasured(f"ministack {VERSION} does not start (exit status {server.returncode})")
        yield port
    finally:
        server.terminate()
        server.wait()


def measure(folder: Path) -> dict[str, Any]:
    """Seconds an order, what was refused of the template, and the version. Raises NotMeasured."""
    import boto3

    from orderlab.cloud.stack import translation
    from orderlab.cloud.stack.template import TEMPLATE, read

    python = environment(folder, f"ministack=={VERSION}", "boto3")  # the functions import boto3
    with running(python, folder) as port:

        def client(service: str) -> Any:
            return boto3.client(service, endpoint_url=f"http://127.0.0.1:{port}")

        template = translation.translate(read(TEMPLATE), TEMPLATE.parent, {}, client("s3"))
        outputs, refused = _deploy(template, client, port)
        open_shop(client, outputs)
        key = client("apigateway").get_api_key(apiKey=outputs["ApiKeyId"], includeValue=True)["value"]
        _serve(port, outputs, key, client("dynamodb"), range(WARM))
        taken = _serve(port, outputs, key, client("dynamodb"), range(WARM, WARM + ORDERS))
    return {"an order": taken / ORDERS, "refused": refused, "version": VERSION}


def _deploy(template: dict[str, Any], client: Any, port: int) -> tuple[dict[str, str], list[str]]:
    """Create the stack, without what is refused; its outputs, and the types that were left out."""
    refused: list[str] = []
    bucket, formation = "orderlab-packages", client("cloudformation")
    while True:
        template["Resources"] = {n: r for n, r in template["Resources"].items() if r["Type"] not in refused}
        client("s3").put_object(Bucket=bucket, Key="template.json", Body=json.dumps(template).encode())
        try:
            url = f"http://127.0.0.1:{port}/{bucket}/template.json"
            formation.create_stack(StackName="orderlab", TemplateURL=url, Capabilities=["CAPABILITY_NAMED_IAM"])
            break
        except formation.exceptions.ClientError as error:
            unknown = re.search(r"Unrecognized resource types: \[(.*?)\]", str(error))
            if unknown is None:
                raise NotMeasured(f"ministack {VERSION} refuses the template: {error}") from None
            refused += [name.strip() for name in unknown.group(1).split(",")]

    def described() -> dict[str, Any]:
        found: dict[str, Any] = formation.describe_stacks(StackName="orderlab")["Stacks"][0]
        return found

    _wait(lambda: not described()["StackStatus"].endswith("IN_PROGRESS"), "ministack does not finish the stack")
    if described()["StackStatus"] != "CREATE_COMPLETE":
        raise NotMeasured(f"ministack {VERSION}: the stack is {described()['StackStatus']}")
    return {output["OutputKey"]: output["OutputValue"] for output in described()["Outputs"]}, refused


def _serve(port: int, outputs: dict[str, str], key: str, tables: Any, numbers: range) -> float:
    """Place orders one after the other, wait until none is pending: the seconds that this takes."""
    host = f"{outputs['ApiId']}.execute-api.127.0.0.1:{port}"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    begun = perf_counter()
    for n in numbers:
        body, headers = request(n, key)
        connection.request("POST", "/live/orders", json.dumps(body), {**headers, "Host": host})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 202, f"ministack answers {answer.status} to an order"
    ends = ["CONFIRMED"] * (numbers.stop)
    _wait(lambda: statuses(tables, outputs["OrdersTableName"]) == ends, "ministack does not confirm all orders")
    return perf_counter() - begun


def _wait(ready: Any, problem: str) -> None:
    limit = monotonic() + PATIENCE
    while not ready():
        if monotonic() > limit:
            raise NotMeasured(f"{problem} within {PATIENCE:g} s")
        sleep(0.05)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1.0).close()
        return True
    except OSError:
        return False


if __name__ == "__main__":
    os.environ.update(FAKE)
    try:
        print(json.dumps(measure(Path(sys.argv[1]))))
    except NotMeasured as problem:
        print(json.dumps({"problem": str(problem)}))
