"""How long it will take: told, kept beside what came true; and who would get it: answered without a trace."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from services.common.errors import RemoteError
from tests.service.assignment.office import Office, conversations
from tests.support.waiting import wait_until


def test_an_estimate_is_told_on_joining_and_stands_beside_what_came_true(office: Office) -> None:
    office.remember_durations(300, 300, 300)
    office.hire("ann", capacity=2)
    held = conversations(2)
    for conversation in held:
        office.assign(conversation, "ann")
    first, second = conversations(2)
    began = time.monotonic()
    for conversation in (first, second):
        office.request(conversation)
        office.wait_state(conversation, "queued")

    data = office.wait_changed(second, "queued")["data"]
    assert (data["queue_position"], data["estimated_wait_seconds"]) == (2, 300)
    assert data["decision"]["estimated_wait_seconds"] == 300
    shown = office.get(first) or {}
    assert (shown["estimated_wait_seconds"], shown["priority"], shown["returned"]) == (150, "normal", False)
    assert [item["estimated_wait_seconds"] for item in office.queue()] == [150, 300]
    assert office.queue()[0]["requested_at"] == shown["requested_at"]

    office.archive(held[0])

    made = office.wait_changed(first, "assigned")["data"]["decision"]
    assert made["estimated_wait_seconds"] == 150
    assert 0 <= made["waited_seconds"] <= time.monotonic() - began + 1
    moved = office.wait_changed(second, "queued", count=2)["data"]
    assert (moved["queue_position"], moved["decision"]) == (1, None)
    assert moved["estimated_wait_seconds"] == 113  # the one that just ended was short
    left = office.wait_state(first, "assigned")
    assert (left["estimated_wait_seconds"], left["requested_at"], left["priority"]) == (None, None, None)
    ledger = office.database.ledger.find_one({})
    assert ledger is not None
    assert len(ledger["durations"]) == 4


def test_a_changed_estimate_is_told_when_it_changed_enough_and_by_nobody_when_all_are_gone(office: Office) -> None:
    office.remember_durations(300, 300, 300)
    office.hire("ann", capacity=4)
    for conversation in conversations(4):
        office.assign(conversation, "ann")
    (waiting,) = conversations(1)
    office.request(waiting)
    office.wait_state(waiting, "queued")
    assert office.wait_changed(waiting, "queued")["data"]["estimated_wait_seconds"] == 75

    office.hire("bob", capacity=2, availability="busy")
    office.assign(conversations(1)[0], "bob")
    office.tell_agent("ann", availability="busy")

    told = office.wait_changed(waiting, "queued", count=2)["data"]
    assert (told["estimated_wait_seconds"], told["queue_position"], told["decision"]) == (None, 1, None)
    office.tell_agent("ann", availability="available")
    assert office.wait_changed(waiting, "queued", count=3)["data"]["estimated_wait_seconds"] == 75
    office.tell_agent("ann", role="admin")
    office.wait_known("ann")
    assert len(office.changes(waiting)) == 3


def test_no_estimate_is_told_when_too_little_is_known(office: Office) -> None:
    office.remember_durations(300, 300)
    office.hire("ann", capacity=0)
    (waiting,) = conversations(1)
    office.request(waiting)
    office.wait_state(waiting, "queued")
    assert office.wait_changed(waiting, "queued")["data"]["estimated_wait_seconds"] is None


def everything_stored(office: Office) -> dict[str, list[Any]]:
    kept = ("assignments", "agents", "decisions", "teams", "channels", "notes", "ledger")
    return {name: list(office.database[name].find().sort("_id", 1)) for name in kept}


def changed_by(office: Office, act: Callable[[], None]) -> set[str]:
    """The collections that are not what they were before."""
    unsent = {"outbox.0": {"$exists": True}}
    told = ("agents", "assignments")
    wait_until(
        lambda: not any(office.database[name].count_documents(unsent) for name in told), what="all told that is to be told"
    )
    before = everything_stored(office)
    act()
    after = everything_stored(office)
    return {name for name in before if before[name] != after[name]}


def test_who_would_get_it_is_answered_and_nothing_is_written(office: Office) -> None:
    office.remember_durations(300, 300, 300)
    office.hire("ann", capacity=1)
    office.hire("bob", availability="busy")
    office.tell_team("support", "bob")
    office.wait_team("support")

    def ask() -> None:
        answer = office.simulate()
        assert (answer["outcome"], answer["assignee"], answer["rule"]) == ("assigned", {"id": "ann", "name": "Ann"}, "least_busy")
        assert answer["reason"] == "Ann is the least busy, the only one eligible; had 0 of 1."
        assert [(c["agent_id"], c["rank"], c["reason"]) for c in answer["candidates"]] == [
            ("ann", 1, None),
            ("bob", None, "busy"),
        ]
        assert (answer["queue_position"], answer["estimated_wait_seconds"], answer["seed"]) == (None, None, None)
        assert set(answer) == {
            *("outcome", "assignee", "rule", "reason", "candidates", "ordering", "seed"),
            *("queue_position", "estimated_wait_seconds", "at"),
        }
        assert isinstance(office.simulate(strategy="random")["seed"], int)
        assert office.simulate(agents=["bob"])["outcome"] == "queued"
        away = office.simulate(team_id="support", unavailable="leave_a_message")
        assert (away["outcome"], away["assignee"], away["queue_position"]) == ("unavailable", None, None)

    # Once a minute the service recounts what agents have, which is a turn: not twice in a row.
    assert changed_by(office, ask) == set() or changed_by(office, ask) == set()

    held, waiting = conversations(2)
    for conversation, state in ((held, "assigned"), (waiting, "queued")):
        office.request(conversation)
        office.wait_state(conversation, state)

    def ask_again() -> None:
        for wish, position, estimate in (({}, 2, 600), ({"priority": "high"}, 1, 300), ({"team_id": "support"}, 2, None)):
            answer = office.simulate(**wish)
            found = answer["outcome"], answer["queue_position"], answer["estimated_wait_seconds"]
            assert found == ("queued", position, estimate)

    assert changed_by(office, ask_again) == set() or changed_by(office, ask_again) == set()
    assert office.line() == [waiting]


@pytest.mark.parametrize(
    "wish", [{"strategy": "by_the_moon"}, {"priority": "urgent"}, {"agents": ["not an id"]}, {"agents": ["a"] * 1001}]
)
def test_a_simulation_is_refused_when_its_wish_is_wrong(office: Office, wish: dict[str, Any]) -> None:
    with pytest.raises(RemoteError) as raised:
        office.simulate(**wish)
    assert raised.value.error_code == "VALIDATION_FAILED"
