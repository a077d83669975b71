"""Teams, named groups of agents: what a team is made of and what a change of it entails."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from services.common.spelling import spelling_key
from services.presence.errors import TooMany, UnknownAgents

Team = Mapping[str, Any]

MAX_TEAMS = 200
MAX_MEMBERS = 1_000  # bounds the document, and the event of each change of it


def name_key(name: str) -> str:
    """What makes two spellings of a team's name the same; also what sorts teams."""
    return spelling_key(name)


def distinct(ids: Iterable[str]) -> list[str]:
    """Each id once, in the order given."""
    return list(dict.fromkeys(ids))


def new_team(team_id: str, *, name: str, agent_ids: Iterable[str], now: datetime, mark: str) -> dict[str, Any]:
    """The record of a team that was just made."""
    return {
        "_id": team_id,
        "name": name.strip(),
        "name_key": name_key(name),
        "agent_ids": distinct(agent_ids),
        "deleted": False,
        "fingerprint": mark,
        "created_at": now,
        "version": 1,
    }


def check_known(agent_ids: Sequence[str], known: Collection[str]) -> None:
    """Raise UnknownAgents unless all exist. Deactivated agents do: they stay members."""
    unknown = [agent_id for agent_id in distinct(agent_ids) if agent_id not in known]
    if unknown:
        raise UnknownAgents(unknown)


def decide_change(team: Team, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What must be written to give the team the wanted name and members; nothing when it has them."""
    values = dict(wanted)
    if "name" in values:
        values |= {"name": values["name"].strip(), "name_key": name_key(values["name"])}
    if "agent_ids" in values:
        values["agent_ids"] = distinct(values["agent_ids"])
    return {field: value for field, value in values.items() if team[field] != value}


def decide_joining(team: Team, agent_id: str) -> dict[str, Any]:
    """What must be written to make an agent the last member; nothing for one who is a member. Raises TooMany."""
    if agent_id in team["agent_ids"]:
        return {}
    if len(team["agent_ids"]) >= MAX_MEMBERS:
        raise TooMany("agents in this team", MAX_MEMBERS, "remove one first")
    return {"agent_ids": [*team["agent_ids"], agent_id]}


def decide_leaving(team: Team, agent_id: str) -> dict[str, Any]:
    """What must be written to have the team without an agent; nothing when it is."""
    return decide_change(team, {"agent_ids": [each for each in team["agent_ids"] if each != agent_id]})
