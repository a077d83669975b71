"""The end of a contact over RPC, and the timer that finishes what a crash left."""

from datetime import timedelta
from typing import Any

from services.common.logs import get_logger
from services.common.outages import is_outage
from services.common.rpc import rpc
from services.common.store import Document, retry_stale
from services.common.timers import timer
from services.common.times import now
from services.contacts import schemas
from services.contacts.entrypoints.means import Means
from services.contacts.erasure import check_may_erase, is_erased
from services.contacts.errors import ContactNotFound
from services.contacts.views import erasure_view

log = get_logger(__name__)

FINISHING_SECONDS = 2.0
# Whoever erases just now is left to do it.
UNDISTURBED = timedelta(seconds=5)
FINISHED_AT_ONCE = 20

Wire = dict[str, Any]


class ErasureMethods(Means):
    """Erase contacts."""

    @rpc(schemas.EraseContact)
    def erase_contact(self, *, contact_id: str, actor: Wire) -> Wire:
        """`{id, erased_at}`: nothing personal of the contact, its notes and tickets is left here; again, the same answer.

        Raises ContactNotFound, Forbidden.
        """
        check_may_erase(actor)

        def attempt() -> Document:
            contact = self.store.find_contact(contact_id)
            if contact is None:
                raise ContactNotFound("There is no such contact.")
            return contact if is_erased(contact) else self.store.erase_contact(contact, actor, now())

        erased = retry_stale(attempt)
        self._finish(erased)
        return erasure_view(erased)

    @timer(interval=FINISHING_SECONDS)
    def finish_erasures(self) -> None:
        """Go on where a crash or a long list of notes ended an erasure; any replica may, and nothing is done twice."""
        try:
            for erased in self.store.find_erasing(now() - UNDISTURBED, FINISHED_AT_ONCE):
                self._finish(erased)
        except Exception as error:
            if not is_outage(error):
                raise
            log.warning("erasures_not_finished", reason=type(error).__name__)

    def _finish(self, erased: Document) -> None:
        self.store.erase_records(erased["_id"], erased["erased_at"])
