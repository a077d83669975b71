"""Servers that answer late: whatever is sent to the database, or to the broker, waits on its way."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from tests.chaos.faults import Fault
from tests.support.slow_relay import SlowRelay

if TYPE_CHECKING:
    from tests.chaos.product import ChaosProduct
    from tests.chaos.world import World

SHORTEST, LONGEST = 0.2, 0.8  # seconds


class _Slow(Fault):
    """All processes reach the server through a relay, which hurries until a round has it dawdle."""

    seconds: ClassVar[float] = 8.0
    own_product: ClassVar[bool] = True
    server: ClassVar[str]
    relay: SlowRelay | None = None

    def prepare(self, product: "ChaosProduct") -> None:
        """Lay the relay between the processes and the server."""
        self.relay = SlowRelay(product.target(self.server))
        self.relay.start()
        product.variables.setdefault("", {}).update(product.through(self.server, self.relay.port))

    def apply(self, world: "World") -> None:
        """Let everything sent wait, longer in one round than in another."""
        assert self.relay is not None
        longest = world.random.uniform(2 * SHORTEST, LONGEST)
        self.relay.delay(SHORTEST, longest)
        world.note(f"each piece sent to the {self.server} waited {SHORTEST * 1000:.0f} to {longest * 1000:.0f} ms")

    def heal(self, world: "World") -> None:
        """At once again."""
        if self.relay is not None:
            self.relay.hurry()

    def clear(self, product: "ChaosProduct") -> None:
        """End the relay."""
        if self.relay is not None:
            self.relay.stop()


class SlowDatabase(_Slow):
    """Each operation takes that much longer: several of them are a call, which has 3 s."""

    name: ClassVar[str] = "slow-database"
    title: ClassVar[str] = f"each operation of the database takes {SHORTEST * 1000:.0f} to {LONGEST * 1000:.0f} ms longer"
    server: ClassVar[str] = "database"


class SlowBroker(_Slow):
    """Calls, answers, events and confirmations come late; the same links' heartbeats, too."""

    name: ClassVar[str] = "slow-broker"
    title: ClassVar[str] = f"whatever is sent to the broker takes {SHORTEST * 1000:.0f} to {LONGEST * 1000:.0f} ms longer"
    server: ClassVar[str] = "broker"


FAULTS: Sequence[type[Fault]] = (SlowDatabase, SlowBroker)
