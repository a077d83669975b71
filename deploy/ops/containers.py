"""The compose project's containers, through the Docker engine where there is one."""

import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.ops.errors import Unusable
from services.common.topology import SERVICES

PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"
ONE_OFF_LABEL = "com.docker.compose.oneoff"
PROJECT_VARIABLE = "COMPOSE_PROJECT_NAME"
GATEWAY = "gateway"
DEFAULT_ENGINE = "unix:///var/run/docker.sock"
_ENGINE_SECONDS = 30


@dataclass(frozen=True)
class Found:
    """A container as it is shown."""

    name: str
    service: str
    state: str
    health: str | None
    restarts: int
    image: str
    exit_code: int
    restart_policy: str

    @property
    def is_job(self) -> bool:
        """Whether it was to do one thing and has done it: what the engine would start again was meant to stay."""
        return self.has_ended_well and self.restart_policy in ("", "no")

    @property
    def has_ended_well(self) -> bool:
        """Whether it stopped, and nothing was wrong with that."""
        return self.state == "exited" and self.exit_code == 0

    def described(self) -> dict[str, Any]:
        """As JSON."""
        return vars(self)


class Project:
    """The containers of one compose project."""

    def __init__(self, client: Any, name: str) -> None:
        self.client = client
        self.name = name

    def containers(self, service: str | None = None) -> list[Any]:
        """The engine's own objects, without what was run for one command."""
        labels = [f"{PROJECT_LABEL}={self.name}", *([f"{SERVICE_LABEL}={service}"] if service else [])]
        listed = self.client.containers.list(all=True, filters={"label": labels})
        mine = [each for each in listed if each.labels.get(ONE_OFF_LABEL, "False").lower() != "true"]
        return sorted(mine, key=lambda each: (each.labels.get(SERVICE_LABEL, ""), each.name))

    def look(self) -> list[Found]:
        """All of them, by service."""
        return [describe(each) for each in self.containers()]


def describe(container: Any) -> Found:
    """What the engine knows of a container now."""
    state = container.attrs["State"]
    return Found(
        name=container.name,
        service=container.labels.get(SERVICE_LABEL, ""),
        state=state["Status"],
        health=state.get("Health", {}).get("Status"),
        restarts=container.attrs.get("RestartCount", 0),
        image=container.attrs["Config"]["Image"],
        exit_code=state.get("ExitCode", 0),
        restart_policy=container.attrs["HostConfig"].get("RestartPolicy", {}).get("Name", ""),
    )


def idle_services(found: Iterable[Found]) -> list[str]:
    """The services that the project has containers for, and Foyer's own, of which none runs."""
    meant = [each for each in found if not each.is_job]
    running = {each.service for each in meant if each.state == "running"}
    return sorted({*SERVICES, GATEWAY, *(each.service for each in meant)} - running)


def judge_containers(containers: list[Found]) -> list[str]:
    """What is wrong with them: one that was drained is not, while others of its service run."""
    wrong = [f"No container of {service} runs." for service in idle_services(containers)]
    for found in containers:
        if found.state == "running":
            if found.health == "unhealthy":
                wrong.append(f"The container {found.name} is unhealthy.")
        elif not found.has_ended_well:
            wrong.append(f"The container {found.name} is {found.state} (exit code {found.exit_code}).")
    return wrong


def find_project(environment: Mapping[str, str], *, local: bool) -> tuple[Project | None, str]:
    """The project that this command belongs to, and otherwise why there is none.

    It is the one that COMPOSE_PROJECT_NAME names, else that of the container this runs in, else the only one with Foyer's services;
    for a `local` run of the stack there is none but the named one.
    """
    named = environment.get(PROJECT_VARIABLE)
    if local and not named:
        return None, "the stack runs without containers"
    if not _may_answer(environment.get("DOCKER_HOST") or DEFAULT_ENGINE):
        return None, "no Docker engine answers here"
    # Late: most commands have no need of it.
    import docker
    from docker.errors import DockerException

    try:
        client = docker.from_env(timeout=_ENGINE_SECONDS, environment=dict(environment))
        client.ping()
    except (DockerException, OSError):
        return None, "no Docker engine answers here"
    name = named or _own_project(client)
    if name is None:
        names = _candidates(client)
        if len(names) != 1:
            found = f"several projects are Foyer's: {', '.join(names)}" if names else "no compose project has Foyer's services"
            client.close()
            return None, f"{found}; {PROJECT_VARIABLE} names one"
        [name] = names
    return Project(client, name), ""


def require_project(environment: Mapping[str, str], *, local: bool) -> Project:
    """The project. Raises Unusable."""
    project, reason = find_project(environment, local=local)
    if project is None:
        raise Unusable(f"There are no containers to see: {reason}.")
    return project


def _may_answer(address: str) -> bool:
    path = address.removeprefix("unix://")
    return path == address or Path(path).is_socket()


def _own_project(client: Any) -> str | None:
    from docker.errors import DockerException

    try:
        labels: Mapping[str, str] = client.containers.get(socket.gethostname()).labels
    except DockerException:
        return None
    return labels.get(PROJECT_LABEL)


def _candidates(client: Any) -> list[str]:
    services: dict[str, set[str]] = {}
    for each in client.containers.list(all=True, filters={"label": PROJECT_LABEL}):
        services.setdefault(each.labels[PROJECT_LABEL], set()).add(each.labels.get(SERVICE_LABEL, ""))
    return sorted(name for name, found in services.items() if found.issuperset(SERVICES))
