"""What the local runner reads from its environment, once, into a frozen value."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from deploy.local.errors import RunnerError
from deploy.local.ports import LOOPBACK
from deploy.local.process import REPOSITORY

# Below the kernel's range of ephemeral ports, and beside the standard ones (5672, 27017), which a system's own
# broker or database may hold.
BROKER_PORT = 5772
DATABASE_PORT = 27127
SECRET_KEY_LENGTH = 32
ANY_ADDRESS = {"0.0.0.0": LOOPBACK, "::": "::1", "": LOOPBACK}  # noqa: S104 - names what they mean to a client


@dataclass(frozen=True)
class RunnerSettings:
    """The runner's own settings; whatever else the environment holds goes to the services unchanged."""

    data_dir: Path
    host: str
    port: int
    broker_port: int
    database_port: int
    amqp_uri: str | None
    mongodb_uri: str | None
    secret_key: str | None
    admin_email: str
    admin_password: str | None

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> Self:
        """The settings in `environment` (default: the process's). Raises RunnerError."""
        env = os.environ if environment is None else environment
        secret_key = env.get("FOYER_SECRET_KEY") or None
        if secret_key is not None and len(secret_key) < SECRET_KEY_LENGTH:
            raise RunnerError(
                f"FOYER_SECRET_KEY has {len(secret_key)} characters; it needs at least {SECRET_KEY_LENGTH}.",
                "Unset it to have one generated and kept, or make one: openssl rand -hex 32",
            )
        ports = {
            "FOYER_PORT": read_port(env, "FOYER_PORT", 8000),
            "FOYER_BROKER_PORT": read_port(env, "FOYER_BROKER_PORT", BROKER_PORT),
            "FOYER_DATABASE_PORT": read_port(env, "FOYER_DATABASE_PORT", DATABASE_PORT),
        }
        if len(set(ports.values())) < len(ports):
            said = ", ".join(f"{name}={port}" for name, port in ports.items())
            raise RunnerError(f"Each port can serve one purpose only: {said}.", "Choose three different ones.")
        return cls(
            data_dir=REPOSITORY / (env.get("FOYER_DATA") or ".foyer"),
            host=env.get("FOYER_HOST") or LOOPBACK,
            port=ports["FOYER_PORT"],
            broker_port=ports["FOYER_BROKER_PORT"],
            database_port=ports["FOYER_DATABASE_PORT"],
            amqp_uri=env.get("AMQP_URI") or None,
            mongodb_uri=env.get("MONGODB_URI") or None,
            secret_key=secret_key,
            admin_email=env.get("FOYER_ADMIN_EMAIL") or "admin@foyer.localhost",
            admin_password=env.get("FOYER_ADMIN_PASSWORD") or None,
        )

    @property
    def client_host(self) -> str:
        """Where a client on this machine reaches the gateway."""
        return ANY_ADDRESS.get(self.host, self.host)

    @property
    def url(self) -> str:
        """The gateway's address for a client on this machine."""
        host = self.client_host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def log_dir(self) -> Path:
        """Where the services' logs are kept."""
        return self.data_dir / "logs"


def read_port(environment: Mapping[str, str], name: str, default: int) -> int:
    """A port number. Raises RunnerError."""
    text = environment.get(name, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise RunnerError(f"{name}={text} is not a port.", f"Give a number from 1 to 65535, for example {name}={default}.")
    return int(text)
