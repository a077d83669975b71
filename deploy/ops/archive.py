"""The backup's file: a gzipped tar of one BSON file per collection, events and dead letters as JSON lines, and the manifest at its end.

The manifest comes last, so a file that was cut off has none. Every member's length and SHA-256 stand in it. Documents lie in
the order of their `_id`, so the digest of a member is the digest of the collection read in that order.
"""

import hashlib
import io
import os
import secrets
import tarfile
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import orjson
from bson import json_util
from bson.errors import BSONError

from deploy.ops.errors import Unusable, Wrong
from deploy.ops.places import lock
from deploy.ops.spool import Spool

FORMAT = 2
MANIFEST = "manifest.json"
EVENTS = "events.jsonl"
LETTERS = "dead-letters.jsonl"
WAITING = "waiting-events.jsonl"
_JSON_LINES = ("waiting_events", "events", "dead_letters")
_SMALLEST, _LARGEST = 5, 17 * 1024 * 1024  # a document of 16 MiB, and what the server adds
_UNREADABLE = (tarfile.TarError, EOFError, zlib.error, OSError)
# Level 6 takes twice as long for 5 % less.
_COMPRESSION = 3


@dataclass(frozen=True)
class Part:
    """A member as the manifest describes it."""

    name: str
    count: int
    size: int
    sha256: str

    def described(self) -> dict[str, Any]:
        """What the manifest says."""
        return {"file": self.name, "documents": self.count, "bytes": self.size, "sha256": self.sha256}

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> Self:
        """The part that the manifest describes. Raises KeyError."""
        return cls(described["file"], described["documents"], described["bytes"], described["sha256"])


def member_of(database: str, collection: str) -> str:
    """The name of a collection's file; no collection of ours has a slash in its name."""
    return f"{database}/{collection}.bson"


class ArchiveWriter:
    """Writes beside `path`, readable by the owner alone, and takes its place only once all of it is on the disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.unfinished")
        self._file: IO[bytes] | None = None
        self._tar: tarfile.TarFile | None = None
        self._finished = False

    def __enter__(self) -> Self:
        try:
            descriptor = os.open(self.temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            lock(descriptor)
        except OSError as error:
            raise Unusable(f"{self.path} can't be written: {error.strerror}.") from None
        self._file = os.fdopen(descriptor, "wb")
        self._tar = tarfile.open(fileobj=self._file, mode="w:gz", compresslevel=_COMPRESSION)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if self._finished or self._file is None:
            return
        self._file.close()
        self.temporary.unlink(missing_ok=True)

    def add_bson(self, name: str, batches: Iterable[bytes]) -> Part:
        """Add documents, given as bytes that hold whole ones. Each collection lies on the disk once more while it is added."""
        digest, size, count = hashlib.sha256(), 0, 0
        # Without a name, so that nothing is left of it however this process ends.
        with tempfile.TemporaryFile(dir=self.path.parent) as spool:
            for batch in batches:
                spool.write(batch)
                digest.update(batch)
                size += len(batch)
                count += _count_documents(batch)
            spool.seek(0)
            self._add(name, size, spool)
        return Part(name, count, size, digest.hexdigest())

    def add_spool(self, name: str, spool: Spool) -> Part:
        """Add the JSON lines of a spool."""
        spool.file.seek(0)
        self._add(name, spool.size, spool.file)
        return Part(name, spool.count, spool.size, spool.digest.hexdigest())

    def complete(self, manifest: Mapping[str, Any]) -> None:
        """Add the manifest; `temporary` is then the whole file, on the disk."""
        if self._tar is None or self._file is None:
            raise RuntimeError("not entered")
        content = json_util.dumps(manifest, json_options=json_util.RELAXED_JSON_OPTIONS, indent=1).encode()
        self._add(MANIFEST, len(content), io.BytesIO(content))
        self._tar.close()
        self._file.flush()
        os.fsync(self._file.fileno())

    def publish(self) -> None:
        """Put the file in its place."""
        self.temporary.replace(self.path)
        self._finished = True
        # Not before: with it the lock goes that says whose it is.
        if self._file is not None:
            self._file.close()
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _add(self, name: str, size: int, content: IO[bytes]) -> None:
        if self._tar is None:
            raise RuntimeError("not entered")
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = size, 0o600
        self._tar.addfile(entry, content)


class ArchiveReader:
    """Reads a backup's file from its beginning to its end; `manifest` is known once `verify` has read all of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.manifest: dict[str, Any] = {}

    def verify(self) -> dict[str, Any]:
        """The manifest, once every member has the length, count and digest that it says. Raises Wrong, Unusable."""
        found: dict[str, Part] = {}
        content = b""
        with self._reading():
            for name, file in self._members():
                if name == MANIFEST:
                    content = file.read()
                else:
                    found[name] = _measure(name, file)
        if not content:
            raise Wrong(f"{self.path} has no manifest: it was cut off, or is no backup of Foyer.")
        self.manifest = _read_manifest(self.path, content)
        expected = {part.name: part for part in self.parts()}
        for name in expected.keys() - found.keys():
            raise Wrong(f"{self.path} is damaged: {name} is missing.")
        for name in found.keys() - expected.keys():
            raise Wrong(f"{self.path} is damaged: {name} is not in its manifest.")
        for name, part in expected.items():
            if found[name] != part:
                raise Wrong(f"{self.path} is damaged: {name} is not what was backed up.")
        return self.manifest

    def parts(self) -> list[Part]:
        """All members but the manifest, as it describes them."""
        manifest = self.manifest
        # The first format had no waiting events.
        lines = [manifest[name] for name in _JSON_LINES if name in manifest]
        return [Part.of(each) for each in [*manifest["collections"], *lines]]

    def collections(self) -> Iterator[tuple[dict[str, Any], Iterator[bytes]]]:
        """Each collection's description with its documents, which must be read before the next."""
        described = {each["file"]: each for each in self.manifest["collections"]}
        for name, file in self._members():
            if name in described:
                yield described[name], _documents(name, file)

    def records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each JSON line with the name of its member, one by one in the file's order."""
        for name, file in self._members():
            if name in (WAITING, EVENTS, LETTERS):
                for line in file:
                    yield name, orjson.loads(line)

    def _members(self) -> Iterator[tuple[str, IO[bytes]]]:
        with tarfile.open(self.path, "r:gz") as tar:
            for entry in tar:
                if (file := tar.extractfile(entry)) is not None:
                    yield entry.name, file

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """What reading can meet, said."""
        try:
            yield
        except FileNotFoundError:
            raise Unusable(f"There is no file {self.path}.") from None
        except PermissionError:
            raise Unusable(f"{self.path} may not be read by this user.") from None
        except _UNREADABLE as error:
            raise Wrong(f"{self.path} is damaged, or no backup of Foyer: {error}.") from None


def _read_manifest(path: Path, content: bytes) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json_util.loads(content.decode(), json_options=json_util.RELAXED_JSON_OPTIONS)
        if manifest["format"] > FORMAT:
            raise Unusable(
                f"{path} was written by a newer version of Foyer (format {manifest['format']}).", "Restore it with that."
            )
    except (ValueError, KeyError, TypeError, BSONError):
        raise Wrong(f"{path} is damaged: its manifest can't be read.") from None
    return manifest


def _measure(name: str, file: IO[bytes]) -> Part:
    digest, size, count = hashlib.sha256(), 0, 0
    pieces = _documents(name, file) if name.endswith(".bson") else file
    for piece in pieces:
        digest.update(piece)
        size += len(piece)
        count += 1
    return Part(name, count, size, digest.hexdigest())


def _documents(name: str, file: IO[bytes]) -> Iterator[bytes]:
    while head := file.read(4):
        length = int.from_bytes(head, "little", signed=True)
        if not _SMALLEST <= length <= _LARGEST:
            raise Wrong(f"The backup is damaged: {name} holds something that is no document.")
        rest = file.read(length - 4)
        if len(rest) != length - 4 or rest[-1]:
            raise Wrong(f"The backup is damaged: {name} is cut off.")
        yield head + rest


def _count_documents(batch: bytes) -> int:
    count = position = 0
    while position < len(batch):
        position += int.from_bytes(batch[position : position + 4], "little")
        count += 1
    return count
