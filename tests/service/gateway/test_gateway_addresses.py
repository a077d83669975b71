"""Whose address a visitor has, over real connections: the peer's, unless a trusted proxy vouches for another."""

import http.client
import json
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from services.common.rpc_client import RpcClient
from tests.service.gateway.conftest import ADMIN, RunningGateway
from tests.support.stack import Stack
from tests.support.waiting import wait_until

STRANGER, PROXY = "127.0.0.1", "127.0.0.2"
VIA_PROXIES = "127.0.0.2, 10.0.0.0/8, fd00::/8"
PAGE = {"url": "https://shop.example/"}


class FromAddress(HTTPAdapter):
    """Connects from one of this machine's addresses."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, source_address=(self._address, 0))


@pytest.fixture(scope="module")
def behind_proxies(stack: Stack, gateway: RunningGateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """A gateway that trusts one neighbour of this machine, and two networks behind it."""
    other = RunningGateway(tmp_path_factory.mktemp("proxies"), stack.environment | {"TRUSTED_PROXIES": VIA_PROXIES})
    try:
        other.start()
        wait_until(other.ready, 20, what="readiness")
        yield other
    finally:
        other.stop()


@pytest.fixture(scope="module")
def channel_id(gateway: RunningGateway, rpc: RpcClient) -> str:
    arguments = {"kind": "web", "name": "Shop", "allowed_origins": [], "actor": ADMIN}
    return str(rpc.call("messaging", "create_channel", timeout=15, **arguments)["id"])


def address_of(gateway: RunningGateway, rpc: RpcClient, channel_id: str, peer: str, headers: dict[str, str]) -> str:
    """The address that a visitor's profile has whose request came from this peer with these headers."""
    with requests.Session() as http:
        http.trust_env = False
        http.mount("http://", FromAddress(peer))
        url = f"http://127.0.0.1:{gateway.port}/v1/widget/{channel_id}/session"
        response = http.post(url, json=PAGE, headers=headers, timeout=10)
    assert response.status_code == 201, response.text
    contact_id = response.json()["contact"]["id"]
    return str(rpc.call("contacts", "get_contact", timeout=15, contact_id=contact_id)["ip"])


FORGED = [
    {"X-Forwarded-For": "8.8.8.8"},
    {"X-Forwarded-For": "8.8.8.8, 127.0.0.2"},
    {"X-Real-IP": "8.8.8.8"},
    {"Forwarded": "for=8.8.8.8"},
    {"X-Client-IP": "8.8.8.8", "True-Client-IP": "8.8.8.8", "CF-Connecting-IP": "8.8.8.8", "Fastly-Client-IP": "8.8.8.8"},
    {"X-Forwarded-For": "8.8.8.8", "X-Real-IP": "8.8.8.8", "Forwarded": 'for="8.8.8.8"', "Via": "1.1 proxy"},
]


@pytest.mark.parametrize("headers", FORGED, ids=lambda headers: "+".join(headers))
def test_headers_change_nothing_when_no_proxy_is_trusted(
    gateway: RunningGateway, rpc: RpcClient, channel_id: str, headers: dict[str, str]
) -> None:
    assert address_of(gateway, rpc, channel_id, STRANGER, headers) == STRANGER


@pytest.mark.parametrize("headers", FORGED, ids=lambda headers: "+".join(headers))
def test_headers_change_nothing_when_the_peer_is_no_trusted_proxy(
    behind_proxies: RunningGateway, rpc: RpcClient, channel_id: str, headers: dict[str, str]
) -> None:
    assert address_of(behind_proxies, rpc, channel_id, STRANGER, headers) == STRANGER


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ({"X-Forwarded-For": "8.8.8.8"}, "8.8.8.8"),
        ({"X-Forwarded-For": "6.6.6.6, 8.8.8.8"}, "8.8.8.8"),  # what the client itself claimed stands left
        ({"X-Forwarded-For": "6.6.6.6, 8.8.8.8, 10.1.2.3"}, "8.8.8.8"),
        ({"X-Forwarded-For": "2001:4860:4860::8888, fd00::7"}, "2001:4860:4860::8888"),
        ({"X-Forwarded-For": "::ffff:8.8.8.8"}, "8.8.8.8"),
        ({"X-Forwarded-For": "8.8.8.8:5678"}, "8.8.8.8"),
        ({"X-Forwarded-For": "192.168.1.5"}, "192.168.1.5"),
        ({"X-Forwarded-For": "10.1.2.3"}, "10.1.2.3"),
        ({"X-Forwarded-For": "8.8.8.8, junk"}, PROXY),
        ({"X-Real-IP": "8.8.8.8"}, PROXY),
        ({"Forwarded": "for=8.8.8.8"}, PROXY),
        ({"X-Forwarded-For": "1.1.1.1", "X-Real-IP": "8.8.8.8", "Forwarded": "for=8.8.4.4"}, "1.1.1.1"),
        ({}, PROXY),
    ],
)
def test_rightmost_untrusted_hop_counts_when_a_trusted_proxy_sends_it(
    behind_proxies: RunningGateway, rpc: RpcClient, channel_id: str, headers: dict[str, str], address: str
) -> None:
    found = address_of(behind_proxies, rpc, channel_id, PROXY, headers)
    assert ip_address(found) == ip_address(address)


def test_every_line_of_the_header_counts_when_a_proxy_adds_its_own(
    behind_proxies: RunningGateway, rpc: RpcClient, channel_id: str
) -> None:
    """Proxies may add a line instead of a part (RFC 9110, 5.3): the last line is the nearest hop's."""
    connection = http.client.HTTPConnection("127.0.0.1", behind_proxies.port, timeout=10, source_address=(PROXY, 0))
    body = json.dumps(PAGE)
    connection.putrequest("POST", f"/v1/widget/{channel_id}/session")
    for name, value in (
        ("X-Forwarded-For", "6.6.6.6"),
        ("X-Forwarded-For", "8.8.8.8"),
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
    ):
        connection.putheader(name, value)
    connection.endheaders(body.encode())
    answer = json.loads(connection.getresponse().read())
    connection.close()
    contact = rpc.call("contacts", "get_contact", timeout=15, contact_id=answer["contact"]["id"])
    assert contact["ip"] == "8.8.8.8"
