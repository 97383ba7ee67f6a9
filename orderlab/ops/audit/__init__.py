"""The audit: the books that the order system keeps, what can be wrong with them, and the result of a day."""
