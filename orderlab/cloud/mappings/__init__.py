"""Event source mappings: Lambda polls queues and streams, invokes functions with batches, and judges what failed.

In the order to read: `settings` (one mapping, and what is refused of it), `records` (what a function gets), `partial`
(which of a batch failed), `poller` (a queue at work), `reader` (a stream at work), `service` (all of them),
`operations` (what boto3 calls).
"""
