"""Methods that are called every so often, whatever becomes of the wall clock."""

import time
from types import SimpleNamespace
from typing import Any

import eventlet
import pytest

from services.common.timers import Timer

HOUR = 3600.0
EVERY = 0.01


class Rounds:
    """A container that notes each call and has it end at once."""

    def __init__(self, timer: Timer) -> None:
        self.count = 0
        timer.container = SimpleNamespace(spawn_managed_thread=eventlet.spawn, spawn_worker=self.spawn_worker)

    def spawn_worker(self, timer: Timer, _args: object, _kwargs: object, *, handle_result: Any) -> None:
        self.count += 1
        eventlet.spawn(handle_result, None, None, None)

    def wait_for(self, count: int) -> None:
        with eventlet.Timeout(5):
            while self.count < count:
                eventlet.sleep(EVERY)


@pytest.mark.parametrize("eager", [False, True])
@pytest.mark.parametrize("jump", [-HOUR, HOUR])
def test_timer_goes_on_when_the_clock_jumps(monkeypatch: pytest.MonkeyPatch, eager: bool, jump: float) -> None:
    timer = Timer(interval=EVERY, eager=eager)
    rounds = Rounds(timer)
    timer.start()
    rounds.wait_for(2)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + jump)
    rounds.wait_for(rounds.count + 3)
    monkeypatch.undo()
    rounds.wait_for(rounds.count + 3)
    timer.stop()
    ended = rounds.count
    eventlet.sleep(3 * EVERY)
    assert rounds.count == ended


def test_missed_rounds_are_not_made_up_for() -> None:
    timer = Timer(interval=EVERY, eager=True)
    rounds = Rounds(timer)
    timer.start()
    rounds.wait_for(1)
    before = rounds.count
    time.sleep(20 * EVERY)  # the process stands still
    eventlet.sleep(0)
    eventlet.sleep(0)
    assert rounds.count <= before + 2
    timer.stop()
