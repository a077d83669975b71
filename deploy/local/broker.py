"""A RabbitMQ node of our own on loopback, run from the distribution's package as any user, its data in a folder."""

import base64
import json
import os
import secrets
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import amqp

from deploy.local.errors import NotInstalled, ProcessFailed, RunnerError
from deploy.local.ports import LOOPBACK, accepts, free_ports, require_free
from deploy.local.process import ChildProcess, stop_recorded
from deploy.local.waiting import wait_until

NODE = "foyer@localhost"
USER = "guest"
PASSWORD = "guest"  # noqa: S105 - RabbitMQ's own default account, which it accepts from loopback only
LOOPBACK_ONLY = "-kernel inet_dist_use_interface {127,0,0,1}"
SCRIPTS = ("/usr/lib/rabbitmq/bin", "/usr/local/lib/rabbitmq/bin", "/opt/rabbitmq/sbin")


def find_rabbitmq() -> Path:
    """The folder with rabbitmq-server and rabbitmqctl themselves (those in /usr/sbin insist on root). Raises NotInstalled."""
    for folder in map(Path, SCRIPTS):
        if (folder / "rabbitmq-server").is_file():
            return folder
    raise NotInstalled(
        "RabbitMQ is not installed.",
        "Install it (sudo apt-get install --no-install-recommends rabbitmq-server), or set AMQP_URI to a broker of yours.",
    )


class LocalBroker:
    """A RabbitMQ node under `data_dir`, listening on `port` of 127.0.0.1 only.

    It has its own node name, cookie, port mapper (epmd) and configuration, so it neither sees nor disturbs a broker that
    the machine runs. With a `management_port` the management plugin answers there and makes virtual hosts quickly.
    """

    def __init__(
        self, data_dir: Path, port: int, *, management_port: int | None = None, variable: str = "FOYER_BROKER_PORT"
    ) -> None:
        self.data_dir = data_dir.resolve()
        self.port = port
        self.management_port = management_port
        self.variable = variable
        self.record = self.data_dir / "rabbitmq.pid"
        self.process: ChildProcess | None = None
        self._epmd: ChildProcess | None = None
        self._environment: dict[str, str] = {}

    def uri(self, vhost: str = "/") -> str:
        """What AMQP_URI should say for a virtual host."""
        return f"amqp://{USER}:{PASSWORD}@{LOOPBACK}:{self.port}/{quote(vhost, safe='')}"

    def start(self, timeout: float = 90.0) -> None:
        """Start the node and return once it serves AMQP. Raises PortInUse, NotInstalled, ProcessFailed."""
        self.launch()
        self.wait_ready(timeout)

    def launch(self) -> ChildProcess:
        """Start the node without waiting for it."""
        scripts = find_rabbitmq()
        epmd_record = self.data_dir / "epmd.pid"
        stop_recorded(self.record)
        stop_recorded(epmd_record)
        require_free(self.port, purpose="the message broker", variable=self.variable)
        epmd_port, distribution_port = free_ports(2)
        self._environment = self._configure(epmd_port, distribution_port)
        # Started by us in the foreground: the node would otherwise leave a daemon behind.
        self._epmd = ChildProcess(
            "epmd",
            [_find_epmd(), "-port", str(epmd_port), "-address", LOOPBACK],
            environment=self._environment,
            log_path=self.data_dir / "epmd.log",
            record=epmd_record,
            cwd=self.data_dir,
        )
        self._epmd.start()
        if not wait_until(lambda: accepts(epmd_port), 10):
            self._epmd.require_running()
        self.process = ChildProcess(
            "broker",
            [str(scripts / "rabbitmq-server")],
            environment=self._environment,
            log_path=self.data_dir / "rabbitmq.log",
            record=self.record,
            death_signal=signal.SIGTERM,
            cwd=self.data_dir,
        )
        self.process.start()
        return self.process

    def _configure(self, epmd_port: int, distribution_port: int) -> dict[str, str]:
        for folder in (self.data_dir, self.data_dir / "home", self.data_dir / "log"):
            folder.mkdir(parents=True, exist_ok=True)
        cookie = self.data_dir / "home" / ".erlang.cookie"
        if not cookie.exists():
            cookie.touch(0o600)
            cookie.write_text(secrets.token_hex(16))
            cookie.chmod(0o400)
        settings = [
            f"listeners.tcp.1 = {LOOPBACK}:{self.port}",
            # A laptop's disk is often nearly full; below this the broker blocks every publisher.
            "disk_free_limit.absolute = 50MB",
            "log.file.level = warning",
        ]
        plugins = "[]."
        if self.management_port is not None:
            settings += [f"management.tcp.ip = {LOOPBACK}", f"management.tcp.port = {self.management_port}"]
            plugins = "[rabbitmq_management]."
        (self.data_dir / "rabbitmq.conf").write_text("\n".join(settings) + "\n")
        (self.data_dir / "enabled_plugins").write_text(plugins + "\n")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("RABBITMQ_", "ERL_"))}
        return inherited | {
            "HOME": str(self.data_dir / "home"),
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "ERL_EPMD_PORT": str(epmd_port),
            "RABBITMQ_NODENAME": NODE,
            "RABBITMQ_MNESIA_BASE": str(self.data_dir / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.data_dir / "log"),
            "RABBITMQ_PID_FILE": str(self.data_dir / "node.pid"),
            "RABBITMQ_CONFIG_FILE": str(self.data_dir / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.data_dir / "enabled_plugins"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_DIST_PORT": str(distribution_port),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": LOOPBACK_ONLY,
            "RABBITMQ_CTL_ERL_ARGS": LOOPBACK_ONLY,
            # The start script then becomes the node instead of waiting beside it, so its pid is the node's pid.
            "RUNNING_UNDER_SYSTEMD": "true",
        }

    def wait_ready(self, timeout: float = 90.0) -> None:
        """Return once an AMQP connection opens a channel, and the management plugin answers when it is on."""
        process = self._started()

        def serves() -> bool:
            process.require_running()
            return accepts(self.port) and self._opens_channel() and (self.management_port is None or self._manages())

        if not wait_until(serves, timeout, interval=0.1):
            raise ProcessFailed(
                f"The broker did not answer within {timeout:.0f} s.\n{process.log_tail()}", f"Log: {process.log_path}"
            )

    def _opens_channel(self) -> bool:
        try:
            with amqp.Connection(f"{LOOPBACK}:{self.port}", userid=USER, password=PASSWORD, connect_timeout=2) as connection:
                connection.channel().close()
        except (OSError, amqp.exceptions.AMQPError):
            return False
        return True

    def _manages(self) -> bool:
        try:
            self.manage("GET", "/api/overview")
        except OSError:
            return False
        return True

    def stop(self, grace: float = 30.0) -> None:
        """SIGTERM, on which the node closes its queues, then SIGKILL after `grace` seconds; its port mapper goes last."""
        if self.process is not None:
            self.process.stop(grace)
        if self._epmd is not None:
            self._epmd.kill()

    def kill(self) -> None:
        """SIGKILL, as a crash would; `start` brings it back with its data."""
        self._started().kill()
        if self._epmd is not None:
            self._epmd.kill()

    def add_vhost(self, name: str) -> str:
        """Make a virtual host and return its AMQP_URI."""
        if self.management_port is None:
            self.control("add_vhost", name)
            self.control("set_permissions", "-p", name, USER, ".*", ".*", ".*")
        else:
            self.manage("PUT", f"/api/vhosts/{quote(name, safe='')}")
            self.manage(
                "PUT", f"/api/permissions/{quote(name, safe='')}/{USER}", {"configure": ".*", "write": ".*", "read": ".*"}
            )
        return self.uri(name)

    def delete_vhost(self, name: str) -> None:
        """Delete a virtual host with everything in it; an unknown one is no error."""
        if self.management_port is None:
            with suppress(RunnerError):
                self.control("delete_vhost", name)
            return
        try:
            self.manage("DELETE", f"/api/vhosts/{quote(name, safe='')}")
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise

    def manage(self, method: str, path: str, body: object = None) -> object:
        """One call of the management plugin's HTTP API; returns the decoded answer, None when it is empty."""
        request = urllib.request.Request(
            f"http://{LOOPBACK}:{self.management_port}{path}",
            method=method,
            data=json.dumps(body).encode() if body is not None else (b"" if method == "PUT" else None),
            headers={
                "Content-Type": "application/json",
                "Authorization": "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode(),
            },
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            content = response.read()
        return json.loads(content) if content else None

    def control(self, *arguments: str) -> str:
        """Run rabbitmqctl against the node and return what it printed; about a second of CPU each. Raises RunnerError."""
        result = subprocess.run(
            [str(find_rabbitmq() / "rabbitmqctl"), "-q", *arguments],
            env=self._environment,
            cwd=self.data_dir,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if result.returncode:
            raise RunnerError(f"rabbitmqctl {' '.join(arguments)} failed: {(result.stderr or result.stdout).strip()}")
        return result.stdout

    def _started(self) -> ChildProcess:
        if self.process is None:
            raise ProcessFailed("The broker has not been started.")
        return self.process


def _find_epmd() -> str:
    if found := shutil.which("epmd"):
        return found
    for candidate in Path("/usr/lib/erlang").glob("erts-*/bin/epmd"):
        return str(candidate)
    raise NotInstalled("Erlang's port mapper, epmd, is not installed.", "Install it: sudo apt-get install erlang-base")
