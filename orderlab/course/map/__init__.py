"""The map of the order system, drawn from the stack that the template makes."""
