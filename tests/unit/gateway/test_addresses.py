from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.addresses import client_address, parse_address, parse_networks

PROXIES = parse_networks("10.0.0.0/8, 127.0.0.1, fd00::/8")


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.7", None, "203.0.113.7"),
        ("203.0.113.7", "1.2.3.4", "203.0.113.7"),  # nobody vouches for the header
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "198.51.100.2", "198.51.100.2"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.2", "198.51.100.2"),  # what the client itself claimed
        ("10.0.0.1", "6.6.6.6, 198.51.100.2, 10.0.0.9", "198.51.100.2"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),  # all trusted: the farthest
        ("10.0.0.1", "198.51.100.2, unknown", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.2, junk, 10.0.0.9", "10.0.0.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", ",,", "10.0.0.1"),
        ("10.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("10.0.0.1", "[2001:db8::1]:443", "2001:db8::1"),
        ("10.0.0.1", '"[2001:db8::1]"', "2001:db8::1"),
        ("10.0.0.1", "198.51.100.2:5678", "198.51.100.2"),
        ("::ffff:10.0.0.1", "::ffff:198.51.100.2", "198.51.100.2"),
        ("fd00::1", "198.51.100.2", "198.51.100.2"),
        ("fe80::1%eth0", "198.51.100.2", "fe80::1"),
        ("", "198.51.100.2", None),
        (None, None, None),
    ],
)
def test_client_is_the_rightmost_hop_that_is_no_trusted_proxy(
    peer: str | None, forwarded: str | None, client: str | None
) -> None:
    assert client_address(peer, forwarded, PROXIES) == client


def test_header_is_ignored_when_no_proxy_is_trusted() -> None:
    assert client_address("10.0.0.1", "198.51.100.2", ()) == "10.0.0.1"


def test_long_header_is_read_from_its_end() -> None:
    assert client_address("10.0.0.1", "9.9.9.9," * 10_000 + "198.51.100.2", PROXIES) == "198.51.100.2"


@given(st.text())
def test_any_header_gives_an_address(forwarded: str) -> None:
    address = client_address("10.0.0.1", forwarded, PROXIES)
    assert address is not None
    ip_address(address)


@given(st.ip_addresses())
def test_every_address_is_read_back(address: object) -> None:
    assert parse_address(str(address)) is not None


@pytest.mark.parametrize("text", ["10.0.0.0/33", "proxy.example", "10.0.0.0/8;10.1.0.0/16"])
def test_networks_are_refused_when_unreadable(text: str) -> None:
    with pytest.raises(ValueError, match="network"):
        parse_networks(text)
