"""Orders against a deployed system: the same day, the same audit, one order hop by hop, and load; all of it bounded.

Read it as an order travels: `site` (which stack, and is it ours), `door` (its API over HTTP), `bounds` (how many,
how long, how dear), `scope` (a run's own names, so that runs do not meet), `playing` (the day), `shopping` (a shop for
less than a day), `queues` (messages seen from outside), `rest` (until nothing moves), `auditing` (the demo), `hops`
(smoke), `loading` (load); `local` is a local cloud in a deployed system's place.

Not run on AWS. The command that proves it: `python3 -m orderlab demo --target aws --account … --region …` after a
deploy. What is proved without an account: all of it against the local cloud, over loopback HTTP.
Taught in notebooks/12_ship_it.ipynb
"""
