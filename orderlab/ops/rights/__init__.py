"""Least privilege by measurement: what the roles of the stack may do, held against what was done.

heard      the calls of functions and gateway in a local run, as they went over the wire
actions    the one table from a call to the IAM actions that it needs, each row with its source
behalf     the rights that AWS itself uses under a role, by what was seen to happen, each with its source
roles      what the policies of the stack's roles allow
compare    allowed and needed, role by role: `rights_table`
measuring  runs in which everything happens that the functions are written for

Taught in notebooks/12_ship_it.ipynb
"""

from .compare import Role, compare, findings, rights_table, seen
from .heard import listening
from .measuring import everything, measure

__all__ = ["Role", "compare", "everything", "findings", "listening", "measure", "rights_table", "seen"]
