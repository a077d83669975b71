"""Clocks that a test sets: a process started with a clock's environment sees the wall clock moved, as libfaketime does it, and its monotonic one as it is.

A step of a real machine's clock is the same: `CLOCK_REALTIME` jumps, `CLOCK_MONOTONIC` does not.
"""

from collections.abc import Mapping
from pathlib import Path

# Debian's multiarch folders, and where other distributions put it.
PLACES = (
    "/usr/lib/*/faketime/libfaketime.so.1",
    "/usr/lib*/faketime/libfaketime.so.1",
    "/usr/local/lib/faketime/libfaketime.so.1",
)
HOOK = Path(__file__).with_name("moved_clock")


def find_library() -> Path | None:
    """libfaketime for a program of one thread or many, if it is installed (Debian's package `faketime`)."""
    return next((path for place in PLACES for path in sorted(Path("/").glob(place.removeprefix("/")))), None)


class Clock:
    """The wall clock of the processes that are given its `environment`; right until it is moved."""

    def __init__(self, path: Path, library: Path) -> None:
        """Take the file by which the processes are told, and the library that tells them."""
        self._path = path
        self._library = library
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self.move(0)

    @property
    def environment(self) -> Mapping[str, str]:
        """What a process must be started with to go by this clock."""
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._path),
            "FAKETIME_NO_CACHE": "1",  # the file is read at each look at the clock, some microseconds, so a step is in force at once
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "PYTHONPATH": str(HOOK),
        }

    def move(self, seconds: int) -> None:
        """Have the clock go so many seconds before (or, negative, behind) the right time; in force on return."""
        # In one step: a process that read half of it would fall back on the right time.
        new = self._path.with_suffix(".new")
        new.write_text(f"{seconds:+d}\n")
        new.replace(self._path)
