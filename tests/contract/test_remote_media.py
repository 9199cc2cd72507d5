"""Attachments by URL: what is never fetched, and what is read from the cache. Source: API contract, section 5.2."""

import time
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.contract.media import FILES_URL, UPLOAD, VALUES, Calls, attach, attached, links_of, text
from tests.contract.wire import ask, error_of, text_of
from tests.servers import Gateway, Sandbox

AT_ONCE_S = 2.0
"""Well below any timeout."""
LOOPBACK = [
    "127.0.0.1",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "user:password@127.0.0.1",
    "127.1",
    "127.0.0.1.",
    "127.255.255.254",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "017700000001",
    "0.0.0.0",  # noqa: S104 - asked for, not bound
    "0",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::127.0.0.1]",
    "[2002:7f00:1::]",
]
"""Spellings of this machine, to which the sandbox would listen."""
PRIVATE = [
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "[::ffff:169.254.169.254]",
    "[fd00::1]",
    "[fe80::1]",
    "[fec0::1]",
    "[fd00:ec2::254]",
    "224.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "198.18.0.1",
]
"""Addresses of no public host."""


def refusal_of(gateway: Gateway, kind: str, url: str, question: str) -> dict[str, Any]:
    """The error for a remote URL, which must come at once."""
    began = time.monotonic()
    answer = ask(gateway, [text(question), attach(kind, url)])

    assert time.monotonic() - began < AT_ONCE_S
    assert answer.status_code == 400
    return error_of(answer)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", LOOPBACK)
def test_our_own_machine_is_not_asked(gateway: Gateway, sandbox: Sandbox, calls: Calls, host: str, scheme: str) -> None:
    """However it is spelled, an address of this machine is refused unasked: what listens there hears nothing."""
    port = urlsplit(sandbox.url).port
    error = refusal_of(gateway, "image_url", f"{scheme}://{host}:{port}/secret.png", "Look")

    assert (error["code"], error["param"]) == ("invalid_media", "messages.0.content.1.image_url.url")
    assert calls("/secret.png") == calls(UPLOAD) == []


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("host", PRIVATE)
def test_private_addresses_are_refused(gateway: Gateway, sandbox: Sandbox, question: str, kind: str, host: str) -> None:
    """Networks behind us, the metadata service of a cloud and what is nobody's: refused at once, for each block."""
    error = refusal_of(gateway, kind, f"http://{host}/latest/meta-data", question)

    assert (error["code"], error["param"]) == ("invalid_media", f"messages.0.content.1.{kind}.{VALUES[kind]}")
    assert sandbox.asked(question) == []


@pytest.mark.parametrize(
    "url", ["http://", "https:///a.png", "http://:80/a", "http://[::1/a", "http://a b/", "http://example.com:99999/"]
)
def test_a_url_without_a_host_is_refused(gateway: Gateway, question: str, url: str) -> None:
    """What can't be a URL of anything is the caller's mistake, not a crash."""
    assert refusal_of(gateway, "image_url", url, question)["code"] == "invalid_media"


@pytest.fixture(scope="module")
def drawn(gateway: Gateway) -> str:
    """The address of a picture in the gateway's cache."""
    link, *_ = links_of(text_of(gateway, "A picture to look at @images", stream=False))
    return link


def test_a_picture_of_ours_is_read_from_the_cache(
    gateway: Gateway, sandbox: Sandbox, calls: Calls, question: str, drawn: str
) -> None:
    """The link of an earlier answer may be attached, although it leads to this machine."""
    ask(gateway, [text(question), attach("image_url", drawn)], stream=False).raise_for_status()

    [asked] = sandbox.asked(question)
    [found] = attached(sandbox, asked)
    assert found.content == gateway.stranger.get(drawn).content
    assert (found.name, found.mime) == (drawn.rpartition("/")[2], "image/jpeg")
    assert len(calls(UPLOAD)) == 1


def test_a_picture_of_ours_at_its_public_address(elsewhere: Gateway, sandbox: Sandbox, question: str) -> None:
    """With `app.app_url` links begin with that address, and are known by it: nobody asks that host."""
    link, *_ = links_of(text_of(elsewhere, "A picture @images", stream=False))
    assert link.startswith(FILES_URL)
    ask(elsewhere, [text(question), attach("image_url", link)], stream=False).raise_for_status()

    [asked] = sandbox.asked(question)
    [found] = attached(sandbox, asked)
    assert found.content == elsewhere.stranger.get(link.removeprefix(FILES_URL)).content


@pytest.mark.parametrize(
    "path",
    [
        "/v1/files/image/no-such.png",
        "/v1/files/image/..%2f..%2fgrok_app.db",
        "/v1/files/image/",
        "/healthz",
        "/v1/models",
    ],
)
def test_what_is_no_file_of_ours_is_refused(
    gateway: Gateway, sandbox: Sandbox, calls: Calls, question: str, path: str
) -> None:
    """A missing file, and every other path of this server, is 400 and leads nowhere."""
    error = refusal_of(gateway, "image_url", gateway.url + path, question)

    assert (error["code"], error["param"]) == ("invalid_media", "messages.0.content.1.image_url.url")
    assert calls(UPLOAD) == sandbox.asked(question) == []
