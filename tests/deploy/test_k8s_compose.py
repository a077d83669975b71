"""The cluster runs what the compose file runs, process by process; every difference is listed here with its reason."""

import re

import pytest

from tests.support.manifests import OVERLAYS, ROOT, Resource, compose, container_of, of_kind, pod_of, workloads

# What one of the two has alone.
ONLY_COMPOSE = {
    "keys": "the keys command runs where kubectl runs and prints Secrets",
    "database-setup": "the database's operator makes the replica set and its users",
    "balancer": "the cluster's Ingress",
    "broker": "a RabbitmqCluster, compared below",
    "database": "a MongoDBCommunity, compared below",
}
# Variables that the compose file hands on and the cluster's ConfigMap may set for all processes, or does not need.
NOT_NEEDED = {
    "COMPOSE_PROJECT_NAME": "there is no Docker engine to ask",
    "GEOIP_DATABASE": "a better database needs a volume, which an overlay adds together with the variable",
}
ONLY_CLUSTER = {
    "FOYER_BROKER_API_USER": "the setup signs in as the administrator whom the cluster operator made; in compose that is `operator`",
    "FOYER_BROKER_NODES": "production's cluster is three from the start",
    "FOYER_SETUP_TIMEOUT": "an operator's pods take longer to come up than a container",
    "FOYER_BROKER_API": "compose leaves the setup the default, which is the same address",
}
# What differs in value.
OTHER_VALUES = {
    ("gateway", "FOYER_DRAIN_SECONDS"): "a cluster needs longer to tell all its nodes than the balancer to look twice"
}
OTHER_GRACE = {
    "gateway": "the longer drain",
    "ops": "`sleep` hears no signal; nothing that it runs is meant to be waited for",
}
# In compose it writes backups into a folder of the machine, whoever owns that; here into a volume of the pod's group.
OTHER_CAPABILITIES = {"ops": ["DAC_OVERRIDE"]}
USER = 10001

PROCESSES = sorted(set(compose()["services"]) - set(ONLY_COMPOSE))


def environment(process: str) -> dict[str, str | None]:
    declared: dict[str, str | None] = compose()["services"][process]["environment"]
    # What a variable of the .env may replace counts as what it is without one.
    return {name: re.sub(r"^\$\{\w+:-(.+)\}$", r"\1", str(value)) if value else value for name, value in declared.items()}


def given(workload: Resource) -> dict[str, str | None]:
    return {variable["name"]: variable.get("value") for variable in container_of(workload)["env"]}


def seconds(text: str) -> int:
    found = re.fullmatch(r"(\d+)s", text)
    assert found, text
    return int(found[1])


def user_of(image: str) -> int:
    """Whom the Dockerfile lets the image run as."""
    text = (ROOT / "deploy" / "Dockerfile").read_text()
    assert re.search(rf"^FROM \S+ AS {image}$", text, re.MULTILINE), image
    (user,) = set(re.findall(r"^USER (\d+):\d+$", text, re.MULTILINE))
    return int(user)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_same_processes_run(overlay: str) -> None:
    assert sorted(workloads(overlay)) == PROCESSES


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("process", PROCESSES)
def test_the_image_is_the_same(overlay: str, process: str) -> None:
    image = compose()["services"][process]["image"]
    assert container_of(workloads(overlay)[process])["image"].split(":")[0] == image.split(":")[0]


@pytest.mark.parametrize("process", sorted(set(PROCESSES) - {"ops"}))
def test_the_command_is_the_same(process: str) -> None:
    described = compose()["services"][process]
    container = container_of(workloads("prod")[process])
    assert container.get("command") == described.get("entrypoint")
    assert container.get("args") == described.get("command")


@pytest.mark.parametrize("process", PROCESSES)
def test_the_environment_is_the_same(process: str) -> None:
    there, here = environment(process), given(workloads("prod")[process])
    fixed = {name: value for name, value in there.items() if value is not None and name not in NOT_NEEDED}
    (settings,) = (config["data"] for name, config in of_kind("prod", "ConfigMap").items() if name.startswith("foyer-settings"))
    everything = {**settings, **here}
    for name, value in fixed.items():
        if (process, name) not in OTHER_VALUES:
            assert everything.get(name) == str(value), name
        else:
            assert everything[name] != str(value), "no longer a difference: take it off the list"
    assert set(here) - set(there) - set(ONLY_CLUSTER) == set()


def test_what_the_config_map_sets_is_what_the_compose_file_hands_on() -> None:
    known = {name for process in PROCESSES for name in environment(process)}
    for overlay in OVERLAYS:
        (settings,) = (
            config["data"] for name, config in of_kind(overlay, "ConfigMap").items() if name.startswith("foyer-settings")
        )
        assert set(settings) - known == set()


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("process", PROCESSES)
def test_the_process_is_as_confined(overlay: str, process: str) -> None:
    described = compose()["services"][process]
    pod, container = pod_of(workloads(overlay)[process]), container_of(workloads(overlay)[process])
    own = container["securityContext"]
    assert described["read_only"] is own["readOnlyRootFilesystem"] is True
    assert described["cap_drop"] == own["capabilities"]["drop"] == ["ALL"]
    assert "add" not in own["capabilities"]
    assert described.get("cap_add") == OTHER_CAPABILITIES.get(process)
    assert described["security_opt"] == ["no-new-privileges:true"]
    assert own["allowPrivilegeEscalation"] is False
    # Compose runs the setup and the operator's command as root, whose keys are root's alone; here the pod's group may read them.
    assert pod["securityContext"]["runAsUser"] == USER == user_of(described["image"].split(":")[0].removeprefix("foyer/"))
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & set(pod)
    assert all(not {"hostPath"} & set(volume) for volume in pod["volumes"])


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("process", PROCESSES)
def test_memory_and_time_to_end_are_the_same(overlay: str, process: str) -> None:
    described, workload = compose()["services"][process], workloads(overlay)[process]
    resources = container_of(workload)["resources"]
    limit = described["mem_limit"].replace("1g", "1024m")
    assert resources["limits"] == {"memory": resources["limits"]["memory"]}, "a limit of CPU shows as latency"
    assert resources["limits"]["memory"].replace("1Gi", "1024Mi") == limit.replace("m", "Mi")
    assert set(resources["requests"]) == {"cpu", "memory"}
    if process not in OTHER_GRACE and "stop_grace_period" in described:
        assert pod_of(workload)["terminationGracePeriodSeconds"] == seconds(described["stop_grace_period"])


@pytest.mark.parametrize("process", PROCESSES)
def test_the_keys_are_mounted_at_the_same_place_and_can_only_be_read(process: str) -> None:
    (mount,) = (mount for mount in container_of(workloads("prod")[process])["volumeMounts"] if mount["name"] == "keys")
    (there,) = (volume for volume in compose()["services"][process]["volumes"] if volume.startswith("keys-"))
    assert there == f"{there.split(':')[0]}:{mount['mountPath']}:ro"
    assert mount["readOnly"] is True
    consumer = there.split(":")[0].removeprefix("keys-")
    (volume,) = (volume for volume in pod_of(workloads("prod")[process])["volumes"] if volume["name"] == "keys")
    sources = volume.get("projected", {}).get("sources", [volume])
    names = {source["secret"].get("secretName") or source["secret"]["name"] for source in sources}
    assert f"foyer-{consumer}" in names
    assert names <= {f"foyer-{consumer}", "broker-default-user"}


def test_a_process_listens_where_its_image_says() -> None:
    text = (ROOT / "deploy" / "Dockerfile").read_text()
    ports: dict[str, list[int]] = {name: [] for name in PROCESSES} | {
        name: [9100] for name in ("messaging", "contacts", "presence", "assignment")
    }
    ports["gateway"] = [8000]
    assert re.search(r"AS service\nENV FOYER_METRICS_HOST=0\.0\.0\.0 \\\n +FOYER_METRICS_PORT=9100\n", text)
    assert re.search(r"ENV FOYER_HOST=0\.0\.0\.0 \\\n +FOYER_PORT=8000\n", text)
    for name, workload in workloads("prod").items():
        assert [port["containerPort"] for port in container_of(workload).get("ports", [])] == ports[name]


def test_the_gateway_has_time_to_drain_and_is_not_killed_meanwhile() -> None:
    workload = workloads("prod")["gateway"]
    drain = int(given(workload)["FOYER_DRAIN_SECONDS"] or 0)
    assert pod_of(workload)["terminationGracePeriodSeconds"] >= drain + 3 + 5
    container = container_of(workload)
    assert container["readinessProbe"]["httpGet"]["path"] == "/healthz"
    unready = container["readinessProbe"]["periodSeconds"] * container["readinessProbe"]["failureThreshold"]
    assert unready < drain
    assert container["livenessProbe"]["periodSeconds"] * container["livenessProbe"]["failureThreshold"] > drain


@pytest.mark.parametrize("process", ["messaging", "contacts", "presence", "assignment"])
def test_a_service_is_restarted_only_when_it_hangs(process: str) -> None:
    container = container_of(workloads("prod")[process])
    assert container["livenessProbe"]["httpGet"] == container["startupProbe"]["httpGet"] == {"path": "/livez", "port": "metrics"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/healthz", "port": "metrics"}


@pytest.mark.parametrize("process", ["messaging", "contacts", "presence", "assignment", "gateway"])
def test_a_rollout_takes_no_replica_away_before_another_works(process: str) -> None:
    assert workloads("prod")[process]["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_broker_and_database_are_of_the_same_release(overlay: str) -> None:
    there = compose()["services"]
    assert there["broker"]["image"] == "rabbitmq:${RABBITMQ_VERSION:-4}-management"
    assert re.fullmatch(r"rabbitmq:4(\.\d+)?-management", of_kind(overlay, "RabbitmqCluster")["broker"]["spec"]["image"])
    version = of_kind(overlay, "MongoDBCommunity")["database"]["spec"]["version"]
    assert there["database"]["image"] == f"mongo:${{MONGO_VERSION:-{version.split('.')[0]}}}"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_replica_set_is_the_one_of_the_addresses(overlay: str) -> None:
    spec = of_kind(overlay, "MongoDBCommunity")["database"]["spec"]
    (name,) = (
        part.removeprefix("--replSet=") for part in compose()["services"]["database"]["command"] if part.startswith("--replSet=")
    )
    assert spec["automationConfig"]["replicaSet"]["id"] == spec["additionalMongodConfig"]["replication.replSetName"] == name
    assert spec["additionalMongodConfig"]["setParameter.transactionLifetimeLimitSeconds"] == 5
