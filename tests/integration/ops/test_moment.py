"""What a backup holds of a moment beyond the databases, and a restore that can't go on: neither loses anything."""

from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pymongo
import pytest

from deploy.ops import backup, load, restore
from deploy.ops.doctor.command import examine
from deploy.ops.errors import Wrong
from deploy.ops.letters import Letter
from deploy.ops.load import UNFINISHED
from deploy.ops.snapshot import Snapshot
from services.common.amqp import Outgoing
from services.common.ids import new_id
from services.common.topology import SERVICES, dead_letter_queue, event_queue
from tests.integration.ops.conftest import NO_ENGINE, BareProduct, Ops
from tests.integration.ops.test_dead_letters import empty, ids_in, publish
from tests.support.events import event_message

Harm = Callable[[BareProduct], None]

QUEUE = event_queue("assignment")


@pytest.fixture
def quiet(bare: BareProduct, monkeypatch: pytest.MonkeyPatch) -> Iterator[BareProduct]:
    """With some data and nothing in the queues; also for commands within this process."""
    for name, value in (bare.environment | NO_ENGINE).items():
        monkeypatch.setenv(name, value)
    queues = [queue for service in SERVICES for queue in (event_queue(service), dead_letter_queue(service))]
    empty(bare, *queues)
    for service in SERVICES:
        bare.mongo(service).client.drop_database(f"foyer_{service}")
        bare.mongo(service).things.insert_many({"_id": str(number), "version": 1} for number in range(3))
    yield bare
    empty(bare, *queues)


def put_aside(stack: BareProduct, at: str) -> str:
    """A letter of assignment's, of an event that no log has any more; its id."""
    event = event_message("messaging", "assignment_requested", {}, entity=("conversation", new_id(), 1))
    body = orjson.dumps(orjson.loads(event.body) | {"at": at})
    letter = Letter.of("assignment", body, {"x-foyer-reason": "failed"}, {})
    publish(stack, letter.to_letter(dead_letter_queue("assignment")))
    return letter.id


def young_event(stack: BareProduct) -> Outgoing:
    event = event_message("messaging", "assignment_requested", {}, entity=("conversation", new_id(), 1))
    publish(stack, event)
    return event


def test_event_that_waits_behind_a_younger_one_and_is_in_no_log_is_restored_to_its_service_alone(
    quiet: BareProduct, bare_ops: Ops, tmp_path: Path
) -> None:
    young = young_event(quiet).properties["message_id"]
    old = put_aside(quiet, "2026-01-20T00:00:00.000Z")
    bare_ops.must("dead-letters", "replay", "--all")
    assert ids_in(quiet, QUEUE) == [young, old]
    folder = tmp_path / "backups"
    folder.mkdir()
    made = bare_ops.must("backup", str(folder), "--no-verify", "--json").json
    assert ids_in(quiet, QUEUE) == [young, old]  # as it was
    waiting = made["manifest"]["waiting_events"]
    assert (waiting["documents"], waiting["waited"]) == (1, 2)
    assert "whole and verified" in bare_ops.must("verify", made["file"]).out

    later = young_event(quiet).properties["message_id"]
    said = bare_ops.must("restore", made["file"], "--replace", "--yes", "--json").json
    assert said["waiting_events"] == 1
    restored = ids_in(quiet, QUEUE)
    # The old one first, as it happened; what the log had follows.
    assert restored[0] == old
    assert young in restored
    assert later not in restored
    assert not [service for service in SERVICES if service != "assignment" and old in ids_in(quiet, event_queue(service))]
    kept = Path(said["undone_events"]["file"])
    assert kept.parent == folder
    assert [orjson.loads(line)["id"] for line in kept.read_bytes().splitlines()] == [young, old, later]


@pytest.fixture
def file(quiet: BareProduct, bare_ops: Ops, tmp_path: Path) -> Path:
    """A backup."""
    return Path(bare_ops.must("backup", str(tmp_path / "made.tar.gz"), "--no-verify", "--json").json["file"])


def options(file: Path, **changes: Any) -> Namespace:
    return Namespace(**({"file": file, "replace": True, "yes": True, "undone_to": None, "json": False} | changes))


def databases(stack: BareProduct) -> set[str]:
    return {name for name in stack.mongo("presence").client.list_database_names() if name.startswith("foyer")}


def test_restore_drops_nothing_when_undone_events_cannot_be_kept(quiet: BareProduct, bare_ops: Ops, file: Path) -> None:
    before = databases(quiet)
    said = bare_ops.run("restore", str(file), "--replace", "--yes", "--undone-to", "/nowhere/undone.jsonl")
    assert said.status == 2
    assert "/nowhere/undone.jsonl can't be written" in said.err
    assert "--undone-to" in said.err
    assert databases(quiet) == before
    assert quiet.mongo("presence").things.count_documents({}) == 3


def test_restore_that_was_not_confirmed_leaves_no_trace(quiet: BareProduct, bare_ops: Ops, file: Path) -> None:
    before = databases(quiet)
    assert bare_ops.run("restore", str(file), "--replace").status == 1
    assert databases(quiet) == before
    assert list(file.parent.glob("undone*")) == []


def test_restore_that_ended_at_its_first_drop_is_named_and_no_service_is_to_be_started(
    quiet: BareProduct, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dropped = pymongo.MongoClient.drop_database

    def fail(client: Any, name: str) -> None:
        raise ConnectionError(name)

    monkeypatch.setattr(pymongo.MongoClient, "drop_database", fail)
    with pytest.raises(ConnectionError):
        restore.restore(options(file))
    monkeypatch.setattr(pymongo.MongoClient, "drop_database", dropped)
    findings = examine(quiet.environment | NO_ENGINE, None)
    said = [line.text for line in findings.of("bad") if line.part == "database"]
    assert said == ["a restore was begun and not finished: the databases hold only part of it"]
    assert not [line for line in findings.lines if "which make them" in line.remedy]
    assert restore.restore(options(file)) == 0
    assert UNFINISHED not in databases(quiet)


def step_down(stack: BareProduct) -> None:
    client = stack.mongo("presence").client
    client.admin.command({"replSetStepDown": 1, "force": True})


def kill(stack: BareProduct) -> None:
    assert stack.database.process is not None
    stack.database.process.kill()
    stack.database.start()


@pytest.mark.parametrize(
    ("harm", "place"), [(step_down, "between collections"), (kill, "in a collection"), (kill, "while it is tried out")]
)
def test_backup_is_whole_or_nothing_when_the_database_falls_over(
    quiet: BareProduct, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: Harm, place: str
) -> None:
    quiet.mongo("assignment").things.insert_many({"_id": f"more {number}"} for number in range(2_500))
    read, loading = Snapshot.read, load._load
    harmed: list[Harm] = []

    def harm_once(where: str) -> None:
        if where == place and not harmed:
            harmed.append(harm)
            harm(quiet)

    def read_and_harm(self: Snapshot, database: str, collection: str) -> Iterator[bytes]:
        for batch in read(self, database, collection):
            yield batch
            harm_once("in a collection")
        harm_once("between collections")

    def load_and_harm(*arguments: Any) -> None:
        loading(*arguments)
        harm_once("while it is tried out")

    monkeypatch.setattr(Snapshot, "read", read_and_harm)
    monkeypatch.setattr(load, "_load", load_and_harm)
    said, files = "", 1
    try:
        backup.back_up(Namespace(target=tmp_path, events_since=15.0, verify=True, json=False))
    except Wrong as error:
        said, files = str(error), 0
    assert harmed
    assert not said or "The database failed on the way" in said or "no longer knows the moment" in said
    assert said or place != "in a collection"
    assert len(list(tmp_path.iterdir())) == files
    assert not [name for name in databases(quiet) if name.startswith("foyertrial")]
    parameter = {"getParameter": 1, "minSnapshotHistoryWindowInSeconds": 1}
    assert quiet.mongo("presence").client.admin.command(parameter)["minSnapshotHistoryWindowInSeconds"] == 300


def test_backup_of_nothing_is_refused_in_words(quiet: BareProduct, bare_ops: Ops) -> None:
    for service in SERVICES:
        quiet.mongo(service).client.drop_database(f"foyer_{service}")
    said = bare_ops.run("backup", ".")
    assert said.status == 2
    assert "holds nothing of Foyer's" in said.err
    assert list(bare_ops.folder.iterdir()) == []
