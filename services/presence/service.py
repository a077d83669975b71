"""The entrypoints of presence."""

import contextlib
from typing import Any, ClassVar, cast

from marshmallow import EXCLUDE
from nameko.timer import timer

from services.common.envelope import Event
from services.common.errors import DocumentExists, StaleDocument
from services.common.events import subscribe
from services.common.ids import derived_id, fingerprint, new_id
from services.common.logs import get_logger
from services.common.outages import is_outage
from services.common.paging import page
from services.common.rpc import rpc
from services.common.service import Service
from services.common.storage import Storage
from services.common.store import Document, retry_stale
from services.common.times import from_wire, now
from services.common.validation import load
from services.presence import domain, errors, leases, schemas, sessions, tokens
from services.presence.credential_store import MAX_API_TOKENS
from services.presence.dependencies import FirstAdmin, LeaseKeeping, Passwords
from services.presence.store import PresenceStore, leases_of
from services.presence.views import agent_view, api_token_view

log = get_logger(__name__)

SWEEP_SECONDS = 1.0

Wire = dict[str, Any]


class PresenceService(Service):
    """Agents, credentials, connections, availability; README.md beside this file is its contract."""

    name: ClassVar[str] = "presence"
    store = cast("PresenceStore", Storage(PresenceStore))  # the store is what the provider injects
    passwords = Passwords()
    keeping = LeaseKeeping()
    first_admin = FirstAdmin()

    # Sessions

    @rpc(schemas.Authenticate)
    def authenticate(self, email: str, password: str, user_agent: str | None, ip: str | None) -> Wire:
        """Begin a session: `{agent, session_id, refresh_token}`. INVALID_CREDENTIALS, as late for an unknown e-mail as for a known."""
        agent = self.store.find_agent_by_email(domain.email_key(email))
        if not self.passwords.verify(agent["password_hash"] if agent else None, password) or agent is None or not agent["active"]:
            raise errors.InvalidCredentials
        if self.passwords.is_outdated(agent["password_hash"]):
            self.store.replace_password_hash(agent, self.passwords.hash(password))
        token = tokens.RefreshToken.begin()
        moment = now()
        session = sessions.new_session(new_id(), agent=agent, family_hash=token.family_hash, token_hash=token.hash, now=moment)
        self.store.insert_session(session | {"user_agent": (user_agent or "")[:500], "ip": ip}, moment)
        return {"agent": agent_view(agent), "session_id": session["_id"], "refresh_token": token.text}

    @rpc(schemas.RefreshSession)
    def refresh_session(self, refresh_token: str) -> Wire:
        """Exchange a refresh token for the next: what `authenticate` answers. TOKEN_INVALID; a stolen token ends the session."""
        presented = tokens.RefreshToken(refresh_token)
        successor = presented.next()

        def attempt() -> Wire:
            moment = now()
            session = self.store.find_session_by_family(presented.family_hash)
            agent = session and self.store.find_agent(session["agent_id"])
            if session is None or agent is None or not sessions.is_usable(session, agent, moment):
                raise errors.TokenInvalid("refresh token")
            rotation = sessions.rotate(session, presented.hash, successor.hash, moment)
            if rotation.stolen:
                self.store.revoke_session(session, moment)
                log.warning("refresh_token_reused", session_id=session["_id"], agent_id=agent["_id"])
                raise errors.TokenInvalid("refresh token")
            self.store.rotate_session(session, rotation.fields)
            return {"agent": agent_view(agent), "session_id": session["_id"], "refresh_token": successor.text}

        return retry_stale(attempt)

    @rpc(schemas.RevokeSession)
    def revoke_session(self, session_id: str, actor: Wire) -> Wire:
        """End a session: `{session_id}`. One that has ended or never was is no error. FORBIDDEN for another agent's."""

        def attempt() -> None:
            session = self.store.find_session(session_id)
            if session is None:
                return
            domain.check_may_end_session(session["agent_id"], actor)
            if session["revoked_at"] is None:
                self.store.revoke_session(session, now())

        retry_stale(attempt)
        return {"session_id": session_id}

    @rpc(schemas.ListRevokedSessions)
    def list_revoked_sessions(self, since: str) -> Wire:
        """`{items: [session_id]}` revoked at or after a moment, newest first, at most 10,000."""
        return {"items": self.store.list_revoked_sessions(from_wire(since))}

    # Agents

    @rpc(schemas.CreateAgent)
    def create_agent(
        self, name: str, email: str, password: str, role: str, capacity: int, actor: Wire, idempotency_key: str | None
    ) -> Wire:
        """A new agent, by an admin. FORBIDDEN, EMAIL_TAKEN; with a key, a repeat answers the agent as it stands now.

        What a repeat must equal (else IDEMPOTENCY_KEY_REUSED) is all but the password, of which nothing fast is stored.
        """
        domain.check_is_admin(actor, "create agents")
        mark = fingerprint({"name": name, "email": email, "role": role, "capacity": capacity})
        agent_id = derived_id("presence", "create_agent", actor["id"], idempotency_key) if idempotency_key else new_id()
        if idempotency_key and (earlier := self.store.find_agent(agent_id)):
            return _repeat(earlier, mark)
        agent = domain.new_agent(
            agent_id,
            name=name,
            email=email,
            role=role,
            capacity=capacity,
            password_hash=self.passwords.hash(password),
            now=now(),
            mark=mark,
        )
        try:
            return agent_view(self.store.insert_agent(agent))
        except (DocumentExists, errors.EmailTaken):
            if earlier := self.store.find_agent(agent_id):
                return _repeat(earlier, mark)
            raise

    @rpc(schemas.AgentId)
    def get_agent(self, agent_id: str) -> Wire:
        """The agent. AGENT_NOT_FOUND."""
        return agent_view(self.store.get_agent(agent_id))

    @rpc(schemas.ListAgents)
    def list_agents(self, cursor: str | None, limit: int) -> Wire:
        """A page of all agents, also deactivated ones, in the order of their creation. CURSOR_INVALID."""
        found = self.store.list_agents(cursor, limit)
        return page(found, limit, agent_view, lambda agent: (agent["created_at"], agent["_id"]))

    @rpc(schemas.UpdateAgent)
    def update_agent(self, agent_id: str, changes: Wire, actor: Wire) -> Wire:
        """The agent with the changes. FORBIDDEN, AGENT_NOT_FOUND, EMAIL_TAKEN, LAST_ADMIN.

        A new password, another role or a deactivation ends the agent's sessions in the same commit. Nothing to change: no event.
        """
        domain.check_may_change(agent_id, changes, actor)
        wanted = dict(changes)
        if "password" in wanted:
            self.store.get_agent(agent_id)
            wanted["password_hash"] = self.passwords.hash(wanted.pop("password"))

        def attempt() -> Document:
            agent = self.store.get_agent(agent_id)
            change = domain.decide_change(agent, wanted)
            return self.store.change_agent(agent, change, now()) if change.fields else agent

        return agent_view(retry_stale(attempt))

    @subscribe("assignment", "agent_load_changed")
    def apply_agent_load(self, event: Event) -> None:
        """Show how many conversations an agent has; an older report than the last applied is ignored."""
        report = load(schemas.AgentLoadChanged(unknown=EXCLUDE), event.data)

        def attempt() -> None:
            agent = self.store.find_agent(report["agent_id"])
            if agent and (fields := domain.decide_load(agent, report["active_conversations"], report["version"])):
                self.store.set_fields(agent, fields)

        retry_stale(attempt)

    # Connections

    @rpc(schemas.OpenConnection)
    def open_connection(self, agent_id: str, connection_id: str, gateway_id: str, kind: str) -> Wire:
        """The agent, who holds a lease for this stream now. AGENT_NOT_FOUND, FORBIDDEN when deactivated, CONFLICT beyond 100."""
        stream = leases.Stream(connection_id, gateway_id, kind)

        def attempt() -> Document:
            agent = self.store.get_agent(agent_id)
            domain.check_active(agent)
            return self.store.save_leases(agent, leases.open_lease(leases_of(agent), stream, now(), self.keeping.terms))

        return agent_view(retry_stale(attempt))

    @rpc(schemas.RenewConnections)
    def renew_connections(self, gateway_id: str, connections: list[Wire]) -> Wire:
        """`{renewed: n}` of up to 5,000 streams. Opens leases it doesn't know; leaves those closed, and deactivated agents."""
        streams: dict[str, list[leases.Stream]] = {}
        for each in connections:
            streams.setdefault(each["agent_id"], []).append(leases.Stream(each["connection_id"], gateway_id, each["kind"]))
        moment = now()

        def attempt() -> int:
            renewed = 0
            writes = []
            for agent in self.store.find_agents(list(streams)):
                if agent["active"]:
                    held, count = leases.renew_leases(leases_of(agent), streams[agent["_id"]], moment, self.keeping.terms)
                    renewed += count
                    writes.append((agent, held))
            self.store.save_many_leases(writes)
            return renewed

        return {"renewed": retry_stale(attempt)}

    @rpc(schemas.CloseConnection)
    def close_connection(self, agent_id: str, connection_id: str) -> Wire:
        """The agent, still connected while another lease lives or the grace lasts. AGENT_NOT_FOUND."""

        def attempt() -> Document:
            agent = self.store.get_agent(agent_id)
            return self.store.save_leases(agent, leases.close_lease(leases_of(agent), connection_id, now(), self.keeping.terms))

        return agent_view(retry_stale(attempt))

    @timer(interval=SWEEP_SECONDS)
    def expire_connections(self) -> None:
        """Drop leases that ran out; who holds none any more is disconnected, by one event however many replicas sweep."""
        moment = now()
        since = self.keeping.listening_since(moment)
        if since is None:
            return
        try:
            for agent in self.store.agents_with_expired_leases(moment):
                with contextlib.suppress(StaleDocument):  # changed this moment: the next round looks again
                    self.store.save_leases(agent, leases.expire_leases(leases_of(agent), moment, since, self.keeping.terms))
        except Exception as error:
            if not is_outage(error):
                raise
            self.keeping.note_outage()
            log.warning("leases_not_swept", reason=type(error).__name__)

    # Tickets and API tokens

    @rpc(schemas.CreateStreamTicket)
    def create_stream_ticket(self, subject: Wire) -> Wire:
        """`{ticket, expires_in}`: a secret that may stand in a URL, good once and for 30 s."""
        ticket = tokens.new_ticket()
        self.store.insert_ticket(tokens.digest(ticket), subject, now() + tokens.TICKET_LIFE)
        return {"ticket": ticket, "expires_in": int(tokens.TICKET_LIFE.total_seconds())}

    @rpc(schemas.RedeemStreamTicket)
    def redeem_stream_ticket(self, ticket: str) -> Wire:
        """The subject given at the ticket's creation. TOKEN_INVALID from the second time on."""
        subject = self.store.take_ticket(tokens.digest(ticket), now())
        if subject is None:
            raise errors.TokenInvalid("stream ticket")
        return subject

    @rpc(schemas.CreateApiToken)
    def create_api_token(self, name: str, scopes: list[str], actor: Wire) -> Wire:
        """`{id, name, scopes, token, created_at}`, by an admin; the token is not shown again. FORBIDDEN, CONFLICT beyond 100."""
        domain.check_is_admin(actor, "create API tokens")
        if self.store.count_api_tokens() >= MAX_API_TOKENS:
            raise errors.TooMany("API tokens", MAX_API_TOKENS)
        secret = tokens.new_api_token()
        token = domain.new_api_token(new_id(), name=name, scopes=scopes, token_hash=tokens.digest(secret), actor=actor, now=now())
        self.store.insert_api_token(token)
        return api_token_view(token) | {"token": secret}

    @rpc
    def list_api_tokens(self) -> Wire:
        """`{items: [{id, name, scopes, created_at, last_used_at}], next_cursor: null}` of those in force, oldest first."""
        return {"items": [api_token_view(token) for token in self.store.list_api_tokens()], "next_cursor": None}

    @rpc(schemas.RevokeApiToken)
    def revoke_api_token(self, token_id: str, actor: Wire) -> Wire:
        """`{id}`, by an admin; again is no error. FORBIDDEN, TOKEN_NOT_FOUND."""
        domain.check_is_admin(actor, "revoke API tokens")
        if not self.store.revoke_api_token(token_id, now()):
            raise errors.TokenNotFound(token_id)
        return {"id": token_id}

    @rpc(schemas.VerifyApiToken)
    def verify_api_token(self, token: str) -> Wire:
        """`{id, name, scopes}` of a token in force. TOKEN_INVALID."""
        found = self.store.use_api_token(tokens.digest(token), now())
        if found is None:
            raise errors.TokenInvalid("API token")
        return {"id": found["_id"], "name": found["name"], "scopes": found["scopes"]}


def _repeat(agent: Document, mark: str) -> Wire:
    if agent["fingerprint"] != mark:
        raise errors.KeyReused
    return agent_view(agent)
