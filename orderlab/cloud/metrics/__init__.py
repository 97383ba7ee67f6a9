"""CloudWatch: metrics that are read off what happened, and alarms that look at them, in virtual time."""
