"""Messages' events published straight on the broker when they are due, as messaging publishes them: nothing is stored."""

import threading
import time
from collections.abc import Sequence

import amqp

from deploy.local.broker import PASSWORD, USER
from services.common.amqp import Outgoing
from services.common.ids import new_id
from services.common.times import now, to_wire
from tests.load.crowd import Copy
from tests.support.events import event_message
from tests.support.stack import Stack


class Publishing(threading.Thread):
    """Publishes each event when it is due, unconfirmed, as fast as the reader's thread lets it."""

    def __init__(self, stack: Stack, due: Sequence[float], events: Sequence[Outgoing]) -> None:
        super().__init__(name="publishing", daemon=True)
        self.lateness = 0.0
        self._connection = amqp.Connection(f"127.0.0.1:{stack.broker.port}", userid=USER, password=PASSWORD)
        self._connection.connect()
        self._due = due
        self._events = events
        self.began = time.perf_counter() + 0.2

    def run(self) -> None:
        """Publish them all; `began` is the moment from which they are due."""
        with self._connection as connection:
            channel = connection.channel()
            for seconds, event in zip(self._due, self._events, strict=True):
                due = self.began + seconds
                time.sleep(max(0.0, due - time.perf_counter()))
                self.lateness = max(self.lateness, time.perf_counter() - due)
                channel.basic_publish(event.to_amqp(), exchange=event.exchange, routing_key=event.routing_key)


def message_event(copy: Copy) -> tuple[str, Outgoing]:
    """A message's event as messaging publishes it, and the message's id."""
    key = new_id()
    data = {
        "id": key,
        "conversation_id": copy.conversation_id,
        "seq": 1_000,
        "author": {"kind": "agent", "id": new_id(), "name": "Agent 1"},
        "text": "It came on Monday, in blue, and it fits.",
        "choices": None,
        "created_at": to_wire(now()),
        "client_message_id": new_id(),
        "delivery": None,
    }
    return key, event_message("messaging", "message_posted", data, entity=("message", key, 1), contact_id=copy.contact_id)
