"""What imports cost: `python -m orderlab.ops.bench.importing boto3,json` prints seconds of CPU of each, as JSON.

The modules are imported one after the other in one fresh interpreter, so the time of each is what it adds to those
before it. boto3 makes a client too, the one for DynamoDB, as every handler does. Measured within one process, their
ratio is free of what else the machine does. Garbage collection is off: with boto3 loaded one run of it takes 30 ms, and
during whose import it falls is chance.
"""

import json
import subprocess
import sys

ROUNDS = 5
CODE = """
import gc, sys, time
gc.disable()
found = {}
for name in sys.argv[1:]:
    begun = time.process_time()
    module = __import__(name)
    if name == "boto3":
        module.client("dynamodb", region_name="us-east-1")
    found[name] = time.process_time() - begun
import json
print(json.dumps(found))
"""


def measure(modules: list[str]) -> dict[str, float]:
    """What the quickest of some interpreters took: the first may have compiled."""
    command = [sys.executable, "-c", CODE, *modules]
    found = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(ROUNDS)]
    return min(map(json.loads, found), key=lambda taken: sum(taken.values()))


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1].split(","))))
