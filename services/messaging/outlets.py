"""Where messaging's events go on to outside the product, as the store sees it: webhooks, Facebook."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from pymongo import IndexModel

from services.common.lanes import LaneStore
from services.common.store import Document


class Outlet(Protocol):
    """A part of the store that derives work for outside from messaging's own events, and works it off in lanes."""

    indexes: Mapping[str, Sequence[IndexModel]]
    lanes: Mapping[str, LaneStore]  # by name

    def collect(self, collection: str, entries: Sequence[Document]) -> None:
        """Keep what is to be done about events of a collection's documents, each document's in order.

        Called by the relay before it forgets them, again after a crash: must be idempotent, and cost nothing where nothing is to be done.
        """

    def forget_contact(self, contact_id: str) -> None:
        """Keep nothing personal of a contact that was erased. Idempotent."""
