"""One runner per data folder."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.local.errors import AlreadyRunning, RunnerError


class DataLock:
    """Holds the data folder as long as it is entered; the kernel lets go of it when the process ends, however it ends."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.path = data_dir / "runner.lock"
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        """Make the folder and take it. Raises AlreadyRunning, and RunnerError when it can't be written."""
        try:
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise RunnerError(
                f"The data folder {self.data_dir} can't be written: {error.strerror}.",
                "Make it yours, or choose another: FOYER_DATA=<folder> make run",
            ) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(descriptor, 32).decode().strip()
            os.close(descriptor)
            raise AlreadyRunning(
                f"Foyer already runs in {self.data_dir}{f' (process {holder})' if holder else ''}.",
                f"Stop it with Ctrl-C in its terminal{f' or with: kill {holder}' if holder else ''}; "
                "a second one needs FOYER_DATA, FOYER_PORT, FOYER_BROKER_PORT and FOYER_DATABASE_PORT of its own.",
            ) from None
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if self._descriptor is not None:
            os.truncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None
