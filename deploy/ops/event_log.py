"""The event log as the backup reads it: its messages since a moment, up to a mark put at its end."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import amqp
from kombu.connection import Connection

from deploy.ops.errors import Unusable, Wrong
from services.common.ids import new_id
from services.common.topology import EVENT_LOG

# The type of messages that readers of the log pass over.
MARK = "log_opened"
PREFETCH = 500
# A healthy broker sends the first chunk within 5 ms of the attachment.
FIRST_WAIT = 2.0
QUIET = 0.25
LONGEST_SILENCE = 10.0

Take = Callable[[int, amqp.Message], None]


def mark(connection: Connection) -> str:
    """Put a mark at the log's end, which no reader shows, and return its id. Raises Unusable where there is no log."""
    # Beyond the end nothing comes, and nothing says so: a reader that waits for its own mark misses nothing.
    mark_id = new_id()
    message = amqp.Message(b"{}", delivery_mode=2, type=MARK, message_id=mark_id, content_type="application/json")
    channel = connection.channel()
    returned: list[object] = []
    try:
        channel.events["basic_return"].add(lambda *arguments: returned.append(arguments))
        channel.confirm_select()
        channel.basic_publish(message, "", EVENT_LOG, mandatory=True)
        channel.wait([amqp.spec.Basic.Ack], timeout=LONGEST_SILENCE)
    except TimeoutError:
        raise Unusable("The broker does not confirm what is published.", "See: doctor") from None
    finally:
        channel.close()
    if returned:
        raise Unusable(f"There is no event log {EVENT_LOG}.", "See: doctor")
    return mark_id


def read_until(connection: Connection, since: datetime, mark_id: str, take: Take) -> None:
    """Give `take` each message published since the moment, and perhaps some before, up to a mark. Raises Wrong."""
    marked = [False]

    def note(offset: int, message: amqp.Message) -> None:
        if message.properties.get("message_id") == mark_id:
            marked[0] = True
        elif not marked[0]:
            take(offset, message)

    # The broker seeks by chunk, in whole seconds.
    with _attached(connection, since - timedelta(seconds=1), note) as drain:
        heard = time.monotonic()
        while not marked[0]:
            if drain(1.0):
                heard = time.monotonic()
            elif time.monotonic() - heard > LONGEST_SILENCE:
                raise Wrong("The event log went silent before its end; nothing was written.", "See: doctor")


def find_end(connection: Connection) -> int:
    """The offset of the last message, -1 in an empty log, as far as a look tells. Raises Unusable where there is no log."""
    offsets = [-1]
    with _attached(connection, "last", lambda offset, _: offsets.append(offset)) as drain:
        drain(FIRST_WAIT)
        while drain(QUIET):
            pass
    return max(offsets)


@contextmanager
def _attached(connection: Connection, offset: str | datetime, take: Take) -> Iterator[Callable[[float], bool]]:
    """A consumer of the log; it gives a function that waits for messages and says whether any came."""
    channel = connection.channel()
    received = [0]

    def handle(message: amqp.Message) -> None:
        received[0] += 1
        take(int(message.headers["x-stream-offset"]), message)
        channel.basic_ack(message.delivery_info["delivery_tag"])

    def drain(timeout: float) -> bool:
        before = received[0]
        try:
            connection.connection.drain_events(timeout=timeout)
        except TimeoutError:
            pass
        return received[0] > before

    try:
        channel.basic_qos(0, PREFETCH, False)
        channel.basic_consume(EVENT_LOG, callback=handle, arguments={"x-stream-offset": offset})
        yield drain
    except amqp.exceptions.NotFound:
        raise Unusable(f"There is no event log {EVENT_LOG}.", "See: doctor") from None
    finally:
        if channel.is_open:
            channel.close()
