"""Calls done together: nobody is forgotten, nobody gets another's result, and company isn't waited for."""

import threading
import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.common import grouping
from services.common.grouping import Grouped

SECONDS = 10.0


class Gate:
    """Work that can be held, and notes who came together."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.entered = threading.Event()
        self.open = threading.Event()

    def work(self, arguments: Sequence[int]) -> list[int | Exception]:
        self.groups.append(list(arguments))
        self.entered.set()
        assert self.open.wait(SECONDS)
        return [ValueError(f"{number} is odd") if number % 2 else number * 10 for number in arguments]


def wait_for_waiting(grouped: Grouped[int, int], count: int) -> None:
    deadline = threading.Event()
    for _ in range(int(SECONDS / 0.005)):
        if len(grouped._waiting) == count:
            return
        deadline.wait(0.005)
    raise AssertionError(f"{len(grouped._waiting)} wait instead of {count}")


def test_who_comes_alone_goes_at_once() -> None:
    gate = Gate()
    gate.open.set()
    grouped = Grouped(gate.work)
    assert [grouped(2), grouped(4)] == [20, 40]
    assert gate.groups == [[2], [4]]


def test_who_comes_while_a_group_is_under_way_goes_with_the_next() -> None:
    gate = Gate()
    grouped = Grouped(gate.work)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(grouped, 2)
        assert gate.entered.wait(SECONDS)
        others = [pool.submit(grouped, number) for number in (4, 6, 8)]
        wait_for_waiting(grouped, 3)
        gate.open.set()
        assert first.result(SECONDS) == 20
        assert [other.result(SECONDS) for other in others] == [40, 60, 80]
    assert gate.groups[0] == [2]
    assert sorted(gate.groups[1]) == [4, 6, 8]
    assert len(gate.groups) == 2


def test_each_gets_its_own_failure_when_some_fail() -> None:
    gate = Gate()
    grouped = Grouped(gate.work)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(grouped, 2)
        assert gate.entered.wait(SECONDS)
        odd, even = pool.submit(grouped, 5), pool.submit(grouped, 6)
        wait_for_waiting(grouped, 2)
        gate.open.set()
        assert first.result(SECONDS) == 20
        assert even.result(SECONDS) == 60
        with pytest.raises(ValueError, match="5 is odd"):
            odd.result(SECONDS)


def test_all_of_a_group_fail_when_the_work_does_and_the_next_group_goes_on() -> None:
    broken = True

    def work(arguments: Sequence[int]) -> list[int]:
        if broken:
            raise ConnectionError("away")
        return list(arguments)

    grouped = Grouped(work)
    with pytest.raises(ConnectionError, match="away"):
        grouped(1)
    broken = False
    assert grouped(2) == 2


def test_what_all_of_a_group_raise_keeps_the_traceback_of_the_work() -> None:
    gate = Gate()
    gone = ConnectionError("away")

    def work(arguments: Sequence[int]) -> list[int | Exception]:
        gate.work(arguments)
        try:
            raise gone
        except ConnectionError as error:
            return [error] * len(arguments)

    def call(number: int) -> None:
        with pytest.raises(ConnectionError):
            grouped(number)

    grouped = Grouped(work)
    callers = [threading.Thread(target=call, args=(number,), daemon=True) for number in range(30)]
    callers[0].start()
    assert gate.entered.wait(SECONDS)
    for caller in callers[1:]:
        caller.start()
    wait_for_waiting(grouped, len(callers) - 1)
    gate.open.set()
    for caller in callers:
        caller.join(SECONDS)
    frames = [frame.f_code.co_name for frame, _ in traceback.walk_tb(gone.__traceback__)]
    assert frames[-1] == "work"
    assert len(frames) < 10


def test_a_group_is_bounded() -> None:
    gate = Gate()
    grouped = Grouped(gate.work, most=2)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(grouped, 2)
        assert gate.entered.wait(SECONDS)
        others = [pool.submit(grouped, number) for number in (4, 6, 8)]
        wait_for_waiting(grouped, 3)
        gate.open.set()
        assert {first.result(SECONDS), *(other.result(SECONDS) for other in others)} == {20, 40, 60, 80}
    assert [len(group) for group in gate.groups] == [1, 2, 1]


def test_every_call_gets_its_own_result_when_many_threads_call_for_long() -> None:
    grouped: Grouped[int, int] = Grouped(lambda numbers: [number + 1 for number in numbers])
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(grouped, range(2_000))) == list(range(1, 2_001))


class Killed(BaseException):
    """What ends a green thread from outside."""


def test_others_go_on_when_the_leader_is_killed() -> None:
    first = True

    def work(numbers: Sequence[int]) -> list[int]:
        nonlocal first
        if first:
            first = False
            raise Killed
        return list(numbers)

    grouped = Grouped(work)
    with pytest.raises(Killed):
        grouped(1)
    assert grouped(2) == 2


def test_others_go_on_when_one_that_waits_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate()
    grouped = Grouped(gate.work)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(grouped, 2)
        assert gate.entered.wait(SECONDS)
        with monkeypatch.context() as patch:
            patch.setattr(grouping._Place, "wait", lambda _place: (_ for _ in ()).throw(Killed))
            with pytest.raises(Killed):
                grouped(4)
        other = pool.submit(grouped, 6)
        wait_for_waiting(grouped, 1)
        gate.open.set()
        assert [first.result(SECONDS), other.result(SECONDS)] == [20, 60]
    assert gate.groups == [[2], [6]]
