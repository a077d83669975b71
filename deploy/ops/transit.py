"""What of a moment lives in the broker alone: events that had left their outbox and were not yet handled, and dead letters.

A service removes an event from its document once the broker has it, and another acts on it later: between the two no database
knows of it. So a backup takes what waits in the queues, what was put aside, and the events of the log from a while before its
moment up to it, for what services had in their hands. All of it is kept on the disk: there may be more of it than memory.
"""

from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import amqp
import orjson

from deploy.ops.context import Context
from deploy.ops.event_log import mark, read_until
from deploy.ops.letter_box import each_letter
from deploy.ops.letters import Letter
from deploy.ops.queues import body_of, read_waiting
from deploy.ops.snapshot import Snapshot
from deploy.ops.spool import KnownIds, Spool
from services.common.amqp import PERSISTENT, Outgoing
from services.common.envelope import Event
from services.common.times import now
from services.common.topology import SERVICES, event_exchange, event_queue, subscriptions
from services.common.wire import Undecodable

# What a service has in its hands is older than the head of its queue, by no more than its attempts take.
IN_HANDS = timedelta(minutes=1)


class Transit:
    """Enter it, call `look` before the snapshot's moment and `read` after it; then it holds everything on its way at the moment."""

    def __init__(self, context: Context, folder: Path, since: datetime) -> None:
        """Take a folder whose disk has room."""
        self.since = since
        self.reached_back = False
        self.waiting_count = 0
        self._context = context
        self._folder = folder
        self._open = ExitStack()
        self._before = ""
        self._looked = False

    def __enter__(self) -> Self:
        self._waiting = self._spool()
        self.waiting = self._spool()
        self.events = self._spool()
        self.letters = self._spool()
        self._known = KnownIds(self._folder)
        self._open.callback(self._known.close)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._open.close()

    def look(self) -> None:
        """What waits, how far back the log has to be read, what was put aside, and which events are older than the moment."""
        # In this order: an event that is handled, or put aside, in between is then found twice rather than never.
        oldest = [at for service in SERVICES if (at := self._keep_waiting(service)) is not None]
        self.waiting_count = self._waiting.count
        if oldest and min(oldest) - IN_HANDS < self.since:
            self.since = min(oldest) - IN_HANDS
            self.reached_back = True
        for service in SERVICES:
            for letter in each_letter(self._context, service):
                self.letters.add(letter.record())
        self._before = mark(self._context.broker)

    def read(self, snapshot: Snapshot) -> None:
        """The events of the log that somebody subscribes to and that had happened by the moment, and of the waiting ones the others."""
        wanted = {pair for pairs in subscriptions().values() for pair in pairs}
        moment = now()

        def keep(_offset: int, message: amqp.Message) -> None:
            self._looked = self._looked or message.properties.get("message_id") == self._before
            body = body_of(message)
            try:
                event = Event.decode(body)
            except Undecodable:
                return
            if (event.source, event.type) not in wanted:
                return
            # Published after `look`: it may have been committed after the moment, and then belongs to a future that is not restored.
            if self._looked and not _had_happened(event, snapshot, moment):
                return
            if self._known.add(event.id):
                self.events.add(orjson.loads(body))

        read_until(self._context.broker, self.since, mark(self._context.broker), keep)
        for record in self._waiting:
            if record["id"] not in self._known:
                self.waiting.add(record)

    def _keep_waiting(self, service: str) -> datetime | None:
        """Keep what waits for a service; when the first of it happened."""
        head = None
        for message in read_waiting(self._context.broker, event_queue(service)):
            letter = Letter.read(service, message)
            self._waiting.add(letter.record())
            if head is None and letter.event is not None:  # else about to be put aside
                head = letter.event.at
        return head

    def _spool(self) -> Spool:
        spool = Spool(self._folder)
        self._open.callback(spool.close)
        return spool


def to_event(record: dict[str, Any]) -> Outgoing:
    """The message of an event of the backup's, for those who subscribe and for the log."""
    return Outgoing(
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
