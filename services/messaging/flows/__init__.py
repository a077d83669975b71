"""A bot's flow: its document, the check that accepts it, and the engine that plays it. Pure throughout."""
