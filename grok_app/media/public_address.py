"""Which addresses belong to the public internet, and which may lead back into our own networks."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

Address = IPv4Address | IPv6Address

_OTHER_IPV4: Final = tuple(
    IPv4Network(network)
    for network in (
        "100.64.0.0/10",  # between a provider and its customers; Alibaba's metadata
        "168.63.129.16/32",  # Azure's metadata and name server
        "192.0.0.0/24",  # IETF protocols; Oracle's metadata. Python before 3.11.10 calls most of it global
        "192.88.99.0/24",  # relays of 6to4
    )
)
_UNICAST_IPV6: Final = IPv6Network("2000::/3")
"""All that is given out. Mapped, compatible, translated and local addresses, and 64:ff9b:1::/48, are outside."""
_OTHER_IPV6: Final = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # IETF protocols, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
)
_NAT64: Final = IPv6Network("64:ff9b::/96")
_ISATAP: Final = 0x5EFE
_ISATAP_FLAGS: Final = 0x0300_0000


def is_public(address: Address) -> bool:
    """Whether this is a host of the public internet, reached as such.

    IPv6 forms that carry an IPv4 address are refused altogether, the public ones too, with one exception: NAT64 of the
    well-known prefix (RFC 6052), by which hosts with IPv6 only reach all others, counts as the address it carries.
    Prefixes for NAT64 that a network has chosen itself can't be told from other addresses.

    Source: IANA's special-purpose registries as of 2026-11, RFC 5214 (ISATAP), and the clouds' documentation.
    """
    if isinstance(address, IPv4Address):
        return _is_public_ipv4(address)
    if address.scope_id is not None:
        return False
    if address in _NAT64:
        return _is_public_ipv4(IPv4Address(int(address) & 0xFFFF_FFFF))
    return (
        address in _UNICAST_IPV6
        and address.is_global
        and not any(address in network for network in _OTHER_IPV6)
        and not _is_isatap(address)
    )


def _is_public_ipv4(address: IPv4Address) -> bool:
    return address.is_global and not address.is_multicast and not any(address in network for network in _OTHER_IPV4)


def _is_isatap(address: IPv6Address) -> bool:
    return (int(address) >> 32) & 0xFFFF_FFFF & ~_ISATAP_FLAGS == _ISATAP
