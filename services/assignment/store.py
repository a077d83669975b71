"""The database of assignments: its indexes and queries, and the turns in which everything is decided, one after another.

A turn is one transaction that begins by writing the `ledger`, a single document. So the turns of all replicas follow one
another: one that met another is undone by the database and begins anew on what the other left.
"""

from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from datetime import datetime
from typing import Any

from pymongo import IndexModel, InsertOne, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from services.assignment import erasure, lookout
from services.assignment.agents import Snapshot, Team
from services.assignment.counter import Command, Counter
from services.assignment.desk import Desk
from services.assignment.documents import AGENTS, ASSIGNMENTS, DECISIONS, LEDGER, TAKERS, TEAMS, to_team
from services.assignment.line import Line
from services.assignment.lookout import Lookout
from services.assignment.takers import FORGOTTEN
from services.assignment.turns import Turn, Write
from services.common.envelope import Origin
from services.common.errors import StaleDocument
from services.common.paging import decode_cursor
from services.common.store import Document, Store
from services.common.times import now


class AssignmentStore(Store):
    """Agents and teams as presence tells them, assignments, decisions, the ledger; `lookout` is what the timer asks."""

    entities = (ASSIGNMENTS, AGENTS)
    indexes = {
        **lookout.INDEXES,
        ASSIGNMENTS: [
            IndexModel([("place", 1)], name="line", partialFilterExpression={"state": "queued"}),
            IndexModel([("contact_id", 1), ("_id", 1)], name="of_contact"),
            *lookout.INDEXES[ASSIGNMENTS],
        ],
        DECISIONS: [IndexModel([("conversation_id", 1), ("seq", -1)], name="history", unique=True)],
        TAKERS: [FORGOTTEN],
    }

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._counter = Counter(self)
        self._teams: tuple[int, list[Team]] = (0, [])
        self.lookout = Lookout(self.database)

    def ensure_indexes(self) -> None:
        """Also write the ledger's first line, which no turn then has to make."""
        super().ensure_indexes()
        first = {"turn": 0, "at": now(), "waiting": 0, "teams": 0, "durations": []}
        with suppress(DuplicateKeyError):  # another replica was faster
            self.database[LEDGER].update_one({"_id": LEDGER}, {"$setOnInsert": first}, upsert=True)

    def decide(self, command: Callable[[Desk], None], *conversation_ids: str) -> Desk:
        """Run `command` at the desk, these conversations' assignments loaded, and serve the line until nobody can be served.

        Commands that wait are decided in one turn, one after the other. Returns the desk after that turn. Raises the driver's error
        when no turn could be had within TRANSACTION_SECONDS.
        """
        return self._counter.decide(Command(lambda _, desk: command(desk), conversation_ids, Origin.current()))

    def repair(self) -> Desk:
        """Set the agents' loads and the line's length to what they really are, and serve the line.

        The desk's `corrections` say which loads were wrong.
        """

        def recount(turn: Turn, desk: Desk) -> None:
            desk.recount(turn.holdings())
            turn.recount_line()

        return self._counter.decide_alone(Command(recount, origin=Origin.current()))

    def forget_contact(self, contact_id: str, at: datetime) -> None:
        """Empty what was remarked on an erased contact's conversations, now and in decisions yet to come."""
        # A turn that began before this note is over when the one below begins, and so are its remarks found.
        erasure.note_erased(self.database, contact_id, at)
        self._counter.decide_alone(Command(lambda turn, _: turn.forget_contact(contact_id), origin=Origin.current()))

    def read_teams(self, edition: int, session: ClientSession | None = None) -> Collection[Team]:
        """All teams. The ledger's `edition` counts their changes: they are read anew only when it is another, and never while 0."""
        known = self._teams
        if known[0] != edition:
            known = edition, [to_team(document) for document in self.database[TEAMS].find({}, session=session)]
            if session is not None:  # read in a turn, they are surely those of that edition
                self._teams = known
        return known[1]

    def write_all(self, collection: str, writes: Iterable[Write], session: ClientSession) -> None:
        """What `insert` and `update` write, for many documents of a turn at once. Raises StaleDocument."""
        operations: list[InsertOne[Document] | UpdateOne] = []
        documents: list[Document] = []
        for old, values, events in sorted(writes, key=lambda write: write[0] is not None):
            version = old["version"] + 1 if old else 1
            entries = [event.entry(values["_id"] if old is None else old["_id"], version) for event in events]
            if old is None:
                documents.append(values | {"version": version, "outbox": entries})
                operations.append(InsertOne(documents[-1]))
                continue
            update: Document = {"$set": values | {"version": version}}
            if entries:
                update["$push"] = {"outbox": {"$each": entries}}
            documents.append({"_id": old["_id"], "outbox": [*old["outbox"], *entries] if entries else []})
            operations.append(UpdateOne({"_id": old["_id"], "version": old["version"]}, update))
        if not operations:
            return
        result = self.database[collection].bulk_write(operations, session=session)
        if result.inserted_count + result.matched_count < len(operations):
            raise StaleDocument(collection)
        for document in documents:
            self._committed(collection, document, session)

    def note_agent_version(self, news: Snapshot) -> bool:
        """Note that presence said again what is known of an agent (its load changed, say), outside the turns. False for news."""
        known = {"_id": news.id, "presence_version": {"$lt": news.version}} | news.changes()
        return self.database[AGENTS].update_one(known, {"$set": {"presence_version": news.version}}).matched_count == 1

    def note_awaiting(self, conversation_id: str, version: int, since: datetime | None) -> bool:
        """Note that the visitor awaits an answer since then, or no longer, where an agent simply has the conversation.

        Said with every exchange of messages, it concerns this one document, and nobody's turn: a turn that meets it begins anew.
        False when a turn is needed.
        """
        known = {"_id": conversation_id, "state": "assigned", "awaiting_version": {"$lt": version}}
        silent = None if since is None else {"$max": ["$assigned_at", since]}
        values = {"awaiting_version": version, "awaiting_since": since, "silent_since": silent}
        return self.database[ASSIGNMENTS].update_one(known, [{"$set": values}]).matched_count == 1

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
            document["queue_position"] = Line(self.database).count_ahead(document["place"]) + 1
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
        first = Line(self.database).count_ahead(found[0]["place"]) + 1 if found else 1
        return [document | {"queue_position": position} for position, document in enumerate(found, first)]

    def count_line(self) -> int:
        """How many wait, as the last turn left it."""
        ledger = self.database[LEDGER].find_one({"_id": LEDGER}, {"waiting": 1}) or {}
        return int(ledger.get("waiting", 0))
