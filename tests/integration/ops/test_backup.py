"""A backup taken in the midst of the work holds all that was accepted before it, and what was on its way; nothing less is taken for one."""

import gzip
import json
import threading
from pathlib import Path

import pytest

from deploy.ops.addresses import find_surroundings
from deploy.ops.archive import ArchiveReader
from deploy.ops.context import Context
from deploy.ops.errors import Wrong
from deploy.ops.letters import Letter
from services.common.ids import new_id
from services.common.topology import dead_letter_queue, event_queue, read_epoch
from tests.e2e.conftest import make_desk
from tests.integration.ops.conftest import BareProduct, Ops
from tests.integration.ops.test_dead_letters import depth, publish
from tests.support.events import event_message
from tests.support.product import Agent, Gateway, Product, Visitor
from tests.support.waiting import wait_until

WRITERS = 3


def epoch(product: Product) -> str:
    """The event log's."""
    with Context(find_surroundings(product.environment)) as context:
        return read_epoch(context.broker.connection)


class Writing:
    """Visitors who write all the time; knows which messages were accepted."""

    def __init__(self, gateway: Gateway, channel_id: str) -> None:
        self.accepted: list[str] = []
        self._gateway = gateway
        self._channel_id = channel_id
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._write) for _ in range(WRITERS)]

    def __enter__(self) -> "Writing":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _write(self) -> None:
        visitor = Visitor(self._gateway, self._channel_id)
        while not self._ending.is_set():
            key = new_id()
            body = {"text": f"message {key}", "client_message_id": key}
            # One that a busy product refuses is not accepted.
            if self._gateway.send("POST", "/v1/widget/messages", body, token=visitor.token).ok:
                self.accepted.append(key)
            else:
                self._ending.wait(0.1)


def test_backup_under_load_is_restored_whole_and_the_work_goes_on(
    product: Product, gateway: Gateway, admin: str, ops: Ops, bare: BareProduct, bare_ops: Ops, tmp_path: Path
) -> None:
    agent = Agent(gateway, admin, "Ann", capacity=1_000)
    channel_id = make_desk(gateway, admin)
    gone = product.services["assignment"]
    wait_until(lambda: product.mongo("assignment").agents.find_one({"_id": agent.id}), what="the agent at the desk")
    gone.stop()
    letter = event_message("messaging", "field_collected", {}, entity=("conversation", "c", 1))
    dead = Letter.of("contacts", letter.body, {"x-foyer-reason": "failed"}, {}).to_letter(dead_letter_queue("contacts"))
    try:
        with Writing(gateway, channel_id) as writing:
            waiting = Visitor(gateway, channel_id)
            waiting.say("Is anybody there?")
            sent = {"outbox.0": {"$exists": False}, "_id": waiting.conversation_id}
            wait_until(lambda: product.mongo("messaging").conversations.find_one(sent), what="the request's sending")
            wait_until(lambda: depth(product, event_queue("assignment")) > 0, what="the request in the queue")
            publish(product, dead)
            wait_until(lambda: len(writing.accepted) > 20, 30)
            before = list(writing.accepted)
            # Older than the events that are kept anyway: the queue's head says that they wait.
            made = ops.must("backup", str(tmp_path), "--events-since", "0.001", "--json").json
            assert len(writing.accepted) > len(before)  # it went on meanwhile
    finally:
        product.start_service("assignment")
    assert made["verified"]
    assert made["manifest"]["events"]["reached_back"]
    assert made["manifest"]["dead_letters"]["documents"] == 1
    file = Path(made["file"])
    assert file.stat().st_mode & 0o077 == 0
    assert [each.name for each in tmp_path.iterdir()] == [file.name]
    ops.must("dead-letters", "discard", "--all", "--yes")

    assert ops.run("restore", str(file), "--replace", "--yes").status == 1  # the services are running
    bare.mongo("messaging").leftover.insert_one({})
    assert bare_ops.run("restore", str(file)).status == 1
    assert bare.mongo("messaging").leftover.count_documents({}) == 1
    said = bare_ops.must("restore", str(file), "--replace", "--yes", "--json").json
    assert said["dead_letters"] == 1
    assert said["events"] > 0
    assert depth(bare, dead_letter_queue("contacts")) == 1

    restored = bare.start_services()
    try:
        stored = {each["client_message_id"] for each in bare.mongo("messaging").messages.find({}, {"client_message_id": 1})}
        assert set(before) <= stored
        elsewhere = object.__new__(Agent)
        elsewhere.gateway, elsewhere.id, elsewhere.token = restored, agent.id, restored.sign_in(agent.email)
        stream = elsewhere.watch()
        try:
            wait_until(
                lambda: (
                    (elsewhere.ask("GET", f"/v1/conversations/{waiting.conversation_id}")["assignee"] or {}).get("id") == agent.id
                ),
                30,
                what="the assignment that was under way when the backup was taken",
            )
            # All who wrote before are served, too: what the log held was not lost on the way.
            conversations = bare.mongo("messaging").conversations
            wait_until(
                lambda: not list(conversations.find({"assignee": None, "status": "open"}, {"_id": 1})),
                30,
                what="everybody's assignment",
            )
        finally:
            stream.close()
        assert bare_ops.run("doctor").status == 0
    finally:
        restored.process.stop()
        for name in ("presence", "contacts", "messaging", "assignment"):
            bare.services[name].stop()


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory, product: Product, gateway: Gateway) -> Path:
    folder = tmp_path_factory.mktemp("backup")
    return Path(Ops(product, folder).must("backup", str(folder), "--no-verify", "--json").json["file"])


def test_verify_accepts_what_is_whole(backup: Path, ops: Ops) -> None:
    assert "whole and verified" in ops.must("verify", str(backup)).out


def _without_end(content: bytes) -> bytes:
    return content[: len(content) * 2 // 3]


def _flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]


def _forged(content: bytes) -> bytes:
    """Another word in a document, with everything else as it was."""
    plain = gzip.decompress(content)
    assert b"admin@foyer.localhost" in plain
    return gzip.compress(plain.replace(b"admin@foyer.localhost", b"admim@foyer.localhost"))


@pytest.mark.parametrize("damage", [_without_end, _flipped, _forged, lambda _: b"", lambda _: gzip.compress(b"no tar")])
def test_damaged_file_is_refused(backup: Path, tmp_path: Path, damage: object) -> None:
    damaged = tmp_path / "damaged.tar.gz"
    damaged.write_bytes(damage(backup.read_bytes()))  # type: ignore[operator]
    with pytest.raises(Wrong):
        ArchiveReader(damaged).verify()


def test_restore_changes_nothing_when_the_file_is_damaged(backup: Path, bare: BareProduct, bare_ops: Ops, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.tar.gz"
    damaged.write_bytes(_forged(backup.read_bytes()))
    bare.mongo("contacts").kept.insert_one({"_id": "kept"})
    said = bare_ops.run("restore", str(damaged), "--replace", "--yes")
    assert said.status == 1
    assert "is damaged" in said.err
    assert bare.mongo("contacts").kept.find_one() == {"_id": "kept"}


def test_restore_undoes_what_waits_in_the_queues_and_begins_another_epoch(
    backup: Path, bare: BareProduct, bare_ops: Ops, tmp_path: Path
) -> None:
    later = event_message("messaging", "field_collected", {}, entity=("conversation", "of a future that is undone", 9))
    publish(bare, later)
    undone = tmp_path / "undone.jsonl"
    before = epoch(bare)
    said = bare_ops.must("restore", str(backup), "--replace", "--yes", "--undone-to", str(undone), "--json").json
    assert said["undone_events"]["count"] >= 1
    kept = [Letter.from_record(json.loads(line)).event for line in undone.read_text().splitlines()]
    assert "of a future that is undone" in [event.entity_id for event in kept if event]
    assert bare.mongo("presence").agents.count_documents({}) > 0
    assert epoch(bare) != before  # so that no client goes on from a position in the future that is undone
