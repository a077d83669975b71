"""The relay over a link that is lost: what went over the last one is not taken for sent, and a document's events keep their order."""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from services.common import outbox
from services.common.amqp import Outgoing
from services.common.outbox import OutboxRelay
from services.common.store import Document, Store
from services.common.times import now

KEY = ("things", "a")


class Broker:
    """Links that come and go, and what was published over each of them."""

    def __init__(self, _uri: str, *, prepare: Callable[[Any], None]) -> None:
        self.links: list[list[str]] = []
        self.connected = False
        self.tended = 0
        self._prepare = prepare

    def connect(self) -> None:
        if not self.connected:
            self._prepare(None)
            self.connected = True
            self.links.append([])

    def publish_confirmed(self, messages: Sequence[Outgoing]) -> None:
        self.connect()
        self.links[-1] += [message.properties["message_id"] for message in messages]

    def require(self, _queues: Sequence[str]) -> None:
        self.connect()

    def count_ready(self, _queue: str) -> int:
        return 0

    def tend(self) -> None:
        self.tended += 1


class Things(Store):
    """A store of one document, with what is still in its outbox."""

    entities = ("things",)

    def __init__(self) -> None:
        self.outbox: list[Document] = []

    def unsent(self, _collection: str, _older_than: Any, _limit: int) -> list[Document]:
        return [{"_id": "a", "outbox": list(self.outbox)}] if self.outbox else []

    def mark_sent(self, _collection: str, sent: Mapping[str, Sequence[str]]) -> None:
        self.outbox = [entry for entry in self.outbox if entry["id"] not in sent["a"]]


class World:
    """A relay between them."""

    def __init__(self, relay: OutboxRelay) -> None:
        self.relay = relay
        self.broker: Any = relay._publisher
        self.things = Things()
        relay.store = self.things

    def commit(self, key: str) -> None:
        """An event more in the document's outbox, which is handed over as a write's whole."""
        entity = {"kind": "thing", "id": "a", "version": len(self.things.outbox) + 1}
        told = {"type": "thing_changed", "entity": entity, "contact_id": None, "request_id": None, "data": {}}
        self.things.outbox.append({"id": key, "at": now(), **told})
        self.relay.hand_over(*KEY, list(self.things.outbox))

    def send(self) -> None:
        self.relay._send_waiting()

    def sweep(self) -> None:
        self.relay._sweep(timedelta())


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(outbox, "Publisher", Broker)
    monkeypatch.setattr(outbox, "declare", lambda *_, **__: None)
    settings: Any = SimpleNamespace(amqp_uri="")
    return World(OutboxRelay("contacts", settings))


def test_published_event_is_sent_once_and_taken_out(world: World) -> None:
    world.commit("1")
    world.send()
    world.sweep()
    assert world.broker.links == [["1"]]
    assert world.things.outbox == []


def test_event_is_not_filed_when_its_queues_were_declared_anew_since_and_goes_again(world: World) -> None:
    world.commit("1")
    world.send()
    world.broker.connected = False  # and the queue that took it was deleted: the check declares another
    with pytest.raises(ConnectionError):
        world.relay._filing.file({KEY: list(world.things.outbox)})
    assert [entry["id"] for entry in world.things.outbox] == ["1"]
    world.sweep()
    assert world.broker.links == [["1"], ["1"]]
    assert world.things.outbox == []


def test_earlier_unfiled_events_of_a_document_go_first_over_a_new_link(world: World) -> None:
    world.commit("1")
    world.send()
    world.broker.connected = False
    world.commit("2")
    world.send()
    assert world.broker.links == [["1"], ["1", "2"]]


def test_event_that_wakes_the_relay_does_not_wait_for_the_links_upkeep(world: World) -> None:
    class Wake(threading.Event):
        """An event is committed while somebody waits for it, the first time."""

        def wait(self, _timeout: float | None = None) -> bool:
            if not world.things.outbox:
                world.commit("1")
            return self.is_set()

    world.relay._wake = Wake()
    world.send()
    assert (world.broker.links, world.broker.tended) == ([["1"]], 0)
    world.send()  # nothing came
    assert (world.broker.links, world.broker.tended) == ([["1"]], 1)
