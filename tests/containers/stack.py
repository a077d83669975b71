"""The compose stack of the repository under a project name of its own: brought up, scaled, looked at, taken down."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import docker
import requests

from deploy.local.ports import free_port
from tests.support.waiting import wait_until

REPOSITORY = Path(__file__).parents[2]
SERVICES = ("messaging", "contacts", "presence", "assignment")
# The images are the tests' own, so that those of a stack that somebody uses stay what they are.
VERSION = "test"
UP_SECONDS = 600
NOT_OURS = ("FOYER_", "COMPOSE_", "OTEL_")


class ComposeStack:
    """`up`, then `url`; `down` removes everything, data too. `environment` is what a .env would say."""

    def __init__(self, name: str, environment: Mapping[str, str] | None = None, *, overlays: tuple[str, ...] = ()) -> None:
        self.name = name
        self.admin_email = "admin@foyer.localhost"
        self.folder = Path(tempfile.mkdtemp(prefix=f"{name}-"))
        (self.folder / "secrets").mkdir()
        (self.folder / "backups").mkdir()
        self.environment = {
            "FOYER_VERSION": VERSION,
            "FOYER_PORT": str(free_port()),
            "FOYER_SECRETS": str(self.folder / "secrets"),
            "FOYER_BACKUPS": str(self.folder / "backups"),
            "FOYER_RATE_LIMITS": "off",
        } | dict(environment or {})
        self.replicas: dict[str, int] = {}
        self.up_seconds = 0.0  # of the first `up`
        self._files = ("docker-compose.yml", *overlays)
        self.engine = docker.from_env()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.environment['FOYER_PORT']}"

    @property
    def admin_password(self) -> str:
        """What the keys made, or were given."""
        return self.exec(self.containers("presence")[0], "cat", "/run/foyer/admin_password").strip()

    @cached_property
    def broker_version(self) -> str:
        return self.exec(self.containers("broker")[0], "rabbitmqctl", "version").strip().splitlines()[-1]

    def compose(self, *arguments: str, timeout: float = UP_SECONDS) -> str:
        """What a `docker compose` command prints; its failure fails the test."""
        command = ["docker", "compose", "--project-name", self.name, "--env-file", "/dev/null", "--ansi", "never"]
        for file in self._files:
            command += ["--file", str(REPOSITORY / file)]
        done = subprocess.run(
            [*command, *arguments], cwd=REPOSITORY, env=self._env(), capture_output=True, text=True, timeout=timeout, check=False
        )
        assert done.returncode == 0, (
            f"docker compose {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        )
        return done.stdout

    def up(self, *arguments: str) -> None:
        """Start what is not running and wait until all is healthy; `--build` and the like as arguments."""
        scale = [word for service, count in self.replicas.items() for word in ("--scale", f"{service}={count}")]
        began = time.monotonic()
        try:
            self.compose("up", "--detach", "--wait", *arguments, *scale)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.logs(tail=60)}") from None
        self.up_seconds = self.up_seconds or time.monotonic() - began

    def scale(self, **replicas: int) -> None:
        """Run that many replicas of each named service, healthy."""
        self.replicas |= replicas
        self.up("--no-recreate")

    def down(self) -> None:
        """Remove containers, networks and volumes."""
        self.compose("--profile", "ops", "down", "--volumes", "--remove-orphans", "--timeout", "20")
        shutil.rmtree(self.folder, ignore_errors=True)
        self.engine.close()

    def containers(self, service: str | None = None) -> list[Any]:
        """The containers of a service, or of all, by number; one-shots that ended count, too."""
        labels = [f"com.docker.compose.project={self.name}", "com.docker.compose.oneoff=False"]
        labels += [f"com.docker.compose.service={service}"] if service else []
        found = self.engine.containers.list(all=True, filters={"label": labels})
        return sorted(found, key=lambda container: (container.labels["com.docker.compose.service"], container.name))

    def running(self) -> list[Any]:
        """The containers that are meant to run on; the others have done their work."""
        return [one for one in self.containers() if one.attrs["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"]

    def wait_healthy(self, timeout: float = 120.0) -> None:
        """Return once every container that is meant to run is healthy."""

        def ill() -> list[str]:
            return [f"{one.name}: {one.health}" for one in self.running() if one.health != "healthy"]

        wait_until(lambda: not ill(), timeout, what=f"the health of all ({', '.join(ill())})", interval=0.25)

    def exec(self, container: Any, *command: str, user: str = "") -> str:
        """What a command prints inside; its failure fails the test."""
        status, output = self.try_exec(container, *command, user=user)
        assert status == 0, f"{container.name}: {' '.join(command)} ended with {status}:\n{output}"
        return output

    def try_exec(self, container: Any, *command: str, user: str = "") -> tuple[int, str]:
        """The exit status of a command inside, and what it printed."""
        done = container.exec_run(list(command), user=user)
        return int(done.exit_code), done.output.decode(errors="replace")

    def metrics(self, container: Any) -> str:
        """What a replica counts, as it says itself."""
        port = 8000 if container.labels["com.docker.compose.service"] == "gateway" else 9100
        code = f"import urllib.request as r; print(r.urlopen('http://127.0.0.1:{port}/metrics', timeout=5).read().decode())"
        return self.exec(container, "python", "-c", code)

    def logs(self, service: str | None = None, tail: int = 200) -> str:
        return self.compose("logs", "--no-color", "--tail", str(tail), *([service] if service else []))

    def ask(self, method: str, path: str, body: Any = None, *, token: str | None = None) -> Any:
        """The decoded body of a 2xx answer; anything else fails the test."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = requests.request(method, self.url + path, json=body, headers=headers, timeout=15)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def sign_in(self) -> str:
        """The first administrator's access token."""
        body = {"email": self.admin_email, "password": self.admin_password}
        return str(self.ask("POST", "/v1/auth/token", body)["access_token"])

    def make_channel(self, name: str) -> str:
        """A web channel without a bot."""
        return str(self.ask("POST", "/v1/channels", {"kind": "web", "name": name}, token=self.sign_in())["id"])

    def replay(self, *arguments: str) -> str:
        """Play the built-in dialogues through the balancer and prove them; what the replay printed."""
        done = subprocess.run(
            [sys.executable, "-m", "deploy.replay", "--url", self.url, *arguments],
            cwd=REPOSITORY,
            env=self._env() | {"FOYER_ADMIN_EMAIL": self.admin_email, "FOYER_ADMIN_PASSWORD": self.admin_password},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"
        return done.stdout

    def _env(self) -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if not name.startswith(NOT_OURS)} | self.environment


@contextmanager
def running(stack: ComposeStack, *arguments: str) -> Iterator[ComposeStack]:
    """A stack that is up, and gone afterwards."""
    try:
        stack.up(*arguments)
        yield stack
    finally:
        stack.down()
