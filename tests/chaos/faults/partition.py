"""A network that parts: one process and a server hear nothing of each other, and no connection ends."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from services.common.amqp import HEARTBEAT
from tests.chaos.faults import Fault
from tests.chaos.product import REPLICAS, SERVERS, labels
from tests.support.tcp_relay import TcpRelay

if TYPE_CHECKING:
    from tests.chaos.product import ChaosProduct
    from tests.chaos.world import World


class Partition(Fault):
    """Each process reaches the servers through relays of its own; a round cuts off one, drawn by lot.

    At its end what was sent comes after all, late; and by lot the process's connections end with it, of which the server hears nothing.
    """

    # The broker gives a link up after two missed heartbeats, and a process a silent broker after one.
    seconds: ClassVar[float] = 2.5 * HEARTBEAT
    own_product: ClassVar[bool] = True
    servers: ClassVar[Sequence[str]]
    names: ClassVar[Sequence[str]] = tuple(REPLICAS)

    def __init__(self) -> None:
        self.relays: dict[str, list[TcpRelay]] = {}
        self._label = ""

    def prepare(self, product: "ChaosProduct") -> None:
        """Lay the relays."""
        for label in labels(*self.names):
            self.relays[label] = [TcpRelay(product.target(server)) for server in self.servers]
            for server, relay in zip(self.servers, self.relays[label], strict=True):
                relay.start()
                product.variables.setdefault(label, {}).update(product.through(server, relay.port))

    def apply(self, world: "World") -> None:
        """Let nothing pass."""
        self._label = world.random.choice(sorted(self.relays))
        for relay in self.relays[self._label]:
            relay.hold()
        world.note(f"cut {self._label} off from {' and '.join(self.servers)} for {self.seconds:g} s")

    def heal(self, world: "World") -> None:
        """Let all pass again."""
        ends = world.random.choice([True, False])
        world.note("its connections ended, on its side alone" if ends else "its connections went on")
        for relay in self.relays.get(self._label, ()):
            if ends:
                relay.strand()
            relay.release()

    def clear(self, product: "ChaosProduct") -> None:
        """End the relays."""
        for relays in self.relays.values():
            for relay in relays:
                relay.stop()


class FromBroker(Partition):
    """Its calls, answers and events wait on both sides; the broker takes it for dead after two heartbeats."""

    name: ClassVar[str] = "partition-broker"
    title: ClassVar[str] = "one process, a service or a gateway, is cut off from RabbitMQ, 25 s"
    servers: ClassVar[Sequence[str]] = ("broker",)
    names: ClassVar[Sequence[str]] = (*REPLICAS, "gateway")


class FromDatabase(Partition):
    """It takes calls and can't do them; what it sent may be done half a minute later."""

    name: ClassVar[str] = "partition-database"
    title: ClassVar[str] = "one process is cut off from mongod, 25 s"
    servers: ClassVar[Sequence[str]] = ("database",)


class FromBoth(Partition):
    """Its machine has no network."""

    name: ClassVar[str] = "partition-both"
    title: ClassVar[str] = "one process is cut off from RabbitMQ and mongod, 25 s"
    servers: ClassVar[Sequence[str]] = SERVERS


FAULTS: Sequence[type[Fault]] = (FromBroker, FromDatabase, FromBoth)
