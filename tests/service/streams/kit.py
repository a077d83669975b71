"""What the stream tests share: a publisher of events, hubs with small limits, and clients that remember what they got."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import amqp
import orjson

from gateway.settings import GatewaySettings
from gateway.streams import StreamHub
from gateway.streams.entries import Payload
from gateway.streams.limits import Limits
from gateway.streams.stream import Batch, ClientStream
from gateway.streams.subscriber import Viewer
from services.common.amqp import BROKER_ERRORS, Publisher, connect
from services.common.ids import new_id
from services.common.outbox import to_message
from services.common.times import now
from services.common.topology import declare
from tests.support.waiting import wait_until

# Without recent entries to speak of: whoever missed more than three events has to be told from the log itself.
FORGETFUL = Limits(recent_count=3, warm_up=3)
AGENT = Viewer.agent("agent-1", "session-1")


def settings_for(uri: str, **changes: Any) -> GatewaySettings:
    """The gateway's settings for a broker."""
    return replace(GatewaySettings.read({"AMQP_URI": uri, "FOYER_SECRET_KEY": "k" * 40}), **changes)


class ServicesStandIn:
    """Records the calls about leases and about visitors who are there; the services themselves are tried in their own tests."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []  # presence's
        self.noted: list[list[str]] = []  # by assignment

    def call(self, service: str, method: str, /, *, timeout: float | None = None, **kwargs: Any) -> Any:
        if service == "assignment":
            self.noted.append(kwargs["contact_ids"])
            return {"waiting": 1}
        self.calls.append((method, kwargs))
        return {}


class Publishing:
    """Publishes events as a service's relay does, confirmed."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._uri = settings.amqp_uri
        self._settings = settings
        self.declare()
        self._publisher = Publisher(settings.amqp_uri)
        self.sent: list[int] = []  # the numbers of the messages, in order

    def declare(self) -> None:
        """Make sure of the log, as a relay has to before it publishes over a new link.

        For about half a second after a restart RabbitMQ 3.10 confirms what it routes to a stream that isn't up yet, and loses it.
        """
        connection = connect(self._uri)
        try:
            declare(connection, self._settings)
        finally:
            connection.release()

    def declares(self) -> bool:
        """Whether `declare` succeeds now."""
        try:
            self.declare()
        except BROKER_ERRORS:
            return False
        return True

    def event(
        self, kind: str, data: dict[str, Any], *, contact_id: str | None = None, source: str = "messaging"
    ) -> dict[str, Any]:
        """Publish one event; returns its outbox entry, from which `again` publishes it once more."""
        entry = {
            "id": new_id(),
            "type": kind,
            "entity": {"kind": "thing", "id": new_id(), "version": 1},
            "contact_id": contact_id,
            "at": now(),
            "request_id": None,
            "data": data,
        }
        self.again(entry, source=source)
        return entry

    def again(self, entry: dict[str, Any], *, source: str = "messaging") -> None:
        """Publish what was published before."""
        self._publisher.publish_confirmed([to_message(source, entry)], mandatory=False)

    def messages(self, count: int, *, contact_id: str = "contact-1", padding: int = 0) -> None:
        """Publish numbered messages of a contact."""
        batch = []
        for _ in range(count):
            number = len(self.sent)
            self.sent.append(number)
            batch.append(
                to_message(
                    "messaging",
                    {
                        "id": new_id(),
                        "type": "message_posted",
                        "entity": {"kind": "message", "id": new_id(), "version": 1},
                        "contact_id": contact_id,
                        "at": now(),
                        "request_id": None,
                        "data": {
                            "seq": number,
                            "text": "x" * padding,
                            "author": {"kind": "visitor", "id": contact_id, "name": "V"},
                        },
                    },
                )
            )
        self._publisher.publish_confirmed(batch, mandatory=False)

    def raw(self, body: bytes, source: str = "messaging") -> None:
        """Publish something that is no event."""
        connection = connect(self._uri)
        connection.channel().basic_publish(amqp.Message(body), f"{source}.events", "odd")
        connection.release()

    def close(self) -> None:
        """Close the link."""
        self._publisher.close()


class Client:
    """Reads a stream on its own thread, as the web server would, until the stream ends."""

    def __init__(self, stream: ClientStream) -> None:
        self.stream = stream
        self.payloads: list[Payload] = []
        self.heartbeats: list[str | None] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        for batch in self.stream.batches():
            self._take(batch)
        self.stream.close()

    def _take(self, batch: Batch) -> None:
        if not batch.payloads:
            self.heartbeats.append(batch.position)
        self.payloads.extend(batch.payloads)

    @property
    def names(self) -> list[str]:
        return [payload.name for payload in self.payloads]

    @property
    def numbers(self) -> list[int]:
        """The numbers of the messages that arrived."""
        return [self.data(payload)["seq"] for payload in self.payloads if payload.name == "message.created"]

    @property
    def last_id(self) -> str:
        return self.payloads[-1].id

    @staticmethod
    def data(payload: Payload) -> dict[str, Any]:
        loaded: dict[str, Any] = orjson.loads(payload.json)
        return loaded

    def wait_for_messages(self, count: int, timeout: float = 30.0) -> list[int]:
        """Wait until so many messages have arrived, and return their numbers."""
        wait_until(lambda: len(self.numbers) >= count, timeout, what=f"the arrival of {count} messages")
        return self.numbers

    def leave(self) -> str:
        """Close the stream as a client that goes; returns the id to resume from."""
        self.stream.close()
        self._thread.join(15)
        assert not self._thread.is_alive()
        return self.last_id

    def wait_ended(self) -> None:
        """Wait until the stream has ended by itself."""
        self._thread.join(15)
        assert not self._thread.is_alive()


@contextmanager
def running_hub(
    settings: GatewaySettings, limits: Limits | None = None, rpc: ServicesStandIn | None = None
) -> Iterator[StreamHub]:
    """A hub that has read the log to its end."""
    hub = StreamHub(settings, rpc or ServicesStandIn(), set(), limits)
    hub.start()
    try:
        wait_until(lambda: hub.ready, 15, what="the hub's readiness")
        yield hub
    finally:
        hub.stop()


def watch(hub: StreamHub, last_event_id: str | None = None, viewer: Viewer = AGENT) -> Client:
    """A client of the hub."""
    client = Client(hub.open(viewer, last_event_id, "sse"))
    wait_until(lambda: client.payloads, what="the first event")
    return client
