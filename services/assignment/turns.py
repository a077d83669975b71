"""One turn at the desk as the database sees it: what is loaded for it, and what it writes, in one transaction.

The line, its heads and the places in it are read here and nowhere else within a turn.
"""

import secrets
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.client_session import ClientSession

from services.assignment.desk import Desk
from services.assignment.documents import agent_values, assignment_values, decision_document, to_agent, to_assignment
from services.assignment.domain import Agent, Assignment, Told
from services.assignment.events import agent_load_changed, assignment_changed
from services.assignment.takers import LEDGER
from services.common.store import Document, Store
from services.common.times import now

ASSIGNMENTS = "assignments"
AGENTS = "agents"
DECISIONS = "decisions"
# Served in one turn at most; more are served in the turns that follow at once.
HEADS = 50
# Who waits further back is not told of every step, or a long line would make each step as long.
TOLD_POSITIONS = 50


class Turn:
    """Open it, let the desk decide, `close` it: all within the transaction of `session`."""

    def __init__(self, store: Store, session: ClientSession) -> None:
        self._store = store
        self._database = store.database
        self._session = session
        self._agents: dict[str, Document] = {}
        self._assignments: dict[str, Document] = {}
        self._opened_at: datetime
        self._moment: datetime | None = None
        self._decisions: list[Document] = []
        self._positions: dict[str, int] = {}

    def open(self, conversation_id: str | None) -> Desk:
        """The desk with every agent and the conversation's assignment, if there is one. Writes the ledger before all else."""
        next_turn = {"turn": {"$add": ["$turn", 1]}, "at": {"$max": [now(), {"$add": ["$at", 1]}]}}
        ledger = self._database[LEDGER].find_one_and_update(
            {"_id": LEDGER}, [{"$set": next_turn}], return_document=ReturnDocument.AFTER, session=self._session
        )
        self._opened_at = ledger["at"]
        self._agents = {found["_id"]: found for found in self._database[AGENTS].find({}, session=self._session)}
        if conversation_id is not None:
            self._remember(self._database[ASSIGNMENTS].find({"_id": conversation_id}, session=self._session))
        return Desk(
            map(to_agent, self._agents.values()),
            map(to_assignment, self._assignments.values()),
            clock=self._later,
            draw=lambda: secrets.randbits(32),
        )

    def heads(self, eligible: Collection[str]) -> list[Assignment]:
        """The first in line whom one of these agents may have."""
        if not eligible:
            return []
        query = {"state": "queued", "allowed": {"$in": [None, *eligible]}}
        found = list(self._database[ASSIGNMENTS].find(query, session=self._session).sort("place", 1).limit(HEADS))
        self._remember(document for document in found if document["_id"] not in self._assignments)
        return [to_assignment(document) for document in found]

    def holdings(self) -> dict[str, int]:
        """How many conversations each agent really has."""
        groups: list[Document] = [
            {"$match": {"state": "assigned"}},
            {"$group": {"_id": "$agent.id", "held": {"$sum": 1}}},
        ]
        counted = self._database[ASSIGNMENTS].aggregate(groups, session=self._session)
        return {group["_id"]: group["held"] for group in counted}

    def close(self, desk: Desk) -> None:
        """Write what the desk changed, with its decisions and events, and tell those in line who moved."""
        before = {key: to_assignment(document) for key, document in self._assignments.items()}
        changed = [found for key, found in desk.assignments.items() if key in desk.told or found != before.get(key)]
        # Those who leave first: the others' places are counted behind them.
        for assignment in sorted(changed, key=lambda found: found.place or ""):
            self._write_assignment(assignment, desk.told.get(assignment.conversation_id))
        for agent in desk.agents.values():
            self._write_agent(agent)
        if self._decisions:
            self._database[DECISIONS].insert_many(self._decisions, session=self._session)
        if self._moment is not None and self._moment > self._opened_at:
            self._database[LEDGER].update_one({"_id": LEDGER}, {"$set": {"at": self._moment}}, session=self._session)
        if self._line_moved(changed, before):
            self._tell_positions()

    def _write_assignment(self, assignment: Assignment, told: Told | None) -> None:
        key = assignment.conversation_id
        old = self._assignments.get(key)
        values: Document = assignment_values(assignment) | {"queue_position": self._position(assignment)}
        decision: Document | None = None
        if old is None:
            values |= {"changed_at": now(), "history_seq": 0}
        if told is not None and told.decision is not None:
            seq = (old["history_seq"] if old else 0) + 1
            decision = decision_document(told.decision, key, seq)
            self._decisions.append(decision)
            values |= {"changed_at": told.decision.at, "history_seq": seq}
        version = old["version"] + 1 if old else 1
        result = (old or {"_id": key}) | values | {"version": version}
        events = [assignment_changed(result, told.outcome, decision)] if told else []
        if old is None:
            self._store.insert(ASSIGNMENTS, result, events, session=self._session)
        else:
            self._store.update(ASSIGNMENTS, old, values, events, session=self._session)

    def _write_agent(self, agent: Agent) -> None:
        old = self._agents.get(agent.id)
        if old is not None and to_agent(old) == agent:
            return
        version = old["version"] + 1 if old else 1
        loaded = old["load"] if old else 0
        events = [agent_load_changed(agent.id, agent.load, version)] if agent.load != loaded else []
        if old is None:
            self._store.insert(AGENTS, {"_id": agent.id} | agent_values(agent), events, session=self._session)
        else:
            self._store.update(AGENTS, old, agent_values(agent), events, session=self._session)

    def _line_moved(self, changed: Iterable[Assignment], before: dict[str, Assignment]) -> bool:
        """Whether somebody left or joined ahead of others that are told their positions."""
        steps = []
        for assignment in changed:
            was = before.get(assignment.conversation_id)
            old, new = was.place if was else None, assignment.place
            if old == new or self._positions.get(assignment.conversation_id, 1) > TOLD_POSITIONS:
                continue
            steps += [place for place in (old, new) if place is not None]
        if not steps:
            return False
        behind = {"state": "queued", "place": {"$gt": min(steps)}}
        return self._database[ASSIGNMENTS].find_one(behind, {"_id": 1}, session=self._session) is not None

    def _tell_positions(self) -> None:
        line = self._database[ASSIGNMENTS].find({"state": "queued"}, session=self._session).sort("place", 1)
        for position, document in enumerate(list(line.limit(TOLD_POSITIONS)), 1):
            if document["queue_position"] != position:
                values = {"queue_position": position}
                result = document | values | {"version": document["version"] + 1}
                events = [assignment_changed(result, "queued", None)]
                self._store.update(ASSIGNMENTS, document, values, events, session=self._session)

    def _position(self, assignment: Assignment) -> int | None:
        if assignment.place is None:
            return None
        ahead = {"state": "queued", "place": {"$lt": assignment.place}}
        position = self._database[ASSIGNMENTS].count_documents(ahead, session=self._session) + 1
        self._positions[assignment.conversation_id] = position
        return position

    def _remember(self, found: Iterable[dict[str, Any]]) -> None:
        self._assignments |= {document["_id"]: document for document in found}

    def _later(self) -> datetime:
        """The turn's own moment, then later ones: no two decisions of any replicas share one."""
        self._moment = self._opened_at if self._moment is None else max(now(), self._moment + timedelta(milliseconds=1))
        return self._moment
