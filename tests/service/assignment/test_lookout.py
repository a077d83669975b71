"""What the timer looks for, asked of a database of its own: exact, and of indexes alone."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.assignment.agents import Assignee
from services.assignment.documents import agent_values, assignment_values
from services.assignment.domain import Assignment
from services.assignment.lookout import BATCH, LONGEST_GAP, SEEN_ANEW
from services.assignment.reassignment import Terms, find_overdue
from services.assignment.store import AssignmentStore
from tests.support.relay import NoRelay
from tests.support.stack import Stack
from tests.unit.assignment.builders import a_waiting, an_agent, moment


class Records:
    """A database with agents, channels and assignments as a test wants them."""

    def __init__(self, store: AssignmentStore) -> None:
        self.lookout = store.lookout
        self.database = store.database
        self.agents = {
            "ann": an_agent("ann", load=9),
            "left": an_agent("left", load=9, connected=False, gone_since=moment(100)),
            "away": an_agent("away", load=9, connected=False, gone_since=moment(-50)),
        }
        for agent in self.agents.values():
            self.database.agents.insert_one({"_id": agent.id} | agent_values(agent))

    def channel(self, name: str, left: int | None, silent: int | None, kind: str | None = "web", version: int = 1) -> None:
        values = {"kind": kind, "disconnected_after_seconds": left, "unanswered_after_seconds": silent}
        self.lookout.follow_channel(name, version, values)

    def assigned(self, name: str, agent: str, channel: str, *, at: float, awaiting: float | None) -> Assignment:
        found = Assignment(
            name,
            channel,
            "contact",
            "assigned",
            Assignee(agent, agent),
            assigned_at=moment(at),
            awaiting_since=None if awaiting is None else moment(awaiting),
        )
        self.database.assignments.insert_one({"_id": name} | assignment_values(found))
        return found

    def waiting(self, name: str, channel: str, seen: float) -> None:
        found = a_waiting(name, seen, visitor_seen_at=moment(seen))
        values = assignment_values(found) | {"channel_id": channel, "contact_id": f"c-{name}"}
        self.database.assignments.insert_one({"_id": name} | values)

    def note(self, *contacts: str, at: float) -> None:
        self.lookout.note_visitors(contacts, moment(at))

    def absent(self, at: float, absence: float = 120) -> list[str]:
        return sorted(self.lookout.find_absent(moment(at), timedelta(seconds=absence))[0])


@pytest.fixture
def records(stack: Stack) -> Iterator[Records]:
    database = stack.mongo("lookout")
    database.client.drop_database(database.name)
    store = AssignmentStore(database, NoRelay())
    store.ensure_indexes()
    yield Records(store)
    database.client.drop_database(database.name)


def test_it_finds_exactly_what_is_overdue_whatever_the_channels_want(records: Records) -> None:
    patience: dict[str, tuple[int | None, int | None]] = {
        "usual": (60, 300),
        "strict": (10, 20),
        "calm": (600, 3000),
        "off": (None, None),
        "left_only": (60, None),
        "silent_only": (None, 300),
    }
    for name, (left, silent) in patience.items():
        records.channel(name, left, silent)
    held = [
        (records.assigned(f"{agent}-{channel}-{at}-{since}", agent, channel, at=at, awaiting=since), agent, channel)
        for agent in records.agents
        for channel in (*patience, "unheard")
        for at in (0, 90)
        for since in (None, 20, 110, 380)
    ]

    def terms(channel: str) -> Terms:
        left, silent = patience.get(channel, (60, 300))
        return Terms(left and timedelta(seconds=left), silent and timedelta(seconds=silent))  # type: ignore[arg-type]

    for at in (50, 120, 165, 200, 330, 400, 1000, 9000):
        overdue = {
            found.conversation_id
            for found, agent, channel in held
            if find_overdue(found, records.agents[agent], terms(channel), moment(at))
        }
        found = records.lookout.find_overdue(moment(at))
        assert set(found) <= overdue
        assert len(found) == min(BATCH, len(overdue)), at
        assert all(terms(key.split("-")[1]) == wanted for key, wanted in found.items())


def test_the_newest_word_on_a_channel_counts_when_they_come_out_of_order(records: Records) -> None:
    records.channel("site", None, None, version=3)
    records.channel("site", 10, 10, version=2)
    records.assigned("c1", "ann", "site", at=0, awaiting=0)
    assert records.lookout.find_overdue(moment(9000)) == {}
    records.lookout.follow_channel("site", 5, {"kind": None})
    records.channel("site", 10, 10, version=4)
    assert records.lookout.find_overdue(moment(299)) == {}  # as for one never heard of
    assert list(records.lookout.find_overdue(moment(300))) == ["c1"]


def told_every_ten_seconds(records: Records, since: int, until: int, *contacts: str) -> None:
    for second in range(since, until + 1, 10):
        records.note(*contacts, at=second)


def test_a_visitor_is_absent_when_others_are_told_of_and_this_one_is_not(records: Records) -> None:
    for name, channel in (("there", "site"), ("gone", "site"), ("page", "messenger"), ("other", "unheard")):
        records.waiting(name, channel, seen=0)
    records.channel("site", 60, 300)
    records.channel("messenger", 60, 300, kind="messenger")
    told_every_ten_seconds(records, 0, 110, "c-there")
    assert records.absent(119) == []
    told_every_ten_seconds(records, 120, 120, "c-there")
    assert records.absent(120) == ["gone"]


def test_nobody_is_absent_when_nobody_told_of_visitors_for_a_while(records: Records) -> None:
    records.channel("site", 60, 300)
    records.waiting("gone", "site", seen=0)
    assert records.absent(9000) == []
    told_every_ten_seconds(records, 0, 100)
    assert records.absent(131 + LONGEST_GAP.total_seconds()) == []  # the gateways are away
    # They are back, and from now on absence counts anew.
    told_every_ten_seconds(records, 200, 310)
    assert records.absent(319) == []
    assert records.absent(320) == ["gone"]


def test_a_gap_is_none_when_it_is_short_enough(records: Records) -> None:
    records.channel("site", 60, 300)
    records.waiting("gone", "site", seen=0)
    for second in (0, 30, 60, 90, 120):
        records.note(at=second)
    assert records.absent(120) == ["gone"]


def test_a_visitor_is_noted_once_when_several_gateways_tell_of_it(records: Records) -> None:
    records.waiting("there", "site", seen=0)

    def seen() -> datetime:
        found = records.database.assignments.find_one({"_id": "there"})
        assert found is not None
        return found["visitor_seen_at"]  # type: ignore[no-any-return]

    records.note("c-there", "c-other", at=10)
    assert seen() == moment(10)
    records.note("c-there", at=10 + SEEN_ANEW.total_seconds())
    assert seen() == moment(10)
    records.note("c-there", at=11 + SEEN_ANEW.total_seconds())
    assert seen() == moment(11 + SEEN_ANEW.total_seconds())


def test_only_indexes_are_read_when_it_looks(records: Records) -> None:
    records.channel("site", 10, 20)
    records.assigned("c1", "left", "site", at=0, awaiting=10)
    records.waiting("c2", "site", seen=0)
    told_every_ten_seconds(records, 0, 120)
    records.database.command("profile", 2)
    records.lookout.find_overdue(moment(500))
    records.note("c-c2", at=130)
    records.absent(400)
    records.absent(130, absence=10)
    records.database.command("profile", 0)
    reads: list[dict[str, Any]] = list(records.database["system.profile"].find({"planSummary": {"$exists": True}}))
    assert len(reads) >= 7
    assert [read["command"] for read in reads if "COLLSCAN" in read["planSummary"]] == []
