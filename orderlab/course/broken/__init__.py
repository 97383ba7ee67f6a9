"""The naive versions: what lessons put in place of a shipped handler, with `cloud.replace`, to see what gets lost.

Each is what a good programmer might well write. None of them ships.
"""
