"""Lanes in a real database: nobody is woken in vain or forgotten, whoever comes at the same moment."""

import threading
import traceback
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pymongo
import pytest
from pymongo.database import Database

from deploy.local.database import LocalDatabase
from deploy.local.ports import free_port
from services.common import lane_store
from services.common.bulk import NotWritten
from services.common.ids import new_id
from services.common.lane_store import Lane, LaneStore
from services.common.times import now
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database[dict[str, Any]]]:
    server = LocalDatabase(tmp_path_factory.mktemp("database"), free_port())
    server.start()
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(server.uri, tz_aware=True, timeoutMS=10_000, w="majority")
    yield client["lanes"]
    client.close()
    server.stop()


@pytest.fixture
def lanes(database: Database[dict[str, Any]]) -> LaneStore:
    store = LaneStore(database, f"jobs_{new_id()}")
    for name, models in store.indexes.items():
        database[name].create_indexes(list(models))
    return store


def item(lane: str = "a", position: int = 1, group: str = "g", key: str | None = None) -> dict[str, Any]:
    return {"_id": key or new_id(), "lane": lane, "group": group, "position": position, "waiting": True}


def claim(lanes: LaneStore, limit: int = 16, per_group: int = 16, **working: int) -> list[Lane]:
    return list(lanes.claim(working, per_group, limit))


def finish(lanes: LaneStore, done: dict[str, Any]) -> None:
    lanes.items.update_one({"_id": done["_id"]}, {"$set": {"waiting": False}})


def let_leases_run_out(lanes: LaneStore) -> None:
    past = now() - timedelta(seconds=1)
    lanes._lanes.update_many({"leased_until": {"$ne": None}}, {"$set": {"leased_until": past, "due": past}})


def first(lanes: LaneStore, lane: Lane) -> dict[str, Any]:
    found = lanes.find_first(lane)
    assert found is not None
    return found


def test_items_come_in_the_order_of_their_positions_whenever_they_were_added(lanes: LaneStore) -> None:
    items = [item(position=position) for position in (3, 1, 2)]
    lanes.add(items)
    [lane] = claim(lanes)
    seen = []
    for _ in items:
        found = first(lanes, lane)
        seen.append(found["position"])
        finish(lanes, found)
    assert seen == [1, 2, 3]
    assert lanes.find_first(lane) is None


def test_item_is_added_once_when_it_is_added_again_before_and_after_it_is_done(lanes: LaneStore) -> None:
    added = item()
    assert lanes.add([added]) == 1
    assert lanes.add([added, item()]) == 1
    [lane] = claim(lanes)
    finish(lanes, first(lanes, lane))
    assert lanes.add([added]) == 0
    assert lanes.items.count_documents({"waiting": True}) == 1


def test_attempts_are_counted_on_the_item(lanes: LaneStore) -> None:
    lanes.add([item()])
    [lane] = claim(lanes)
    assert [first(lanes, lane)["attempts"] for _ in range(3)] == [1, 2, 3]


def test_lane_goes_to_one_when_many_claim_it_at_once(lanes: LaneStore) -> None:
    lanes.add([item(lane=f"lane-{number}") for number in range(20)])
    claimed: list[Lane] = []
    claimers = [threading.Thread(target=lambda: claimed.extend(claim(lanes, 20, 20))) for _ in range(6)]
    for claimer in claimers:
        claimer.start()
    for claimer in claimers:
        claimer.join()
    assert sorted(lane.id for lane in claimed) == sorted(f"lane-{number}" for number in range(20))


def test_lane_is_taken_over_when_its_lease_has_run_out_and_not_before(lanes: LaneStore) -> None:
    lanes.add([item()])
    [lost] = claim(lanes)
    assert claim(lanes) == []
    let_leases_run_out(lanes)
    [lane] = claim(lanes)
    assert lanes.renew(lost) is None
    lanes.release(lost)
    assert not lanes.close(lost)
    assert lanes.renew(lane) is not None


@pytest.mark.parametrize("minutes", [1, -1])
def test_held_lane_is_not_taken_and_due_work_is_found_when_a_replicas_clock_is_wrong(
    lanes: LaneStore, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    lanes.add([item("held"), item("waits")])
    held, waits = sorted(claim(lanes), key=lambda lane: lane.id)
    lanes.release(waits, 30)
    monkeypatch.setattr(lane_store, "now", lambda: now() + timedelta(minutes=minutes))
    assert claim(lanes) == []
    lanes.postpone_group("g", 0)
    lanes.add([item("new")])
    [new] = claim(lanes)
    assert new.id == "new"
    lanes.keep([held])
    lanes.release(new)
    lanes.wake("waits")
    assert sorted(lane.id for lane in claim(lanes)) == ["new", "waits"]
    monkeypatch.undo()
    assert lanes.renew(held) is not None


def test_lease_is_kept_while_an_item_is_in_work_and_who_woke_the_lane_is_not_forgotten(lanes: LaneStore) -> None:
    lanes.add([item("a"), item("b"), item("lost")])
    first, woken, lost = sorted(claim(lanes), key=lambda lane: lane.id)
    lanes.wake("b")
    soon = now() + timedelta(seconds=8)
    lanes._lanes.update_many({"_id": "a"}, {"$set": {"leased_until": soon, "due": soon}})
    lanes._lanes.update_one({"_id": "b"}, {"$set": {"leased_until": soon}})
    lanes._lanes.update_one({"_id": "lost"}, {"$set": {"lease": "another's", "leased_until": soon, "due": soon}})
    lanes.keep([first, woken, lost])
    ends = {lane["_id"]: lane["leased_until"] for lane in lanes._lanes.find()}
    assert min(ends["a"], ends["b"]) > soon + timedelta(seconds=10)
    assert ends["lost"] == soon
    for lane in (first, woken):
        lanes.release(lane, 60)
    assert [lane.id for lane in claim(lanes)] == ["b"]


def test_failed_write_says_nothing_of_what_was_to_be_written(lanes: LaneStore, database: Database[dict[str, Any]]) -> None:
    database.command("collMod", lanes.name, validator={"nothing": True})
    words = new_id()
    with pytest.raises(NotWritten) as refused:
        lanes.add([item() | {"text": words}])
    assert words not in "".join(traceback.format_exception(refused.value))


def test_lane_stays_when_something_was_added_before_it_was_closed(lanes: LaneStore) -> None:
    lanes.add([item()])
    [lane] = claim(lanes)
    finish(lanes, first(lanes, lane))
    assert lanes.find_first(lane) is None
    lanes.add([item(position=2)])
    assert not lanes.close(lane)
    renewed = lanes.renew(lane)
    assert renewed is not None
    finish(lanes, first(lanes, renewed))
    assert lanes.close(renewed)


def test_lane_waits_for_its_repetition_when_more_is_added(lanes: LaneStore) -> None:
    lanes.add([item()])
    [lane] = claim(lanes)
    lanes.release(lane, 60)
    lanes.add([item(position=2)])
    assert claim(lanes) == []
    lanes.wake("a")
    assert len(claim(lanes)) == 1


def test_lane_is_due_at_once_when_it_was_woken_while_its_item_was_in_work(lanes: LaneStore) -> None:
    lanes.add([item()])
    [lane] = claim(lanes)
    lanes.wake("a")
    assert claim(lanes) == []
    lanes.release(lane, 60)
    assert len(claim(lanes)) == 1


def test_group_is_woken_and_postponed_without_the_others(lanes: LaneStore) -> None:
    lanes.add([item("a1", group="a"), item("a2", group="a"), item("b1", group="b")])
    for lane in claim(lanes):
        lanes.release(lane, 60)
    lanes.wake_group("a")
    woken = claim(lanes)
    assert {lane.id for lane in woken} == {"a1", "a2"}
    for lane in woken:
        lanes.release(lane)
    lanes.wake_group("b")
    lanes.postpone_group("a", 60)
    assert [lane.id for lane in claim(lanes)] == ["b1"]


def test_full_group_leaves_room_to_the_others_however_long_its_lanes_have_been_due(lanes: LaneStore) -> None:
    lanes.add([item(f"slow-{number}", group="slow") for number in range(50)])
    lanes.add([item(f"quick-{number}", group="quick") for number in range(3)])
    claimed = claim(lanes, 10, 4, slow=3)
    assert sorted(lane.group for lane in claimed) == ["quick"] * 3 + ["slow"]
    assert claimed[0].group == "quick"


def test_lane_is_opened_again_when_a_crash_left_an_item_without_one(lanes: LaneStore) -> None:
    lanes.items.insert_one(item() | {"attempts": 0, "added_at": now()})
    assert claim(lanes) == []
    assert lanes.reopen_forgotten("") == ""
    assert [lane.id for lane in claim(lanes)] == ["a"]


def test_done_items_are_worked_off_again_when_their_lanes_are_reopened(lanes: LaneStore) -> None:
    lanes.add([item(key="again")])
    [lane] = claim(lanes)
    finish(lanes, first(lanes, lane))
    assert lanes.close(lane)
    lanes.items.update_one({"_id": "again"}, {"$set": {"waiting": True, "attempts": 0}})
    lanes.reopen({"a": "g"})
    [lane] = claim(lanes)
    assert first(lanes, lane)["_id"] == "again"


def test_waiting_items_are_measured(lanes: LaneStore) -> None:
    assert lanes.measure() == (0, 0.0)
    lanes.add([item() | {"added_at": now() - timedelta(seconds=30)}, item(position=2)])
    count, oldest = lanes.measure()
    assert count == 2
    assert 30 <= oldest < 40


def work_off(lanes: LaneStore, lane: Lane) -> Iterator[int]:
    """The positions of what a worker does in a lane until it is empty."""
    held: Lane | None = lane
    while held is not None:
        found = lanes.find_first(held)
        if found is None and lanes.close(held):
            return
        if found is not None:
            finish(lanes, found)
            yield found["position"]
        held = lanes.renew(held)


def test_nothing_is_forgotten_when_many_add_and_many_work_at_once(lanes: LaneStore) -> None:
    """Lanes are opened and closed all the time: an item that nobody is woken for would stay for ever."""
    all_added = threading.Event()
    done: dict[str, list[int]] = {}

    def add(adder: int) -> None:
        for number in range(60):
            lanes.add([item(f"lane-{adder % 3}", adder * 1000 + number)])

    def work() -> None:
        while not (all_added.is_set() and lanes.items.find_one({"waiting": True}) is None):
            for lane in claim(lanes, 1, 16):
                for position in work_off(lanes, lane):
                    done.setdefault(lane.id, []).append(position)

    adders = [threading.Thread(target=add, args=(number,)) for number in range(6)]
    workers = [threading.Thread(target=work, daemon=True) for _ in range(4)]
    for thread in (*adders, *workers):
        thread.start()
    for thread in adders:
        thread.join()
    all_added.set()
    wait_until(lambda: not any(worker.is_alive() for worker in workers), 60, what="all items done")
    by_adder = [[position for positions in done.values() for position in positions if position // 1000 == n] for n in range(6)]
    assert by_adder == [[adder * 1000 + number for number in range(60)] for adder in range(6)]
    assert lanes._lanes.count_documents({}) == 0
