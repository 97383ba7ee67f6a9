"""The five patterns, pure: backoff, retry with a budget, circuit breaker, idempotency, partial batches.

Nothing here reads a clock, sleeps, draws from a global generator or talks to AWS: time, sleep and chance are arguments,
and state that must be shared goes through a small store that the caller brings. So the same files run in a Lambda
function with the real clock and in the simulator with a virtual one. Standard library only.

Taught in notebooks/05_some_of_them_failed.ipynb, 07_exactly_once_nearly.ipynb, 08_waiting_well.ipynb and
09_knowing_when_to_stop.ipynb.
"""
