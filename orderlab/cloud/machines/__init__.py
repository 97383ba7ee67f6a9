"""Step Functions: state machines of the Amazon States Language, run in virtual time."""
