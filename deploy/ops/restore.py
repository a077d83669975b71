"""`restore`: a backup's file put back into the databases and the queues, while the services are stopped."""

import argparse
from itertools import islice
from pathlib import Path
from typing import Any

import pymongo

from deploy.ops.archive import EVENTS, WAITING, ArchiveReader
from deploy.ops.context import Context
from deploy.ops.errors import FINE, Wrong
from deploy.ops.leftovers import tidy_up
from deploy.ops.letter_box import Settle, writing
from deploy.ops.letters import Letter
from deploy.ops.load import UNFINISHED, load_all
from deploy.ops.mutex import alone
from deploy.ops.places import folder_for
from deploy.ops.queues import held, measure, take
from deploy.ops.snapshot import foyer_databases
from deploy.ops.tables import confirm, count_of, format_table, say, show_json
from deploy.ops.topology import declare_all, declare_anew
from deploy.ops.transit import to_event
from services.common.amqp import Outgoing, Publisher
from services.common.times import now, to_wire
from services.common.topology import SERVICES, dead_letter_queue, event_queue, rpc_queue

Document = dict[str, Any]
_BATCH = 200


def add_parsers(commands: Any) -> None:
    """Add `restore`."""
    parser = commands.add_parser("restore", help="put a backup's file back; the services must be stopped")
    parser.add_argument("file", type=Path)
    parser.add_argument("--replace", action="store_true", help="drop what the databases hold")
    parser.add_argument("--yes", action="store_true", help="don't ask before dropping")
    parser.add_argument(
        "--undone-to",
        type=Path,
        metavar="FILE",
        help="where events are kept that wait in the queues and belong to what is replaced (undone-events-TIME.jsonl beside the backup)",
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(run=restore)


def restore(options: argparse.Namespace) -> int:
    """Exit status 1 when refused, or what was loaded is not what the file holds."""
    archive = ArchiveReader(options.file)
    say("Checking the file …")
    manifest = archive.verify()
    undone_path = options.undone_to or folder_for(options.file.parent) / f"undone-events-{now():%Y%m%dT%H%M%SZ}.jsonl"
    with Context() as context, alone(context) as mutex:
        _require_stopped(context)
        tidy_up(context, options.file.parent)
        # Before anything is dropped: without a file for them, what waits in the queues can't be taken away.
        with writing(undone_path, "--undone-to") as write:
            replaced = _require_room(context.database, options)
            context.renew_broker()
            _require_stopped(context)
            context.database[UNFINISHED].restore.insert_one({"file": str(options.file), "begun_at": now()})
            for name in replaced:
                context.database.drop_database(name)
            declare_all(context.broker, context.settings)
            undone = _set_aside_waiting(context, write)
        say("Loading and comparing …")
        load_all(context.database, archive)
        context.renew_broker()
        declare_anew(context.broker, context.settings)
        _require_stopped(context)
        mutex.require()
        _publish(context, archive)
        context.database.drop_database(UNFINISHED)
    _show(options, manifest, undone, undone_path)
    return FINE


def _require_stopped(context: Context) -> None:
    running = [name for name in SERVICES if (depth := measure(context.broker, rpc_queue(name))) is not None and depth.consumers]
    if running:
        raise Wrong(
            f"These services are running: {', '.join(running)}.", "Stop them and the gateways first: they would write meanwhile."
        )


def _require_room(client: "pymongo.MongoClient[Document]", options: argparse.Namespace) -> list[str]:
    """The databases that may be dropped. Raises Wrong, Declined."""
    held_now = {
        name: sum(client[name][each].estimated_document_count() for each in client[name].list_collection_names())
        for name in foyer_databases(client)
    }
    if not held_now:
        return []
    said = ", ".join(f"{name} ({count_of(count, 'document')})" for name, count in held_now.items())
    if not options.replace:
        raise Wrong(f"There are databases already: {said}.", "To drop them and restore: --replace")
    confirm(f"Drop {said}, and restore {options.file}?", yes=options.yes)
    return list(held_now)


def _set_aside_waiting(context: Context, write: Settle) -> int:
    """Write what waits in the queues to a file and empty them: it happened after the moment that is restored, or is in the file."""
    count = 0
    for service in SERVICES:
        for queue in (event_queue(service), dead_letter_queue(service)):
            with held(context.broker) as channel:
                while batch := list(take(channel, queue, _BATCH)):
                    write([Letter.read(service, message) for message in batch])
                    channel.basic_ack(batch[-1].delivery_info["delivery_tag"], multiple=True)
                    count += len(batch)
    return count


def _publish(context: Context, archive: ArchiveReader) -> None:
    publisher = Publisher(context.settings.amqp_uri)
    messages = (_to_message(name, record) for name, record in archive.records())
    try:
        while batch := list(islice(messages, _BATCH)):
            publisher.publish_confirmed(batch, mandatory=True, timeout=30.0)
    finally:
        publisher.close()


def _to_message(member: str, record: dict[str, Any]) -> Outgoing:
    if member == EVENTS:
        return to_event(record)
    letter = Letter.from_record(record)
    # What waited goes to that service's queue alone.
    return letter.to_replay() if member == WAITING else letter.to_letter(dead_letter_queue(letter.service))


def _show(options: argparse.Namespace, manifest: dict[str, Any], undone: int, undone_path: Path) -> None:
    moment, events, letters = manifest["snapshot"]["at"], manifest["events"]["documents"], manifest["dead_letters"]["documents"]
    waiting = manifest.get("waiting_events", {}).get("documents", 0)
    rows = [[each["database"], each["collection"], each["documents"]] for each in manifest["collections"]]
    if options.json:
        show_json(
            {
                "moment": moment,
                "restored_at": to_wire(now()),
                "collections": [dict(zip(("database", "collection", "documents"), row, strict=True)) for row in rows],
                "events": events,
                "waiting_events": waiting,
                "dead_letters": letters,
                "undone_events": {"count": undone, "file": str(undone_path) if undone else None},
            }
        )
        return
    print(format_table(["DATABASE", "COLLECTION", "DOCUMENTS"], rows))
    print()
    print(f"Restored as of {moment}, every document and index compared with the file.")
    if waiting:
        print(f"{count_of(waiting, 'event')} that waited for one service put back into its queue.")
    print(f"{count_of(events, 'event')} and {count_of(letters, 'dead letter')} put back into the queues.")
    if undone:
        print(f"{count_of(undone, 'event')} waited in the queues and belonged to what was replaced; {undone_path} keeps them.")
    print("Start the services and the gateways now.")
