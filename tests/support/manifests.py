"""What kustomize builds of deploy/k8s, and what docker compose runs, as plain documents."""

import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
K8S = ROOT / "deploy" / "k8s"
OVERLAYS = ("dev", "prod")

Resource = dict[str, Any]

# What the operators of broker and database call their pods and ports: a contract with them, not with our files.
OPERATORS_PODS: dict[str, Resource] = {
    "broker": {
        "labels": {"app.kubernetes.io/name": "broker", "app.kubernetes.io/component": "rabbitmq"},
        "ports": {"amqp": 5672, "management": 15672, "prometheus": 15692, "epmd": 4369, "cluster-rpc": 25672},
    },
    "database": {"labels": {"app": "database-svc"}, "ports": {"mongodb": 27017}},
}


@cache
def build(overlay: str) -> list[Resource]:
    """The overlay's resources. Skips the test where neither kubectl nor kustomize is on the PATH."""
    for command in (["kubectl", "kustomize"], ["kustomize", "build"]):
        if shutil.which(command[0]):
            built = subprocess.run([*command, str(K8S / "overlays" / overlay)], capture_output=True, text=True, check=False)
            assert built.returncode == 0, built.stderr
            return [document for document in yaml.safe_load_all(built.stdout) if document]
    pytest.skip("neither kubectl nor kustomize is on the PATH, so the overlays can't be built")


def of_kind(overlay: str, *kinds: str) -> dict[str, Resource]:
    """The overlay's resources of these kinds by name."""
    return {resource["metadata"]["name"]: resource for resource in build(overlay) if resource["kind"] in kinds}


def workloads(overlay: str) -> dict[str, Resource]:
    """Our own Deployments and Jobs by name."""
    return of_kind(overlay, "Deployment", "Job")


def pod_of(workload: Resource) -> Resource:
    """The pod's specification."""
    spec: Resource = workload["spec"]["template"]["spec"]
    return spec


def container_of(workload: Resource) -> Resource:
    """The only container."""
    (container,) = pod_of(workload)["containers"]
    found: Resource = container
    return found


def pods(overlay: str) -> dict[str, Resource]:
    """Every kind of pod that will run, ours and the operators', as {labels, ports}."""
    ours = {
        name: {
            "labels": workload["spec"]["template"]["metadata"]["labels"],
            "ports": {port["name"]: port["containerPort"] for port in container_of(workload).get("ports", [])},
        }
        for name, workload in workloads(overlay).items()
    }
    return ours | OPERATORS_PODS


def matches(selector: Resource, labels: dict[str, str]) -> bool:
    """Whether a label selector takes these labels; an empty one takes all."""
    assert not set(selector) - {"matchLabels"}, "only matchLabels is understood here"
    return all(labels.get(name) == value for name, value in selector.get("matchLabels", {}).items())


def find(node: Any, key: str) -> Iterator[Any]:
    """Every value under `key`, however deep."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == key:
                yield value
            yield from find(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from find(value, key)


@cache
def compose() -> Resource:
    """The compose file as written: variables are not replaced."""
    loaded: Resource = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    return loaded
