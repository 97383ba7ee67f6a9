"""Step Functions: state machines of the Amazon States Language, run in virtual time.

In the order to read: `paths` (how data goes in and out of a state), `choice` (the rules of a Choice), `errors` (who
takes an error), `definition` (what is refused when a machine is made), `execution` (one run, its history), `tasks` (a
call of a function), `interpreter` (from state to state), `service` (what boto3 calls).
"""
