"""What of a moment lives in the broker alone: events that had left their outbox and were not yet handled, and dead letters.

A service removes an event from its document once the broker has it, and another acts on it later: between the two no database
knows of it. So a backup takes the events of the log from a while before its moment up to it, and what was put aside.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import amqp
import orjson

from deploy.ops.context import Context
from deploy.ops.event_log import mark, read_until
from deploy.ops.letter_box import look_through
from deploy.ops.queues import body_of, held, take
from deploy.ops.snapshot import Snapshot
from services.common.amqp import PERSISTENT, Outgoing
from services.common.envelope import Event
from services.common.times import now
from services.common.topology import SERVICES, event_exchange, event_queue, subscriptions
from services.common.wire import Undecodable

# What a service has in its hands is older than the head of its queue, by no more than its attempts take.
IN_HANDS = timedelta(minutes=1)
PEEKED = 20


@dataclass
class Transit:
    """Call `look` before the snapshot's moment, `read` after it; then it holds everything on its way at the moment."""

    context: Context
    since: datetime
    reached_back: bool = False
    before: str = ""
    letters: list[dict[str, Any]] = field(default_factory=list)
    events: dict[str, dict[str, Any]] = field(default_factory=dict)

    def look(self) -> None:
        """How far back the log has to be read, what was put aside, and which events are certain to be older than the moment."""
        # In this order: an event that is handled, or put aside, in between is then found twice rather than never.
        oldest = [at for service in SERVICES if (at := self._oldest_waiting(service)) is not None]
        if oldest and min(oldest) - IN_HANDS < self.since:
            self.since = min(oldest) - IN_HANDS
            self.reached_back = True
        self.letters = [letter.record() for service in SERVICES for letter in look_through(self.context, service)]
        self.before = mark(self.context.broker)

    def read(self, snapshot: Snapshot) -> None:
        """The events of the log that somebody subscribes to and that had happened by the snapshot's moment."""
        wanted = {pair for pairs in subscriptions().values() for pair in pairs}
        moment = now()
        later: list[tuple[Event, dict[str, Any]]] = []
        looked = [False]

        def keep(_offset: int, message: amqp.Message) -> None:
            looked[0] = looked[0] or message.properties.get("message_id") == self.before
            body = body_of(message)
            try:
                event = Event.decode(body)
            except Undecodable:
                return
            if (event.source, event.type) not in wanted:
                return
            record = orjson.loads(body)
            if looked[0]:
                later.append((event, record))
            else:
                self.events[event.id] = record

        read_until(self.context.broker, self.since, mark(self.context.broker), keep)
        # Published after `look`: they may have been committed after the moment, and then belong to a future that is not restored.
        self.events |= {event.id: record for event, record in later if _had_happened(event, snapshot, moment)}

    def _oldest_waiting(self, service: str) -> datetime | None:
        with held(self.context.broker) as channel:
            for message in take(channel, event_queue(service), PEEKED):
                try:
                    return Event.decode(body_of(message)).at
                except Undecodable:  # about to be put aside
                    continue
        return None


def to_events(records: list[dict[str, Any]]) -> Iterator[Outgoing]:
    """The messages of a backup's events, for those who subscribe and for the log."""
    for record in records:
        yield Outgoing(
            event_exchange(record["source"]),
            record["type"],
            orjson.dumps(record),
            {"delivery_mode": PERSISTENT, "message_id": record["id"], "type": record["type"]},
        )


def _had_happened(event: Event, snapshot: Snapshot, moment: datetime) -> bool:
    found = snapshot.find_version(f"foyer_{event.source}", event.entity_id)
    if found is None:  # an event of something other than its document, or of what is gone by now
        return event.at <= moment
    version, unsent = found
    return event.version <= version and event.id not in unsent
