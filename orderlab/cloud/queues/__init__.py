"""SQS: the message plane of queues, in virtual time. `service.Queues` is the way in."""
