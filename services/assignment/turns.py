"""One turn at the desk as the database sees it: what is loaded for it, and what it writes, in one transaction.

The ledger, which every turn writes first, also keeps what would cost each turn a reading: how many stand in line, how often the
teams changed, and how long the last conversations took.
"""

import itertools
import secrets
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from pymongo import ReturnDocument
from pymongo.client_session import ClientSession
from pymongo.database import Database

from services.assignment.agents import Agent, Team
from services.assignment.desk import Desk
from services.assignment.documents import (
    AGENTS,
    ASSIGNMENTS,
    DECISIONS,
    LEDGER,
    TEAMS,
    agent_values,
    assignment_values,
    decision_document,
    team_document,
    to_agent,
    to_assignment,
)
from services.assignment.domain import Assignment, Told
from services.assignment.erasure import forget_contact, is_erased
from services.assignment.events import agent_load_changed, assignment_changed
from services.assignment.line import Line
from services.assignment.places import Move, Place, Places, is_news
from services.assignment.serving import Page
from services.assignment.waiting import KEPT_DURATIONS, typical_seconds
from services.common.envelope import NewEvent, Origin
from services.common.store import Document
from services.common.times import now

Write = tuple[Document | None, Document, list[NewEvent]]  # the document in hand or None, what it becomes, what is told of it


class Books(Protocol):
    """The store, as a turn needs it."""

    database: Database[Document]

    def read_teams(self, edition: int, session: ClientSession) -> Collection[Team]:
        """All teams, of the edition that the ledger names."""

    def write_all(self, collection: str, writes: Iterable[Write], session: ClientSession) -> None:
        """Insert and update entities, with their events."""


class Turn:
    """Open it, let the desk decide and `drain`, `attribute` that, `close` it: all within the transaction of `session`."""

    def __init__(self, store: Books, session: ClientSession) -> None:
        self._store = store
        self._database = store.database
        self._session = session
        self._line = Line(store.database, session)
        self._ledger: Document = {}
        self._agents: dict[str, Document] = {}
        self._known: dict[str, Agent] = {}
        self._assignments: dict[str, Document] = {}
        self._teams: dict[str, Team] = {}
        self._moment: datetime | None = None
        self._decisions: list[Document] = []
        self._asked: set[Origin] = set()
        # By conversation or agent: what was told of it or what it became, and by whose asking.
        self._origins: dict[str, tuple[object, Origin]] = {}

    def open(self, conversation_ids: Collection[str]) -> Desk:
        """The desk with every agent and team, and the assignments of these conversations. Writes the ledger before all else."""
        next_turn = {"turn": {"$add": ["$turn", 1]}, "at": {"$max": [now(), {"$add": ["$at", 1]}]}}
        self._ledger = self._database[LEDGER].find_one_and_update(
            {"_id": LEDGER}, [{"$set": next_turn}], return_document=ReturnDocument.AFTER, session=self._session
        )
        if "waiting" not in self._ledger:  # written by an earlier version
            self.recount_line()
        self._agents = {found["_id"]: found for found in self._database[AGENTS].find({}, session=self._session)}
        self._known = {key: to_agent(document) for key, document in self._agents.items()}
        self._teams = {team.id: team for team in self._store.read_teams(self._ledger.get("teams", 0), self._session)}
        if conversation_ids:
            self._remember(self._database[ASSIGNMENTS].find({"_id": {"$in": list(conversation_ids)}}, session=self._session))
        return Desk(
            self._known.values(),
            map(to_assignment, self._assignments.values()),
            teams=self._teams.values(),
            clock=self._later,
            draw=lambda: secrets.randbits(32),
        )

    def reader(self, desk: Desk) -> Callable[[str | None], Page]:
        """What `desk.drain` reads the line with."""

        def read(after: str | None) -> Page:
            if not self._ledger["waiting"]:
                return Page()
            found, page = self._line.page(desk, after)
            self._remember(document for document in found if document["_id"] not in self._assignments)
            return page

        return read

    def recount_line(self) -> None:
        """Have the ledger say how many really stand in line."""
        self._ledger["waiting"] = self._line.count()
        self._database[LEDGER].update_one({"_id": LEDGER}, {"$set": {"waiting": self._ledger["waiting"]}}, session=self._session)

    def holdings(self) -> dict[str, int]:
        """How many conversations each agent really has."""
        groups: list[Document] = [
            {"$match": {"state": "assigned"}},
            {"$group": {"_id": "$agent.id", "held": {"$sum": 1}}},
        ]
        counted = self._database[ASSIGNMENTS].aggregate(groups, session=self._session)
        return {group["_id"]: group["held"] for group in counted}

    def forget_contact(self, contact_id: str) -> None:
        """Empty what was remarked on an erased contact's conversations."""
        forget_contact(self._database, contact_id, self._session)

    def attribute(self, origin: Origin, desk: Desk) -> None:
        """Let the events of what the desk has told and changed since the last call come of this."""
        self._asked.add(origin)
        for key, state in itertools.chain(desk.told.items(), desk.agents.items()):
            seen = self._origins[key][0] if key in self._origins else self._known.get(key)
            if state is not seen:
                self._origins[key] = state, origin

    def close(self, desk: Desk) -> None:
        """Write what the desk changed, with its decisions and events, and tell those in line who moved."""
        before = {key: to_assignment(document) for key, document in self._assignments.items()}
        changed = [found for key, found in desk.assignments.items() if key in desk.told or found != before.get(key)]
        moves = []
        for assignment in changed:
            was = before.get(assignment.conversation_id)
            old, new = was.place if was else None, assignment.place
            if old != new:
                moves.append(Move(assignment, old, new))
        durations = [*self._ledger.get("durations", []), *desk.handled][-KEPT_DURATIONS:]
        agents, stirred = self._changed_agents(desk)
        places = Places(
            self._line,
            desk,
            moves,
            waiting=self._ledger["waiting"],
            seconds=typical_seconds(durations),
            stirred=stirred or bool(desk.handled),
        )
        touched = {assignment.conversation_id for assignment in changed}
        writes = [self._write(assignment, desk, places.find(assignment)) for assignment in changed]
        writes += [self._step(places.documents[key], place) for key, place in places.to_tell().items() if key not in touched]
        self._store.write_all(ASSIGNMENTS, writes, self._session)
        self._store.write_all(AGENTS, agents, self._session)
        if self._decisions:
            self._database[DECISIONS].insert_many(self._decisions, session=self._session)
        self._close_ledger(durations if desk.handled else None, places.waiting, teams_changed=self._write_teams(desk))

    def _write(self, assignment: Assignment, desk: Desk, place: Place | None) -> Write:
        key = assignment.conversation_id
        old, told = self._assignments.get(key), desk.told.get(key)
        values = assignment_values(assignment) | self._standing(assignment, old, place)
        if told is None and place is not None and old is not None and is_news(old, place):
            told = Told("queued")
        if key in desk.joined and place is not None:
            values["promised"] = place.estimate
        if old is None:
            values |= {"_id": key, "changed_at": self._ledger["at"], "history_seq": 0, "reason": None}
        decision: Document | None = None
        for seq, made in enumerate(told.decisions if told else (), (old["history_seq"] if old else 0) + 1):
            decision = decision_document(made, key, seq)
            if made.remark is not None and is_erased(self._database, assignment.contact_id, self._session):
                decision["remark"] = None
            if assignment.state == "queued" and key in desk.joined and place is not None:
                decision["estimated_wait_seconds"] = place.estimate
            self._decisions.append(decision)
            values |= {"changed_at": made.at, "history_seq": seq, "reason": made.reason}
        result = (old or {"_id": key}) | values | {"version": old["version"] + 1 if old else 1}
        return old, values, self._attributed(key, assignment_changed(result, told.outcome, decision)) if told else []

    def _standing(self, assignment: Assignment, old: Document | None, place: Place | None) -> Document:
        if assignment.state != "queued":
            return {"queue_position": None, "estimated_wait_seconds": None}
        if place is not None:
            return {"queue_position": place.position, "estimated_wait_seconds": place.estimate}
        known = old or {}  # far back, where nobody is told of steps
        return {name: known.get(name) for name in ("queue_position", "estimated_wait_seconds")}

    def _step(self, document: Document, place: Place) -> Write:
        values: Document = {"queue_position": place.position, "estimated_wait_seconds": place.estimate}
        result = document | values | {"version": document["version"] + 1}
        return document, values, self._attributed(document["_id"], assignment_changed(result, "queued", None))

    def _changed_agents(self, desk: Desk) -> tuple[list[Write], bool]:
        """What to write of the agents, and whether it concerns how long somebody waits."""
        writes: list[Write] = []
        stirred = any(team is not self._teams.get(team.id) for team in desk.teams.values())
        for agent in desk.agents.values():
            old, known = self._agents.get(agent.id), self._known.get(agent.id)
            if known == agent:
                continue
            known = known or Agent(agent.id, agent.name)
            version = old["version"] + 1 if old else 1
            loaded = agent.load != known.load
            events = self._attributed(agent.id, agent_load_changed(agent.id, agent.load, version)) if loaded else []
            writes.append((old, agent_values(agent) | ({} if old else {"_id": agent.id}), events))
            stirred |= (agent.present, agent.load, agent.capacity) != (known.present, known.load, known.capacity)
        return writes, stirred

    def _write_teams(self, desk: Desk) -> bool:
        news = [team for team in desk.teams.values() if team is not self._teams.get(team.id)]
        for team in news:
            self._database[TEAMS].replace_one({"_id": team.id}, team_document(team), upsert=True, session=self._session)
        return bool(news)

    def _close_ledger(self, durations: list[int] | None, waiting: int, *, teams_changed: bool) -> None:
        values: Document = {}
        if self._moment is not None and self._moment > self._ledger["at"]:
            values["at"] = self._moment
        if waiting != self._ledger["waiting"]:
            values["waiting"] = waiting
        if durations is not None:
            values["durations"] = durations
        if teams_changed:
            values["teams"] = self._ledger.get("teams", 0) + 1
        if values:
            self._database[LEDGER].update_one({"_id": LEDGER}, {"$set": values}, session=self._session)

    def _attributed(self, key: str, event: NewEvent) -> list[NewEvent]:
        """The event with what it came of: nobody in particular when several asked, and it only followed from all of it."""
        found = self._origins.get(key)
        if found is not None:
            return [replace(event, origin=found[1])]
        return [replace(event, origin=next(iter(self._asked)) if len(self._asked) == 1 else Origin())]

    def _remember(self, found: Iterable[Document]) -> None:
        self._assignments |= {document["_id"]: document for document in found}

    def _later(self) -> datetime:
        """The turn's own moment, then later ones: no two decisions of any replicas share one."""
        opened = self._ledger["at"]
        self._moment = opened if self._moment is None else max(now(), self._moment + timedelta(milliseconds=1))
        return self._moment
