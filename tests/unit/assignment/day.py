"""A day at the desk as the store would run it, with the promises of the line checked after every turn."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from services.assignment.agents import Agent, Team, circle_of
from services.assignment.choice import STRATEGIES
from services.assignment.desk import Desk
from services.assignment.domain import Assignment, Decision
from tests.unit.assignment.builders import START, reader

MANY_TURNS = 200


def order(waiting: Assignment) -> tuple[bool, int, datetime, str]:
    """Returned ones first, in the order of their return; then by priority, then by time."""
    assert waiting.requested_at is not None
    rank = 0 if waiting.returned else waiting.priority
    return not waiting.returned, rank, waiting.requested_at, waiting.conversation_id


class Day:
    """What is stored, and the turns that change it. `heads` is the length of a page of the line."""

    def __init__(self) -> None:
        self.agents: dict[str, Agent] = {}
        self.teams: dict[str, Team] = {}
        self.assignments: dict[str, Assignment] = {}
        self.now = START
        self.heads = 50
        self.passed: set[tuple[str, str, int]] = set()  # conversations, agents who let them pass, and in which shift
        self.shifts: Counter[str] = Counter()
        self.more = False
        self.interrupted = False  # another replica's turns come before those that should follow at once
        self.asked: Assignment | None = None  # one that a request of this turn would put in line

    def tick(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def turn(self, command: Callable[[Desk], None], *conversation_ids: str) -> Desk:
        """The command's turn and those that follow at once; what the command raises undoes it."""
        first = desk = self.take_turn(command, conversation_ids)[0]
        for _ in range(MANY_TURNS):
            if not self.more or self.interrupted:
                return first
            desk, _ = self.take_turn(lambda _: None, ())
            assert any(told.outcome == "assigned" for told in desk.told.values()) or not self.more
        raise AssertionError("the line is never done")

    def take_turn(self, command: Callable[[Desk], None], conversation_ids: tuple[str, ...]) -> tuple[Desk, bool]:
        at_hand = [self.assignments[key] for key in conversation_ids if key in self.assignments]
        desk = Desk(self.agents.values(), at_hand, teams=self.teams.values(), clock=self.tick, draw=lambda: len(self.assignments))
        command(desk)
        before = dict(desk.agents)
        self.more = desk.drain(reader(desk, dict(self.assignments), self.heads))
        for key, told in desk.told.items():
            for decision in told.decisions:
                self.check(desk, key, decision, before)
        self.check_unavailable(desk)
        self.agents, self.teams = desk.agents, desk.teams
        self.assignments |= desk.assignments
        self.asked = None
        return desk, self.more

    def check(self, desk: Desk, key: str, made: Decision, before: dict[str, Agent]) -> None:
        if made.rule == "agent_silent":
            holder = self.assignments[key].agent
            assert holder is not None
            self.passed.add((key, holder.id, self.shifts[holder.id]))
        if made.action != "assigned":
            return
        assert made.assignee is not None
        winner = desk.agents[made.assignee.id]
        if made.rule not in STRATEGIES:  # whom a hand chose, or who wrote, did not let it pass after all
            self.passed.discard((key, winner.id, self.shifts[winner.id]))
            return
        assert winner.active
        assert winner.connected
        assert winner.reachable
        assert winner.availability == "available"
        assert before[winner.id].load < winner.load <= winner.capacity
        assert (key, winner.id, self.shifts[winner.id]) not in self.passed
        assert desk.circle(desk.assignments[key]).exclusion(winner.id) is None
        self.check_order(desk, key, winner)

    def check_order(self, desk: Desk, key: str, winner: Agent) -> None:
        """Nobody who stood ahead, and still waits, would have taken this agent."""
        stood = order(self.standing(desk, key))
        for other in (self.assignments | desk.assignments).values():
            if other.state == "queued" and order(other) < stood:
                assert not desk.circle(other).holds(winner), (key, other.conversation_id)

    def standing(self, desk: Desk, key: str) -> Assignment:
        """How one stood in line that was given to an agent in this turn."""
        was = self.assignments.get(key)
        if was is not None and was.state == "queued":
            return was
        if earlier := desk.told[key].earlier:
            assert earlier[-1].action == "requeued"
            return replace(desk.assignments[key], requested_at=earlier[-1].at, returned=True)
        assert self.asked is not None
        return self.asked

    def check_unavailable(self, desk: Desk) -> None:
        """Who would not wait is sent away only when nobody could take it."""
        for key, told in desk.told.items():
            if told.outcome == "unavailable":
                assert self.asked is not None
                assert key == self.asked.conversation_id
                circle = desk.circle(self.asked)
                assert [agent.id for agent in desk.agents.values() if agent.obstacle(circle) is None] == []

    def check_loads(self) -> None:
        held = [a.agent.id for a in self.assignments.values() if a.agent is not None]
        assert {name: agent.load for name, agent in self.agents.items()} == {name: held.count(name) for name in self.agents}
        assert set(held) <= set(self.agents)

    def check_nobody_idles(self) -> None:
        for waiting in self.assignments.values():
            if waiting.place is not None and not self.more:
                circle = circle_of(waiting.allowed, waiting.team_id, waiting.passed, self.teams)
                assert [agent.id for agent in self.agents.values() if agent.obstacle(circle) is None] == []

    def check_states(self) -> None:
        for found in self.assignments.values():
            assert (found.state == "assigned") == (found.agent is not None) == (found.assigned_at is not None)
            assert (found.state == "queued") == (found.place is not None) == (found.requested_at is not None)
            assert found.state == "queued" or not found.returned
            assert found.state == "assigned" or found.silent_since is None
