"""Which addresses are public."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grok_app.media.public_address import Address, is_public


def embedded(address: IPv4Address) -> dict[str, IPv6Address]:
    """All the forms in which IPv6 carries this address."""
    number = int(address)
    return {
        "compatible": IPv6Address(number),
        "mapped": IPv6Address(0xFFFF << 32 | number),
        "translated": IPv6Address(0xFFFF << 48 | number),
        "nat64": IPv6Address(0x64_FF9B << 96 | number),
        "local nat64": IPv6Address(0x64_FF9B_0001 << 80 | number),
        "6to4": IPv6Address(0x2002 << 112 | number << 80 | 1),
        "teredo server": IPv6Address(0x2001 << 112 | number << 64),
        "teredo client": IPv6Address(0x2001 << 112 | (number ^ 0xFFFF_FFFF)),
        "isatap": IPv6Address(0x2A00_1450 << 96 | 0x5EFE << 32 | number),
        "isatap, global": IPv6Address(0x2A00_1450 << 96 | 0x200_5EFE << 32 | number),
    }


NOT_GLOBAL = [
    "0.0.0.0",  # noqa: S104 - nothing listens on it
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "168.63.129.16",
    "169.254.169.254",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.19.0.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
]


@pytest.mark.parametrize("text", NOT_GLOBAL)
def test_an_ipv4_address_of_our_own_networks_is_not_public(text: str) -> None:
    """Nor what a cloud answers its machines on, nor what nobody has; in no form that carries it."""
    assert not is_public(ip_address(text))
    assert not any(map(is_public, embedded(IPv4Address(text)).values()))


@given(st.ip_addresses(v=4).filter(lambda address: not is_public(address)))
def test_what_is_not_public_is_not_public_in_any_form(address: Address) -> None:
    """Whatever gateway would translate it."""
    assert isinstance(address, IPv4Address)
    assert [name for name, form in embedded(address).items() if is_public(form)] == []


@given(st.ip_addresses(v=4))
def test_an_address_that_python_does_not_take_for_global_is_not_public(address: Address) -> None:
    """Ours is the narrower notion."""
    assert address.is_global or not is_public(address)


@given(st.ip_addresses(v=4).filter(is_public))
def test_one_form_of_a_public_address_is_public(address: Address) -> None:
    """Without it a machine with IPv6 only would reach few hosts; the others have no use today."""
    assert isinstance(address, IPv4Address)
    assert [name for name, form in embedded(address).items() if is_public(form)] == ["nat64"]


@pytest.mark.parametrize(
    "text",
    [
        "::",
        "::1",
        "100::1",
        "2001:db8::1",
        "2001:10::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
        "2606:4700::1%eth0",
    ],
)
def test_a_special_ipv6_address_is_not_public(text: str) -> None:
    """Loopback, link-local, site-local, multicast, documentation, or bound to an interface."""
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001:800::200e"])
def test_a_host_of_the_internet_is_public(text: str) -> None:
    """Or nothing could be fetched."""
    assert is_public(ip_address(text))
