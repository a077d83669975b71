"""Teams over RPC, and the question which agents and teams exist."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from services.common.errors import DocumentExists
from services.common.ids import derived_id, fingerprint, new_id
from services.common.paging import page
from services.common.rpc import rpc
from services.common.store import Document, retry_stale
from services.common.times import now
from services.presence import errors, team_schemas, teams
from services.presence.domain import check_is_admin
from services.presence.entrypoints.means import Means
from services.presence.team_store import listing_position
from services.presence.views import team_view

Wire = dict[str, Any]


class TeamMethods(Means):
    """Make, read, list, change and delete teams."""

    @rpc(team_schemas.CreateTeam)
    def create_team(self, *, name: str, agent_ids: list[str], actor: Wire, idempotency_key: str | None) -> Wire:
        """A new team, by an admin. FORBIDDEN, VALIDATION_FAILED (unknown agents), TEAM_NAME_TAKEN, CONFLICT beyond 200.

        With a key, a repeat answers the team as it stands now (TEAM_NOT_FOUND once it is deleted); IDEMPOTENCY_KEY_REUSED.
        """
        check_is_admin(actor, "create teams")
        mark = fingerprint({"name": name, "agent_ids": agent_ids})
        team_id = derived_id("presence", "create_team", actor["id"], idempotency_key) if idempotency_key else new_id()
        if idempotency_key and self.store.find_team(team_id):
            return self._repeat(team_id, mark)
        self._check_agents(agent_ids)
        team = teams.new_team(team_id, name=name, agent_ids=agent_ids, now=now(), mark=mark)
        try:
            return team_view(self.store.insert_team(team))
        except (DocumentExists, errors.TeamNameTaken, errors.TooMany):
            if self.store.find_team(team_id):
                return self._repeat(team_id, mark)
            raise

    @rpc(team_schemas.TeamId)
    def get_team(self, *, team_id: str) -> Wire:
        """The team. TEAM_NOT_FOUND."""
        return team_view(self.store.get_team(team_id))

    @rpc(team_schemas.ListTeams)
    def list_teams(self, *, cursor: str | None, limit: int) -> Wire:
        """A page of the teams by name. CURSOR_INVALID."""
        return page(self.store.list_teams(cursor, limit), limit, team_view, listing_position)

    @rpc(team_schemas.UpdateTeam)
    def update_team(self, *, team_id: str, changes: Wire, actor: Wire) -> Wire:
        """The team with the changes, by an admin. FORBIDDEN, TEAM_NOT_FOUND, VALIDATION_FAILED (unknown agents), TEAM_NAME_TAKEN.

        Nothing to change: no event.
        """
        check_is_admin(actor, "change teams")
        self.store.get_team(team_id)
        self._check_agents(changes.get("agent_ids", ()))
        return self._change(team_id, lambda team: teams.decide_change(team, changes))

    @rpc(team_schemas.TeamMember)
    def add_agent_to_team(self, *, team_id: str, agent_id: str, actor: Wire) -> Wire:
        """The team with the agent as its last member; again is no error.

        FORBIDDEN, TEAM_NOT_FOUND, AGENT_NOT_FOUND, CONFLICT beyond 1,000.
        """
        check_is_admin(actor, "change teams")
        self.store.get_team(team_id)
        self.store.get_agent(agent_id)
        return self._change(team_id, lambda team: teams.decide_joining(team, agent_id))

    @rpc(team_schemas.TeamMember)
    def remove_agent_from_team(self, *, team_id: str, agent_id: str, actor: Wire) -> Wire:
        """The team without the agent; one who was no member is no error. FORBIDDEN, TEAM_NOT_FOUND."""
        check_is_admin(actor, "change teams")
        return self._change(team_id, lambda team: teams.decide_leaving(team, agent_id))

    @rpc(team_schemas.DeleteTeam)
    def delete_team(self, *, team_id: str, actor: Wire) -> Wire:
        """`{id}`, by an admin. FORBIDDEN, TEAM_NOT_FOUND."""
        check_is_admin(actor, "delete teams")
        retry_stale(lambda: self.store.delete_team(self.store.get_team(team_id)))
        return {"id": team_id}

    @rpc(team_schemas.FindUnknown)
    def find_unknown(self, *, agent_ids: list[str], team_ids: list[str]) -> Wire:
        """`{agent_ids, team_ids}`: which of up to 2,000 each don't exist; a deactivated agent is as good as none here."""
        agents = self.store.find_agent_ids(agent_ids, active_only=True)
        known_teams = self.store.find_team_ids(team_ids)
        return {
            "agent_ids": [each for each in teams.distinct(agent_ids) if each not in agents],
            "team_ids": [each for each in teams.distinct(team_ids) if each not in known_teams],
        }

    def _check_agents(self, agent_ids: Sequence[str]) -> None:
        teams.check_known(agent_ids, self.store.find_agent_ids(agent_ids, active_only=False) if agent_ids else ())

    def _change(self, team_id: str, decide: Callable[[Document], Mapping[str, Any]]) -> Wire:
        def attempt() -> Document:
            team = self.store.get_team(team_id)
            return self.store.change_team(team, decide(team))

        return team_view(retry_stale(attempt))

    def _repeat(self, team_id: str, mark: str) -> Wire:
        team = self.store.get_team(team_id)
        if team["fingerprint"] != mark:
            raise errors.KeyReused
        return team_view(team)
