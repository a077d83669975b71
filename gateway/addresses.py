"""Which address a request really comes from, when proxies stand before the gateway."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# A header with more hops than this was not written by proxies; only its end is looked at.
MAX_HOPS = 50


def parse_networks(text: str) -> tuple[Network, ...]:
    """The networks in a comma-separated list, each an address or a prefix. Raises ValueError."""
    return tuple(ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())


def client_address(peer: str | None, forwarded_for: str | None, trusted: Iterable[Network]) -> str | None:
    """The rightmost address on the way that is not a trusted proxy's; None when even the peer has none (a Unix socket).

    `forwarded_for` is the X-Forwarded-For header; each proxy appends the address it saw, so only what trusted proxies
    appended counts. What stands left of an unreadable hop can't be vouched for and is ignored.
    """
    networks = tuple(trusted)
    address = parse_address(peer or "")
    if address is None:
        return None
    hops = (forwarded_for or "").split(",")[-MAX_HOPS:]
    while hops and is_within(address, networks):
        hop = parse_address(hops.pop())
        if hop is None:
            break
        address = hop
    return str(address)


def parse_address(text: str) -> Address | None:
    """The address in a hop: plain, with a port, in brackets, with a zone; an IPv4-mapped IPv6 address as IPv4."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def is_within(address: Address, networks: Iterable[Network]) -> bool:
    """Whether one of the networks holds the address."""
    return any(address.version == network.version and address in network for network in networks)
