"""SIGSTOP for longer than the heartbeats between the parts: whoever is frozen counts as dead, and then goes on as if nothing had been."""

from collections.abc import Sequence
from typing import ClassVar

from services.common.amqp import HEARTBEAT
from tests.chaos.faults import Fault
from tests.chaos.product import labels
from tests.chaos.world import World


class Freeze(Fault):
    """Freezes one process of `names` (a service, `gateway`) or the server of that name."""

    # The broker gives a link up after two missed heartbeats, and a process a silent broker after one.
    seconds = 2.5 * HEARTBEAT
    part: ClassVar[str]

    def __init__(self) -> None:
        self._label = ""

    def apply(self, world: World) -> None:
        """Freeze."""
        self._label = self.part if self.part in ("broker", "database") else world.random.choice(labels(self.part))
        world.note(f"froze {self._label} for {self.seconds:g} s")
        world.freeze(self._label)

    def heal(self, world: World) -> None:
        """Thaw."""
        world.thaw(self._label)


class FreezeMessaging(Freeze):
    """What it had in work is done again by the other, while it may still commit."""

    name, title, part = "freeze-messaging-one", "SIGSTOP of one of two replicas of messaging, 25 s", "messaging"


class FreezeAssignment(Freeze):
    """Its turn may be open when it freezes."""

    name, title, part = "freeze-assignment-one", "SIGSTOP of one of two replicas of assignment, 25 s", "assignment"


class FreezePresence(Freeze):
    """Leases run while nobody renews them."""

    name, title, part = "freeze-presence", "SIGSTOP of presence, 25 s", "presence"


class FreezeContacts(Freeze):
    """Calls run into their deadline."""

    name, title, part = "freeze-contacts", "SIGSTOP of contacts, 25 s", "contacts"


class FreezeGateway(Freeze):
    """Its connections stay open and nobody answers."""

    name, title, part = "freeze-gateway", "SIGSTOP of one of two gateways, 25 s", "gateway"


class FreezeBroker(Freeze):
    """Links that are open, and silent."""

    name, title, part = "freeze-broker", "SIGSTOP of RabbitMQ, 25 s", "broker"


class FreezeDatabase(Freeze):
    """Every operation hangs until its time is over, and may happen afterwards."""

    name, title, part = "freeze-database", "SIGSTOP of mongod, 25 s", "database"


FAULTS: Sequence[type[Fault]] = (
    FreezeMessaging,
    FreezeAssignment,
    FreezePresence,
    FreezeContacts,
    FreezeGateway,
    FreezeBroker,
    FreezeDatabase,
)
