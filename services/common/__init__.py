"""Plumbing only, no nouns of the product: settings, logs, errors, RPC and events, outbox, database, health, metrics."""
