"""The processes that make up the stack, as the supervisor takes them."""

import signal
import sys
from collections.abc import Mapping

from deploy.local.broker import LocalBroker
from deploy.local.database import LocalDatabase
from deploy.local.output import set_aside
from deploy.local.ports import require_free
from deploy.local.process import ChildProcess, stop_recorded
from deploy.local.settings import RunnerSettings

SERVICES = ("presence", "contacts", "messaging", "assignment")
GATEWAY = "gateway"
# So that `make replay`, or a reverse proxy on this machine, may say which client it speaks for; nobody else
# reaches the gateway from a loopback address.
TRUSTED_PROXIES = "127.0.0.0/8,::1/128"


class Program(ChildProcess):
    """A service or the gateway."""

    grace = 10.0


class Embedded:
    """The local broker or database: started again through its own `launch`, which knows its ports and leftovers."""

    def __init__(self, name: str, server: LocalBroker | LocalDatabase, grace: float) -> None:
        self.name = name
        self.server = server
        self.grace = grace

    @property
    def running(self) -> bool:
        return self.server.process is not None and self.server.process.running

    @property
    def returncode(self) -> int | None:
        return self.server.process.returncode if self.server.process is not None else None

    def require_port(self) -> None:
        """Raise PortInUse unless its port is free, or held by what an earlier run left behind, which is stopped."""
        stop_recorded(self.server.record)
        require_free(self.server.port, purpose=f"the {self.name}", variable=self.server.variable)

    def start(self) -> None:
        self.server.launch()

    def wait_ready(self) -> None:
        """Return once it serves. Raises ProcessFailed."""
        self.server.wait_ready()

    def send_signal(self, number: int) -> None:
        if self.server.process is not None:
            self.server.process.send_signal(number)

    def wait(self, timeout: float) -> bool:
        return self.server.process is None or self.server.process.wait(timeout)

    def kill(self) -> None:
        if self.server.process is not None:
            self.server.kill()


def make_embedded(settings: RunnerSettings) -> list[Embedded]:
    """The broker and the database, each unless its address is given. The broker comes first, so it is stopped last."""
    parts = []
    if settings.amqp_uri is None:
        parts.append(Embedded("broker", LocalBroker(settings.data_dir / "broker", settings.broker_port), grace=30.0))
    if settings.mongodb_uri is None:
        parts.append(Embedded("database", LocalDatabase(settings.data_dir / "database", settings.database_port), grace=20.0))
    return parts


def make_environment(
    settings: RunnerSettings, base: Mapping[str, str], *, embedded: list[Embedded], secret_key: str, admin_password: str | None
) -> dict[str, str]:
    """What the services and the gateway get: `base`, with the runner's choices where it leaves them open."""
    uris = {part.name: _uri(part) for part in embedded}
    environment = {"FOYER_LOG_FORMAT": "console", "TRUSTED_PROXIES": TRUSTED_PROXIES, **base}
    environment |= {
        "AMQP_URI": settings.amqp_uri or uris["broker"],
        "MONGODB_URI": settings.mongodb_uri or uris["database"],
        "FOYER_HOST": settings.host,
        "FOYER_PORT": str(settings.port),
        "FOYER_SECRET_KEY": secret_key,
        "FOYER_ADMIN_EMAIL": settings.admin_email,
        # eventlet's own resolver keeps the old address of a broker that moved for about ten minutes.
        "EVENTLET_NO_GREENDNS": "yes",
        "PYTHONUNBUFFERED": "1",
    }
    if admin_password is not None:
        environment["FOYER_ADMIN_PASSWORD"] = admin_password
    return environment


def make_programs(settings: RunnerSettings, environment: Mapping[str, str]) -> tuple[list[Program], Program]:
    """The services, and the gateway; what an earlier run left of them is stopped first."""
    modules = {name: f"services.{name}" for name in SERVICES} | {GATEWAY: GATEWAY}
    programs = {}
    for name, module in modules.items():
        log_path, record = settings.log_dir / f"{name}.log", settings.data_dir / f"{name}.pid"
        stop_recorded(record)
        set_aside(log_path)
        command = [sys.executable, "-m", module]
        # Should the runner be killed, they still finish what they are doing.
        programs[name] = Program(
            name, command, environment=environment, log_path=log_path, record=record, death_signal=signal.SIGTERM
        )
    gateway = programs.pop(GATEWAY)
    return list(programs.values()), gateway


def _uri(part: Embedded) -> str:
    server = part.server
    return server.uri() if isinstance(server, LocalBroker) else server.uri
