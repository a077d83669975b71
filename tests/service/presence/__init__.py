"""Presence over a real broker and database: two replicas of it, with leases of two seconds."""
