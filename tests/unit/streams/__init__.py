"""The event streams without a broker."""
