"""What a backup collects before it is written, on the disk and without a name: nothing is left of it however the process ends."""

import hashlib
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import orjson


class Spool:
    """JSON lines."""

    def __init__(self, folder: Path) -> None:
        self.file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by `close`
        self.digest = hashlib.sha256()
        self.count = self.size = 0

    def add(self, record: Mapping[str, Any]) -> None:
        """One more line."""
        line = orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
        self.file.write(line)
        self.digest.update(line)
        self.count += 1
        self.size += len(line)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        self.file.seek(0)
        for line in self.file:
            yield orjson.loads(line)

    def close(self) -> None:
        """Give its room back."""
        self.file.close()


class KnownIds:
    """A set of ids."""

    def __init__(self, folder: Path) -> None:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".ids-") as file:
            self._database = sqlite3.connect(file.name, isolation_level=None)
            # Opened by the first statement, and then without its name.
            self._database.execute("PRAGMA journal_mode = OFF")
            self._database.execute("PRAGMA synchronous = OFF")
            self._database.execute("CREATE TABLE known (id TEXT PRIMARY KEY) WITHOUT ROWID")
        self._database.execute("BEGIN")

    def add(self, each: str) -> bool:
        """Whether it was not known before."""
        return self._database.execute("INSERT OR IGNORE INTO known VALUES (?)", (each,)).rowcount == 1

    def __contains__(self, each: str) -> bool:
        return self._database.execute("SELECT 1 FROM known WHERE id = ?", (each,)).fetchone() is not None

    def close(self) -> None:
        """Give its room back."""
        self._database.close()
