"""Who may talk to whom in production: the network policies, worked out pair by pair, against the compose file's networks."""

from collections.abc import Callable, Iterator
from ipaddress import ip_address, ip_network

import pytest

from services.common.topology import SERVICES
from tests.support.manifests import Resource, compose, matches, of_kind, pods

# Pods of other namespaces that have business with ours: the namespace, and what may be reached.
NEIGHBOURS: dict[str, set[tuple[str, int]]] = {
    "ingress-nginx": {("gateway", 8000)},
    "monitoring": {("gateway", 8000), ("broker", 15692), *((service, 9100) for service in SERVICES)},
    "keda": {("broker", 15672)},
    "somebody-else": set(),
}
WAYS = {
    *((process, "broker", 5672) for process in (*SERVICES, "gateway", "ops")),
    *((process, "broker", 15672) for process in ("broker-setup", "ops")),
    *((process, "database", 27017) for process in (*SERVICES, "ops")),
    ("broker", "broker", 4369),
    ("broker", "broker", 25672),
    ("database", "database", 27017),
}


def policies(pod: str, direction: str) -> list[Resource]:
    """The specifications of the policies that say something of this pod's direction."""
    labels = pods("prod")[pod]["labels"]
    found = [policy["spec"] for policy in of_kind("prod", "NetworkPolicy").values()]
    return [spec for spec in found if direction in spec["policyTypes"] and matches(spec["podSelector"], labels)]


def opened(pod: str, direction: str) -> Iterator[tuple[Resource, Resource]]:
    """Every (peer, port) that policies open; nothing would be closed without a policy, which the first test rules out."""
    key = direction.lower()
    for spec in policies(pod, direction):
        for rule in spec.get(key, []):
            assert rule.get("ports"), "a rule without ports opens all"
            peers = rule.get("from" if key == "ingress" else "to")
            assert peers, "a rule without peers opens to all"
            for peer in peers:
                for port in rule["ports"]:
                    yield peer, port


def takes_port(port: Resource, number: int, protocol: str = "TCP") -> bool:
    last: int = port.get("endPort") or port["port"]
    return port["protocol"] == protocol and number in range(port["port"], last + 1)


def takes_pod(peer: Resource, labels: dict[str, str]) -> bool:
    return "podSelector" in peer and "namespaceSelector" not in peer and matches(peer["podSelector"], labels)


def leaves(source: str, target: str, number: int) -> bool:
    labels = pods("prod")[target]["labels"]
    return any(takes_pod(peer, labels) and takes_port(port, number) for peer, port in opened(source, "Egress"))


def enters(source: str, target: str, number: int) -> bool:
    labels = pods("prod")[source]["labels"]
    return any(takes_pod(peer, labels) and takes_port(port, number) for peer, port in opened(target, "Ingress"))


def may_reach(source: str, address: str, number: int) -> bool:
    def takes(peer: Resource) -> bool:
        block = peer.get("ipBlock")
        found = ip_address(address)
        return (
            block is not None
            and found in ip_network(block["cidr"])
            and not any(found in ip_network(inner) for inner in block.get("except", []))
        )

    return any(takes(peer) and takes_port(port, number) for peer, port in opened(source, "Egress"))


def networks(process: str) -> set[str]:
    """The compose file's networks of a process; the fragments of `<<` are already merged by the loader."""
    return set(compose()["services"][process].get("networks", []))


def test_every_pod_is_closed_both_ways_unless_something_opens_it() -> None:
    for pod in pods("prod"):
        assert policies(pod, "Ingress"), pod
        assert policies(pod, "Egress"), pod


@pytest.mark.parametrize("side", [leaves, enters])
def test_each_side_opens_the_intended_ways_and_no_others(side: Callable[[str, str, int], bool]) -> None:
    everything = pods("prod")
    numbers = {number for pod in everything.values() for number in pod["ports"].values()} | {22, 80, 443, 8080}
    assert {(a, b, number) for a in everything for b in everything for number in numbers if side(a, b, number)} == WAYS


def test_no_way_leads_where_the_compose_file_has_none() -> None:
    for source, target, _ in WAYS:
        if source != target:
            assert networks(source) & networks(target), f"{source} and {target} share no network in docker-compose.yml"


def test_processes_that_share_no_network_in_the_compose_file_have_no_way() -> None:
    everything = [pod for pod in pods("prod") if pod in compose()["services"]]
    apart = [(a, b) for a in everything for b in everything if a != b and not networks(a) & networks(b)]
    assert ("gateway", "database") in apart
    for source, target in apart:
        assert not any(leaves(source, target, number) for number in pods("prod")[target]["ports"].values()), (source, target)


@pytest.mark.parametrize("neighbour", NEIGHBOURS)
def test_a_neighbour_reaches_what_it_is_there_for(neighbour: str) -> None:
    labels = {"kubernetes.io/metadata.name": neighbour}
    found = set()
    for target, pod in pods("prod").items():
        for number in pod["ports"].values():
            for peer, port in opened(target, "Ingress"):
                if "namespaceSelector" in peer and matches(peer["namespaceSelector"], labels) and takes_port(port, number):
                    found.add((target, number))
    assert found == NEIGHBOURS[neighbour]


def test_only_who_is_on_an_open_network_in_the_compose_file_reaches_the_outside() -> None:
    internal = {name for name, network in compose()["networks"].items() if (network or {}).get("internal")}
    for pod in pods("prod"):
        open_ones = networks(pod) - internal if pod in compose()["services"] else set()
        for address, number in (("93.184.215.14", 443), ("93.184.215.14", 8443), ("2606:2800::1", 443)):
            assert may_reach(pod, address, number) == bool(open_ones), pod


@pytest.mark.parametrize(
    "address", ["10.1.2.3", "172.16.9.9", "192.168.1.1", "169.254.169.254", "127.0.0.1", "fd00::1", "fe80::1"]
)
def test_messaging_reaches_no_private_address(address: str) -> None:
    assert not may_reach("messaging", address, 443)


def test_only_what_keeps_data_reaches_the_clusters_api() -> None:
    assert {pod for pod in pods("prod") if may_reach(pod, "10.96.0.1", 443)} == {"broker", "database"}


def test_every_pod_can_look_names_up() -> None:
    for pod in pods("prod"):
        peers = [peer for peer, port in opened(pod, "Egress") if takes_port(port, 53, "UDP") and "namespaceSelector" in peer]
        assert [peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] for peer in peers] == ["kube-system"]
