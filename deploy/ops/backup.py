"""`backup` and `verify`: one moment of all databases and of what was on its way between the services, in one file."""

import argparse
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from deploy.ops.archive import EVENTS, FORMAT, LETTERS, ArchiveReader, ArchiveWriter, member_of
from deploy.ops.context import Context
from deploy.ops.errors import FINE, Unusable
from deploy.ops.load import try_out
from deploy.ops.snapshot import Snapshot
from deploy.ops.tables import format_size, format_table, say, show_json
from deploy.ops.transit import Transit
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
    with Context() as context, ArchiveWriter(path) as archive:
        manifest = _write(context, archive, options)
        archive.complete(manifest)
        if options.verify:
            say("Trying it out in databases of another name …")
            try_out(context.database, archive.temporary)
        archive.publish()
    _show(path, manifest, as_json=options.json, verified=options.verify)
    return FINE


def verify_file(options: argparse.Namespace) -> int:
    """Exit status 1 when the file is damaged."""
    manifest = ArchiveReader(options.file).verify()
    _show(options.file, manifest, as_json=options.json, verified=True)
    return FINE


def _write(context: Context, archive: ArchiveWriter, options: argparse.Namespace) -> dict[str, Any]:
    transit = Transit(context, now() - timedelta(minutes=options.events_since))
    broker_version = context.broker.connection.server_properties.get("version")
    transit.look()
    with Snapshot(context.database) as snapshot:
        transit.read(snapshot)
        if not snapshot.names:
            raise Unusable("The database holds nothing of Foyer's.", "See: doctor")
        progress = _Progress(len(snapshot.names))
        collections = []
        for database, name in snapshot.names:
            part = archive.add_bson(
                member_of(database, name), progress.watch(f"{database}.{name}", snapshot.read(database, name))
            )
            collections.append(
                part.described() | {"database": database, "collection": name} | _definition(context, database, name)
            )
        events = archive.add_records(EVENTS, transit.events.values())
        letters = archive.add_records(LETTERS, transit.letters)
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


def _show(path: Path, manifest: dict[str, Any], *, as_json: bool, verified: bool) -> None:
    if as_json:
        show_json({"file": str(path), "bytes": path.stat().st_size, "verified": verified, "manifest": _plain(manifest)})
        return
    totals: dict[str, list[int]] = {}
    for each in manifest["collections"]:
        row = totals.setdefault(each["database"], [0, 0, 0])
        for column, value in enumerate((1, each["documents"], each["bytes"])):
            row[column] += value
    rows = [[name, count, documents, format_size(size)] for name, (count, documents, size) in totals.items()]
    print(format_table(["DATABASE", "COLLECTIONS", "DOCUMENTS", "SIZE"], rows))
    snapshot, events = manifest["snapshot"], manifest["events"]
    print()
    print(f"moment        {snapshot['at']} (cluster time {snapshot['cluster_time'].time}.{snapshot['cluster_time'].inc})")
    print(f"events        {events['documents']:,}, since {events['since']}{_reason(events)}")
    print(f"dead letters  {manifest['dead_letters']['documents']:,}")
    print(f"written by    Foyer {manifest['versions']['foyer']}, MongoDB {manifest['versions']['database']}")
    print(f"file          {path}, {format_size(path.stat().st_size)}{', whole and verified' if verified else ', not verified'}")


def _reason(events: dict[str, Any]) -> str:
    return " (a service had events waiting since then)" if events["reached_back"] else ""


def _plain(manifest: dict[str, Any]) -> dict[str, Any]:
    moment = manifest["snapshot"]["cluster_time"]
    brief = [
        {name: value for name, value in each.items() if name not in ("indexes", "options")} for each in manifest["collections"]
    ]
    snapshot = manifest["snapshot"] | {"cluster_time": [moment.time, moment.inc]}
    return manifest | {"collections": brief, "snapshot": snapshot}


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
