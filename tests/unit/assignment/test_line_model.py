"""Random days at the desk: whatever happens, in whatever order, the promises of the line hold after every turn."""

from collections.abc import Callable
from dataclasses import replace

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from services.assignment.desk import Desk
from services.assignment.domain import Agent, Assignee, Assignment, Decision, Snapshot
from tests.unit.assignment.builders import ALICE, a_wish, ticking

AGENTS = ("ann", "bob", "cyd", "dan")
SOME_AGENTS = st.none() | st.lists(st.sampled_from(AGENTS), min_size=1, max_size=3, unique=True).map(tuple)


class DayAtTheDesk(RuleBasedStateMachine):
    conversations = Bundle("conversations")

    def __init__(self) -> None:
        super().__init__()
        self.agents: dict[str, Agent] = {}
        self.assignments: dict[str, Assignment] = {}
        self.clock = ticking()
        self.versions: dict[str, int] = {}
        self.count = 0
        self.heads = 50

    def turn(self, command: Callable[[Desk], None], conversation_id: str | None = None) -> None:
        """As the store does it: the assignment at hand, the heads of the line, and further turns while there is more."""
        while True:
            at_hand = [self.assignments[conversation_id]] if conversation_id in self.assignments else []
            desk = Desk(self.agents.values(), at_hand, clock=self.clock, draw=lambda: self.count)
            command(desk)
            before = dict(desk.agents)
            eligible = set(desk.eligible())
            line = sorted((a for a in self.assignments.values() if a.place), key=lambda a: a.place or "")
            line = [a for a in line if a.allowed is None or eligible & set(a.allowed)][: self.heads] if eligible else []
            desk.drain(line)
            self.check_automatic(desk, before)
            self.agents = desk.agents
            self.assignments |= desk.assignments
            if not (len(line) == self.heads and desk.eligible()):
                return
            command, conversation_id = (lambda _: None), None

    def check_automatic(self, desk: Desk, before: dict[str, Agent]) -> None:
        for key, told in desk.told.items():
            made = told.decision
            if made is None or made.action != "assigned" or made.rule in {"manual", "take"}:
                continue
            assert made.assignee is not None
            winner = desk.agents[made.assignee.id]
            assert winner.load <= winner.capacity
            assert before[winner.id].obstacle(desk.assignments[key].allowed) is None
            self.check_order(desk, key, made)

    def check_order(self, desk: Desk, key: str, made: Decision) -> None:
        """Nobody who waited ahead, and still waits, would have taken this agent."""
        was = self.assignments.get(key)
        place = was.place if was is not None and was.place else self.asked_place(key)
        assert made.assignee is not None
        for other in (self.assignments | desk.assignments).values():
            if other.place is not None and other.place < place:
                assert other.allowed is not None
                assert made.assignee.id not in other.allowed

    def asked_place(self, key: str) -> str:
        return replace(self.fresh, conversation_id=key).place or ""

    def version(self, key: str, stale: bool) -> int:
        if not stale:
            self.versions[key] = self.versions.get(key, 0) + 1
        return self.versions.get(key, 1)

    @rule(
        name=st.sampled_from(AGENTS),
        connected=st.booleans(),
        available=st.booleans(),
        capacity=st.integers(0, 3),
        late=st.booleans(),
    )
    def presence(self, name: str, connected: bool, available: bool, capacity: int, late: bool) -> None:
        known = self.agents.get(name)
        version = (known.presence_version if known else 0) + (0 if late and known else 1)
        news = Snapshot(name, name.title(), "agent", connected, "available" if available else "busy", capacity, True, version)
        self.turn(lambda desk: desk.learn(news))

    @rule(target=conversations, number=st.integers(1, 4), allowed=SOME_AGENTS, strategy=st.sampled_from(["least_busy", "random"]))
    def burst(self, number: int, allowed: tuple[str, ...] | None, strategy: str) -> object:
        keys = [f"c{self.count + offset:04}" for offset in range(number)]
        for key in keys:
            self.request(key, stale=False, allowed=allowed, strategy=strategy, unavailable="wait", late=0, release=False)
        return multiple(*keys)

    @rule(
        key=conversations,
        stale=st.booleans(),
        allowed=SOME_AGENTS,
        strategy=st.sampled_from(["least_busy", "round_robin", "random"]),
        unavailable=st.sampled_from(["wait", "bye"]),
        late=st.integers(0, 5),
        release=st.booleans(),
    )
    def request(
        self, key: str, stale: bool, allowed: tuple[str, ...] | None, strategy: str, unavailable: str, late: int, release: bool
    ) -> None:
        self.count += 1
        wish = a_wish(self.count - late, strategy=strategy, allowed=allowed, unavailable=unavailable, release=release)
        self.fresh = Assignment(key, "channel", "contact", "queued", requested_at=wish.requested_at)
        version = self.version(key, stale)
        self.turn(lambda desk: desk.request(key, version, wish), key)

    @rule(key=conversations, stale=st.booleans())
    def archive(self, key: str, stale: bool) -> None:
        version = self.version(key, stale)
        self.turn(lambda desk: desk.close(key, version, "channel", "contact"), key)

    @rule(key=conversations, stale=st.booleans(), name=st.sampled_from(AGENTS))
    def take(self, key: str, stale: bool, name: str) -> None:
        version = self.version(key, stale)
        self.turn(lambda desk: desk.take(key, version, "channel", "contact", Assignee(name, name.title())), key)

    @rule(key=conversations, stale=st.booleans())
    def give_back(self, key: str, stale: bool) -> None:
        version = self.version(key, stale)
        self.turn(lambda desk: desk.give_back(key, version, "channel", "contact", ALICE), key)

    @rule(key=conversations, name=st.sampled_from(AGENTS))
    def assign(self, key: str, name: str) -> None:
        if name in self.agents:
            self.turn(lambda desk: desk.assign(key, "channel", "contact", name, ALICE), key)

    @rule(key=conversations)
    def unassign(self, key: str) -> None:
        self.turn(lambda desk: desk.unassign(key, ALICE), key)

    @rule(heads=st.sampled_from([1, 2, 50]))
    def shorten_the_view_of_the_line(self, heads: int) -> None:
        self.heads = heads

    @invariant()
    def loads_equal_assignments(self) -> None:
        held = [a.agent.id for a in self.assignments.values() if a.agent is not None]
        assert {name: agent.load for name, agent in self.agents.items()} == {name: held.count(name) for name in self.agents}
        assert set(held) <= set(self.agents)

    @invariant()
    def nobody_eligible_idles_while_someone_waits_for_them(self) -> None:
        for waiting in self.assignments.values():
            if waiting.place is not None:
                assert [a.id for a in self.agents.values() if a.obstacle(waiting.allowed) is None] == []

    @invariant()
    def states_are_whole(self) -> None:
        for assignment in self.assignments.values():
            assert (assignment.state == "assigned") == (assignment.agent is not None)
            assert (assignment.state == "queued") == (assignment.place is not None)


TestDayAtTheDesk = DayAtTheDesk.TestCase
TestDayAtTheDesk.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
