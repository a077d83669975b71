"""What the cluster files name is there: labels, secrets, settings, accounts, queues, targets of scaling."""

import re
import subprocess
import sys
from functools import cache

import pytest
import yaml

from services.common.topology import SERVICES, event_queue, rpc_queue
from services.common.version import VERSION
from tests.support.manifests import (
    OVERLAYS,
    ROOT,
    build,
    container_of,
    find,
    matches,
    of_kind,
    pod_of,
    pods,
    workloads,
)

# Secrets that somebody else makes: the cluster operator of RabbitMQ, and whoever holds the certificate.
OTHERS_SECRETS = {"broker-default-user": {"username", "password"}, "foyer-tls": {"tls.crt", "tls.key"}}


@cache
def keys() -> dict[str, set[str]]:
    """The Secrets that the keys command prints, with their entries."""
    printed = subprocess.run(
        [sys.executable, "-m", "deploy.setup", "keys", "--kubernetes"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    found: dict[str, set[str]] = {}
    for secret in yaml.safe_load_all(printed):
        if secret:
            found[secret["metadata"]["name"]] = {*secret.get("data", {}), *secret.get("stringData", {})}
    return found


def entries_named(overlay: str) -> set[tuple[str, str]]:
    """Every (Secret, entry) that anything names; the entry is empty where the whole Secret is meant."""
    named: set[tuple[str, str]] = set()
    for resource in build(overlay):
        for volume in find(resource, "secret"):
            name = volume.get("secretName") or volume["name"]
            named |= {(name, item["key"]) for item in volume.get("items", [])} or {(name, "")}
        named |= {(reference["name"], reference["key"]) for reference in find(resource, "secretKeyRef")}
        named |= {(reference["name"], reference.get("key", "password")) for reference in find(resource, "passwordSecretRef")}
        named |= {(reference["name"], reference["key"]) for target in find(resource, "secretTargetRef") for reference in target}
        named |= {(tls["secretName"], "") for listed in find(resource, "tls") for tls in listed}
    return named


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_selectors_take_the_pods_they_are_meant_for(overlay: str) -> None:
    for name, deployment in of_kind(overlay, "Deployment").items():
        assert matches(deployment["spec"]["selector"], deployment["spec"]["template"]["metadata"]["labels"]), name
    for name, service in of_kind(overlay, "Service").items():
        taken = [pod for pod in pods(overlay).values() if matches({"matchLabels": service["spec"]["selector"]}, pod["labels"])]
        assert len(taken) == 1, name
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= set(taken[0]["ports"]), name


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_pod_is_taken_by_its_own_selectors_alone(overlay: str) -> None:
    for name, deployment in of_kind(overlay, "Deployment").items():
        taken = [other for other, pod in pods(overlay).items() if matches(deployment["spec"]["selector"], pod["labels"])]
        assert taken == [name]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_secret_that_is_named_is_made_by_somebody(overlay: str) -> None:
    made = keys() | OTHERS_SECRETS
    missing = {(name, entry) for name, entry in entries_named(overlay) if name not in made or (entry and entry not in made[name])}
    assert missing == set()


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_file_that_a_process_reads_is_in_its_secret(overlay: str) -> None:
    for name, workload in workloads(overlay).items():
        (volume,) = (volume for volume in pod_of(workload)["volumes"] if volume["name"] == "keys")
        files = set()
        for secret in [volume.get("secret"), *(source["secret"] for source in volume.get("projected", {}).get("sources", []))]:
            if secret and "items" in secret:
                files |= {item["path"] for item in secret["items"]}
            elif secret:
                files |= keys()[secret["secretName"]]
        for variable in container_of(workload)["env"]:
            value = variable.get("value", "")
            if value.startswith("/run/foyer/"):
                wanted = value.removeprefix("/run/foyer/")
                assert any(file == wanted or file.startswith(f"{wanted}/") for file in files), (name, variable["name"])


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_settings_accounts_and_claims_exist(overlay: str) -> None:
    settings = set(of_kind(overlay, "ConfigMap"))
    for name, workload in workloads(overlay).items():
        assert pod_of(workload)["serviceAccountName"] in of_kind(overlay, "ServiceAccount"), name
        assert {source["configMapRef"]["name"] for source in container_of(workload)["envFrom"]} <= settings, name
        claims = {claim["claimName"] for claim in find(workload, "persistentVolumeClaim")}
        assert claims <= set(of_kind(overlay, "PersistentVolumeClaim")), name
    for reference in find(build(overlay), "configMapTargetRef"):
        assert all(item["key"] in of_kind(overlay, "ConfigMap")[item["name"]]["data"] for item in reference)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_settings_are_ones_that_the_product_reads(overlay: str) -> None:
    documented = (ROOT / "docs" / "settings.md").read_text()
    (settings,) = (config for name, config in of_kind(overlay, "ConfigMap").items() if name.startswith("foyer-settings"))
    assert [name for name in settings["data"] if f"`{name}`" not in documented] == []


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_image_floats(overlay: str) -> None:
    images = {image for image in find(build(overlay), "image") if isinstance(image, str)}
    assert images
    assert [image for image in images if not re.fullmatch(r"[a-z0-9./-]+:[a-z0-9.-]+", image) or image.endswith(":latest")] == []
    if overlay == "prod":
        assert {image.split(":")[1] for image in images if image.startswith("foyer/")} == {VERSION}


def test_one_autoscaler_owns_the_replicas_of_each_process_in_production() -> None:
    deployments = of_kind("prod", "Deployment")
    scaled = of_kind("prod", "ScaledObject")
    targets = [resource["spec"]["scaleTargetRef"]["name"] for resource in scaled.values()]
    assert sorted(targets) == sorted({*SERVICES, "gateway"})
    assert of_kind("prod", "HorizontalPodAutoscaler") == {}
    assert [name for name in targets if "replicas" in deployments[name]["spec"]] == []
    for resource in scaled.values():
        spec = resource["spec"]
        assert 2 <= spec["minReplicaCount"] <= spec["maxReplicaCount"]
        assert "idleReplicaCount" not in spec, "without a replica there is no queue to be called by"


def test_scaling_looks_at_the_queues_that_there_are() -> None:
    for service in SERVICES:
        scaled = of_kind("prod", "ScaledObject")[service]["spec"]
        queues = {trigger["metadata"]["queueName"] for trigger in scaled["triggers"]}
        assert queues == {rpc_queue(service), event_queue(service)}
        for trigger in scaled["triggers"]:
            assert trigger["metadata"]["host"] == f"http://broker.{namespace('prod')}.svc:15672/foyer"
            assert trigger["authenticationRef"]["name"] in of_kind("prod", "TriggerAuthentication")


def namespace(overlay: str) -> str:
    (name,) = of_kind(overlay, "Namespace")
    return name


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_everything_is_in_the_one_namespace(overlay: str) -> None:
    rest = [resource for resource in build(overlay) if resource["kind"] != "Namespace"]
    assert {resource["metadata"].get("namespace") for resource in rest} == {namespace(overlay)}


def test_budgets_hold_for_every_process_that_has_more_than_one_replica() -> None:
    budgets = of_kind("prod", "PodDisruptionBudget")
    assert set(budgets) == {*SERVICES, "gateway", "broker", "database"}
    for name, budget in budgets.items():
        taken = [pod for pod, parts in pods("prod").items() if matches(budget["spec"]["selector"], parts["labels"])]
        assert taken == [name]
        assert budget["spec"]["maxUnavailable"] == 1, "0, or a minimum of all, would hold up every node"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_services_database_user_has_its_own_database_alone(overlay: str) -> None:
    users = {user["name"]: user for user in of_kind(overlay, "MongoDBCommunity")["database"]["spec"]["users"]}
    assert set(users) == {*SERVICES, "operator"}
    for service in SERVICES:
        assert users[service]["db"] == f"foyer_{service}"
        assert users[service]["roles"] == [{"name": "readWrite", "db": f"foyer_{service}"}]
        assert users[service]["passwordSecretRef"]["name"] == f"foyer-database-{service}"
    assert users["operator"]["db"] == "admin"


def test_production_keeps_three_of_broker_and_database() -> None:
    assert of_kind("prod", "RabbitmqCluster")["broker"]["spec"]["replicas"] == 3
    assert of_kind("prod", "MongoDBCommunity")["database"]["spec"]["members"] == 3
    (settings,) = (config for name, config in of_kind("prod", "ConfigMap").items() if name.startswith("foyer-settings"))
    assert settings["data"]["FOYER_QUEUE_TYPE"] == "quorum"
    (nodes,) = (v["value"] for v in container_of(workloads("prod")["broker-setup"])["env"] if v["name"] == "FOYER_BROKER_NODES")
    assert nodes == "3"


def test_production_keeps_the_setup_of_the_broker_of_the_base() -> None:
    lines = {
        overlay: dict(
            line.split(" = ")
            for line in of_kind(overlay, "RabbitmqCluster")["broker"]["spec"]["rabbitmq"]["additionalConfig"].splitlines()
        )
        for overlay in OVERLAYS
    }
    assert set(lines["dev"]) <= set(lines["prod"])


def test_clients_paths_lead_to_the_gateway_and_the_others_do_not() -> None:
    from gateway.app import create_app
    from gateway.settings import GatewaySettings

    app = create_app(GatewaySettings.read({"FOYER_SECRET_KEY": "k" * 40}))
    first = {f"/{rule.rule.split('/')[1]}" for rule in app.url_map.iter_rules()}
    (ingress,) = of_kind("prod", "Ingress").values()
    (rule,) = ingress["spec"]["rules"]
    assert {path["path"] for path in rule["http"]["paths"]} == first - {"/metrics", "/healthz", "/readyz"}
    assert ingress["spec"]["tls"][0]["hosts"] == [rule["host"]]
    for path in rule["http"]["paths"]:
        service = path["backend"]["service"]
        assert service["port"]["name"] in {port["name"] for port in of_kind("prod", "Service")[service["name"]]["spec"]["ports"]}
