"""What an operator of the order system runs: each module here is a command, and stands on the rooms beside it.

`days` (a day of orders, played), `audit` (are the books right?), `prices`, `bill` and `rights` (what the template costs
and needs, measured), `policy` (what must hold of it), `aws` (to a real account and back), `live` (orders against what
is deployed there), `bench` (how fast is it?).
"""
