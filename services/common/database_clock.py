"""The database's clock, by which a service goes: read off the heartbeats that the driver receives from the primary anyway, every ten seconds."""

from datetime import UTC, datetime

from pymongo.monitoring import (
    ServerHeartbeatFailedEvent,
    ServerHeartbeatListener,
    ServerHeartbeatStartedEvent,
    ServerHeartbeatSucceededEvent,
)

from services.common.logs import get_logger
from services.common.times import agree

log = get_logger(__name__)


class DatabaseClock(ServerHeartbeatListener):
    """Give it to a client as a listener."""

    def started(self, event: ServerHeartbeatStartedEvent) -> None:
        """Nothing yet."""

    def succeeded(self, event: ServerHeartbeatSucceededEvent) -> None:
        """A member said what its clock says; the primary's counts."""
        told = event.reply.document.get("localTime")
        if event.reply.is_writable and isinstance(told, datetime):
            difference = agree(told.replace(tzinfo=UTC) if told.tzinfo is None else told)
            if difference is not None:
                log.warning("clock_set_by_database", seconds=round(difference.total_seconds(), 3))

    def failed(self, event: ServerHeartbeatFailedEvent) -> None:
        """Whoever is away says nothing."""
