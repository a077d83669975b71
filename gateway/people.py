"""The agents and teams that a request names: whether all of them exist, which presence alone knows, and what they are called."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gateway.context import call
from gateway.schemas.base import ID_PATTERN
from services.common.errors import Invalid, RemoteError

# What presence looks up at once, of each.
MAX_ASKED = 2_000
NO_AGENT, NO_TEAM = "There is no active agent", "There is no team"
# A little deeper than messaging takes conditions: what is beyond is its to refuse.
MAX_DEPTH = 8
_IS_ID = re.compile(ID_PATTERN.strip("^$"))

Named = dict[str, list[str]]  # the ids that are named at each place


def require_known(wishes: Mapping[str, Any]) -> None:
    """Raise Invalid naming the `agents` or the `team` of a request that don't exist: nobody would ever be found; also Unavailable."""
    errors = find_unknown({"agents": list(_ids(wishes.get("agents")))}, {"team": list(_ids([wishes.get("team")]))})
    if errors:
        raise Invalid("The request names agents or teams that don't exist.", errors=errors)


def find_unknown_in_flow(flow: Mapping[str, Any]) -> dict[str, list[str]]:
    """What is wrong with the agents and teams that the flow's blocks name, by place. Raises Unavailable.

    What is not of the expected form is passed over: messaging checks that.
    """
    named = list(_named_in(flow.get("blocks")))
    agents = {f"{place}.agents": list(_ids(wishes.get("agents"))) for place, wishes in named}
    teams = {f"{place}.team": list(_ids([wishes.get("team")])) for place, wishes in named}
    return find_unknown(agents, teams)


def find_unknown(agents: Named, teams: Named) -> dict[str, list[str]]:
    """A text for each agent and team that doesn't exist, under the place that names it. Raises Unavailable."""
    unknown_agents, unknown_teams = _ask_unknown(_all(agents), _all(teams))
    return {**_faults(NO_AGENT, agents, unknown_agents), **_faults(NO_TEAM, teams, unknown_teams)}


def with_assignee(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body with `assignee` (`{id, name}` or None) for its `assignee_id`, if it has one. Raises Invalid, Unavailable."""
    wanted = {name: value for name, value in body.items() if name != "assignee_id"}
    if "assignee_id" in body:
        wanted["assignee"] = None if body["assignee_id"] is None else _agent(body["assignee_id"])
    return wanted


def _agent(agent_id: str) -> dict[str, Any]:
    try:
        agent = call("presence", "get_agent", agent_id=agent_id)
    except RemoteError as error:
        if error.error_code != "AGENT_NOT_FOUND":
            raise
        agent = None
    if agent is None or not agent["active"]:
        raise Invalid("Some values are not valid.", errors={"assignee_id": [f"{NO_AGENT} {agent_id}."]})
    return {name: agent[name] for name in ("id", "name")}


def _named_in(blocks: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Whatever of a flow's blocks may name agents or a team, with its place."""
    for name, block in blocks.items() if isinstance(blocks, Mapping) else ():
        match block:
            case {"type": "assign"}:
                yield f"blocks.{name}", block
            case {"type": "condition", "cases": [*cases]}:
                for number, case in enumerate(cases):
                    if isinstance(case, Mapping):
                        yield from _named_in_test(case.get("if"), f"blocks.{name}.cases.{number}.if", MAX_DEPTH)


def _named_in_test(test: Any, place: str, depth: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not isinstance(test, Mapping) or depth == 0:
        return
    if test.get("on") == "agents":
        yield place, test
    yield from _named_in_test(test.get("not"), f"{place}.not", depth - 1)
    for joint in ("all", "any"):
        parts = test.get(joint)
        for number, part in enumerate(parts if isinstance(parts, list) else ()):
            yield from _named_in_test(part, f"{place}.{joint}.{number}", depth - 1)


def _ids(values: Any) -> Iterator[str]:
    for value in values if isinstance(values, list) else ():
        if isinstance(value, str) and _IS_ID.fullmatch(value):
            yield value


def _all(named: Named) -> list[str]:
    return list(dict.fromkeys(one for ids in named.values() for one in ids))


def _ask_unknown(agent_ids: list[str], team_ids: list[str]) -> tuple[set[str], set[str]]:
    agents: set[str] = set()
    teams: set[str] = set()
    for start in range(0, max(len(agent_ids), len(team_ids)), MAX_ASKED):
        asked = slice(start, start + MAX_ASKED)
        unknown = call("presence", "find_unknown", agent_ids=agent_ids[asked], team_ids=team_ids[asked])
        agents.update(unknown["agent_ids"])
        teams.update(unknown["team_ids"])
    return agents, teams


def _faults(text: str, named: Named, unknown: Iterable[str]) -> dict[str, list[str]]:
    missing = {place: [one for one in dict.fromkeys(ids) if one in unknown] for place, ids in named.items()}
    return {place: [f"{text} {one}." for one in ids] for place, ids in missing.items() if ids}
