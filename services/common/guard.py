"""Whom this product may be made to talk to: an address that somebody typed must not lead to what only this machine can reach.

A URL is checked when it is given, by what it says, and at each request, by the addresses that its name stands for at that moment.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from re import compile as pattern
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAX_URL = 2000
_WRITABLE = pattern(r"[\x21-\x7e]+\Z")
_HOST = pattern(r"[A-Za-z0-9_.-]{1,253}\Z")
# Not for strangers, whatever ipaddress thinks of them: protocol assignments (Python 3.11 holds only some of them for private), relays of
# 6to4 (RFC 7526), and the address at which every machine of a large provider asks about itself.
_REFUSED_V4 = tuple(IPv4Network(text) for text in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32"))
_GLOBAL_UNICAST = IPv6Network("2000::/3")
# Teredo and other protocol assignments, documentation, 6to4: what they lead to is written in the address or nowhere.
_REFUSED_V6 = tuple(IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "3fff::/20", "2002::/16"))
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are the IPv4 address that is meant


class Refused(ValueError):
    """A target that requests may not be sent to; the text says why."""


@dataclass(frozen=True)
class Target:
    """A URL that may be asked for, as far as it can be known without looking its name up."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """What the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == {"http": 80, "https": 443}[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True)
class Guard:
    """Lets through what is public, and the given networks, in which also plain http is allowed."""

    allowed_networks: Sequence[Network] = ()
    trusted: bool = False  # for what the operator's own settings name: its lookups never wait for strangers' ones

    def read(self, url: str) -> Target:
        """The target of a URL. Raises Refused, also for an address in it that isn't allowed."""
        if len(url) > MAX_URL or not _WRITABLE.match(url):
            raise Refused(f"A URL has at most {MAX_URL} printable ASCII characters, and no blanks.")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise Refused("Not a URL.") from None
        if parts.scheme not in {"http", "https"}:
            raise Refused("Only https:// is allowed.")
        if "@" in parts.netloc or "\\" in url:
            raise Refused("A URL must not hold credentials.")
        host = (parts.hostname or "").rstrip(".")
        if not (_HOST.match(host) or _is_v6(host)) or port == 0:
            raise Refused("Not a URL with a host.")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        target = Target(parts.scheme, host, port or {"http": 80, "https": 443}[parts.scheme], path)
        if (literal := _literal(host)) is not None:
            self.check(target, [literal])
        return target

    def check(self, target: Target, addresses: Iterable[Address]) -> None:
        """Raise Refused unless the target may be reached at all these addresses."""
        for address in map(_meant, addresses):
            if any(address in network for network in self.allowed_networks):
                continue
            if not is_public(address):
                raise Refused(f"The address {address} is not a public one.")
            if target.scheme != "https":
                raise Refused("Only https:// is allowed.")


# For a server that the operator's own settings name.
UNGUARDED = Guard((IPv4Network("0.0.0.0/0"), IPv6Network("::/0")), trusted=True)


def is_public(address: Address) -> bool:
    """Whether an address is a global unicast one, of which anybody may be asked."""
    address = _meant(address)
    if isinstance(address, IPv6Address):
        return address in _GLOBAL_UNICAST and address.is_global and not any(address in network for network in _REFUSED_V6)
    special = address.is_multicast or address.is_reserved or address.is_unspecified
    return address.is_global and not special and not any(address in network for network in _REFUSED_V4)


def read_networks(text: str) -> tuple[Network, ...]:
    """Networks, comma separated. Raises ValueError, which says which one is none."""
    return tuple(ip_network(part.strip(), strict=True) for part in text.split(",") if part.strip())


def _meant(address: Address) -> Address:
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _is_v6(host: str) -> bool:
    return "%" not in host and isinstance(_literal(host), IPv6Address)
