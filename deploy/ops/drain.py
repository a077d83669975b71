"""`drain`: stops a container so that it finishes what it has begun, and says whether others serve in its place."""

import argparse
import time
from typing import Any

from deploy.ops.containers import SERVICE_LABEL, Project, describe, require_project
from deploy.ops.context import Context
from deploy.ops.errors import FINE, WRONG, Unusable, Wrong
from deploy.ops.mutex import alone
from deploy.ops.tables import say

# What compose gives a container that says nothing else.
DEFAULT_GRACE = 10


def add_parsers(commands: Any) -> None:
    """Add `drain`."""
    parser = commands.add_parser("drain", help="stop a container gracefully; its service goes on by the others")
    parser.add_argument(
        "target", metavar="CONTAINER|SERVICE", help="a container's name or id, or a service: its newest container"
    )
    parser.add_argument("--force", action="store_true", help="also the last one of its service")
    parser.set_defaults(run=drain)


def drain(options: argparse.Namespace) -> int:
    """Exit status 1 when refused, it did not end by itself, or nothing is left of its service without `--force`."""
    with Context() as context:
        surroundings = context.surroundings
        project = require_project(surroundings.environment, local=surroundings.data_dir is not None)
        # Two that look at the same time would each count on the container that the other stops.
        with alone(context):
            return drain_one(project, options)


def drain_one(project: Project, options: argparse.Namespace) -> int:
    """Look, stop and look again; for who is alone."""
    container = _find(project, options.target)
    service = container.labels.get(SERVICE_LABEL, "")
    others = _serving(project, service, container.id)
    if not others and not options.force:
        raise Wrong(f"{container.name} is the last of {service} that serves.", "Start another first, or give --force.")
    grace = container.attrs["Config"].get("StopTimeout") or DEFAULT_GRACE
    say(f"Stopping {container.name}; it has {grace} s to finish …")
    began = time.monotonic()
    # Said again, since the client waits for the engine's answer as long as it knows of.
    container.stop(timeout=grace)
    seconds = time.monotonic() - began
    container.reload()
    code = describe(container).exit_code
    by_itself = code == 0
    ended = "by itself" if by_itself else f"with exit code {code}{', killed when its time was over' if code == 137 else ''}"
    print(f"{container.name} ended {ended} after {seconds:.1f} s.")
    left = _serving(project, service, container.id)
    print(f"{service} is served by {', '.join(left)}." if left else f"Nothing serves {service} now.")
    print(f"To have it back: docker start {container.name}")
    return FINE if by_itself and (left or options.force) else WRONG


def _find(project: Project, target: str) -> Any:
    containers = project.containers()
    named = [each for each in containers if target in (each.name, each.id, each.short_id)]
    of_service = [each for each in containers if each.labels.get(SERVICE_LABEL) == target and each.status == "running"]
    found = named or sorted(of_service, key=lambda each: str(each.attrs["Created"]))[-1:]
    if not found:
        services = sorted({each.labels.get(SERVICE_LABEL, "") for each in containers})
        raise Unusable(f"{project.name} has no running container {target}.", f"Its services: {', '.join(services)}")
    [container] = found
    if container.status != "running":
        raise Wrong(f"{container.name} does not run: it is {container.status}.")
    return container


def _serving(project: Project, service: str, without: str) -> list[str]:
    """The service's other containers that run and are not unhealthy or still starting."""
    found = [(each.id, describe(each)) for each in project.containers(service)]
    return [each.name for key, each in found if key != without and each.state == "running" and each.health in (None, "healthy")]
