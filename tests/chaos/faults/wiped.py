"""A broker that forgets: what it keeps for processes' own use is gone, or the event log is deleted and made anew.

What it must not forget are the services' event queues: an event that was confirmed waits there alone, and is lost with its queue.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

from services.common.amqp import close_quietly, connect
from services.common.topology import EPOCH_LOG, EVENT_LOG, SERVICES, rpc_queue
from tests.chaos.faults import Fault

if TYPE_CHECKING:
    from tests.chaos.world import World

CALLS = tuple(map(rpc_queue, SERVICES))
# The epoch first: who connects between the two finds none, and makes the next one.
LOG = (EPOCH_LOG, EVENT_LOG)


class WipedBroker(Fault):
    """Killed and started: all links, reply queues and calls under way are gone. And then, under those who have just come back, the calls' own queues."""

    name: ClassVar[str] = "broker-wiped"
    title: ClassVar[str] = "the broker is killed, and comes back without calls, reply queues and the queues of calls"
    seconds: ClassVar[float] = 2.0

    def apply(self, world: "World") -> None:
        """SIGKILL."""
        world.kill("broker")

    def heal(self, world: "World") -> None:
        """Start it, and take away what a kill leaves."""
        world.revive("broker")
        delete(world, CALLS)


class DeletedCalls(Fault):
    """The broker runs on; an operator's or a policy's mistake takes the queues from which the services take their calls."""

    name: ClassVar[str] = "rpc-queues-deleted"
    title: ClassVar[str] = "the queues of calls are deleted under the services that listen to them"
    seconds: ClassVar[float] = 3.0

    def apply(self, world: "World") -> None:
        """Delete them, with what waits in them."""
        delete(world, CALLS)

    def heal(self, world: "World") -> None:
        """Nothing: who listens makes them again."""


class LogMadeAnew(Fault):
    """Both streams at once, as the operator's handbook says: offsets begin again, in another epoch."""

    name: ClassVar[str] = "event-log-anew"
    title: ClassVar[str] = "the event log and its epoch are deleted, and made anew by whoever needs them"
    seconds: ClassVar[float] = 3.0
    resets: ClassVar[bool] = True

    def apply(self, world: "World") -> None:
        """Delete both under their readers."""
        delete(world, LOG)

    def heal(self, world: "World") -> None:
        """Nothing: whoever comes first declares them."""


def delete(world: "World", queues: Sequence[str]) -> None:
    """Delete queues whatever is in them; one that isn't there is no error."""
    connection = connect(world.product.broker.uri())
    try:
        sizes = {queue: size for queue in queues if (size := _delete(connection, queue)) is not None}
    finally:
        close_quietly(connection)
    world.note("deleted: " + ", ".join(f"{queue} ({size} waiting)" for queue, size in sizes.items()))


def _delete(connection: Any, queue: str) -> int | None:
    channel = connection.channel()
    found = None
    with suppress(LookupError):
        found = channel.queue_delete(queue)
    channel.close()
    return found


FAULTS: Sequence[type[Fault]] = (WipedBroker, DeletedCalls, LogMadeAnew)
