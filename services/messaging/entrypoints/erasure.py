"""A visitor's data taken away, as the contacts service has told."""

from services.common.envelope import Event
from services.common.errors import Unavailable
from services.common.events import subscribe
from services.common.logs import get_logger
from services.common.outages import is_outage
from services.common.store import retry_stale
from services.common.timers import timer
from services.common.times import now
from services.messaging import erasure
from services.messaging.entrypoints.finders import Finders

log = get_logger(__name__)

LOOK_SECONDS = 2.0


class Erasure(Finders):
    """Each step is harmless when it is repeated, and the event is done only when all are."""

    @subscribe("contacts", "contact_erased")
    def erase_contact(self, event: Event) -> None:
        """Refuse the contact from now on, archive what is open, and empty what was said. Raises Unavailable to be tried again."""
        contact_id = event.data["id"]
        self.store.erase_contact(contact_id, event.version, look_again_at=now() + erasure.LOOK_AGAIN_AFTER)
        self._erase(contact_id)
        self.store.webhooks.follow(event)

    @timer(interval=LOOK_SECONDS)
    def look_again(self) -> None:
        """Erase once more what a call that had begun before the erasure may have written after it; one that can't be now holds up nobody."""
        try:
            for contact_id in self.store.find_erased(now()):
                if self._erased_again(contact_id):
                    self.store.note_looked_again(contact_id)
                else:
                    self.store.look_later(contact_id, now() + erasure.LOOK_AGAIN_AFTER)
        except Exception as error:
            if not is_outage(error):
                raise
            log.warning("not_erased_again", reason=f"{type(error).__name__}: {error}"[:300])

    def _erased_again(self, contact_id: str) -> bool:
        try:
            self._erase(contact_id)
        except Exception as error:
            if is_outage(error):
                raise
            known = isinstance(error, Unavailable)
            log.warning(
                "not_erased_again", contact_id=contact_id, reason=f"{type(error).__name__}: {error}"[:300], exc_info=not known
            )
            return False
        return True

    def _erase(self, contact_id: str) -> None:
        for conversation_id in self.store.find_conversations_of(contact_id):
            retry_stale(lambda found=conversation_id: self._erase_conversation(found))  # type: ignore[misc]
            self.store.erase_messages(conversation_id, erasure.ERASED_NAME)
        self.store.forget_contact(contact_id)

    def _erase_conversation(self, conversation_id: str) -> None:
        conversation = self._find_conversation(conversation_id)
        turn = erasure.erase_visitor(conversation)
        if turn.touched and conversation.get("outbox"):
            # What it still holds would be filed, and collected for outside, after everything else was emptied.
            raise Unavailable(f"The conversation {conversation_id} has events that were not sent yet.")
        self.store.commit(turn)
