"""A day of a shop: read from a file or made up, and played on the local cloud."""
