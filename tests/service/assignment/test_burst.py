"""Two hundred requests at once over ten agents of capacity four and three replicas; also while the replicas are killed."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from deploy.local.process import ChildProcess
from services.common.rpc_client import RpcClient
from services.common.times import now
from services.common.topology import event_queue
from tests.service.assignment.office import BOT, CHANNEL, CONTACT, Office, conversations
from tests.support.events import Announcer, Collector, event_message
from tests.support.stack import Stack
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

Document = dict[str, Any]
AGENTS = [f"agent{number}" for number in range(10)]
CAPACITY = 4
REQUESTS = 200
PLACES = len(AGENTS) * CAPACITY
ARCHIVED = 20
TOLD = 50  # who waits further back is not told of every step
# A replica that starts again takes a second or two, and one that died in its turn holds the others up for one.
SETTLED_SECONDS = 120


class Replicas:
    """Three processes of the service, each to be killed and started again."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.processes = [stack.services["assignment"]]
        self.processes += [stack.start_service("assignment", instance=f"assignment-{number}") for number in (2, 3)]

    def wait_consuming(self) -> None:
        """Until all three are given events."""
        self._wait_queue("consumers", 3)

    def wait_handled(self) -> None:
        """Until no event is under way, be it one that a killed replica had and that is delivered again."""
        self._wait_queue("messages", 0)

    def crash(self, number: int) -> None:
        """SIGKILL to one, which is started again at once."""
        process = self.processes[number]
        process.kill()
        process.start()

    def stop(self) -> None:
        """End those that were added."""
        for process in self.processes[1:]:
            process.stop()

    def _wait_queue(self, what: str, count: int) -> None:
        line = f"{event_queue('assignment')}\t{count}"
        control = self._stack.broker.control
        wait_until(
            lambda: line in control("list_queues", "--no-table-headers", "name", what).splitlines(),
            SETTLED_SECONDS,
            what=f"{count} {what} of the event queue",
            interval=0.2,
        )


class Burst:
    """The requests, told at once, and what came of them."""

    def __init__(self, office: Office, announcer: Announcer, collector: Collector) -> None:
        self.office = office
        self.ids = conversations(REQUESTS)
        self._announcer = announcer
        self._collector = collector

    def hire(self) -> None:
        """The agents, connected by a live stream."""
        self.office.hire(*AGENTS, capacity=CAPACITY)
        for name in AGENTS:
            data = {"agent_id": name, "reachable": True}
            entity = ("agent", name, self.office.agents[name]["version"])
            self._announcer.publish("presence", "agent_reachability_changed", data, entity=entity)

    def request(self) -> None:
        """All of them, a millisecond apart."""
        begin = now()
        self._announcer.publish_together(
            [self._requested(key, begin + timedelta(milliseconds=number)) for number, key in enumerate(self.ids)]
        )

    def archive(self, keys: list[str]) -> None:
        """All of these at once."""
        self._announcer.publish_together([self._archived(key) for key in keys])

    def wait_count(self, enough: int, *states: str) -> None:
        """Until so many are in these states."""
        query = {"state": {"$in": states}}
        found = self.office.database.assignments
        wait_until(
            lambda: found.count_documents(query) >= enough, SETTLED_SECONDS, what=f"{enough} that are {' or '.join(states)}"
        )

    def held(self) -> list[str]:
        """Those that an agent has."""
        return [found["_id"] for found in self.office.database.assignments.find({"state": "assigned"}).sort("_id", 1)]

    def line(self) -> list[tuple[str, int]]:
        """Those who wait and their positions, as agents are shown them, page after page."""
        shown: list[tuple[str, int]] = []
        cursor = None
        while True:
            page = self.office.rpc.call("assignment", "list_queue", limit=100, cursor=cursor)
            shown += [(item["conversation_id"], item["position"]) for item in page["items"]]
            if (cursor := page["next_cursor"]) is None:
                return shown

    def decisions(self) -> list[Document]:
        """Every recorded decision, in the order of the turns in which they were made."""
        return list(self.office.database.decisions.find().sort("at", 1))

    def told(self, kind: str) -> list[Document]:
        """The events of a type that this burst caused."""
        ours = {*self.ids, *AGENTS}
        since = min(decision["at"] for decision in self.decisions())

        def is_ours(event: Document) -> bool:
            return event["entity"]["id"] in ours and datetime.fromisoformat(event["at"]) >= since

        return self._collector.found(kind, is_ours)

    def _requested(self, key: str, at: datetime) -> Any:
        data: Document = {"conversation_id": key, "channel_id": CHANNEL, "contact_id": CONTACT, "requested_by": BOT}
        data |= {"strategy": None, "agents": None, "team_id": None, "priority": "normal", "unavailable": "wait"}
        return event_message(
            "messaging", "assignment_requested", data, entity=("conversation", key, 1), contact_id=CONTACT, at=at
        )

    def _archived(self, key: str) -> Any:
        data = {"id": key, "status": "archived", "channel": {"id": CHANNEL}, "contact": {"id": CONTACT}}
        return event_message("messaging", "conversation_archived", data, entity=("conversation", key, 2), contact_id=CONTACT)


@pytest.fixture
def burst(office: Office, announcer: Announcer, collector: Collector) -> Burst:
    burst = Burst(office, announcer, collector)
    burst.hire()
    return burst


@pytest.fixture
def replicas(stack: Stack, office: Office, service: Callable[[str], ChildProcess], rpc: RpcClient) -> Iterator[Replicas]:
    replicas = Replicas(stack)
    try:
        replicas.wait_consuming()
        yield replicas
    finally:
        replicas.stop()
        service("assignment")


def test_exactly_the_capacity_is_used_and_the_line_keeps_its_order_when_200_ask_three_replicas_at_once(
    burst: Burst, replicas: Replicas
) -> None:
    burst.request()
    held, line = check_capacity(burst)

    burst.archive(held[:ARCHIVED])

    check_served(burst, held, line)
    replicas.wait_handled()
    check_books(burst)


def test_nothing_is_lost_doubled_or_overtaken_when_replicas_are_killed_in_the_burst(burst: Burst, replicas: Replicas) -> None:
    burst.request()
    for number, progress in enumerate((10, 50, 90, 130)):
        burst.wait_count(progress, "assigned", "queued")
        replicas.crash(number % 3)
    held, line = check_capacity(burst)

    burst.archive(held[:ARCHIVED])
    burst.wait_count(ARCHIVED // 4, "closed")
    replicas.crash(1)

    check_served(burst, held, line)
    replicas.wait_handled()
    check_books(burst)


def check_capacity(burst: Burst) -> tuple[list[str], list[str]]:
    """Once all are decided 40 have an agent, 4 each; the other 160 wait in the order of their requests."""
    burst.wait_count(REQUESTS, "assigned", "queued")
    burst.wait_count(PLACES, "assigned")
    held = burst.held()
    waiting = [key for key in burst.ids if key not in set(held)]
    assert (len(held), len(waiting)) == (PLACES, REQUESTS - PLACES)
    assert burst.line() == [(key, position) for position, key in enumerate(waiting, 1)]
    check_loads(burst)
    return held, waiting


def check_served(burst: Burst, held: list[str], line: list[str]) -> None:
    """Once served, the first 20 of the line, one after the other, have the places that became free; the others moved forward."""
    burst.wait_count(ARCHIVED, "closed")
    burst.wait_count(PLACES, "assigned")
    assert set(burst.held()) == {*held[ARCHIVED:], *line[:ARCHIVED]}
    given = [decision["conversation_id"] for decision in burst.decisions() if decision["action"] == "assigned"]
    assert given[PLACES:] == line[:ARCHIVED]
    assert burst.line() == [(key, position) for position, key in enumerate(line[ARCHIVED:], 1)]
    check_loads(burst)


def check_loads(burst: Burst) -> None:
    """Each agent is full by the service's count, and by counting what it has."""
    groups = burst.office.database.assignments.aggregate(
        [{"$match": {"state": "assigned"}}, {"$group": {"_id": "$agent.id", "held": {"$sum": 1}}}]
    )
    full = dict.fromkeys(AGENTS, CAPACITY)
    assert {group["_id"]: group["held"] for group in groups} == full
    assert {name: burst.office.load(name) for name in AGENTS} == full


def check_books(burst: Burst) -> None:
    """What is recorded is what happened, and what was told of it is what is recorded."""
    decisions = burst.decisions()
    replay(decisions)
    wait_until(lambda: {d["_id"] for d in decisions} == told_decisions(burst), SETTLED_SECONDS, what="an event for each decision")
    check_told_positions(burst)
    check_told_loads(burst)


def replay(decisions: list[Document]) -> None:
    """One change after the other: each seen with the loads that the earlier ones made, none above the capacity or on top of another."""
    assert len({decision["at"] for decision in decisions}) == len(decisions)
    loads: Counter[str] = Counter()
    holders: dict[str, str] = {}
    seqs: Counter[str] = Counter()
    for decision in decisions:
        key, action = decision["conversation_id"], decision["action"]
        seqs[key] += 1
        assert decision["seq"] == seqs[key]
        seen = {candidate["agent_id"]: candidate["load"] for candidate in decision["candidates"]}
        assert seen == {name: loads[name] for name in seen}
        if action == "assigned":
            winner = min((c for c in decision["candidates"] if c["eligible"]), key=lambda candidate: candidate["rank"])
            assert (winner["agent_id"], winner["load"]) == (decision["assignee"]["id"], min(seen.values()))
            assert key not in holders
            holders[key] = winner["agent_id"]
            loads[winner["agent_id"]] += 1
            assert loads[winner["agent_id"]] <= CAPACITY
        elif action == "queued":
            assert seqs[key] == 1
            assert not any(candidate["eligible"] for candidate in decision["candidates"])
        else:
            assert action == "closed"
            loads[holders.pop(key)] -= 1
    assert Counter(holders.values()) == dict.fromkeys(AGENTS, CAPACITY)


def told_decisions(burst: Burst) -> set[str]:
    """The decisions that were told; the same one again when its first telling was not noted in time."""
    return {event["data"]["decision"]["id"] for event in burst.told("assignment_changed") if event["data"]["decision"]}


def newest(events: list[Document]) -> dict[str, Document]:
    """The data of the newest event of each entity: what a consumer ends with."""
    last: dict[str, Document] = {}
    for event in sorted(events, key=lambda event: event["entity"]["version"]):
        last[event["entity"]["id"]] = event["data"]
    return last


def check_told_positions(burst: Burst) -> None:
    """Whoever listens knows the place of each of the first 50."""
    line = burst.line()[:TOLD]

    def all_know() -> bool:
        known = newest(burst.told("assignment_changed"))
        return [(key, known[key]["queue_position"]) for key, _ in line] == line

    wait_until(all_know, SETTLED_SECONDS, what="the positions of the first in line")


def check_told_loads(burst: Burst) -> None:
    """What presence ends with is what is so, and at no time was it more than the capacity."""

    def full() -> bool:
        known = newest(burst.told("agent_load_changed"))
        return {name: data["active_conversations"] for name, data in known.items()} == dict.fromkeys(AGENTS, CAPACITY)

    wait_until(full, SETTLED_SECONDS, what="the loads that presence hears")
    assert max(event["data"]["active_conversations"] for event in burst.told("agent_load_changed")) == CAPACITY
