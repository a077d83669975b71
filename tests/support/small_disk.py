"""A file system of a few hundred megabytes that a test fills to the last byte; needs root, as mounting does."""

import contextlib
import errno
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Self

# mongod lays two journal files of 100 MB aside before it takes a single write.
MEGABYTES = 400
CHUNK = 1024 * 1024
BALLAST = "ballast"


def why_no_disk() -> str:
    """Why no file system can be mounted here, a sentence; empty if one can."""
    if os.geteuid() != 0:
        return "Mounting a small file system needs root."
    with tempfile.TemporaryDirectory() as folder:
        try:
            with SmallDisk(Path(folder) / "tried", megabytes=1):
                return ""
        except (OSError, subprocess.CalledProcessError) as error:
            return f"No file system can be mounted here: {error}."


class SmallDisk:
    """A tmpfs at `path`, of memory, so that filling it concerns nobody else; use it as a context."""

    def __init__(self, path: Path, megabytes: int = MEGABYTES) -> None:
        self.path = path
        self.megabytes = megabytes

    def __enter__(self) -> Self:
        self.mount()
        return self

    def __exit__(self, *_: object) -> None:
        self.unmount()

    def mount(self) -> None:
        """Make it. Raises CalledProcessError where that is not allowed."""
        self.path.mkdir(parents=True, exist_ok=True)
        options = f"size={self.megabytes}m,mode=0700"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "foyer", str(self.path)], check=True, capture_output=True)

    def unmount(self) -> None:
        """Take it away with all that is on it; one that still serves somebody goes when the last of them has ended."""
        if os.path.ismount(self.path):
            subprocess.run(["umount", "--lazy", str(self.path)], check=False, capture_output=True)

    @property
    def free_bytes(self) -> int:
        """How much more can be written."""
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize

    def fill(self) -> int:
        """Write until nothing more can be; how many bytes that took."""
        with (self.path / BALLAST).open("ab", buffering=0) as ballast:
            for size in (CHUNK, 4096):
                with _until_full():
                    while True:
                        ballast.write(bytes(size))
            return ballast.tell()

    def free(self) -> None:
        """Make room again, as an operator would."""
        (self.path / BALLAST).unlink(missing_ok=True)


class _until_full(contextlib.AbstractContextManager[None]):  # noqa: N801 - reads as the statement that it is
    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        return isinstance(error, OSError) and error.errno == errno.ENOSPC
