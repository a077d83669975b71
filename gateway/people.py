"""The agents and teams that a request or a flow's assign blocks name: whether all of them exist, which presence alone knows."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.context import call
from gateway.schemas.base import ID_PATTERN
from services.common.errors import Invalid

# What presence looks up at once, of each.
MAX_ASKED = 2_000
NO_AGENT, NO_TEAM = "There is no active agent", "There is no team"
_IS_ID = re.compile(ID_PATTERN.strip("^$"))


def require_known(wishes: Mapping[str, Any]) -> None:
    """Raise Invalid naming the `agents` or the `team` of a request that don't exist: nobody would ever be found; also Unavailable."""
    agents, teams = list(_ids(wishes.get("agents"))), list(_ids([wishes.get("team")]))
    unknown_agents, unknown_teams = _find_unknown(agents, teams)
    errors = {
        **_faults("agents", NO_AGENT, {"": agents}, unknown_agents),
        **_faults("team", NO_TEAM, {"": teams}, unknown_teams),
    }
    if errors:
        raise Invalid("The request names agents or teams that don't exist.", errors=errors)


def require_known_in_flow(flow: Mapping[str, Any]) -> None:
    """Raise Invalid (INVALID_FLOW) naming each block whose agents or team don't exist; also Unavailable.

    What is not of the expected form is passed over: messaging checks that.
    """
    agents = {name: list(_ids(block.get("agents"))) for name, block in _assign_blocks(flow)}
    teams = {name: list(_ids([block.get("team")])) for name, block in _assign_blocks(flow)}
    unknown_agents, unknown_teams = _find_unknown(_all(agents), _all(teams))
    errors = {
        **_faults("agents", NO_AGENT, agents, unknown_agents),
        **_faults("team", NO_TEAM, teams, unknown_teams),
    }
    if errors:
        raise Invalid("The flow names agents or teams that don't exist.", code="INVALID_FLOW", errors=errors)


def _assign_blocks(flow: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, block in flow["blocks"].items():
        if isinstance(block, Mapping) and block.get("type") == "assign":
            yield name, block


def _ids(values: Any) -> Iterator[str]:
    for value in values if isinstance(values, list) else ():
        if isinstance(value, str) and _IS_ID.fullmatch(value):
            yield value


def _all(named: Mapping[str, list[str]]) -> list[str]:
    return list(dict.fromkeys(one for ids in named.values() for one in ids))


def _find_unknown(agent_ids: list[str], team_ids: list[str]) -> tuple[set[str], set[str]]:
    agents: set[str] = set()
    teams: set[str] = set()
    for start in range(0, max(len(agent_ids), len(team_ids)), MAX_ASKED):
        asked = slice(start, start + MAX_ASKED)
        unknown = call("presence", "find_unknown", agent_ids=agent_ids[asked], team_ids=team_ids[asked])
        agents.update(unknown["agent_ids"])
        teams.update(unknown["team_ids"])
    return agents, teams


def _faults(place: str, text: str, named: Mapping[str, list[str]], unknown: set[str]) -> dict[str, list[str]]:
    """The texts by place, within the block of that name or, for "", in the request itself."""
    missing = {name: [one for one in dict.fromkeys(ids) if one in unknown] for name, ids in named.items()}
    return {
        f"blocks.{name}.{place}" if name else place: [f"{text} {one}." for one in ids] for name, ids in missing.items() if ids
    }
