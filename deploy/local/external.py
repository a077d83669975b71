"""Whether the broker and the database that the environment names can be reached, before anything is started."""

from urllib.parse import urlsplit

from deploy.local.errors import RunnerError
from deploy.local.ports import accepts
from deploy.local.settings import RunnerSettings

BROKER_PORTS = {"amqp": 5672, "pyamqp": 5672, "amqps": 5671}
DATABASE_PORT = 27017


def require_reachable(settings: RunnerSettings) -> None:
    """Raise RunnerError when AMQP_URI or MONGODB_URI is set to where nothing listens."""
    if settings.amqp_uri is not None:
        _require("AMQP_URI", broker_addresses(settings.amqp_uri), "a broker")
    if settings.mongodb_uri is not None:
        _require("MONGODB_URI", database_addresses(settings.mongodb_uri), "a database")


def broker_addresses(uri: str) -> list[tuple[str, int]]:
    """Where an AMQP address points; several may be given, separated by semicolons. Raises RunnerError."""
    addresses = []
    for one in uri.split(";"):
        parts = urlsplit(one)
        if parts.scheme not in BROKER_PORTS or not parts.hostname:
            raise RunnerError(
                "AMQP_URI is not the address of a broker.", "It looks like this: amqp://user:password@host:5672/vhost"
            )
        addresses.append((parts.hostname, parts.port or BROKER_PORTS[parts.scheme]))
    return addresses


def database_addresses(uri: str) -> list[tuple[str, int]]:
    """Where a MongoDB address points: all its members, or none when DNS lists them (mongodb+srv). Raises RunnerError."""
    scheme, _, rest = uri.partition("://")
    hosts = rest.partition("/")[0].rpartition("@")[2]
    if scheme == "mongodb+srv":
        return []
    if scheme != "mongodb" or not hosts:
        raise RunnerError(
            "MONGODB_URI is not the address of a database.", "It looks like this: mongodb://host:27017/?replicaSet=rs0"
        )
    members = [urlsplit(f"//{host}") for host in hosts.split(",")]
    return [(member.hostname or "", member.port or DATABASE_PORT) for member in members]


def _require(variable: str, addresses: list[tuple[str, int]], what: str) -> None:
    if not addresses or any(accepts(port, host, timeout=3.0) for host, port in addresses):
        return
    said = ", ".join(f"{host}:{port}" for host, port in addresses)
    raise RunnerError(
        f"{variable} names {said}, where nothing answers.", f"Start {what} there, or unset {variable} to have one started here."
    )
