"""The notebooks themselves: clean copies of them, answers carried over, outputs refreshed."""
