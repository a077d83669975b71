"""A channel's visitors: noted one by one, counted together."""

from services.common.envelope import Event
from services.common.events import subscribe
from services.common.logs import get_logger
from services.common.outages import is_outage
from services.common.timers import timer
from services.messaging.entrypoints.finders import Finders

log = get_logger(__name__)

# One write to a channel for each visitor made them wait for each other: 50 at once took 1,100 operations for 50 counts.
COUNT_SECONDS = 1.0


class VisitorCounting(Finders):
    """`visitor_count` follows the visitors who were noted within a second or two, after a crash too."""

    @subscribe("messaging", "visitor_engaged")
    def note_visitor(self, event: Event) -> None:
        """Note a contact's first message ever for its channel."""
        self.store.note_visitor(event.data["contact_id"], event.data["channel_id"])

    @timer(interval=COUNT_SECONDS)
    def count_visitors(self) -> None:
        """Count whoever was noted since, whichever replica noted them; one event a channel tells it."""
        try:
            for channel_id, contact_ids in self.store.find_uncounted().items():
                self.store.count_visitors(channel_id, contact_ids)
        except Exception as error:
            if not is_outage(error):
                raise
            log.warning("visitors_not_counted", reason=type(error).__name__)
