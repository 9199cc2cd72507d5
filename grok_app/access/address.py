"""Where a request comes from, when proxies that we trust stand in between.

Headers are ASGI's: pairs of a name in lower case and a value. Anybody can write them, so they count only when the
connection itself comes from a trusted proxy.
"""

import re
from collections.abc import Collection, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

_WITH_PORT: Final = re.compile(r"\[([^\]]+)\](?::\d+)?|([\d.]+):\d+")
"""How some proxies write addresses: `[2001:db8::1]:443`, `192.0.2.1:443`."""

_IPV6_SITE_BITS: Final = 64

Network = IPv4Network | IPv6Network
Headers = Iterable[tuple[bytes, bytes]]


def client_address(peer: str, headers: Headers, trusted: Collection[Network]) -> str:
    """The address that the request was first sent from, as far as it is vouched for.

    Each proxy appends to X-Forwarded-For whom it heard from, so the last entry that is no trusted proxy is the client;
    what stands before it is the client's own claim. An entry that is no address leaves us with the peer.

    Args:
        peer: The other end of the connection.
        headers: Of the request.
        trusted: The proxies that may speak for others.
    """
    found = connected = str(_parse(peer) or peer)
    if not _is_trusted(connected, trusted):
        return connected
    for entry in reversed(_values(headers, b"x-forwarded-for")):
        if (address := _parse(entry)) is None:
            return connected
        found = str(address)
        if not _is_trusted(found, trusted):
            break
    return found


def is_https(scheme: str, peer: str, headers: Headers, trusted: Collection[Network]) -> bool:
    """Whether the browser speaks https, with us or with the outermost trusted proxy (X-Forwarded-Proto's first entry).

    Args:
        scheme: That of the connection.
        peer: The other end of the connection.
        headers: Of the request.
        trusted: The proxies that may speak for others.
    """
    told = _values(headers, b"x-forwarded-proto") if _is_trusted(peer, trusted) else []
    first = told[0].lower() if told else ""
    return (first if first in ("http", "https") else scheme) == "https"


def site_of(address: str) -> str:
    """What counts as one caller: an address, but with IPv6, where a caller has a whole /64 at hand, that network."""
    parsed = _parse(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, _IPV6_SITE_BITS), strict=False))
    return str(parsed or address)  # a peer without an address is on a Unix socket


def _is_trusted(address: str, trusted: Collection[Network]) -> bool:
    parsed = _parse(address)
    return parsed is not None and any(parsed in network for network in trusted)


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    if bare := _WITH_PORT.fullmatch(text):
        text = bare[1] or bare[2]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # A socket for both families shows an IPv4 peer as ::ffff:192.0.2.1.
    return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address


def _values(headers: Headers, name: bytes) -> list[str]:
    """The entries of a list header, in order, over all its lines."""
    return [entry.strip() for key, value in headers if key == name for entry in value.decode("latin-1").split(",")]
