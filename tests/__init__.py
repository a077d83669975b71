"""The tests: unit, service, integration, e2e, and what they share."""
