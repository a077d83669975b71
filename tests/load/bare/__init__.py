"""The raw ceilings: what the broker, the database and the HTTP server of this machine do without any of the product's work."""
