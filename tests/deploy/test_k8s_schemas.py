"""Every resource that kustomize builds is valid: Kubernetes' own against its schemas, custom ones against their operators'."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import kubernetes_validate  # type: ignore[import-untyped]
import pytest

from tests.support.manifests import K8S, OVERLAYS, Resource, build, of_kind

CRDS = Path(__file__).with_name("crds")
# The oldest Kubernetes that docs/kubernetes.md promises, and the newest that the schemas know.
VERSIONS = ("1.31", kubernetes_validate.latest_version())


def schema_of(resource: Resource) -> Any:
    path = CRDS / f"{resource['apiVersion'].replace('/', '_')}_{resource['kind']}.json"
    return json.loads(path.read_text()) if path.exists() else None


def refusals(resource: Resource) -> list[str]:
    validator = jsonschema.Draft7Validator(schema_of(resource))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(resource)]


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("version", VERSIONS)
def test_built_in_resources_fit_the_clusters_schemas(overlay: str, version: str) -> None:
    for resource in build(overlay):
        if schema_of(resource) is None:
            kubernetes_validate.validate(resource, version, strict=True)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_custom_resources_fit_their_operators_schemas(overlay: str) -> None:
    found = {
        f"{resource['kind']}/{resource['metadata']['name']}": refusals(resource)
        for resource in build(overlay)
        if schema_of(resource) is not None
    }
    assert found
    assert {name: errors for name, errors in found.items() if errors} == {}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_the_operators_merge_into_their_stateful_sets_fits_the_clusters_schema(overlay: str) -> None:
    broker = of_kind(overlay, "RabbitmqCluster")["broker"]["spec"]
    validate_pod(
        {"affinity": broker.get("affinity", {}), "containers": [{"name": "rabbitmq", "resources": broker["resources"]}]}, []
    )
    database = of_kind(overlay, "MongoDBCommunity")["database"]["spec"]["statefulSet"]["spec"]
    validate_pod(database["template"]["spec"], database["volumeClaimTemplates"])


def validate_pod(pod: Resource, claims: list[Resource]) -> None:
    labels = {"app": "any"}
    spec = {"selector": {"matchLabels": labels}, "serviceName": "any", "volumeClaimTemplates": claims}
    spec |= {"template": {"metadata": {"labels": labels}, "spec": pod}}
    whole = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "any"}, "spec": spec}
    kubernetes_validate.validate(whole, VERSIONS[-1], strict=True)


def test_a_misspelt_field_is_refused_in_each_kind() -> None:
    kinds = {resource["kind"]: resource for overlay in OVERLAYS for resource in build(overlay)}
    for resource in kinds.values():
        wrong = deepcopy(resource)
        wrong.setdefault("spec" if "spec" in wrong else "metadata", {})["replicaz"] = 1
        if schema_of(resource) is not None:
            assert refusals(wrong), resource["kind"]
        else:
            with pytest.raises(kubernetes_validate.ValidationError):
                kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def test_every_file_belongs_to_a_kustomization() -> None:
    listed = "".join(path.read_text() for path in K8S.rglob("kustomization.yaml"))
    files = [path for path in K8S.rglob("*") if path.suffix in {".yaml", ".env", ".json"} and path.name != "kustomization.yaml"]
    assert files
    assert [str(path) for path in files if path.name not in listed] == []
