"""What an operator asks over RPC: ending sessions and API tokens at once, and telling the other services of everything again."""

from collections.abc import Callable, Sequence
from typing import Any

from services.common.envelope import NewEvent
from services.common.rpc import rpc
from services.common.store import Document, retry_stale
from services.common.times import now
from services.presence import domain, errors, events
from services.presence import operator_schemas as schemas
from services.presence.entrypoints.means import Means
from services.presence.store import AGENTS
from services.presence.team_store import TEAMS
from services.presence.views import agent_view

Wire = dict[str, Any]

# In one call, so that it ends in time.
MAX_REVOKED = 200


class OperatorMethods(Means):
    """Find, revoke, announce."""

    @rpc(schemas.FindAgent)
    def find_agent(self, *, email: str) -> Wire:
        """The agent with this e-mail, whatever the case of its letters. AGENT_NOT_FOUND."""
        agent = self.store.find_agent_by_email(domain.email_key(email))
        if agent is None:
            raise errors.AgentNotFound(email)
        return agent_view(agent)

    @rpc(schemas.RevokeSessions)
    def revoke_sessions(self, *, agent_id: str | None, actor: Wire) -> Wire:
        """End an agent's sessions, or everybody's: `{revoked, more}`, up to 200 in a call; `more` asks for another. FORBIDDEN."""
        domain.check_is_admin(actor, "end others' sessions")
        found = self.store.find_live_sessions(agent_id, now(), MAX_REVOKED + 1)
        revoked = sum(self._revoke(session["_id"]) for session in found[:MAX_REVOKED])
        return {"revoked": revoked, "more": len(found) > MAX_REVOKED}

    @rpc(schemas.RevokeApiTokens)
    def revoke_api_tokens(self, *, created_by: str | None, actor: Wire) -> Wire:
        """Revoke the API tokens that somebody made, or all: `{revoked}`. FORBIDDEN."""
        domain.check_is_admin(actor, "revoke API tokens")
        return {"revoked": self.store.revoke_api_tokens(created_by, now())}

    @rpc(schemas.Announce)
    def announce_agents(self, *, cursor: str | None, limit: int, actor: Wire) -> Wire:
        """Tell of agents as they stand: `{announced, next_cursor}`. FORBIDDEN."""
        domain.check_is_admin(actor, "announce agents")
        return self._announce(AGENTS, cursor, limit, _tell_agent)

    @rpc(schemas.Announce)
    def announce_teams(self, *, cursor: str | None, limit: int, actor: Wire) -> Wire:
        """Tell of teams as they stand, and of those that were deleted: `{announced, next_cursor}`. FORBIDDEN."""
        domain.check_is_admin(actor, "announce teams")
        return self._announce(
            TEAMS, cursor, limit, lambda team: [events.team_deleted(team) if team["deleted"] else events.team_updated(team)]
        )

    def _revoke(self, session_id: str) -> bool:
        def attempt() -> bool:
            session = self.store.find_session(session_id)
            if session is None or session["revoked_at"] is not None:
                return False
            self.store.revoke_session(session, now())
            return True

        return retry_stale(attempt)

    def _announce(self, collection: str, cursor: str | None, limit: int, tell: Callable[[Document], Sequence[NewEvent]]) -> Wire:
        found = self.store.list_by_id(collection, cursor, limit + 1)
        for record in found[:limit]:
            self.store.announce(collection, record, tell(record))
        return {"announced": len(found[:limit]), "next_cursor": found[limit - 1]["_id"] if len(found) > limit else None}


def _tell_agent(agent: Document) -> Sequence[NewEvent]:
    # A record from before reachability was kept tells it with its next renewal.
    return [events.agent_updated(agent), *([events.agent_reachability_changed(agent)] if "reachable" in agent else [])]
