"""Agents and their leases in the database; sessions and tokens are in `credential_store.py`, teams in `team_store.py`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, ClassVar

from pymongo import IndexModel, ReturnDocument, UpdateOne
from pymongo.client_session import ClientSession

from services.common.envelope import NewEvent
from services.common.errors import DocumentExists, StaleDocument
from services.common.paging import decode_cursor
from services.common.store import Document
from services.presence import events
from services.presence.announcing_store import AnnouncingStore
from services.presence.connection_changes import MAX_CHANGES, Cause, change_by_leases
from services.presence.credential_store import CredentialStore
from services.presence.domain import Change
from services.presence.errors import AgentNotFound, EmailTaken, LastAdmin
from services.presence.leases import Leases, leases_of, standing_of, told_standing
from services.presence.team_store import TeamStore

AGENTS = "agents"
ADMINS = "admins"
EPOCH = datetime.fromtimestamp(0, UTC)
# Read for many agents at once, and by every renewal, without what only an explanation shows.
_BRIEF = {"connection_changes": 0}


class PresenceStore(CredentialStore, TeamStore, AnnouncingStore):
    """Every query of presence. Each write to an agent that others can see commits its events with it."""

    entities: ClassVar[Sequence[str]] = (AGENTS, *CredentialStore.entities, *TeamStore.entities)
    guards: ClassVar[Sequence[str]] = (ADMINS, *TeamStore.guards)
    indexes: ClassVar[Mapping[str, Sequence[IndexModel]]] = {
        AGENTS: [
            IndexModel([("email_key", 1)], name="email", unique=True),
            IndexModel([("created_at", 1), ("_id", 1)], name="listing"),
            IndexModel([("connections.expires_at", 1)], name="leases"),
            IndexModel([("role", 1), ("active", 1)], name="admins"),
        ],
        **CredentialStore.indexes,
        **TeamStore.indexes,
    }

    def has_agents(self) -> bool:
        """Whether there is any agent."""
        return self.database[AGENTS].find_one({}, {"_id": 1}) is not None

    def find_agent(self, agent_id: str) -> Document | None:
        """The agent, or None."""
        return self.database[AGENTS].find_one({"_id": agent_id})

    def get_agent(self, agent_id: str) -> Document:
        """The agent. Raises AgentNotFound."""
        agent = self.find_agent(agent_id)
        if agent is None:
            raise AgentNotFound(agent_id)
        return agent

    def find_agent_by_email(self, email_key: str) -> Document | None:
        """The agent with this e-mail, or None."""
        return self.database[AGENTS].find_one({"email_key": email_key})

    def find_agents(self, agent_ids: Sequence[str]) -> list[Document]:
        """Those that exist, without their past changes."""
        return list(self.database[AGENTS].find({"_id": {"$in": list(agent_ids)}}, _BRIEF))

    def find_agent_ids(self, agent_ids: Sequence[str], *, active_only: bool) -> set[str]:
        """Which of these agents exist (and are active)."""
        query = {"_id": {"$in": list(agent_ids)}} | ({"active": True} if active_only else {})
        return {agent["_id"] for agent in self.database[AGENTS].find(query, {"_id": 1})}

    def list_agents(self, cursor: str | None, limit: int) -> list[Document]:
        """Up to `limit` + 1 agents in the order of their creation. Raises Invalid for a bad cursor."""
        query: Document = {}
        if cursor is not None:
            created_at, agent_id = decode_cursor(cursor, datetime, str)
            query = {"$or": [{"created_at": {"$gt": created_at}}, {"created_at": created_at, "_id": {"$gt": agent_id}}]}
        return list(self.database[AGENTS].find(query, _BRIEF).sort([("created_at", 1), ("_id", 1)]).limit(limit + 1))

    def insert_agent(self, agent: Document) -> Document:
        """Insert a new agent. Raises EmailTaken, or DocumentExists when its id is taken."""
        try:
            return self.insert(AGENTS, agent, [events.agent_created(agent)])
        except DocumentExists as error:
            if error.index == "email":
                raise EmailTaken from None
            raise

    def change_agent(self, agent: Document, change: Change, now: datetime) -> Document:
        """Write a decided change over the agent in hand, with what it entails. Raises StaleDocument, EmailTaken, LastAdmin."""

        def work(session: ClientSession | None) -> Document:
            if change.loses_admin:
                self._check_other_admin(agent["_id"], session)
            changed = self._write(agent, change.fields, session)
            if change.ends_sessions:
                self.revoke_sessions_of(agent["_id"], now, session)
            return changed

        try:
            return self.transaction(work) if change.loses_admin or change.ends_sessions else work(None)
        except DocumentExists:
            raise EmailTaken from None

    def set_fields(self, agent: Document, fields: Mapping[str, Any]) -> Document:
        """Write fields over the agent in hand. Raises StaleDocument."""
        return self._write(agent, fields, None)

    def replace_password_hash(self, agent: Document, password_hash: str) -> None:
        """Keep the same password under newer parameters; nobody sees a difference."""
        self.database[AGENTS].update_one(
            {"_id": agent["_id"], "password_hash": agent["password_hash"]}, {"$set": {"password_hash": password_hash}}
        )

    def agents_with_expired_leases(self, now: datetime) -> Iterable[Document]:
        """Agents with a lease whose time is over, without their past changes."""
        return self.database[AGENTS].find({"connections.expires_at": {"$lte": now}}, _BRIEF)

    def count_leases(self) -> tuple[int, int, int]:
        """How many leases are live, how many in their grace, and how many agents hold any."""
        held = self.database[AGENTS].aggregate(
            [
                {"$match": {"connections.expires_at": {"$gt": EPOCH}}},
                {
                    "$project": {
                        "closed": {"$size": {"$filter": {"input": "$connections", "cond": "$$this.closed"}}},
                        "connections": 1,
                    }
                },
                {
                    "$group": {
                        "_id": None,
                        "agents": {"$sum": 1},
                        "all": {"$sum": {"$size": "$connections"}},
                        "closed": {"$sum": "$closed"},
                    }
                },
            ]
        )
        counts = next(iter(held), {"agents": 0, "all": 0, "closed": 0})
        return counts["all"] - counts["closed"], counts["closed"], counts["agents"]

    def save_leases(self, agent: Document, leases: Leases, at: datetime) -> Document:
        """Write leases over those in hand; what that turns is a new version with its events. Raises StaleDocument."""
        if leases == leases_of(agent):
            return agent
        query, update = _lease_update(agent, leases, at, "stream_opened")
        updated = self.database[AGENTS].find_one_and_update(query, update, _BRIEF, return_document=ReturnDocument.AFTER)
        if updated is None:
            raise StaleDocument(agent["_id"])
        if "$push" in update:
            self._committed(AGENTS, updated, None)
        return updated

    def save_many_leases(self, writes: Sequence[tuple[Document, Leases]], at: datetime) -> None:
        """`save_leases` for many renewals in one command. Raises StaleDocument when any was not written."""
        updates = [
            (agent, *_lease_update(agent, leases, at, "stream_renewed")) for agent, leases in writes if leases != leases_of(agent)
        ]
        if not updates:
            return
        result = self.database[AGENTS].bulk_write([UpdateOne(query, update) for _, query, update in updates], ordered=False)
        if result.matched_count < len(updates):
            # Which were written is not told; the relay's sweep finds the events of those.
            raise StaleDocument("leases")
        for agent, _, update in updates:
            if "$push" in update:
                self.relay.hand_over(AGENTS, agent["_id"], [*agent["outbox"], *update["$push"]["outbox"]["$each"]])

    def _write(self, agent: Document, fields: Mapping[str, Any], session: ClientSession | None) -> Document:
        after = {**agent, **fields, "version": agent["version"] + 1}
        told = [events.agent_updated(after), *_reachability(agent, after)]
        return self.update(AGENTS, agent, fields, told, session=session)

    def _check_other_admin(self, agent_id: str, session: ClientSession | None) -> None:
        # Two demotions of two admins would each still see the other.
        self.take_guard(ADMINS, session)
        others = {"role": "admin", "active": True, "_id": {"$ne": agent_id}}
        if self.database[AGENTS].find_one(others, {"_id": 1}, session=session) is None:
            raise LastAdmin


def _lease_update(agent: Document, leases: Leases, at: datetime, opened_by: Cause) -> tuple[Document, Document]:
    # A deactivation drops the leases over the agent's version; a write decided before it must not bring one back.
    query = {"_id": agent["_id"], "connections_version": agent["connections_version"], "active": agent["active"]}
    update: Document = {"$set": {"connections": [asdict(lease) for lease in leases]}, "$inc": {"connections_version": 1}}
    standing = standing_of(leases)
    if standing != told_standing(agent):
        query["version"] = agent["version"]
        seen = {**asdict(standing), "version": agent["version"] + 1}
        after = agent | seen
        told = _reachability(agent, after)
        update["$set"] |= seen
        update["$push"] = {}
        if standing.connected != agent["connected"]:
            told = [events.agent_updated(after), *told]
            change = asdict(change_by_leases(leases_of(agent), leases, at, opened_by))
            update["$push"]["connection_changes"] = {"$each": [change], "$position": 0, "$slice": MAX_CHANGES}
        update["$push"]["outbox"] = {"$each": [event.entry(agent["_id"], seen["version"]) for event in told]}
    return query, update


def _reachability(before: Document, after: Document) -> list[NewEvent]:
    turned = told_standing(before).reachable != told_standing(after).reachable
    return [events.agent_reachability_changed(after)] if turned else []
