"""A queue that is deleted under running services: what they publish waits for it, though the event log takes every event."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from services.common import metrics, outbox, queues
from services.common.amqp import close_quietly, connect
from services.common.ids import new_id
from services.common.outbox import OutboxRelay
from services.common.settings import Settings
from services.common.store import Document, Store
from services.common.times import now
from tests.support.secured import Keys, broker_with_rights
from tests.support.waiting import wait_until

GIVEN = Settings.read({"FOYER_TOPOLOGY": "given"})


class Filed:
    """The relay's store: what it filed as sent, and no outbox to sweep."""

    entities = ()

    def __init__(self) -> None:
        self.ids: list[str] = []

    def settle(self, _collection: str, entries: Any) -> None:
        list(entries)

    def mark_sent(self, _collection: str, sent: dict[str, list[str]]) -> None:
        self.ids += [entry for entries in sent.values() for entry in entries]

    def unsent(self, *_: object) -> list[Document]:
        return []


class Publishing:
    """A relay of the messaging service at work."""

    def __init__(self, settings: Settings) -> None:
        self.filed = Filed()
        self.relay = OutboxRelay("messaging", settings)
        self.relay.store = cast("Store", self.filed)

    def send(self) -> str:
        """Hand over an event for assignment; its id. What the relay forgets of it after a failure is handed over by `repeat`."""
        self.entry = {
            "id": new_id(),
            "type": "channel_created",
            "entity": {"kind": "channel", "id": "c", "version": 1},
            "contact_id": None,
            "at": now(),
            "request_id": None,
            "data": {},
        }
        self.repeat()
        return str(self.entry["id"])

    def repeat(self) -> None:
        """As the sweep does with what is still in the database."""
        self.relay.hand_over("channels", "c", [self.entry])

    def is_filed(self, event: str) -> bool:
        return event in self.filed.ids

    def is_filed_at_last(self, event: str) -> bool:
        if not self.is_filed(event):
            self.repeat()
        return self.is_filed(event)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keys]:
    with broker_with_rights(tmp_path_factory.mktemp("deleted")) as keys:
        yield keys


@contextmanager
def publishing(settings: Settings) -> Iterator[Publishing]:
    found = Publishing(settings)
    thread = threading.Thread(target=found.relay.run)
    thread.start()
    try:
        first = found.send()
        wait_until(lambda: found.is_filed(first), 20, what="the first event")
        yield found
    finally:
        found.relay.stop()
        thread.join()


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the relay logs, however logging was configured by whoever ran before."""
    lines: list[str] = []
    log = SimpleNamespace(warning=lambda event, **values: lines.append(f"{event} {values}"))
    monkeypatch.setattr(outbox, "log", log)
    return lines


def given(keys: Keys) -> Settings:
    return replace(GIVEN, amqp_uri=keys.amqp_uri("messaging"))


def failures() -> float:
    return float(metrics.OUTBOX_FAILURES._value.get())


def get_all(keys: Keys, queue: str) -> list[str]:
    """The ids of the events in a queue, which is emptied."""
    connection = connect(keys.amqp_uri("operator"))
    found = []
    try:
        channel = connection.channel()
        while (message := channel.basic_get(queue, no_ack=True)) is not None:
            found.append(json.loads(message.body)["id"])
    finally:
        close_quietly(connection)
    return found


def watch(keys: Keys) -> None:
    """Have everything that messaging publishes in a queue of its own, too."""
    connection = connect(keys.amqp_uri("operator"))
    try:
        channel = connection.channel()
        channel.queue_declare("witness", durable=True, auto_delete=False)
        channel.queue_bind("witness", "messaging.events", "#")
    finally:
        close_quietly(connection)


@pytest.mark.parametrize("queue", ["events.assignment", "foyer.events"])
def test_event_waits_for_its_queue_when_that_was_deleted_after_the_last_one(
    keys: Keys, queue: str, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    monkeypatch.setattr(queues.QueueWatch, "look", lambda _: None)  # it would be the first to see it
    watch(keys)
    with publishing(given(keys)) as relay:
        keys.management().delete("queues", "foyer", queue)
        failed = failures()
        event = relay.send()
        wait_until(lambda: failures() > failed, 20, what="the absence noticed")
        for _ in range(3):  # from now on nothing more is published
            seen = failures()
            relay.repeat()
            wait_until(lambda seen=seen: failures() > seen, 20, what="another attempt")  # type: ignore[misc]
        assert not relay.is_filed(event)
        assert get_all(keys, "witness").count(event) == 1
        assert f"queue {queue}" in " ".join(said)

        printed = keys.set_up("broker")
        assert f'"queues": ["{queue}"], "event": "queues_made_anew"' in printed
        wait_until(lambda: relay.is_filed_at_last(event), 20, what="the event")
    assert event in get_all(keys, "events.assignment")
    assert "queues_made_anew" not in keys.set_up("broker")


def test_event_reaches_its_queue_when_a_publisher_that_declares_had_it_deleted(keys: Keys) -> None:
    settings = replace(GIVEN, topology="declare", amqp_uri=keys.amqp_uri("operator"))
    with publishing(settings) as relay:
        keys.management().delete("queues", "foyer", "events.assignment")
        event = relay.send()
        wait_until(lambda: relay.is_filed_at_last(event), 20, what="the event")
    assert event in get_all(keys, "events.assignment")


def test_deleted_queue_is_noticed_when_nothing_is_published(keys: Keys, monkeypatch: pytest.MonkeyPatch, said: list[str]) -> None:
    monkeypatch.setattr(queues, "EVERY_SECONDS", 0.1)
    with publishing(given(keys)):
        keys.management().delete("queues", "foyer", "events.contacts")
        failed = failures()
        wait_until(lambda: failures() > failed + 1, 20, what="the absence noticed")
        assert "queue events.contacts" in " ".join(said)
        keys.set_up("broker")

        def quiet() -> bool:
            seen = failures()
            try:
                wait_until(lambda: failures() > seen, 4, what="another failure")
            except AssertionError:
                return True
            return False

        wait_until(quiet, 30, what="the end of failures")
