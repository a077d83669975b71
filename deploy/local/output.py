"""What the runner shows: prefixed lines of many sources, and the services' log files followed into them."""

import os
import select
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)
PREFIX_WIDTH = 10
LONGEST_LINE = 64 * 1024
LONGEST_LOG = 20_000_000


class Output:
    """Writes whole lines, one writer at a time. A reader that has gone away is no error."""

    def __init__(self, stream: TextIO, *, colour: bool | None = None) -> None:
        self._stream = stream
        self._terminal = stream.fileno() if stream.isatty() else None
        self._colour = colour if colour is not None else stream.isatty() and "NO_COLOR" not in os.environ
        self._lock = threading.RLock()  # a signal handler may write while a line is being written
        self._prefixes: dict[str, str] = {}

    def has_hung_up(self) -> bool:
        """Whether it was a terminal that is closed now. SIGHUP would say so, but goes to the session's leader only."""
        if self._terminal is None:
            return False
        poll = select.poll()
        poll.register(self._terminal, 0)
        return bool(poll.poll(0))

    def line(self, name: str, text: str) -> None:
        """One line of a source."""
        self.block(f"{self._prefix(name)}{text}")

    def block(self, text: str) -> None:
        """Text as it is, in one piece."""
        with self._lock:
            try:
                self._stream.write(f"{text}\n")
                self._stream.flush()
            except (OSError, ValueError):
                pass

    def _prefix(self, name: str) -> str:
        if name not in self._prefixes:
            plain = f"{name:<{PREFIX_WIDTH}} | "
            colour = COLOURS[len(self._prefixes) % len(COLOURS)]
            self._prefixes[name] = f"\x1b[{colour}m{plain}\x1b[0m" if self._colour else plain
        return self._prefixes[name]


class LogFollower:
    """Shows what is appended to log files, from a thread of its own.

    The processes write to files rather than to pipes through the runner: a terminal that stands still can't block
    them, and the end of the runner loses nothing of what they said.
    """

    def __init__(self, output: Output, paths: Mapping[str, Path], interval: float = 0.1) -> None:
        self._output = output
        self._sources = {name: _Source(path) for name, path in paths.items()}
        self._interval = interval
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="logs", daemon=True)

    def start(self) -> None:
        """Follow from where the files end now."""
        self._thread.start()

    def stop(self) -> None:
        """Show what is left, then end."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()

    def _follow(self) -> None:
        while not self._ending.wait(self._interval):
            self._show()
        self._show()

    def _show(self) -> None:
        for name, source in self._sources.items():
            for line in source.new_lines():
                self._output.line(name, line)


class _Source:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.position = path.stat().st_size if path.exists() else 0
        self.rest = b""

    def new_lines(self) -> list[str]:
        try:
            with self.path.open("rb") as log:
                if log.seek(0, os.SEEK_END) < self.position:
                    self.position = 0
                log.seek(self.position)
                data = log.read()
        except OSError:
            return []
        self.position += len(data)
        *lines, self.rest = (self.rest + data).split(b"\n")
        if len(self.rest) > LONGEST_LINE:
            lines, self.rest = [*lines, self.rest], b""
        return [line.decode(errors="replace").rstrip("\r") for line in lines]


def set_aside(path: Path, longest: int = LONGEST_LOG) -> None:
    """Rename a log of more than `longest` bytes to NAME.1, so that logs don't grow without end."""
    if path.exists() and path.stat().st_size > longest:
        path.replace(path.with_name(f"{path.name}.1"))
