"""Keeps processes running: starts them in stages, restarts what ends, stops them in the reverse order."""

import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from deploy.local.errors import RunnerError

STEADY_SECONDS = 30.0


class Supervised(Protocol):
    """What a supervisor needs of a process."""

    @property
    def name(self) -> str:
        """What its lines are prefixed with."""

    @property
    def grace(self) -> float:
        """Seconds it gets to stop by itself."""

    @property
    def running(self) -> bool:
        """Whether it has been started and has not ended."""

    @property
    def returncode(self) -> int | None:
        """How it ended: the exit status, or minus the signal's number; None while it runs."""

    def start(self) -> None:
        """Start it, without waiting for it to be of use."""

    def send_signal(self, number: int) -> None:
        """Send it a signal; nothing happens when it has ended."""

    def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for its end; returns whether it ended."""

    def kill(self) -> None:
        """SIGKILL to it and to all that it left behind."""


@dataclass
class Member:
    """A process and what the supervisor knows of it."""

    process: Supervised
    started: float = 0.0
    due: float | None = None
    failures: int = 0


def restart_delay(failures: int, first: float = 0.5, longest: float = 30.0) -> float:
    """Seconds to wait after so many ends in a row: doubled each time, up to a bound."""
    return float(min(longest, first * 2 ** min(failures - 1, 16)))


def describe_end(returncode: int | None) -> str:
    """How a process ended, in words."""
    if returncode is None:
        return "could not be started"
    if returncode >= 0:
        return f"ended with status {returncode}"
    try:
        return f"was ended by {signal.Signals(-returncode).name}"
    except ValueError:
        return f"was ended by signal {-returncode}"


class Supervisor:
    """Call `check` a few times a second; it never blocks."""

    def __init__(self, say: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._clock = clock
        self._stages: list[list[Member]] = []

    @property
    def members(self) -> list[Member]:
        """Every process, in the order of their start."""
        return [member for stage in self._stages for member in stage]

    def start(self, stage: Sequence[Supervised]) -> None:
        """Start a stage's processes, all at once. It will be stopped before the stages started earlier. Raises RunnerError."""
        members = [Member(process, started=self._clock()) for process in stage]
        # Known before they are started: a signal may end the run in between.
        self._stages.append(members)
        for member in members:
            member.process.start()

    def check(self) -> None:
        """One look: what has ended is said and will be started again, what is due is started."""
        for member in self.members:
            if member.due is not None:
                if self._clock() >= member.due:
                    self._restart(member)
            elif not member.process.running:
                if self._clock() - member.started >= STEADY_SECONDS:
                    member.failures = 0
                how = describe_end(member.process.returncode)
                member.process.kill()
                self._postpone(member, how)

    def _restart(self, member: Member) -> None:
        try:
            member.process.start()
        except (RunnerError, OSError) as error:
            self._postpone(member, f"could not be started: {error}")
            return
        member.due, member.started = None, self._clock()
        self._say(f"{member.process.name} was started again")

    def _postpone(self, member: Member, how: str) -> None:
        member.failures += 1
        delay = restart_delay(member.failures)
        member.due = self._clock() + delay
        self._say(f"{member.process.name} {how}; it is started again in {delay:g} s")

    def stop(self) -> None:
        """SIGTERM to the last stage, and SIGKILL to those that outlive their grace; then the stage before it, and so on."""
        while self._stages:
            stage = self._stages[-1]
            began = self._clock()
            for member in stage:
                member.process.send_signal(signal.SIGTERM)
            for member in stage:
                if not member.process.wait(max(0.0, began + member.process.grace - self._clock())):
                    self._say(f"{member.process.name} did not stop within {member.process.grace:g} s and is killed")
                member.process.kill()
            self._stages.pop()

    def hurry(self) -> None:
        """SIGKILL to everything, without waiting: safe in a signal handler while `stop` is at work."""
        for member in self.members:
            member.process.send_signal(signal.SIGKILL)
