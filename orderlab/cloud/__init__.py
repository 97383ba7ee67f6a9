"""The local cloud: the template on moto, plus what moto lacks, on a virtual clock, with faults and a trace.

Read it as a call travels. First the world: `scheduler` (virtual time), `trace` (what happened), `faults`, `wire` (where
every boto3 call ends). Then the services, each a folder with a `service` that says what AWS does: `queues` (SQS),
`functions` (Lambda), `mappings` (queues and streams to functions), `rules` (the event pattern language, pure), `bus`
(EventBridge), `gateway` (API Gateway), `tables` (DynamoDB), `topics` (SNS), `machines` (Step Functions), `metrics`
(CloudWatch). Then how they become one cloud: `stack` (CloudFormation: the template, and what of it is refused),
`services` (who meets whom), `cloud` (what a learner calls). `access` judges resource policies, `hops` stops a rule that
feeds itself, `driving` lets several threads move one world, `guard` keeps everything on this machine, `clock` and
`speed` are what is changed in moto and boto3, `fidelity` tells how true all of it is, and what is not covered.

`Cloud` is loaded when it is first asked for: the pure pieces (the pattern language, say) do not wait for moto.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cloud import Cloud as Cloud
    from .faults import Faults as Faults


def __getattr__(name: str) -> Any:
    if name == "Cloud":
        from .loading import quickly

        with quickly():
            globals()[name] = import_module(".cloud", __name__).Cloud
        return globals()[name]
    if name == "Faults":
        return import_module(".faults", __name__).Faults
    raise AttributeError(f"module 'orderlab.cloud' has no attribute {name!r}")
