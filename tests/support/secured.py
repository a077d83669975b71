"""A stack whose broker and database know their users: made by the setup's own commands, everybody signing in as themselves."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.broker import LocalBroker
from deploy.local.database import LocalDatabase
from deploy.local.ports import free_port
from deploy.setup.management import Management
from tests.support.product import SERVICES, Product

CREDENTIALS = ("AMQP_URI", "MONGODB_URI", "FOYER_SECRET_KEY", "FOYER_ADMIN_PASSWORD")


class Keys:
    """A folder of keys for a broker and a database on ports of loopback, and the setup's commands with them."""

    def __init__(self, folder: Path, broker: LocalBroker, database_port: int) -> None:
        self.folder = folder
        self.broker = broker
        self.api = f"http://127.0.0.1:{broker.management_port}"
        given = folder / "given"
        given.mkdir(parents=True)
        (given / "guest").write_text("guest")
        self.given = given
        self.variables = {
            "FOYER_KEYS_FOLDER": str(folder / "keys"),
            "FOYER_SECRETS_FOLDER": str(given),
            "FOYER_BROKER_HOST": f"127.0.0.1:{broker.port}",
            "FOYER_DATABASE_HOSTS": f"127.0.0.1:{database_port}",
            "FOYER_DATABASE_ADDRESS": f"127.0.0.1:{database_port}",
            "FOYER_DATABASE_MEMBERS": f"127.0.0.1:{database_port}",
            "FOYER_BROKER_API": self.api,
            "FOYER_BROKER_API_PASSWORD_FILE": str(folder / "keys/operator/broker_api_password"),
            "FOYER_BROKER_PASSWORDS": str(folder / "keys/operator/broker_passwords"),
            "FOYER_DATABASE_PASSWORDS": str(folder / "keys/operator/database_passwords"),
        }

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """`python -m deploy.setup …`, ended."""
        return subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "deploy.setup", *arguments],
            env={"PATH": "/usr/bin:/bin"} | self.variables | variables,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )

    def set_up(self, *arguments: str, **variables: str) -> str:
        """The same, which must succeed; returns what it printed."""
        result = self.run(*arguments, **variables)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def set_up_broker(self, **variables: str) -> None:
        """As by the local broker's guest first, who then is gone."""
        guest = {"FOYER_BROKER_API_USER": "guest", "FOYER_BROKER_API_PASSWORD_FILE": str(self.given / "guest")}
        self.set_up("broker", **guest, **variables)
        self.set_up("broker", **variables)

    def read(self, *path: str) -> str:
        """A file of the keys."""
        return (self.folder / "keys").joinpath(*path).read_text()

    def amqp_uri(self, user: str) -> str:
        """A broker user's address, also of one that has no file with it."""
        if user == "monitor":
            return f"amqp://monitor:{self.read('operator', 'broker_passwords', 'monitor')}@127.0.0.1:{self.broker.port}/foyer"
        return self.read(user, "amqp_uri")

    def management(self, user: str = "operator") -> Management:
        """The broker's management interface as a user sees it."""
        return Management(self.api, user, self.read("operator", "broker_passwords", user))


@contextmanager
def broker_with_rights(folder: Path) -> Iterator[Keys]:
    """A broker that was set up with its users, and their keys; no database."""
    broker = LocalBroker(folder / "broker", free_port(), management_port=free_port())
    keys = Keys(folder, broker, 1)
    keys.set_up("keys")
    try:
        broker.start()
        keys.set_up_broker()
        yield keys
    finally:
        broker.stop()


class SecuredProduct(Product):
    """The product with FOYER_TOPOLOGY=given; no process knows another's credentials."""

    def __init__(self, folder: Path, **extra: str) -> None:
        super().__init__(folder, **extra)
        self.broker = LocalBroker(folder / "broker", free_port(), management_port=free_port())
        self.keys = Keys(folder, self.broker, self.database.port)
        key_file = folder / "keys" / "database" / "keyfile"
        self.database = LocalDatabase(folder / "database", self.database.port, key_file=key_file)

    def start(self) -> None:
        """Keys, broker and database, their setup, the services: in that order."""
        self.keys.set_up("keys", FOYER_ADMIN_PASSWORD=self.environment["FOYER_ADMIN_PASSWORD"])
        # The key file belongs to the official image's user, and here mongod is ours.
        self.database.launch()
        self.broker.launch()
        self.broker.wait_ready()
        queue_type = self.extra.get("FOYER_QUEUE_TYPE", "classic")
        self.keys.set_up_broker(FOYER_QUEUE_TYPE=queue_type)
        self.keys.set_up("database")
        for name in SERVICES:
            self.start_service(name)

    @property
    def environment(self) -> dict[str, str]:
        """What the operator and the tests work with."""
        return super().environment | self._uris("operator")

    def environment_for(self, name: str) -> dict[str, str]:
        """The process's own files, and nothing of anybody else's."""
        folder = self.folder / "keys" / name
        plain = {key: value for key, value in self.environment.items() if key not in CREDENTIALS}
        files = {f"{key}_FILE": folder / key.removeprefix("FOYER_").lower() for key in CREDENTIALS}
        return plain | {key: str(path) for key, path in files.items() if path.is_file()} | {"FOYER_TOPOLOGY": "given"}

    def _uris(self, consumer: str) -> dict[str, str]:
        folder = self.folder / "keys" / consumer
        if not folder.is_dir():
            return {}
        return {"AMQP_URI": (folder / "amqp_uri").read_text(), "MONGODB_URI": (folder / "mongodb_uri").read_text()}
