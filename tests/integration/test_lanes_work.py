"""Lanes in real processes: in order, one at a time, over all replicas, whatever fails and whoever dies."""

import signal
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from deploy.local.process import ChildProcess
from services.common.ids import new_id
from services.common.lane_store import LaneStore
from services.common.rpc_client import RpcClient
from services.common.times import now
from tests.support.stack import Stack, wait_for_service
from tests.support.waiting import wait_until


class LaneProbes:
    """Processes of the probe, and what they did."""

    def __init__(self, stack: Stack, rpc: RpcClient) -> None:
        self.stack = stack
        self.rpc = rpc
        self.database = stack.mongo("contacts")
        self.lanes = LaneStore(self.database, "jobs")

    def start(self, name: str) -> ChildProcess:
        process = ChildProcess(
            name,
            [sys.executable, "-m", "tests.integration.lane_probe_process"],
            environment=self.stack.environment,
            log_path=self.stack.folder / f"{name}.log",
        )
        process.start()
        self.stack.services[name] = process
        wait_for_service(self.rpc, "contacts", process)
        return process

    def add(self, lane: str, *does: str, group: str | None = None, **more: Any) -> list[str]:
        items = [
            {
                "_id": new_id(),
                "lane": lane,
                "group": group or lane,
                "position": position,
                "waiting": True,
                "does": each,
                **more,
            }
            for position, each in enumerate(does)
        ]
        self.lanes.add(items)
        return [item["_id"] for item in items]

    def steps(self, **query: Any) -> list[tuple[str, str]]:
        # As they were written: the ids of two processes have no order within a second.
        return [(step["what"], step["item"]) for step in self.database.steps.find(query).sort("$natural", 1)]

    def begun(self, *items: str) -> list[str]:
        return [item for what, item in self.steps(item={"$in": list(items)}) if what == "begun"]

    def wait_done(self, *items: str, timeout: float = 15.0) -> None:
        query = {"item": {"$in": list(items)}, "what": "done"}
        wait_until(lambda: len(self.database.steps.distinct("item", query)) == len(items), timeout, what="items done")

    def let_go_on(self, *items: str) -> None:
        for item in items:
            self.database.signals.replace_one({"_id": item}, {}, upsert=True)


@pytest.fixture(scope="module")
def probes(stack: Stack, rpc: RpcClient) -> LaneProbes:
    return LaneProbes(stack, rpc)


@pytest.fixture
def probe(probes: LaneProbes) -> Iterator[ChildProcess]:
    """One running probe, the same for a module's tests unless a test ended it; what hangs in it still may go on in the end."""
    process = probes.stack.services.get("probe")
    yield process if process is not None and process.running else probes.start("probe")
    probes.let_go_on(*probes.lanes.items.distinct("_id", {"waiting": True}))


def test_item_is_worked_off_at_once_when_its_own_process_adds_it(probe: ChildProcess, probes: LaneProbes) -> None:
    names = [new_id() for _ in range(20)]
    seconds = []
    for name in names:
        began = time.monotonic()
        probes.rpc.call("contacts", "add", name=name)
        probes.wait_done(name)
        seconds.append(time.monotonic() - began)
    assert min(seconds) < 0.25


def test_items_of_a_lane_are_done_one_after_the_other_when_two_replicas_work(probe: ChildProcess, probes: LaneProbes) -> None:
    second = probes.start("probe-2")
    try:
        lanes = [new_id() for _ in range(12)]
        # One alone has no room for all that hangs at first.
        added = {lane: probes.add(lane, "hang", *[""] * 9) for lane in lanes}
        first = [items[0] for items in added.values()]
        wait_until(lambda: len(probes.begun(*first)) == 12, what="all lanes in work")
        probes.let_go_on(*first)
        probes.wait_done(*(item for items in added.values() for item in items), timeout=30)
        for lane, items in added.items():
            assert probes.steps(lane=lane) == [(what, item) for item in items for what in ("begun", "done")]
        assert len(probes.database.steps.distinct("pid", {"lane": {"$in": lanes}})) == 2
    finally:
        second.stop()


def test_item_is_repeated_and_the_next_waits_when_it_fails(probe: ChildProcess, probes: LaneProbes) -> None:
    lane = new_id()
    failing, following = probes.add(lane, "fail", "", times=1)
    other = probes.add(new_id(), "")
    probes.wait_done(failing, following, *other)
    assert probes.steps(lane=lane) == [
        ("begun", failing),
        ("begun", failing),
        ("done", failing),
        ("begun", following),
        ("done", following),
    ]


def test_item_waits_as_long_as_it_says(probe: ChildProcess, probes: LaneProbes) -> None:
    [item] = probes.add(new_id(), "retry", times=3)
    probes.wait_done(item)
    assert len(probes.begun(item)) == 4


def test_lane_does_not_spin_when_its_method_leaves_the_item_waiting(probe: ChildProcess, probes: LaneProbes) -> None:
    [forgotten] = probes.add(new_id(), "forget")
    [other] = probes.add(new_id(), "retry", times=6)
    probes.wait_done(other)
    assert len(probes.begun(forgotten)) <= 3
    probes.lanes.items.delete_one({"_id": forgotten})


def test_group_has_few_items_in_work_and_calls_are_answered_when_all_hang(probe: ChildProcess, probes: LaneProbes) -> None:
    slow = [item for _ in range(6) for item in probes.add(new_id(), "hang", group="slow")]
    wait_until(lambda: len(probes.begun(*slow)) == 2, what="two of the slow group in work")
    quick = [item for _ in range(6) for item in probes.add(new_id(), "", group="quick")]
    probes.wait_done(*quick)
    others = [item for group in "abc" for _ in range(6) for item in probes.add(new_id(), "hang", group=group)]
    wait_until(lambda: len(probes.begun(*others)) == 6, what="all eight places taken")
    for _ in range(20):
        assert probes.rpc.call("contacts", "work", name="quick", timeout=15.0) == {"name": "quick"}
    assert len(probes.begun(*slow)) == 2
    assert len(probes.begun(*others)) == 6
    probes.let_go_on(*slow, *others)
    probes.wait_done(*slow, *others)


def test_lane_is_taken_over_in_order_when_its_replica_is_killed(probe: ChildProcess, probes: LaneProbes) -> None:
    items = probes.add(new_id(), "hang", "", "")
    wait_until(lambda: probes.begun(*items))
    probe.kill()
    probes.start("probe")
    past = now()
    probes.database.jobs_lanes.update_many({"leased_until": {"$ne": None}}, {"$set": {"leased_until": past, "due": past}})
    wait_until(lambda: len(probes.begun(*items)) == 2)
    probes.let_go_on(*items)
    probes.wait_done(*items)
    assert probes.begun(*items) == [items[0], *items]


@pytest.mark.slow
def test_lane_stays_with_its_replica_when_an_item_takes_longer_than_the_lease(probe: ChildProcess, probes: LaneProbes) -> None:
    second = probes.start("probe-2")
    try:
        [item] = probes.add(new_id(), "hang")
        wait_until(lambda: probes.begun(item))
        query = {"lease": {"$type": "string"}}
        first: dict[str, Any] = wait_until(lambda: probes.database.jobs_lanes.find_one(query) or {}, what="the lease")
        until = first["leased_until"] + timedelta(seconds=1)
        wait_until(lambda: now() > until, 30, interval=0.1)
        held = probes.database.jobs_lanes.find_one({"_id": first["_id"]})
        assert held is not None
        assert (held["lease"], held["leased_until"] > now()) == (first["lease"], True)
        assert held["due"] == held["leased_until"]
        probes.let_go_on(item)
        probes.wait_done(item)
        assert probes.begun(item) == [item]
    finally:
        second.stop()


@pytest.mark.slow
def test_process_ends_in_time_and_leaves_its_lanes_when_an_item_hangs(probe: ChildProcess, probes: LaneProbes) -> None:
    items = probes.add(new_id(), "hang", "")
    wait_until(lambda: probes.begun(*items))
    probe.send_signal(signal.SIGTERM)
    assert probe.wait(20)
    assert probe.returncode == 0
    probes.start("probe")
    wait_until(lambda: len(probes.begun(*items)) == 2, 10)
    probes.let_go_on(*items)
    probes.wait_done(*items)


def test_process_lets_a_quick_item_end_when_it_is_stopped(probe: ChildProcess, probes: LaneProbes) -> None:
    items = probes.add(new_id(), "hang", "")
    wait_until(lambda: probes.begun(*items))
    probe.send_signal(signal.SIGTERM)
    probes.let_go_on(*items)
    assert probe.wait(20)
    assert probes.steps(item={"$in": items}) == [("begun", items[0]), ("done", items[0])]
    probes.start("probe")
    probes.wait_done(*items)


@pytest.mark.slow
def test_items_are_worked_off_when_the_database_was_away(probe: ChildProcess, probes: LaneProbes) -> None:
    items = [item for _ in range(6) for item in probes.add(new_id(), "hang", "")]
    wait_until(lambda: len(probes.begun(*items)) == 6)
    probes.stack.database.kill()
    probes.stack.database.start()
    probes.let_go_on(*items)
    probes.wait_done(*items, timeout=40)
    assert probe.running
