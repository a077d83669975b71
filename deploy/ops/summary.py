"""What a backup's file holds, as `backup` and `verify` show it."""

from pathlib import Path
from typing import Any

from deploy.ops.tables import format_size, format_table, show_json


def show_backup(path: Path, manifest: dict[str, Any], *, as_json: bool, verified: bool) -> None:
    """A table and the sums for people, or the manifest as JSON."""
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
    if "waiting_events" in manifest:
        waiting = manifest["waiting_events"]
        print(
            f"waiting       {waiting['waited']:,} in the services' queues, {waiting['documents']:,} of them not among these events"
        )
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
