"""`doctor`: looks at everything that Foyer needs, and says of what is wrong what to do about it."""
