"""Whom requests may be sent to: public addresses, whatever they are called, and what the operator allows."""

from ipaddress import ip_address, ip_network

import pytest

from services.common.guard import UNGUARDED, Guard, Refused, is_public, read_networks

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.215.14",
    "172.32.0.1",
    "192.0.1.1",
    "2606:4700::1111",
    "2a00:1450:4001::1",
    "2001:4860:4860::8888",
]
NOT_PUBLIC = [
    *("127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),  # noqa: S104
    *("169.254.0.1", "100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "192.88.99.1"),
    *("224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "fe80::1", "fec0::1", "fc00::1", "fd12:3456::1", "ff02::1", "100::1", "2001:db8::1", "3fff::1", "5f00::1"),
    # What clouds answer about a machine to itself.
    *("169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254"),
    # IPv4 in other clothes: mapped, compatible, NAT64 and its local form, 6to4, Teredo.
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::ffff:0:127.0.0.1"),
    *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:808:808::", "2001:0:53aa::1"),
]  # fmt: skip


@pytest.mark.parametrize("address", [*PUBLIC, "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_address_is_let_through(address: str) -> None:
    assert is_public(ip_address(address))
    target = Guard().read("https://hooks.example/x")
    Guard().check(target, [ip_address(address)])


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_address_is_refused_when_it_is_not_a_global_unicast_one(address: str) -> None:
    assert not is_public(ip_address(address))
    with pytest.raises(Refused, match="not a public one"):
        Guard().check(Guard().read("https://hooks.example/x"), [ip_address("8.8.8.8"), ip_address(address)])
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(Refused):
        Guard().read(f"https://{host}/x")


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "::1", "::ffff:127.0.0.1"])
def test_private_address_is_let_through_when_its_network_is_allowed(address: str) -> None:
    guard = Guard(read_networks("127.0.0.0/8, 10.0.0.0/8,::1/128"))
    host = f"[{address}]" if ":" in address else address
    assert guard.read(f"http://{host}:8080/x").port == 8080
    with pytest.raises(Refused):
        guard.read("https://192.168.0.1/")


def test_plain_http_is_refused_unless_all_addresses_are_allowed() -> None:
    guard = Guard((ip_network("10.0.0.0/8"),))
    target = guard.read("http://hooks.example/x")
    guard.check(target, [ip_address("10.0.0.1")])
    with pytest.raises(Refused, match="https"):
        guard.check(target, [ip_address("10.0.0.1"), ip_address("8.8.8.8")])
    with pytest.raises(Refused, match="https"):
        guard.read("http://8.8.8.8/")


@pytest.mark.parametrize(
    "url",
    [
        *("", "hooks.example/x", "//hooks.example/x", "ftp://hooks.example", "file:///etc/passwd", "gopher://hooks.example", "data:,x"),
        *("https://", "https:///path", "https://:443/", "https://user@hooks.example/", "https://user:pass@hooks.example/"),
        *("https://hooks.example:0/", "https://hooks.example:99999/", "https://hooks.example:port/", "https://hooks example/"),
        *("https://hooks.example/a b", "https://hooks.example/\r\nHost: x", "https://hooks.example\\@10.0.0.1/", "https://höoks.example/"),
        *("https://hooks.example/\x00", "https://[fe80::1%25eth0]/", "https://[::1", "https://[nonsense]/", "https://a,b/", "https://{x}/"),
        "https://hooks.example/" + "x" * 2000,
    ],
)  # fmt: skip
def test_url_is_refused_when_it_is_not_a_plain_https_one(url: str) -> None:
    with pytest.raises(Refused):
        Guard().read(url)


def test_url_is_read_into_what_is_asked_of_whom() -> None:
    target = Guard().read("HTTPS://Hooks.Example.:8443/a/b?c=d&e#fragment")
    assert (target.scheme, target.host, target.port, target.path) == ("https", "hooks.example", 8443, "/a/b?c=d&e")
    assert target.authority == "hooks.example:8443"
    assert Guard().read("https://hooks.example").authority == "hooks.example"
    assert Guard().read("https://hooks.example?x").path == "/?x"
    assert UNGUARDED.read("http://[::1]:80/").authority == "[::1]"


@pytest.mark.parametrize("text", ["10.0.0.1/8", "nonsense", "10.0.0.0/8,,x", "10.0.0.0/99"])
def test_networks_are_refused_when_one_is_none(text: str) -> None:
    with pytest.raises(ValueError):
        read_networks(text)


def test_no_networks_are_read_from_no_text() -> None:
    assert read_networks(" ") == ()
