"""Random days at the desk: whatever happens, in whatever order, the promises of the line hold after every turn."""

from dataclasses import replace
from datetime import timedelta

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from services.assignment.agents import Assignee, Snapshot, Team
from services.assignment.desk import Desk
from services.assignment.domain import UNCHECKED, Assignment, Wish
from services.assignment.reassignment import Terms, find_overdue
from services.common.errors import Conflict
from tests.unit.assignment.builders import ALICE, BOT, a_wish
from tests.unit.assignment.day import Day

AGENTS = ("ann", "bob", "cyd", "dan")
TEAMS = ("sales", "support")
IDS = ("channel", "contact")
NAMES = st.sampled_from(AGENTS)
SEVERAL = st.lists(NAMES, min_size=1, max_size=3, unique=True).map(tuple)
# Whom a wish is for: mostly anybody, or named agents, or a team, one of which is never heard of.
NO_CIRCLE: dict[str, object] = {}
CIRCLES: st.SearchStrategy[dict[str, object]] = st.one_of(
    st.just(NO_CIRCLE),
    st.just(NO_CIRCLE),
    st.builds(dict, allowed=SEVERAL),
    st.builds(dict, team=st.sampled_from([*TEAMS, "unheard"])),
)
WISHES = st.builds(
    lambda circle, strategy, priority: {"strategy": strategy, "priority": priority, **circle},
    CIRCLES,
    st.sampled_from(["least_busy", "round_robin", "random"]),
    st.sampled_from(["normal", "normal", "normal", "high", "low"]),
)
STALE = st.sampled_from([False, False, False, False, True])  # an event that comes late, or again
TERMS = Terms(disconnected_after=timedelta(seconds=60), unanswered_after=timedelta(seconds=300))


class DayAtTheDesk(RuleBasedStateMachine):
    conversations = Bundle("conversations")

    def __init__(self) -> None:
        super().__init__()
        self.day = Day()
        self.versions: dict[str, int] = {}

    def version(self, key: str, stale: bool = False) -> int:
        if not stale:
            self.versions[key] = self.versions.get(key, 0) + 1
        return self.versions.get(key, 1)

    @initialize(
        target=conversations,
        present=st.lists(NAMES, min_size=1, max_size=3, unique=True),
        capacity=st.integers(1, 2),
        members=SEVERAL,
        wishes=st.lists(WISHES, min_size=2, max_size=6),
        heads=st.sampled_from([1, 2, 50]),
        interrupted=st.booleans(),
    )
    def open_the_office(
        self,
        present: list[str],
        capacity: int,
        members: tuple[str, ...],
        wishes: list[dict[str, object]],
        heads: int,
        interrupted: bool,
    ) -> object:
        self.shorten_the_view_of_the_line(heads, interrupted)
        for name in present:
            self.presence(name, connected=True, available=True, active=True, capacity=capacity, late=False)
            self.reachability(name, reachable=True, late=False)
        self.team("sales", members, deleted=False, late=False)
        return multiple(*(self.ask_anew(wish) for wish in wishes))

    # Presence

    @rule(
        name=NAMES,
        connected=st.booleans(),
        available=st.booleans(),
        active=st.sampled_from([True, True, True, False]),
        capacity=st.integers(0, 3),
        late=STALE,
    )
    def presence(self, name: str, connected: bool, available: bool, active: bool, capacity: int, late: bool) -> None:
        version = self.version(name, late)
        availability = "available" if available else "busy"
        known = self.day.agents.get(name)
        if active and connected and available and (known is None or (version > known.presence_version and not known.present)):
            self.day.shifts[name] += 1
        news = Snapshot(name, name.title(), "agent", connected, availability, capacity, active, version)
        self.day.turn(lambda desk: desk.learn(news))

    @rule(name=NAMES, capacity=st.integers(0, 3))
    def change_capacity(self, name: str, capacity: int) -> None:
        if (known := self.day.agents.get(name)) is not None:
            self.presence(name, known.connected, known.availability == "available", known.active, capacity=capacity, late=False)

    @rule(name=NAMES, works=st.booleans())
    def arrive_or_go(self, name: str, works: bool) -> None:
        self.presence(name, connected=works, available=True, active=True, capacity=3, late=False)
        self.reachability(name, reachable=works, late=False)

    @rule(name=NAMES, reachable=st.booleans(), late=STALE)
    def reachability(self, name: str, reachable: bool, late: bool) -> None:
        version = self.version(f"reach {name}", late)
        self.day.turn(lambda desk: desk.learn_reachability(name, version, reachable=reachable))

    @rule(name=st.sampled_from(TEAMS), members=SEVERAL | st.just(()), deleted=st.booleans(), late=STALE)
    def team(self, name: str, members: tuple[str, ...], deleted: bool, late: bool) -> None:
        news = Team(name, name, frozenset() if deleted else frozenset(members), deleted, self.version(name, late))
        self.day.turn(lambda desk: desk.learn_team(news))

    # Conversations

    def ask(self, key: str, version: int, wish: Wish) -> None:
        self.day.asked = Assignment(
            key,
            *IDS,
            "queued",
            requested_at=wish.requested_at,
            priority=wish.priority,
            allowed=wish.allowed,
            team_id=wish.team_id,
        )
        if (known := self.day.assignments.get(key)) is not None:
            self.day.asked = replace(self.day.asked, passed=known.passed)
        self.day.turn(lambda desk: desk.request(key, version, wish), key)

    def ask_anew(self, wish: dict[str, object], unavailable: str = "wait") -> str:
        key = f"c{len(self.versions):04}"
        self.request(key, stale=False, wish=wish, unavailable=unavailable, late=0, release=False)
        return key

    @rule(target=conversations, number=st.integers(2, 6), wish=WISHES)
    def burst(self, number: int, wish: dict[str, object]) -> object:
        return multiple(*(self.ask_anew(wish) for _ in range(number)))

    @rule(target=conversations, wish=WISHES)
    def ask_without_waiting(self, wish: dict[str, object]) -> str:
        return self.ask_anew(wish, "bye")

    @rule(
        key=conversations,
        stale=STALE,
        wish=WISHES,
        unavailable=st.sampled_from(["wait", "bye"]),
        late=st.integers(0, 5),
        release=st.booleans(),
    )
    def request(self, key: str, stale: bool, wish: dict[str, object], unavailable: str, late: int, release: bool) -> None:
        asked = a_wish(unavailable=unavailable, release=release, **wish)  # type: ignore[arg-type]
        self.ask(key, self.version(key, stale), replace(asked, requested_at=self.day.tick() - timedelta(seconds=late)))

    @rule(key=conversations, stale=STALE)
    def archive(self, key: str, stale: bool) -> None:
        version = self.version(key, stale)
        self.day.turn(lambda desk: desk.close(key, version, *IDS), key)

    @rule(key=conversations, stale=STALE, name=NAMES)
    def take(self, key: str, stale: bool, name: str) -> None:
        version = self.version(key, stale)
        self.day.turn(lambda desk: desk.take(key, version, *IDS, Assignee(name, name.title())), key)

    @rule(key=conversations, stale=STALE)
    def give_back(self, key: str, stale: bool) -> None:
        version = self.version(key, stale)
        self.day.turn(lambda desk: desk.give_back(key, version, *IDS, ALICE), key)

    @rule(key=conversations, stale=STALE)
    def visitor_writes(self, key: str, stale: bool) -> None:
        version, at = self.version(key, stale), self.day.tick()
        self.day.turn(lambda desk: desk.hear_awaited(key, version, *IDS, at), key)

    @rule(key=conversations, stale=STALE, name=NAMES)
    def agent_answers(self, key: str, stale: bool, name: str) -> None:
        version = self.version(key, stale)
        self.day.turn(lambda desk: desk.hear_answer(key, version, *IDS, Assignee(name, name.title())), key)

    @rule(name=NAMES)
    def agent_answers_what_was_returned(self, name: str) -> None:
        for key, found in list(self.day.assignments.items()):
            if found.returned:
                self.agent_answers(key, stale=False, name=name)
                assert self.day.assignments[key].state == "assigned"
                return

    @rule(key=conversations, seen=st.booleans())
    def visitor_leaves(self, key: str, seen: bool) -> None:
        moment = self.day.tick()
        self.day.turn(lambda desk: desk.leave(key, BOT) if seen else desk.leave_absent(key, moment), key)

    @rule(target=conversations, name=NAMES, wishes=st.lists(WISHES, min_size=3, max_size=3), late=WISHES, waits=st.booleans())
    def ask_while_the_line_is_being_served(
        self, name: str, wishes: list[dict[str, object]], late: dict[str, object], waits: bool
    ) -> object:
        heads, interrupted = self.day.heads, self.day.interrupted
        self.arrive_or_go(name, works=False)
        waiting = [self.ask_anew(wish) for wish in wishes]
        self.shorten_the_view_of_the_line(1, True)
        self.arrive_or_go(name, works=True)
        waiting.append(self.ask_anew(late, "wait" if waits else "bye"))
        self.shorten_the_view_of_the_line(heads, interrupted)
        return multiple(*waiting)

    # Hands

    @rule(key=conversations, name=NAMES, expected=st.sampled_from([UNCHECKED, UNCHECKED, None, *AGENTS]))
    def assign(self, key: str, name: str, expected: str | None) -> None:
        if name not in self.day.agents:
            return
        before = dict(self.day.assignments)
        agent = before[key].agent
        has = agent.id if agent else None
        try:
            self.day.turn(lambda desk: desk.assign(key, *IDS, name, ALICE, expected=expected), key)
        except Conflict:
            assert expected not in {UNCHECKED, has}
            assert has != name
            assert self.day.assignments == before
        else:
            assert has == name or expected in {UNCHECKED, has}
            now = self.day.assignments[key].agent
            assert now is not None
            assert now.id == name

    @rule(key=conversations)
    def unassign(self, key: str) -> None:
        self.day.turn(lambda desk: desk.unassign(key, ALICE), key)
        assert self.day.assignments[key].state in {"unassigned", "closed"}

    # Time

    @rule(seconds=st.sampled_from([20, 70, 310]))
    def time_passes(self, seconds: int) -> None:
        self.day.now += timedelta(seconds=seconds)
        moment = self.day.now
        held = [key for key, found in self.day.assignments.items() if found.state == "assigned"]

        def requeue_all(desk: Desk) -> None:
            for key in held:
                desk.requeue(key, TERMS, moment)

        self.day.turn(requeue_all, *held)
        for key, found in self.day.assignments.items():
            if found.agent is not None:
                assert find_overdue(found, self.day.agents[found.agent.id], TERMS, moment) is None, key

    @rule(name=NAMES, seconds=st.sampled_from([70, 310]), leaves=st.booleans(), comes_back=st.booleans())
    def agent_lets_all_wait(self, name: str, seconds: int, leaves: bool, comes_back: bool) -> None:
        for key, found in list(self.day.assignments.items()):
            if found.agent is not None and found.agent.id == name:
                self.visitor_writes(key, stale=False)
        if leaves:
            self.arrive_or_go(name, works=False)
        self.time_passes(seconds)
        if leaves and comes_back:
            self.arrive_or_go(name, works=True)
        elif not leaves:
            self.change_capacity(name, 3)

    @rule(heads=st.sampled_from([1, 2, 50]), interrupted=st.booleans())
    def shorten_the_view_of_the_line(self, heads: int, interrupted: bool) -> None:
        self.day.heads, self.day.interrupted = heads, interrupted

    @invariant()
    def loads_equal_assignments(self) -> None:
        self.day.check_loads()

    @invariant()
    def nobody_eligible_idles_while_someone_waits_for_them(self) -> None:
        self.day.check_nobody_idles()

    @invariant()
    def states_are_whole(self) -> None:
        self.day.check_states()


TestDayAtTheDesk = DayAtTheDesk.TestCase
TestDayAtTheDesk.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
