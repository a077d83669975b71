"""`backup` and `verify`: one moment of all databases and of what was on its way between the services, in one file."""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

from pymongo.errors import PyMongoError

from deploy.ops.archive import EVENTS, FORMAT, LETTERS, WAITING, ArchiveReader, ArchiveWriter, member_of
from deploy.ops.context import Context
from deploy.ops.errors import FINE, Unusable, Wrong
from deploy.ops.leftovers import tidy_up
from deploy.ops.load import try_out
from deploy.ops.mutex import Alone, alone
from deploy.ops.snapshot import Snapshot
from deploy.ops.summary import show_backup
from deploy.ops.tables import format_size, say
from deploy.ops.transit import Transit
from services.common.redaction import redact
from services.common.times import now, to_wire
from services.common.version import VERSION

EVENTS_MINUTES = 15.0
_SHOW_EVERY = 2.0


def add_parsers(commands: Any) -> None:
    """Add `backup` and `verify`."""
    parser = commands.add_parser("backup", help="write one moment of everything into a file, while all is running")
    parser.add_argument("target", type=Path, metavar="FOLDER|FILE", help="a folder gets foyer-TIME.tar.gz")
    parser.add_argument(
        "--events-since",
        type=_minutes,
        default=EVENTS_MINUTES,
        metavar="MINUTES",
        help=f"how far back events are kept that may not have been handled yet ({EVENTS_MINUTES:g}); further where some wait for longer",
    )
    parser.add_argument(
        "--verify",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="restore it into databases of another name, compare, and drop them (yes)",
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(run=back_up)

    verify = commands.add_parser("verify", help="check a backup's file alone")
    verify.add_argument("file", type=Path)
    verify.add_argument("--json", action="store_true", help="for programs")
    verify.set_defaults(run=verify_file)


def back_up(options: argparse.Namespace) -> int:
    """Exit status 1 when it couldn't be read or verified; no file is left then."""
    path = _path_of(options.target)
    with Context() as context, alone(context) as mutex:
        tidy_up(context, path.parent)
        try:
            with ArchiveWriter(path) as archive:
                manifest = _write(context, mutex, archive, options)
                archive.complete(manifest)
                if options.verify:
                    say("Trying it out in databases of another name …")
                    try_out(context.database, archive.temporary)
                archive.publish()
        except PyMongoError as error:
            raise Wrong(
                f"The database failed on the way: {type(error).__name__}: {redact(str(error))[:300]}.",
                "No file was written. See: doctor; then try again.",
            ) from None
    show_backup(path, manifest, as_json=options.json, verified=options.verify)
    return FINE


def verify_file(options: argparse.Namespace) -> int:
    """Exit status 1 when the file is damaged."""
    manifest = ArchiveReader(options.file).verify()
    show_backup(options.file, manifest, as_json=options.json, verified=True)
    return FINE


def _write(context: Context, mutex: Alone, archive: ArchiveWriter, options: argparse.Namespace) -> dict[str, Any]:
    broker_version = context.broker.connection.server_properties.get("version")
    with ExitStack() as stack:
        since = now() - timedelta(minutes=options.events_since)
        transit = stack.enter_context(Transit(context, archive.path.parent, since))
        transit.look()
        mutex.require()
        snapshot = stack.enter_context(Snapshot(context.database))
        transit.read(snapshot)
        progress = _Progress(len(snapshot.names))
        collections = []
        for database, name in snapshot.names:
            part = archive.add_bson(
                member_of(database, name), progress.watch(f"{database}.{name}", snapshot.read(database, name))
            )
            collections.append(
                part.described() | {"database": database, "collection": name} | _definition(context, database, name)
            )
        # In the order in which they are published again.
        waiting = archive.add_spool(WAITING, transit.waiting)
        events = archive.add_spool(EVENTS, transit.events)
        letters = archive.add_spool(LETTERS, transit.letters)
        progress.end()
        return {
            "format": FORMAT,
            "made_at": to_wire(now()),
            "snapshot": {
                "at": to_wire(snapshot.at),
                "cluster_time": snapshot.cluster_time,
                "seconds": round(snapshot.elapsed, 1),
            },
            "versions": {
                "foyer": VERSION,
                "database": context.database.server_info()["version"],
                "broker": broker_version,
            },
            "collections": collections,
            "waiting_events": waiting.described() | {"waited": transit.waiting_count},
            "events": events.described() | {"since": to_wire(transit.since), "reached_back": transit.reached_back},
            "dead_letters": letters.described(),
        }


def _definition(context: Context, database: str, name: str) -> dict[str, Any]:
    """What makes the collection anew: its options and its indexes."""
    [listed] = context.database[database].list_collections(filter={"name": name})
    indexes = [dict(index) for index in context.database[database][name].list_indexes()]
    return {"options": listed.get("options", {}), "indexes": indexes}


class _Progress:
    """One line on a terminal that says how far it has come; elsewhere a line now and then."""

    def __init__(self, collections: int) -> None:
        self._collections = collections
        self._done = 0
        self._bytes = 0
        self._shown = time.monotonic()

    def watch(self, name: str, batches: Iterator[bytes]) -> Iterator[bytes]:
        for batch in batches:
            self._bytes += len(batch)
            self._show(name)
            yield batch
        self._done += 1

    def end(self) -> None:
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")

    def _show(self, name: str) -> None:
        every = 0.2 if sys.stderr.isatty() else _SHOW_EVERY
        if time.monotonic() - self._shown < every:
            return
        self._shown = time.monotonic()
        text = f"{self._done}/{self._collections} collections, {format_size(self._bytes)}: {name}"
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()
        else:
            say(text)


def _path_of(target: Path) -> Path:
    if target.is_dir():
        return target / f"foyer-{now():%Y%m%dT%H%M%SZ}.tar.gz"
    if target.exists():
        raise Unusable(f"{target} exists already.", "Name a folder or another file.")
    if not target.parent.is_dir():
        raise Unusable(f"There is no folder {target.parent}.")
    return target


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = -1
    if not 0 < minutes <= 7 * 24 * 60:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of minutes up to a week")
    return minutes
