"""EventBridge: the bus takes events, its rules choose, their targets get them.

In the order to read: `entries` (one entry of PutEvents), `checks` (what is refused of a rule), `targets` (what each
kind needs), `delivery` (attempts and dead letters), `archives` and `replays` (what is kept, and comes again),
`service` (PutEvents, and all of it together).
"""
