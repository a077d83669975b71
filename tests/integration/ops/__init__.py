"""The operator's command against real brokers, databases and services."""
