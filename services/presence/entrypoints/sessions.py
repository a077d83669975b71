"""Sign-in sessions over RPC."""

from typing import Any

from services.common.ids import new_id
from services.common.logs import get_logger
from services.common.rpc import rpc
from services.common.store import retry_stale
from services.common.times import from_wire, now
from services.presence import domain, errors, schemas, sessions, tokens
from services.presence.entrypoints.means import Means
from services.presence.views import agent_view

log = get_logger(__name__)

Wire = dict[str, Any]


class SessionMethods(Means):
    """Begin, go on with, end and list sessions."""

    @rpc(schemas.Authenticate)
    def authenticate(self, *, email: str, password: str, user_agent: str | None, ip: str | None) -> Wire:
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
    def refresh_session(self, *, refresh_token: str) -> Wire:
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
    def revoke_session(self, *, session_id: str, actor: Wire) -> Wire:
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
    def list_revoked_sessions(self, *, since: str) -> Wire:
        """`{items: [session_id]}` revoked at or after a moment, newest first, at most 10,000."""
        return {"items": self.store.list_revoked_sessions(from_wire(since))}
