"""What each consumer of keys is given: files by their paths, with who may read them."""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from deploy.setup.definitions import GATEWAY, OPERATOR, VHOST
from deploy.setup.secrets import BROKER_USERS, DATABASE_USERS
from services.common.topology import SERVICES

APPLICATION = 10001  # the user of our images
MONGODB = 999  # the user of the official image, which insists on a key file of its own
ROOT = 0
REPLICA_SET = "rs0"


@dataclass(frozen=True)
class Addresses:
    """Where broker and database are, as the services see them."""

    broker: str = "broker:5672"
    database: str = "database:27017"

    def amqp_uri(self, user: str, password: str) -> str:
        """What AMQP_URI says for a user."""
        return f"amqp://{user}:{quote(password, safe='')}@{self.broker}/{VHOST}"

    def mongodb_uri(self, user: str, password: str) -> str:
        """What MONGODB_URI says for a user, who is known to a service's own database, the operator to admin."""
        database = f"foyer_{user}" if user != OPERATOR else ""
        source = database or "admin"
        secret = quote(password, safe="")
        return f"mongodb://{user}:{secret}@{self.database}/{database}?replicaSet={REPLICA_SET}&authSource={source}"


@dataclass(frozen=True)
class Consumer:
    """The files of a consumer by their paths in its volume; all have one owner and mode."""

    files: dict[str, str]
    owner: int
    mode: int = 0o400


def consumers(values: Mapping[str, str], addresses: Addresses) -> dict[str, Consumer]:
    """Each consumer's files, of the secrets by their names."""

    def amqp(user: str) -> str:
        return addresses.amqp_uri(user, values[f"broker_{user}_password"])

    def mongodb(user: str) -> str:
        return addresses.mongodb_uri(user, values[f"database_{user}_password"])

    found = {service: Consumer({"amqp_uri": amqp(service), "mongodb_uri": mongodb(service)}, APPLICATION) for service in SERVICES}
    found["presence"].files["admin_password"] = values["admin_password"]
    found[GATEWAY] = Consumer({"amqp_uri": amqp(GATEWAY), "secret_key": values["secret_key"]}, APPLICATION)
    broker = {"rabbitmq.conf": broker_configuration(values), "erlang_cookie": values["broker_cookie"]}
    found["broker"] = Consumer(broker, ROOT, 0o444)
    found["database"] = Consumer({"keyfile": values["database_keyfile"]}, MONGODB)
    operator = {"amqp_uri": amqp(OPERATOR), "mongodb_uri": mongodb(OPERATOR)}
    operator["broker_api_password"] = values[f"broker_{OPERATOR}_password"]
    operator["admin_password"] = values["admin_password"]
    operator |= {f"broker_passwords/{user}": values[f"broker_{user}_password"] for user in BROKER_USERS}
    operator |= {f"database_passwords/{user}": values[f"database_{user}_password"] for user in DATABASE_USERS}
    found[OPERATOR] = Consumer(operator, ROOT)
    return found


def broker_configuration(values: Mapping[str, str]) -> str:
    """The broker's rabbitmq.conf: its first user is the operator, so there never is a guest."""
    return "\n".join(
        [
            f"default_vhost = {VHOST}",
            f"default_user = {OPERATOR}",
            f"default_pass = {values[f'broker_{OPERATOR}_password']}",
            # Below the one and above the other every publisher has to wait, instead of the broker's being killed.
            "disk_free_limit.absolute = 500MB",
            "vm_memory_high_watermark.relative = 0.6",
            "",
        ]
    )


def write(path: Path, content: str, owner: int, mode: int) -> None:
    """Put a file in its place whole, for its owner's eyes before it has a name; another's is replaced without being opened."""
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), mode)
            if os.geteuid() == ROOT:
                os.fchown(file.fileno(), owner, owner)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
