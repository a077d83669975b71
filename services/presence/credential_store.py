"""Sessions, stream tickets and API tokens in the database."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

import orjson
from pymongo import IndexModel
from pymongo.client_session import ClientSession

from services.common.errors import StaleDocument
from services.common.store import Document, Store
from services.presence import events
from services.presence.sessions import MAX_SESSIONS

SESSIONS = "sessions"
TICKETS = "stream_tickets"
API_TOKENS = "api_tokens"
MAX_REVOKED_LISTED = 10_000
MAX_API_TOKENS = 100
USE_NOTED_EVERY = timedelta(minutes=1)


class CredentialStore(Store):
    """What lets somebody in, each found by the hash of its secret."""

    entities: ClassVar[Sequence[str]] = (SESSIONS,)
    indexes: ClassVar[Mapping[str, Sequence[IndexModel]]] = {
        SESSIONS: [
            IndexModel([("family_hash", 1)], name="family", unique=True),
            IndexModel([("agent_id", 1), ("created_at", -1)], name="agent"),
            IndexModel([("revoked_at", -1)], name="revoked"),
            IndexModel([("expires_at", 1)], name="life", expireAfterSeconds=0),
        ],
        TICKETS: [IndexModel([("expires_at", 1)], name="life", expireAfterSeconds=0)],
        API_TOKENS: [IndexModel([("token_hash", 1)], name="token", unique=True)],
    }

    def insert_session(self, session: Document, now: datetime) -> Document:
        """Begin a session; the agent's oldest end where there are too many."""
        inserted = self.insert(SESSIONS, session)
        live = {"agent_id": session["agent_id"], "revoked_at": None}
        for old in self.database[SESSIONS].find(live).sort("created_at", -1).skip(MAX_SESSIONS).limit(10):
            try:
                self.revoke_session(old, now)
            except StaleDocument:  # in use this moment; the next sign-in meets it again
                continue
        return inserted

    def find_session(self, session_id: str) -> Document | None:
        """The session, or None."""
        return self.database[SESSIONS].find_one({"_id": session_id})

    def find_session_by_family(self, family_hash: str) -> Document | None:
        """The session whose refresh tokens these are, or None."""
        return self.database[SESSIONS].find_one({"family_hash": family_hash})

    def rotate_session(self, session: Document, fields: Mapping[str, Any]) -> Document:
        """Write a rotation over the session in hand. Raises StaleDocument."""
        return self.update(SESSIONS, session, fields)

    def revoke_session(self, session: Document, now: datetime, transaction: ClientSession | None = None) -> Document:
        """End a session. Raises StaleDocument."""
        return self.update(SESSIONS, session, {"revoked_at": now}, [events.session_revoked(session)], session=transaction)

    def revoke_sessions_of(self, agent_id: str, now: datetime, transaction: ClientSession | None) -> None:
        """End all of an agent's sessions. Raises StaleDocument."""
        live = {"agent_id": agent_id, "revoked_at": None}
        for session in list(self.database[SESSIONS].find(live, session=transaction)):
            self.revoke_session(session, now, transaction)

    def find_live_sessions(self, agent_id: str | None, now: datetime, limit: int) -> list[Document]:
        """Up to `limit` sessions in force, of an agent or of everybody, by their ids alone."""
        live: Document = {"revoked_at": None, "expires_at": {"$gt": now}} | ({"agent_id": agent_id} if agent_id else {})
        return list(self.database[SESSIONS].find(live, {"_id": 1}).limit(limit))

    def list_revoked_sessions(self, since: datetime) -> list[str]:
        """Ids of the sessions revoked at or after a moment, newest first, bounded."""
        found = self.database[SESSIONS].find({"revoked_at": {"$gte": since}}, {"_id": 1})
        return [session["_id"] for session in found.sort("revoked_at", -1).limit(MAX_REVOKED_LISTED)]

    def insert_ticket(self, ticket_hash: str, subject: Mapping[str, Any], expires_at: datetime) -> None:
        """Keep a ticket; its subject as text, since the database restricts what keys may be called."""
        self.database[TICKETS].insert_one(
            {"_id": ticket_hash, "subject": orjson.dumps(dict(subject)).decode(), "expires_at": expires_at}
        )

    def take_ticket(self, ticket_hash: str, now: datetime) -> dict[str, Any] | None:
        """The subject of a valid ticket, which is thereby spent; None for any other."""
        ticket = self.database[TICKETS].find_one_and_delete({"_id": ticket_hash, "expires_at": {"$gt": now}})
        return None if ticket is None else dict(orjson.loads(ticket["subject"]))

    def count_api_tokens(self) -> int:
        """How many are in force."""
        return self.database[API_TOKENS].count_documents({"revoked_at": None})

    def insert_api_token(self, token: Document) -> None:
        """Keep a new one."""
        self.database[API_TOKENS].insert_one(token)

    def list_api_tokens(self) -> list[Document]:
        """Those in force, oldest first."""
        return list(
            self.database[API_TOKENS].find({"revoked_at": None}).sort([("created_at", 1), ("_id", 1)]).limit(MAX_API_TOKENS)
        )

    def revoke_api_token(self, token_id: str, now: datetime) -> bool:
        """Revoke it, now or before; False when there is none."""
        tokens = self.database[API_TOKENS]
        if tokens.update_one({"_id": token_id, "revoked_at": None}, {"$set": {"revoked_at": now}}).matched_count:
            return True
        return tokens.find_one({"_id": token_id}, {"_id": 1}) is not None

    def revoke_api_tokens(self, created_by: str | None, now: datetime) -> int:
        """Revoke those in force, or those of them that somebody made; how many."""
        live: Document = {"revoked_at": None} | ({"created_by.id": created_by} if created_by else {})
        return self.database[API_TOKENS].update_many(live, {"$set": {"revoked_at": now}}).modified_count

    def use_api_token(self, token_hash: str, now: datetime) -> Document | None:
        """The token in force with this hash, its use noted at most once a minute; else None."""
        token = self.database[API_TOKENS].find_one({"token_hash": token_hash, "revoked_at": None})
        if token is not None and (token["last_used_at"] is None or token["last_used_at"] <= now - USE_NOTED_EVERY):
            self.database[API_TOKENS].update_one({"_id": token["_id"]}, {"$max": {"last_used_at": now}})
        return token
