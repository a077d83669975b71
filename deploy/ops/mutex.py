"""One operator's command at a time: whoever takes messages in hand, backs up, restores or drains is alone with it meanwhile.

A queue that belongs to one connection is the mark: the broker refuses it to every other, and drops it with the connection, however
the command ends.
"""

import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import amqp
from kombu.connection import Connection

from deploy.ops.context import Context
from deploy.ops.errors import Unusable
from services.common.amqp import BROKER_ERRORS, HEARTBEAT, close_quietly, connect

QUEUE = "foyer.operator"
# A command that was killed a moment ago may still be known to the broker.
PATIENCE = 1.0
_AGAIN = 0.1


class Alone:
    """Keeps others out until it is closed; tends its own link in a thread, since the command's work may take hours."""

    def __init__(self, uri: str, connection: Connection) -> None:
        """Take a connection that has the mark."""
        self._uri = uri
        self._connection: Connection | None = connection
        self._ending = threading.Event()
        self._overtaken = False
        self._thread = threading.Thread(target=self._tend, name="mutex", daemon=True)
        self._thread.start()

    def require(self) -> None:
        """Whether nobody else can have begun meanwhile. Raises Unusable."""
        if self._overtaken or self._connection is None:
            raise Unusable("The broker hung up, and another operator's command may have begun meanwhile.", "Try again.")

    def close(self) -> None:
        """Let others in."""
        self._ending.set()
        self._thread.join()
        close_quietly(self._connection)

    def _tend(self) -> None:
        while not self._ending.wait(HEARTBEAT / 10):
            try:
                if self._connection is None:
                    self._connection = self._take_again()
                    continue
                with contextlib.suppress(TimeoutError):
                    self._connection.drain_events(timeout=0.01)
                self._connection.heartbeat_check()
            except BROKER_ERRORS:
                close_quietly(self._connection)
                self._connection = None

    def _take_again(self) -> Connection:
        connection = connect(self._uri)
        try:
            _mark(connection)
        except BROKER_ERRORS as error:
            self._overtaken = self._overtaken or isinstance(error, amqp.exceptions.ResourceLocked)
            close_quietly(connection)
            raise
        return connection


@contextmanager
def alone(context: Context) -> Iterator[Alone]:
    """No other operator's command works while it is entered. Raises Unusable when one does."""
    connection = context.new_broker_link()
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            _mark(connection)
            break
        except amqp.exceptions.ResourceLocked:
            if time.monotonic() > deadline:
                raise Unusable(
                    "Another operator's command is at work: a backup, a restore, a drain, or a look at dead letters.",
                    "Try again when it has ended.",
                ) from None
        time.sleep(_AGAIN)
    held = Alone(context.settings.amqp_uri, connection)
    try:
        yield held
    finally:
        held.close()


def _mark(connection: Connection) -> None:
    # A channel of its own: the broker closes the one that asks for what is another's.
    channel = connection.channel()
    channel.queue_declare(QUEUE, exclusive=True, auto_delete=True, durable=False, arguments={"x-queue-type": "classic"})
