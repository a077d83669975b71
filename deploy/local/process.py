"""One child process of ours: started so that it dies with us, recorded so that a later run knows it, stopped by its pid."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from deploy.local.errors import ProcessFailed
from deploy.local.waiting import wait_until

REPOSITORY = Path(__file__).resolve().parents[2]

# The kernel sends a child its parent-death signal when the *thread* that started it ends, so one thread that lives as
# long as the interpreter starts them all.
_starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="starter")


@dataclass(frozen=True)
class Identity:
    """A process for certain: pids are reused, a pid with its start time since boot and the boot's id are not."""

    pid: int
    started: int
    boot: str

    @classmethod
    def of(cls, pid: int) -> Self | None:
        """The identity of a living process; None for a dead or unreaped one."""
        try:
            # The command name, field 2, may hold spaces and parentheses: count from behind it.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        except OSError:
            return None
        state, started = fields[0], int(fields[19])
        return None if state in "ZX" else cls(pid=pid, started=started, boot=boot)

    @property
    def alive(self) -> bool:
        """Whether this very process still runs."""
        return Identity.of(self.pid) == self

    def save(self, path: Path) -> None:
        """Write the record that `load` reads."""
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """The recorded process, or None without a readable record."""
        try:
            return cls(**json.loads(path.read_text()))
        except (OSError, ValueError, TypeError):
            return None


class ChildProcess:
    """A program with its environment and log file; may be started again after it ended."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log_path: Path,
        environment: Mapping[str, str] | None = None,
        record: Path | None = None,
        death_signal: signal.Signals = signal.SIGKILL,
        cwd: Path = REPOSITORY,
    ) -> None:
        self.name = name
        self.command = list(command)
        self.environment = dict(environment) if environment is not None else None
        self.log_path = log_path
        self.record = record
        self.death_signal = death_signal
        self.cwd = cwd
        self.process: subprocess.Popen[bytes] | None = None
        self._group_cleared = True

    @property
    def pid(self) -> int | None:
        """The pid while it runs."""
        return self.process.pid if self.process is not None and self.running else None

    @property
    def running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self.process is not None and self.process.poll() is None

    @property
    def returncode(self) -> int | None:
        """How it ended: the exit status, or minus the signal's number; None while it runs."""
        return None if self.process is None else self.process.poll()

    def start(self) -> None:
        """Start it in a session of its own (a terminal's Ctrl-C is not for it) with output appended to its log."""
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        _starter.submit(self._start).result()

    def _start(self) -> None:
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [*_dies_with_parent(self.death_signal), *self.command],
                env=self.environment,
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._group_cleared = False
        identity = Identity.of(self.process.pid)
        if self.record is not None and identity is not None:
            identity.save(self.record)

    def send_signal(self, number: int) -> None:
        """Send it a signal; nothing happens when it has ended."""
        if self.process is not None:
            self.process.send_signal(number)

    def stop(self, grace: float = 10.0) -> bool:
        """SIGTERM, then SIGKILL to its whole group after `grace` seconds. Returns whether it ended by itself."""
        self.send_signal(signal.SIGTERM)
        graceful = self.wait(grace)
        self.kill()
        return graceful

    def kill(self) -> None:
        """SIGKILL to it and to whatever it left in its process group, and reap it. Once per start: ids are reused."""
        if self.process is None or self._group_cleared:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self._group_cleared = True
        if self.record is not None:
            self.record.unlink(missing_ok=True)

    def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for its end; returns whether it ended."""
        if self.process is None:
            return True
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def require_running(self) -> None:
        """Raise ProcessFailed with the end of its log when it has ended."""
        if not self.running:
            raise ProcessFailed(f"{self.name} ended with {self.returncode}.\n{self.log_tail()}", f"Log: {self.log_path}")

    def log_tail(self, lines: int = 15) -> str:
        """The last lines of its log, indented."""
        try:
            with self.log_path.open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - 16_384))
                text = log.read().decode(errors="replace")
        except OSError:
            return ""
        return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])


def stop_recorded(record: Path, grace: float = 20.0) -> bool:
    """Stop the process that an earlier run recorded and could not stop; returns whether there was one.

    A pid that has meanwhile become another program's is left alone.
    """
    identity = Identity.load(record)
    found = identity is not None and identity.alive
    if identity is not None and found:
        os.kill(identity.pid, signal.SIGTERM)
        if not wait_until(lambda: not identity.alive, grace):
            os.kill(identity.pid, signal.SIGKILL)
            wait_until(lambda: not identity.alive, 5)
    record.unlink(missing_ok=True)
    return found


def _dies_with_parent(number: signal.Signals) -> list[str]:
    # util-linux's setpriv rather than preexec_fn: Python warns of deadlocks when a program with threads uses that.
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", number.name.removeprefix("SIG"), "--"] if setpriv else []
