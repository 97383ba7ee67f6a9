"""The bill before the deploy: what a day of the local cloud would have cost on AWS, at list prices.

Read it as the money goes: `meter` (what a call counts for), `facts` (what of the template costs), `trace` (from what
happened to what is charged), `repeats` (which of it was done again), `usage` (so many units of which price, for whom,
and for the sake of which pattern), `estimate` (the sum), `sample` (the day that stands behind an estimate), `breaker`
(what an open breaker saved).

Nothing here has been compared with a bill of AWS's: not run on AWS. The command that would prove it, a day after a
deploy: `aws ce get-cost-and-usage --granularity DAILY --metrics UnblendedCost --group-by Type=DIMENSION,Key=SERVICE`.
Taught in notebooks/12_ship_it.ipynb
"""
