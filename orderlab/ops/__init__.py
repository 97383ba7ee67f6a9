"""What an operator of the order system runs: a demo day, the audit of its books, and the repair commands."""
