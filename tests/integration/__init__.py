"""Two or more real parts, with faults."""
