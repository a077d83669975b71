"""The desk: where every change of an assignment is decided, one turn at a time, on what was loaded for it. Pure.

A turn is one command (a request, an archived conversation, a hand, news of an agent) and then `drain`, which serves the line
from its head. A request is a command that joins the line, so nobody overtakes: it gets an agent in the same turn exactly when
nobody ahead of it wants one of the agents that are free.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from services.assignment.choice import ORDERING, Choice, choose
from services.assignment.domain import (
    NORMAL_PRIORITY,
    WAIT,
    Action,
    Actor,
    Agent,
    Assignee,
    Assignment,
    Correction,
    Decision,
    Snapshot,
    State,
    Told,
    Wish,
)


class Desk:
    """What is at hand in one turn: all agents, the assignment in question and the head of the line."""

    def __init__(
        self,
        agents: Iterable[Agent],
        assignments: Iterable[Assignment],
        *,
        clock: Callable[[], datetime],
        draw: Callable[[], int],
    ) -> None:
        """`clock` gives a later moment at each call, so that "longest since" is one order over all turns; `draw` a seed."""
        self.agents = {agent.id: agent for agent in agents}
        self.assignments = {assignment.conversation_id: assignment for assignment in assignments}
        self.told: dict[str, Told] = {}
        self.corrections: list[Correction] = []
        self._clock = clock
        self._draw = draw
        self._asking: set[str] = set()

    def request(self, conversation_id: str, version: int, wish: Wish) -> None:
        """Join the line; one who is in it keeps the place, one who has an agent keeps the agent unless it is to be released."""
        current = self._hear(conversation_id, version, wish.channel_id, wish.contact_id)
        if current is None:
            return
        if current.state == "assigned":
            if not wish.release:
                self._tell_again(current)
                return
            self._free(current)
            current = replace(current, agent=None)
        in_line = current.state == "queued"
        self._put(
            replace(
                current,
                state="queued",
                requested_at=current.requested_at if in_line else wish.requested_at,
                requested_by=wish.requested_by,
                priority=current.priority if in_line else NORMAL_PRIORITY,
                strategy=wish.strategy,
                allowed=wish.allowed,
                unavailable=wish.unavailable,
            )
        )
        if in_line and wish.unavailable == WAIT:
            self._tell_again(current)
        else:
            self._asking.add(conversation_id)

    def close(self, conversation_id: str, version: int, channel_id: str, contact_id: str) -> None:
        """The conversation was archived: its agent is free of it."""
        unknown = conversation_id not in self.assignments
        current = self._hear(conversation_id, version, channel_id, contact_id)
        if current is None or current.state == "closed":
            return
        if unknown:  # remembered, so that an older request that comes late finds it closed
            self._put(replace(current, state="closed"))
            return
        self._leave(current, "closed", None, "archive", "The conversation was archived.")

    def take(self, conversation_id: str, version: int, channel_id: str, contact_id: str, taker: Assignee) -> None:
        """An agent wrote into a conversation that nobody had; if somebody has it by now, they keep it."""
        current = self._hear(conversation_id, version, channel_id, contact_id)
        if current is None:
            return
        if current.agent is not None:
            if current.agent.id != taker.id:
                self._tell_again(current)
            return
        agent = self.agents.setdefault(taker.id, Agent(taker.id, taker.name))
        actor = Actor("agent", taker.id, taker.name)
        self._give(current, agent, actor, "take", f"{taker.name} wrote into the conversation.")

    def give_back(self, conversation_id: str, version: int, channel_id: str, contact_id: str, actor: Actor) -> None:
        """The conversation is the bot's again."""
        current = self._hear(conversation_id, version, channel_id, contact_id)
        if current is not None and current.state in {"queued", "assigned"}:
            self._leave(current, "returned", actor, "return", f"Handed back to the bot by {actor.label}.")

    def assign(self, conversation_id: str, channel_id: str, contact_id: str, agent_id: str, actor: Actor) -> None:
        """By hand, to anyone, whatever their load; also reopens a closed assignment."""
        current = self.assignments.get(conversation_id) or Assignment(conversation_id, channel_id, contact_id)
        agent = self.agents[agent_id]
        if current.agent is not None and current.agent.id == agent_id:
            return
        if current.agent is not None:
            reason = f"Moved from {current.agent.name} to {agent.name} by {actor.label}."
        else:
            reason = f"Assigned to {agent.name} by {actor.label}."
        self._give(current, agent, actor, "manual", reason)

    def unassign(self, conversation_id: str, actor: Actor) -> None:
        """By hand: nobody has it, and it does not wait either."""
        current = self.assignments[conversation_id]
        if current.state in {"queued", "assigned"}:
            self._leave(current, "unassigned", actor, "manual", f"Unassigned by {actor.label}.")

    def learn(self, news: Snapshot) -> None:
        """Presence's newest word on an agent; older words change nothing."""
        known = self.agents.get(news.id) or Agent(news.id, news.name)
        if news.version > known.presence_version:
            self.agents[news.id] = replace(known, presence_version=news.version, **news.changes())

    def recount(self, held: Mapping[str, int]) -> None:
        """Set the loads to the numbers of conversations that the agents really have."""
        for agent in list(self.agents.values()):
            actual = held.get(agent.id, 0)
            if agent.load != actual:
                self.corrections.append(Correction(agent.id, agent.load, actual))
                self.agents[agent.id] = replace(agent, load=actual)

    def eligible(self) -> list[str]:
        """Who could be given a conversation now."""
        return [agent.id for agent in self.agents.values() if agent.obstacle() is None]

    def drain(self, line: Iterable[Assignment]) -> None:
        """Serve those in `line`, and whoever joined in this turn, in order; then say what becomes of those who asked."""
        for assignment in line:
            self.assignments.setdefault(assignment.conversation_id, assignment)
        waiting = sorted((place, key) for key, found in self.assignments.items() if (place := found.place) is not None)
        for _, conversation_id in waiting:
            if not self.eligible():
                break
            current = self.assignments[conversation_id]
            choice = choose(self.agents.values(), current, self._draw)
            if choice.winner is not None:
                self._give(current, choice.winner, current.requested_by, choice.strategy, choice.reason, choice)
        for conversation_id in sorted(self._asking):
            self._answer(self.assignments[conversation_id])
        self._asking.clear()

    def _answer(self, current: Assignment) -> None:
        if current.state != "queued":
            return
        choice = choose(self.agents.values(), current, self._draw)
        reason = choice.reason if choice.winner is None else "Others are ahead who ask for the same agents."
        if current.unavailable == WAIT:
            self._tell(current, "queued", current.requested_by, choice.strategy, reason, choice)
            return
        self._put(replace(current, state="unassigned", requested_at=None))
        self._tell(current, "unassigned", current.requested_by, choice.strategy, reason, choice)
        self.told[current.conversation_id] = replace(self.told[current.conversation_id], outcome="unavailable")

    def _hear(self, conversation_id: str, version: int, channel_id: str, contact_id: str) -> Assignment | None:
        """The assignment as it stands, having noted the conversation's version; None when that one is no news."""
        current = self.assignments.get(conversation_id) or Assignment(conversation_id, channel_id, contact_id)
        if version <= current.heard:
            return None
        current = replace(current, heard=version)
        self._put(current)
        return current

    def _give(
        self, current: Assignment, agent: Agent, actor: Actor | None, rule: str, reason: str, choice: Choice | None = None
    ) -> None:
        self._free(current)
        moment = self._clock()
        agent = replace(self.agents[agent.id], load=self.agents[agent.id].load + 1, last_assigned_at=moment)
        self.agents[agent.id] = agent
        self._put(replace(current, state="assigned", agent=agent.assignee, requested_at=None, priority=NORMAL_PRIORITY))
        self._tell(current, "assigned", actor, rule, reason, choice, agent.assignee, moment)

    def _leave(self, current: Assignment, action: Action, actor: Actor | None, rule: str, reason: str) -> None:
        self._free(current)
        state: State = "closed" if action == "closed" else "unassigned"
        self._put(replace(current, state=state, agent=None, requested_at=None, priority=NORMAL_PRIORITY))
        self._tell(current, action, actor, rule, reason)

    def _free(self, current: Assignment) -> None:
        if current.agent is not None and (holder := self.agents.get(current.agent.id)) is not None:
            self.agents[holder.id] = replace(holder, load=max(0, holder.load - 1))

    def _put(self, assignment: Assignment) -> None:
        self.assignments[assignment.conversation_id] = assignment

    def _tell(
        self,
        current: Assignment,
        action: Action,
        actor: Actor | None,
        rule: str,
        reason: str,
        choice: Choice | None = None,
        assignee: Assignee | None = None,
        moment: datetime | None = None,
    ) -> None:
        decision = Decision(
            action=action,
            at=moment or self._clock(),
            rule=rule,
            reason=reason,
            actor=actor,
            assignee=assignee,
            candidates=choice.candidates if choice else (),
            ordering=ORDERING[choice.strategy] if choice else (),
            seed=choice.seed if choice else None,
        )
        self.told[current.conversation_id] = Told("unassigned" if action == "returned" else action, decision)

    def _tell_again(self, current: Assignment) -> None:
        self.told[current.conversation_id] = Told(current.state)
