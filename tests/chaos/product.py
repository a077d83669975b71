"""The product that is broken: two gateways, two replicas of messaging and assignment, each process under a label of its own."""

from collections.abc import Mapping
from pathlib import Path

from deploy.local.ports import free_port
from deploy.local.process import ChildProcess
from tests.support.parts import calling
from tests.support.product import Gateway, Product
from tests.support.stack import wait_for_service

REPLICAS: Mapping[str, tuple[str, ...]] = {
    "presence": ("presence",),
    "contacts": ("contacts",),
    "messaging": ("messaging", "messaging-2"),
    "assignment": ("assignment", "assignment-2"),
}
GATEWAYS = ("gateway", "gateway-2")
SERVERS = ("broker", "database")


def labels(*names: str) -> list[str]:
    """The labels of these services' processes, or of all; `gateway` is a name too."""
    return [label for name in names or (*REPLICAS, "gateway") for label in (GATEWAYS if name == "gateway" else REPLICAS[name])]


class ChaosProduct(Product):
    """`start` brings up everything, gateways too, and returns when all is well.

    Before that a fault may set `variables`: environment by label ("messaging-2", "gateway" …), "" for every process; they
    win over what the product itself gives. `self.broker` and `self.database` may be replaced as well, and addresses of relays
    go into `variables[""]["MONGODB_URI"]` or `["AMQP_URI"]`.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.variables: dict[str, dict[str, str]] = {}
        self.gateways: dict[str, Gateway] = {}

    def environment_for(self, name: str) -> dict[str, str]:
        """What the process of this label is given."""
        return self.environment | self.variables.get("", {}) | self.variables.get(name, {})

    def start(self) -> None:
        """Start everything and wait until all of it is ready."""
        super(Product, self).start()
        for name, labels in REPLICAS.items():
            for label in labels:
                self.start_service(name, instance=label, extra=self.variables.get(label))
        with calling(self.settings) as rpc:
            for name in REPLICAS:
                wait_for_service(rpc, name, self.services[name])
        for label in GATEWAYS:
            self.gateways[label] = gateway = Gateway(self, label, port := free_port())
            gateway.process.environment = self.environment_for(label) | {"FOYER_PORT": str(port)}
            gateway.process.start()
        for gateway in self.gateways.values():
            gateway.wait_ready()

    def target(self, server: str) -> int:
        """The port of `broker` or `database`."""
        return self.broker.port if server == "broker" else self.database.port

    def through(self, server: str, port: int) -> dict[str, str]:
        """The variables that lead a process to a server by another port, a relay's."""
        if server == "broker":
            return {"AMQP_URI": self.broker.uri().replace(f":{self.broker.port}/", f":{port}/")}
        # Directly: a client that knew of the replica set would go round the relay.
        return {"MONGODB_URI": f"mongodb://127.0.0.1:{port}/?directConnection=true"}

    def process(self, label: str) -> ChildProcess:
        """The process of a label; `broker` and `database` are labels too."""
        if label in SERVERS:
            server = self.broker if label == "broker" else self.database
            assert server.process is not None, f"{label} was never started"
            return server.process
        return self.services[label]
