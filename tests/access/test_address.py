"""Where a request comes from."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grok_app.access import client_address, is_https

PROXY = "10.0.0.1"
CLIENT = "203.0.113.7"
TRUSTED = (ip_network("10.0.0.0/8"), ip_network("2001:db8::/32"))


def forwarded_for(*lines: str) -> list[tuple[bytes, bytes]]:
    """The headers of a request with these X-Forwarded-For lines."""
    return [(b"host", b"x"), *((b"x-forwarded-for", line.encode()) for line in lines)]


@pytest.mark.parametrize(
    ("peer", "lines", "found"),
    [
        (PROXY, (CLIENT,), CLIENT),
        (PROXY, (f"1.1.1.1, {CLIENT}",), CLIENT),
        (PROXY, (f"1.1.1.1,{CLIENT}, 10.0.0.9",), CLIENT),
        (PROXY, ("1.1.1.1", CLIENT, "10.0.0.9"), CLIENT),
        (PROXY, (f"unknown, {CLIENT}",), CLIENT),
        ("::ffff:10.0.0.1", (CLIENT,), CLIENT),
        ("2001:db8::1", ("2001:DB9:0::7",), "2001:db9::7"),
        (PROXY, ("10.0.0.8, 10.0.0.9",), "10.0.0.8"),
    ],
    ids=["one", "a claim", "two proxies", "many lines", "bad claim", "mapped proxy", "IPv6", "all are proxies"],
)
def test_a_trusted_proxy_tells_whom_it_heard_from(peer: str, lines: tuple[str, ...], found: str) -> None:
    """The last entry that is no proxy of ours is the client; what the client itself claims doesn't count."""
    assert client_address(peer, forwarded_for(*lines), TRUSTED) == found


@pytest.mark.parametrize(
    ("peer", "lines"),
    [
        (PROXY, ()),
        (PROXY, ("",)),
        (PROXY, ("unknown",)),
        (PROXY, (f"{CLIENT}, unknown",)),
        (PROXY, ("203.0.113.256",)),
        ("192.0.2.9", (CLIENT,)),
        ("", (CLIENT,)),
    ],
    ids=["none", "empty", "no address", "last is none", "too large", "not trusted", "no peer"],
)
def test_otherwise_it_is_the_peer(peer: str, lines: tuple[str, ...]) -> None:
    """Nothing is believed of those who aren't trusted, and nothing that is no address."""
    assert client_address(peer, forwarded_for(*lines), TRUSTED) == peer


@pytest.mark.parametrize(
    ("entry", "address"),
    [
        ("203.0.113.9:5555", "203.0.113.9"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
    ],
)
def test_addresses_come_with_ports_and_brackets(entry: str, address: str) -> None:
    """As some proxies write them."""
    assert client_address(PROXY, forwarded_for(entry), TRUSTED) == address


def test_without_trusted_proxies_nobody_is_believed() -> None:
    """The default: a header alone changes nothing."""
    assert client_address(PROXY, forwarded_for(CLIENT), ()) == PROXY


def test_an_ipv4_peer_looks_the_same_on_every_socket() -> None:
    """A socket for both families shows it as an IPv6 address; they would all be of one site otherwise."""
    assert client_address("::ffff:203.0.113.7", [], ()) == CLIENT


@given(claims=st.lists(st.text(max_size=20), max_size=5))
def test_no_claim_changes_what_the_proxy_saw(claims: list[str]) -> None:
    """Whatever a client writes, it can't choose its address."""
    lines = [(b"x-forwarded-for", claim.encode()) for claim in claims]
    assert client_address(PROXY, [*lines, (b"x-forwarded-for", CLIENT.encode())], TRUSTED) == CLIENT


@pytest.mark.parametrize(
    ("scheme", "peer", "told", "expected"),
    [
        ("https", CLIENT, None, True),
        ("http", CLIENT, None, False),
        ("http", CLIENT, b"https", False),
        ("http", PROXY, b"https", True),
        ("http", PROXY, b"HTTPS, http", True),
        ("https", PROXY, b"http", False),
        ("https", PROXY, b"gopher", True),
        ("http", PROXY, b"", False),
    ],
    ids=["direct", "plain", "a claim", "proxy", "two proxies", "plain at the proxy", "malformed", "empty"],
)
def test_https_is_what_the_browser_speaks(scheme: str, peer: str, told: bytes | None, expected: bool) -> None:
    """The outermost trusted proxy knows; without one the connection itself does."""
    headers = [(b"x-forwarded-proto", told)] if told is not None else []
    assert is_https(scheme, peer, headers, TRUSTED) is expected
