"""Who can reach whom. Tried from inside, by name and by address."""

from typing import Any

import pytest

from tests.containers.stack import SERVICES, ComposeStack

PORTS = {"database": 27017, "broker": 5672, "gateway": 8000, "balancer": 8080} | dict.fromkeys(SERVICES, 9100)
REACHES = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=2).close()
except OSError as error:
    print(type(error).__name__)
else:
    print("reached")
"""

pytestmark = [pytest.mark.containers, pytest.mark.timeout(300)]


def networks(stack: ComposeStack, container: Any) -> dict[str, str]:
    """Its address in each of the stack's networks."""
    found = container.attrs["NetworkSettings"]["Networks"]
    return {name.removeprefix(f"{stack.name}_"): network["IPAddress"] for name, network in found.items()}


def reach(stack: ComposeStack, service: str, host: str, port: int) -> str:
    return stack.exec(stack.containers(service)[0], "python", "-c", REACHES, host, str(port)).strip()


@pytest.mark.parametrize(
    ("service", "wanted"),
    [
        ("balancer", {"edge", "front"}),
        ("gateway", {"front", "bus"}),
        ("messaging", {"bus", "data", "outside"}),
        ("contacts", {"bus", "data"}),
        ("presence", {"bus", "data"}),
        ("assignment", {"bus", "data"}),
        ("broker", {"bus"}),
        ("database", {"data"}),
    ],
)
def test_networks_are_the_fewest(stack: ComposeStack, service: str, wanted: set[str]) -> None:
    assert set(networks(stack, stack.containers(service)[0])) == wanted


@pytest.mark.parametrize(
    ("service", "other", "network"),
    [
        ("gateway", "database", "data"),
        ("balancer", "database", "data"),
        ("balancer", "broker", "bus"),
        ("balancer", "messaging", "bus"),
        ("presence", "balancer", "front"),
        ("presence", "gateway", "front"),
        ("contacts", "messaging", "outside"),
    ],
)
def test_nobody_reaches_what_is_not_theirs(stack: ComposeStack, service: str, other: str, network: str) -> None:
    address = networks(stack, stack.containers(other)[0])[network]
    assert reach(stack, service, address, PORTS[other]) != "reached"
    if not set(networks(stack, stack.containers(service)[0])) & set(networks(stack, stack.containers(other)[0])):
        assert reach(stack, service, other, PORTS[other]) == "gaierror"


@pytest.mark.parametrize(("service", "other"), [("gateway", "broker"), ("presence", "database"), ("balancer", "gateway")])
def test_what_is_needed_is_reached(stack: ComposeStack, service: str, other: str) -> None:
    assert reach(stack, service, other, PORTS[other]) == "reached"


@pytest.mark.parametrize("service", ["gateway", "contacts", "presence", "assignment", "broker", "database"])
def test_no_way_leads_outside(stack: ComposeStack, service: str) -> None:
    routes = stack.exec(stack.containers(service)[0], "cat", "/proc/net/route").splitlines()[1:]
    assert "00000000" not in [route.split()[1] for route in routes]


def test_only_the_balancer_is_published_and_on_loopback_only(stack: ComposeStack) -> None:
    published = {
        (one.labels["com.docker.compose.service"], inside, binding["HostIp"])
        for one in stack.containers()
        for inside, bindings in one.attrs["NetworkSettings"]["Ports"].items()
        for binding in bindings or ()
    }
    assert published == {("balancer", "8080/tcp", "127.0.0.1"), ("balancer", "8443/tcp", "127.0.0.1")}
