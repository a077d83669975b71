"""Restart, backoff and the order of stopping."""

import signal
import sys
from pathlib import Path

import pytest

from deploy.local.errors import ProcessFailed
from deploy.local.parts import Program
from deploy.local.supervisor import STEADY_SECONDS, Supervisor, describe_end, restart_delay
from deploy.local.waiting import wait_until


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Fake:
    """A process that ends when told to, and writes what happens to it into a shared diary."""

    def __init__(self, name: str, diary: list[str], *, stubborn: bool = False) -> None:
        self.name, self.diary, self.stubborn = name, diary, stubborn
        self.grace = 1.0
        self.returncode: int | None = None
        self.running = False
        self.broken = False
        self.waited = 0.0

    def start(self) -> None:
        if self.broken:
            raise ProcessFailed("its port is taken")
        self.running, self.returncode = True, None
        self.diary.append(f"start {self.name}")

    def end(self, returncode: int) -> None:
        self.running, self.returncode = False, returncode

    def send_signal(self, number: int) -> None:
        self.diary.append(f"{signal.Signals(number).name} {self.name}")
        if self.running and (number == signal.SIGKILL or not self.stubborn):
            self.end(-number)

    def wait(self, timeout: float) -> bool:
        self.waited = timeout
        return not self.running

    def kill(self) -> None:
        self.running = False
        self.diary.append(f"kill {self.name}")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_delay_doubles_up_to_a_bound_when_ends_follow_each_other() -> None:
    assert [restart_delay(failures) for failures in range(1, 9)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert restart_delay(10_000) == 30


@pytest.mark.parametrize(
    ("returncode", "words"),
    [(0, "ended with status 0"), (3, "ended with status 3"), (-9, "was ended by SIGKILL"), (None, "could not be started")],
)
def test_end_is_said_in_words_when_a_process_ended(returncode: int | None, words: str) -> None:
    assert describe_end(returncode) == words


def test_process_is_started_again_after_its_delay_when_it_ended(clock: Clock) -> None:
    said: list[str] = []
    diary: list[str] = []
    process = Fake("presence", diary)
    supervisor = Supervisor(said.append, clock=clock)
    supervisor.start([process])
    process.end(-9)
    supervisor.check()
    assert said == ["presence was ended by SIGKILL; it is started again in 0.5 s"]
    clock.now += 0.4
    supervisor.check()
    assert diary == ["start presence", "kill presence"]
    clock.now += 0.2
    supervisor.check()
    assert diary == ["start presence", "kill presence", "start presence"]
    assert said[1:] == ["presence was started again"]


def test_delay_starts_anew_when_the_process_had_run_for_long(clock: Clock) -> None:
    said: list[str] = []
    process = Fake("presence", [])
    supervisor = Supervisor(said.append, clock=clock)
    supervisor.start([process])
    for _ in range(3):
        process.end(1)
        supervisor.check()
        clock.now += 30
        supervisor.check()
    assert [line.rpartition(" in ")[2] for line in said if "again in" in line] == ["0.5 s", "1 s", "2 s"]
    clock.now += STEADY_SECONDS
    process.end(1)
    supervisor.check()
    assert said[-1].endswith("in 0.5 s")


def test_start_is_tried_again_when_it_fails(clock: Clock) -> None:
    said: list[str] = []
    process = Fake("broker", [])
    supervisor = Supervisor(said.append, clock=clock)
    supervisor.start([process])
    process.end(1)
    process.broken = True
    supervisor.check()
    clock.now += 1
    supervisor.check()
    assert said[-1] == "broker could not be started: its port is taken; it is started again in 1 s"
    process.broken = False
    clock.now += 1
    supervisor.check()
    assert process.running


def test_stages_are_stopped_in_reverse_order_when_asked(clock: Clock) -> None:
    diary: list[str] = []
    broker, database, one, two, gateway = (Fake(name, diary) for name in ("b", "d", "s1", "s2", "g"))
    supervisor = Supervisor(lambda _: None, clock=clock)
    for stage in ([broker], [database], [one, two], [gateway]):
        supervisor.start(stage)
    diary.clear()
    supervisor.stop()
    assert diary == [
        "SIGTERM g",
        "kill g",
        "SIGTERM s1",
        "SIGTERM s2",
        "kill s1",
        "kill s2",
        "SIGTERM d",
        "kill d",
        "SIGTERM b",
        "kill b",
    ]
    assert supervisor.members == []


def test_stubborn_process_is_killed_and_the_rest_still_stopped_when_stopping(clock: Clock) -> None:
    said: list[str] = []
    diary: list[str] = []
    database, service = Fake("database", diary), Fake("presence", [], stubborn=True)
    supervisor = Supervisor(said.append, clock=clock)
    supervisor.start([database])
    supervisor.start([service])
    supervisor.stop()
    assert said == ["presence did not stop within 1 s and is killed"]
    assert not service.running
    assert diary[-2:] == ["SIGTERM database", "kill database"]


def test_everything_gets_sigkill_when_hurried(clock: Clock) -> None:
    diary: list[str] = []
    processes = [Fake("database", diary), Fake("presence", diary, stubborn=True)]
    supervisor = Supervisor(lambda _: None, clock=clock)
    supervisor.start(processes)
    supervisor.hurry()
    assert not any(process.running for process in processes)
    assert diary[-2:] == ["SIGKILL database", "SIGKILL presence"]


def test_real_process_comes_back_with_another_pid_when_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-Sc", "import time; print('up', flush=True); time.sleep(600)"]
    process = Program("tiny", command, log_path=tmp_path / "tiny.log")
    supervisor = Supervisor(lambda _: None)
    supervisor.start([process])
    try:
        first = process.pid
        process.send_signal(signal.SIGKILL)

        def back() -> bool:
            supervisor.check()
            return process.pid not in (None, first)

        assert wait_until(back, 10)
    finally:
        supervisor.stop()
    assert not process.running
