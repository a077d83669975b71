"""Who works here, as far as the desk has heard: agents and teams, whom they make eligible, and whom a wish may have. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from services.assignment.agents import Agent, Circle, Correction, Snapshot, Team, circle_of
from services.assignment.domain import Assignment


class Staff:
    """Agents with their loads, and teams. What is heard counts if its version is newer than what was known."""

    def __init__(self, agents: Iterable[Agent], teams: Iterable[Team], clock: Callable[[], datetime]) -> None:
        self.agents = {agent.id: agent for agent in agents}
        self.teams = {team.id: team for team in teams}
        self.corrections: list[Correction] = []
        self._clock = clock

    def learn(self, news: Snapshot) -> None:
        """Presence's newest word on an agent. One who comes to be present begins a shift."""
        known = self.agents.get(news.id) or Agent(news.id, news.name)
        if news.version <= known.presence_version:
            return
        agent = replace(known, presence_version=news.version, **news.changes())
        if agent.here:
            agent = replace(agent, disconnected_since=None)
        elif known.here or (known.active and not agent.active):
            # When it is heard of, not when it happened: what was given to the agent in between was not given to somebody known to be away.
            agent = replace(agent, disconnected_since=self._clock())
        if agent.present and not known.present:
            agent = replace(agent, shift=known.shift + 1)
        self.agents[news.id] = agent

    def learn_reachability(self, agent_id: str, version: int, *, reachable: bool) -> None:
        """Whether one of the agent's streams is open. May come before the first word on the agent itself."""
        known = self.agents.get(agent_id) or Agent(agent_id, agent_id)
        if version > known.reachability_version:
            self.agents[agent_id] = replace(known, reachable=reachable, reachability_version=version)

    def learn_team(self, news: Team) -> None:
        """A team as it now is, or that it was deleted."""
        known = self.teams.get(news.id)
        if known is None or news.version > known.version:
            self.teams[news.id] = news

    def recount(self, held: Mapping[str, int]) -> None:
        """Set the loads to the numbers of conversations that the agents really have."""
        for agent in list(self.agents.values()):
            actual = held.get(agent.id, 0)
            if agent.load != actual:
                self.corrections.append(Correction(agent.id, agent.load, actual))
                self.agents[agent.id] = replace(agent, load=actual)

    def eligible(self) -> list[Agent]:
        """Who could be given a conversation now, if it is one that they may have."""
        return [agent for agent in self.agents.values() if agent.obstacle() is None]

    def open_teams(self, eligible: Iterable[Agent]) -> list[str]:
        """The teams whose conversations one of these agents may have."""
        ids = {agent.id for agent in eligible}
        return [team.id for team in self.teams.values() if team.deleted or not team.members.isdisjoint(ids)]

    def circle(self, assignment: Assignment) -> Circle:
        """Who may be asked for a conversation."""
        return circle_of(assignment.allowed, assignment.team_id, assignment.passed, self.teams)

    def _take_on(self, agent_id: str, moment: datetime) -> Agent:
        """The agent with one conversation more."""
        agent = replace(self.agents[agent_id], load=self.agents[agent_id].load + 1, last_assigned_at=moment)
        self.agents[agent_id] = agent
        return agent

    def _let_go(self, agent_id: str) -> None:
        """One conversation less for the agent."""
        if (holder := self.agents.get(agent_id)) is not None:
            self.agents[agent_id] = replace(holder, load=max(0, holder.load - 1))
