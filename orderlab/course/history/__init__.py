"""What became of one order: its story, its timeline, its walk over the map, all read from the trace."""
