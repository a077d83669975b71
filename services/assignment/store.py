"""The database of assignments: its indexes and queries, and the turns in which everything is decided, one after another.

A turn is one transaction that begins by writing the `ledger`, a single document. So the turns of all replicas follow one
another: one that met another is undone by the database and begins anew on what the other left.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any

from pymongo import IndexModel
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError, ExecutionTimeout

from services.assignment.desk import Desk
from services.assignment.domain import Snapshot
from services.assignment.takers import FORGOTTEN, LEDGER, TAKERS, Takers
from services.assignment.turns import AGENTS, ASSIGNMENTS, DECISIONS, HEADS, Turn
from services.common.paging import decode_cursor
from services.common.store import TRANSACTION_SECONDS, Document, Store
from services.common.times import now

Command = Callable[[Desk], None]


class AssignmentStore(Store):
    """Agents as presence tells them, assignments, decisions, the ledger."""

    entities = (ASSIGNMENTS, AGENTS)
    indexes = {
        ASSIGNMENTS: [
            IndexModel([("place", 1)], name="line", partialFilterExpression={"state": "queued"}),
            IndexModel([("agent.id", 1)], name="holder", partialFilterExpression={"state": "assigned"}),
        ],
        DECISIONS: [IndexModel([("conversation_id", 1), ("seq", -1)], name="history", unique=True)],
        TAKERS: [FORGOTTEN],
    }

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        # Turns of one process would only undo each other.
        self._lock = threading.Lock()
        self._takers = Takers(self.database)

    def ensure_indexes(self) -> None:
        """Also write the ledger's first line, which no turn then has to make."""
        super().ensure_indexes()
        with suppress(DuplicateKeyError):  # another replica was faster
            self.database[LEDGER].update_one({"_id": LEDGER}, {"$setOnInsert": {"turn": 0, "at": now()}}, upsert=True)

    def decide(self, command: Command, conversation_id: str | None = None) -> Desk:
        """Run `command` at the desk, the conversation's assignment loaded, and serve the line until nobody can be served.

        Returns the desk after the command's turn. Raises the driver's error when no turn could be had within TRANSACTION_SECONDS.
        """
        return self._take_turns(lambda _, desk: command(desk), conversation_id)

    def repair_loads(self) -> Desk:
        """Set the agents' loads to what they really hold and serve the line; the desk's `corrections` say what was wrong."""
        return self._take_turns(lambda turn, desk: desk.recount(turn.holdings()), None)

    def _take_turns(self, work: Callable[[Turn, Desk], None], conversation_id: str | None) -> Desk:
        desk, more = self._take_turn(work, conversation_id)
        while more:
            _, more = self._take_turn(lambda _, __: None, None)
        return desk

    def _take_turn(self, work: Callable[[Turn, Desk], None], conversation_id: str | None) -> tuple[Desk, bool]:
        attempts = count()
        watch = self._takers.watch()

        def attempt(session: ClientSession) -> tuple[Desk, bool]:
            if next(attempts):
                watch.look(session)
            self._takers.note(session)
            turn = Turn(self, session)
            desk = turn.open(conversation_id)
            work(turn, desk)
            heads = turn.heads(desk.eligible())
            desk.drain(heads)
            turn.close(desk)
            return desk, len(heads) == HEADS and bool(desk.eligible())

        if not self._lock.acquire(timeout=TRANSACTION_SECONDS):
            raise ExecutionTimeout("no turn in time")
        try:
            return self.transaction(attempt)
        finally:
            self._lock.release()

    def note_agent_version(self, news: Snapshot) -> bool:
        """Note that presence said again what is known of an agent (its load changed, say), outside the turns. False for news."""
        known = {"_id": news.id, "presence_version": {"$lt": news.version}} | news.changes()
        return self.database[AGENTS].update_one(known, {"$set": {"presence_version": news.version}}).matched_count == 1

    def bring_name(self, agent_id: str) -> None:
        """Bring an agent's newest known name to what it has; two renames may be brought at once, so look again afterwards."""
        written = None
        while (agent := self.database[AGENTS].find_one({"_id": agent_id}, {"name": 1})) and agent["name"] != written:
            written = agent["name"]
            query = {"state": "assigned", "agent.id": agent_id, "agent.name": {"$ne": written}}
            self.database[ASSIGNMENTS].update_many(query, {"$set": {"agent.name": written}})

    def find_assignment(self, conversation_id: str) -> Document | None:
        """A conversation's assignment, its place in line counted now."""
        document: Document | None = self.database[ASSIGNMENTS].find_one({"_id": conversation_id})
        if document is not None and document["state"] == "queued":
            document["queue_position"] = self._count_ahead(document["place"]) + 1
        return document

    def list_decisions(self, conversation_id: str, cursor: str | None, limit: int) -> list[Document]:
        """Up to `limit` + 1 decisions on a conversation, newest first. Raises CURSOR_INVALID."""
        query: Document = {"conversation_id": conversation_id}
        if cursor is not None:
            query["seq"] = {"$lt": decode_cursor(cursor, int)[0]}
        return list(self.database[DECISIONS].find(query).sort("seq", -1).limit(limit + 1))

    def list_line(self, cursor: str | None, limit: int) -> list[Document]:
        """Up to `limit` + 1 who wait, in order, each with its `queue_position` of now. Raises CURSOR_INVALID."""
        query: Document = {"state": "queued"}
        if cursor is not None:
            query["place"] = {"$gt": decode_cursor(cursor, str)[0]}
        found = list(self.database[ASSIGNMENTS].find(query).sort("place", 1).limit(limit + 1))
        first = self._count_ahead(found[0]["place"]) + 1 if found else 1
        return [document | {"queue_position": position} for position, document in enumerate(found, first)]

    def _count_ahead(self, place: str) -> int:
        return self.database[ASSIGNMENTS].count_documents({"state": "queued", "place": {"$lt": place}})
