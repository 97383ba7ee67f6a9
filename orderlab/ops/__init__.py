"""What an operator of the order system runs: each module here with a `main` is a command, and stands on these rooms.

`days` (a day of orders, played), `audit` (are the books right?), `bill` and `rights` (what the template costs and
needs, measured), `policy` (what must hold of it), `aws` (to a real account and back), `live` (orders against what is
deployed there), `bench` (how fast is it?). No commands are `prices` and `described`: each reads a file of infra/.
"""
