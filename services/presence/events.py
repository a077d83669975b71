"""What presence tells the others."""

from collections.abc import Mapping
from typing import Any

from services.common.envelope import NewEvent
from services.presence.views import agent_view, team_view


def agent_created(agent: Mapping[str, Any]) -> NewEvent:
    """An agent was made; takes the record as it will be stored."""
    return NewEvent("agent_created", "agent", agent_view(agent))


def agent_updated(agent: Mapping[str, Any]) -> NewEvent:
    """Something of the agent changed; takes the record as it will be stored."""
    return NewEvent("agent_updated", "agent", agent_view(agent))


def agent_reachability_changed(agent: Mapping[str, Any]) -> NewEvent:
    """The agent's last open stream closed or ran out, or one opened; takes the record as it will be stored."""
    return NewEvent("agent_reachability_changed", "agent", {"agent_id": agent["_id"], "reachable": agent["reachable"]})


def team_created(team: Mapping[str, Any]) -> NewEvent:
    """A team was made; takes the record as it will be stored."""
    return NewEvent("team_created", "team", team_view(team))


def team_updated(team: Mapping[str, Any]) -> NewEvent:
    """A team has another name or other members; takes the record as it will be stored."""
    return NewEvent("team_updated", "team", team_view(team))


def team_deleted(team: Mapping[str, Any]) -> NewEvent:
    """A team is gone."""
    return NewEvent("team_deleted", "team", {"id": team["_id"]})


def session_revoked(session: Mapping[str, Any]) -> NewEvent:
    """A session ended before its time: its tokens are to be refused and its streams closed."""
    return NewEvent("session_revoked", "session", {"session_id": session["_id"], "agent_id": session["agent_id"]})
