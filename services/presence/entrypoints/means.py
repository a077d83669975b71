"""What every group of entrypoints works with."""

from services.presence.dependencies import LeaseKeeping, Passwords
from services.presence.store import PresenceStore


class Means:
    """The base of the groups of entrypoints; the service injects these."""

    store: PresenceStore
    passwords: Passwords
    keeping: LeaseKeeping
