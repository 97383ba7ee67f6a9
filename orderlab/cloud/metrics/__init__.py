"""CloudWatch in virtual time: metrics that are read off what happened, and alarms that look at them every minute.

In the order to read: `data` (what a metric and a statistic are), `rows` (what services tell, off the trace), `embedded`
(what a log line tells), `service` (what queues tell; all metrics together), `evaluation` (from data points to a state),
`alarm` (one alarm and what it says), `alarms` (all of them at work), `operations` (what boto3 may ask).
"""
