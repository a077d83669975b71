"""`python -m services.presence` runs the service until a signal ends it."""

from services.common.process import run

run("services.presence.service", "PresenceService")
