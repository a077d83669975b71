"""Who takes turns: the database sessions of all replicas, so that one that died in the middle of its turn can be cleared away.

The database keeps the open transaction of a killed process for a minute, and with it the ledger: nobody could decide
anything. A replica that sees no turn pass for STANDSTILL_SECONDS therefore ends the others' sessions; the transaction
of one that is merely slow begins anew. Where all are slow, as on a starved machine, replicas that went on clearing each other would let no
turn pass: who cleared in vain waits longer the next time, and not as long as the others do.
"""

import random
from time import monotonic

from pymongo import IndexModel
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import PyMongoError

from services.assignment.documents import LEDGER, TAKERS
from services.common.logs import get_logger
from services.common.store import Document
from services.common.times import now

log = get_logger(__name__)

STANDSTILL_SECONDS = 1.0  # a turn takes some 10 ms; a call whose turn was held up still answers within its 3 s
LONGEST_STANDSTILL_SECONDS = 2.0  # whoever waits for a turn gives up a little later
NOTED_FOR_SECONDS = 3600.0
FORGOTTEN = IndexModel([("noted_at", 1)], name="forgotten", expireAfterSeconds=2 * int(NOTED_FOR_SECONDS))


class Takers:
    """Who takes turns, as one process notes and sees it."""

    def __init__(self, database: Database[Document]) -> None:
        self._database = database
        self._noted: dict[bytes, float] = {}
        self.patience = STANDSTILL_SECONDS

    def note(self, session: ClientSession) -> None:
        """Write down the session of a turn that is about to begin; rarely more than one per process and hour."""
        session_id = session.session_id["id"]
        if monotonic() - self._noted.get(session_id, float("-inf")) < NOTED_FOR_SECONDS:
            return
        self._database[TAKERS].update_one({"_id": session_id}, {"$set": {"noted_at": now()}}, upsert=True)
        self._noted[session_id] = monotonic()

    def watch(self) -> "Watch":
        """To be asked whenever a turn met another one."""
        return Watch(self._database, self)

    def cleared(self) -> None:
        """Others were cleared away: whether that helped is seen when a turn passes."""
        self.patience = min(2 * self.patience, LONGEST_STANDSTILL_SECONDS) * random.uniform(0.75, 1.0)  # noqa: S311 - jitter

    def passed(self) -> None:
        """A turn has passed."""
        self.patience = STANDSTILL_SECONDS


class Watch:
    """Sees whether turns pass while one waits for one's own."""

    def __init__(self, database: Database[Document], takers: Takers) -> None:
        self._database = database
        self._takers = takers
        self._turn: int | None = None
        self._since = 0.0

    def look(self, session: ClientSession) -> None:
        """End the other sessions when nobody's turn has passed for as long as the takers have patience."""
        if self._turn is not None and monotonic() - self._since < self._takers.patience:
            return
        ledger = self._database[LEDGER].find_one({"_id": LEDGER}) or {"turn": 0}
        if self._turn == ledger["turn"]:
            self._clear(session)
            self._takers.cleared()
        elif self._turn is not None:
            self._takers.passed()
        self._turn, self._since = ledger["turn"], monotonic()

    def _clear(self, session: ClientSession) -> None:
        mine = session.session_id["id"]
        others = [{"id": taker["_id"]} for taker in self._database[TAKERS].find({"_id": {"$ne": mine}}, {"_id": 1}).limit(1000)]
        if not others:  # and an empty list would mean: everybody's
            return
        log.warning("standstill_cleared", sessions=len(others))
        try:
            self._database.client.admin.command({"killSessions": others})
        except PyMongoError as error:
            log.warning("standstill_not_cleared", reason=str(error)[:200])
