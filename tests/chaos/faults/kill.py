"""SIGKILL, at a random moment: of replicas, of services, of gateways, of the broker, of the database, of all at once."""

from collections.abc import Sequence
from typing import ClassVar

from tests.chaos.faults import Fault
from tests.chaos.product import SERVERS, labels
from tests.chaos.world import World


class Kill(Fault):
    """Kills what `choose` names and starts it again after `seconds`."""

    names: ClassVar[Sequence[str]] = ()  # services, or gateway
    one: ClassVar[bool] = False  # of their processes, or all
    servers: ClassVar[Sequence[str]] = ()

    def __init__(self) -> None:
        self._killed: list[str] = []

    def choose(self, world: World) -> list[str]:
        """The labels."""
        found = labels(*self.names) if self.names else []
        return [*([world.random.choice(found)] if self.one else found), *self.servers]

    def apply(self, world: World) -> None:
        """Kill."""
        self._killed = self.choose(world)
        world.note(f"killed {', '.join(self._killed)}")
        world.kill(*self._killed)

    def heal(self, world: World) -> None:
        """Start what was killed."""
        world.revive(*self._killed)


class KillMessagingReplica(Kill):
    """The other replica takes over."""

    name, title = "kill-messaging-one", "SIGKILL of one of two replicas of messaging"
    names, one = ("messaging",), True


class KillMessaging(Kill):
    """Nobody stores a message."""

    name, title = "kill-messaging", "SIGKILL of messaging, both replicas"
    names = ("messaging",)


class KillAssignmentReplica(Kill):
    """The other replica takes over."""

    name, title = "kill-assignment-one", "SIGKILL of one of two replicas of assignment"
    names, one = ("assignment",), True


class KillAssignment(Kill):
    """Nobody is given to an agent."""

    name, title = "kill-assignment", "SIGKILL of assignment, both replicas"
    names = ("assignment",)


class KillPresence(Kill):
    """Nobody signs in, and leases are not renewed."""

    name, title = "kill-presence", "SIGKILL of presence"
    names = ("presence",)


class KillContacts(Kill):
    """No session begins."""

    name, title = "kill-contacts", "SIGKILL of contacts"
    names = ("contacts",)


class KillServices(Kill):
    """The gateways stand alone."""

    name, title = "kill-services", "SIGKILL of all four services, all replicas"
    names = ("messaging", "assignment", "presence", "contacts")


class KillGateway(Kill):
    """Its clients go to the other one."""

    name, title = "kill-gateway", "SIGKILL of one of two gateways"
    names, one = ("gateway",), True


class KillGateways(Kill):
    """Nobody reaches anything."""

    name, title = "kill-gateways", "SIGKILL of both gateways"
    names = ("gateway",)


class KillBroker(Kill):
    """Calls are refused; events wait in outboxes."""

    name, title = "kill-broker", "SIGKILL of RabbitMQ"
    servers = ("broker",)


class KillDatabase(Kill):
    """Nothing can be stored; events wait in queues."""

    name, title = "kill-database", "SIGKILL of mongod"
    servers = ("database",)


class KillServers(Kill):
    """Both at once."""

    name, title = "kill-servers", "SIGKILL of RabbitMQ and mongod at once"
    servers = SERVERS


class KillEverything(Kill):
    """As when the machine's power fails, but for what the kernel has not written yet."""

    name, title = "kill-everything", "SIGKILL of every process: gateways, services, RabbitMQ, mongod"
    names = ("messaging", "assignment", "presence", "contacts", "gateway")
    servers = SERVERS


class KillWhileBrokerDown(Kill):
    """A service that dies and starts while the broker is away finds its work again."""

    name, title = "kill-service-without-broker", "SIGKILL of a service while RabbitMQ is down; it starts before RabbitMQ does"
    names = ("messaging", "assignment", "presence", "contacts")
    one = True
    servers = ("broker",)

    def apply(self, world: World) -> None:
        """Broker first; the service comes back, and finds none."""
        service, broker = self._killed = self.choose(world)
        world.kill(broker)
        world.note(f"killed {broker}, a second later {service}, which was started at once")
        world.wait(1.0)
        world.kill(service)
        world.revive(service)


FAULTS: Sequence[type[Fault]] = (
    KillMessagingReplica,
    KillMessaging,
    KillAssignmentReplica,
    KillAssignment,
    KillPresence,
    KillContacts,
    KillServices,
    KillGateway,
    KillGateways,
    KillBroker,
    KillDatabase,
    KillServers,
    KillEverything,
    KillWhileBrokerDown,
)
