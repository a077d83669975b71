"""Guards: documents that writers write to who must not overlook each other, so that of two transactions one begins anew."""

from collections.abc import Sequence
from typing import ClassVar

from pymongo.client_session import ClientSession

from services.common.store import Store

GUARDS = "guards"


class GuardedStore(Store):
    """The base of stores that decide on several documents; `guards` names what is decided on."""

    guards: ClassVar[Sequence[str]] = ()

    def ensure_indexes(self) -> None:
        """Create what is missing, with the guards."""
        super().ensure_indexes()
        for name in self.guards:
            self.database[GUARDS].update_one({"_id": name}, {"$setOnInsert": {"changes": 0}}, upsert=True)

    def take_guard(self, name: str, transaction: ClientSession | None) -> None:
        """From here on the transaction sees what the others who took this guard have written, or begins anew."""
        self.database[GUARDS].update_one({"_id": name}, {"$inc": {"changes": 1}}, session=transaction)
