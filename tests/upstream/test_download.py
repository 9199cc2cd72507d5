"""Fetching files from Grok."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from grok_app.upstream import ErrorKind, GrokWeb, GrokWebOptions, MediaKind, UpstreamError, open_grokweb
from grok_app.upstream.grokweb import download as download_module
from tests.upstream.wire import Wire, answer, read_head

PATH = "users/u/generated/x/image.jpg"
JPEG = b"\xff\xd8 picture"


class Host:
    """A host of files that says one thing after another, the last one for ever."""

    def __init__(self, *said: bytes) -> None:
        self.said = said
        self.asked: list[bytes] = []
        self.wire = Wire(self.serve)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer every request on a connection."""
        while True:
            self.asked.append(await read_head(reader))
            said = self.said[min(len(self.asked), len(self.said)) - 1]
            writer.write(said)
            if not said:
                return

    @asynccontextmanager
    async def client(self, download_timeout_s: float = 5) -> AsyncGenerator[GrokWeb, None]:
        """A client that takes this for Grok's host of files."""
        async with self.wire.listen() as wire:
            options = GrokWebOptions(
                base_url="https://grok.example/", assets_url=wire.url, download_timeout_s=download_timeout_s
            )
            async with open_grokweb(lambda: options) as client:
                yield client


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download_module, "_PAUSES_S", (0.0, 0.0))


async def fetch(
    client: GrokWeb, address: str = PATH, kind: MediaKind = MediaKind.IMAGE, limit_bytes: int = 1 << 20
) -> bytes:
    """A whole file."""
    async with client.download("T", address, kind=kind, limit_bytes=limit_bytes) as file:
        return b"".join([piece async for piece in file.pieces()])


@pytest.mark.parametrize("form", ["users/u/a.jpg", "/users/u/a.jpg", "ORIGIN/users/u/a.jpg"])
async def test_a_file_arrives(form: str) -> None:
    """By path or address, with its head, and asked for as a page that is opened."""
    host = Host(answer(200, JPEG, Content_Type="image/jpeg; x=1"))
    async with host.client() as client:
        address = form.replace("ORIGIN", host.wire.url.rstrip("/"))
        async with client.download("T", address, kind=MediaKind.IMAGE, limit_bytes=100) as file:
            assert (file.mime_type, file.length) == ("image/jpeg", len(JPEG))
            assert b"".join([piece async for piece in file.pieces()]) == JPEG
    [asked] = host.asked
    assert asked.startswith(b"GET /users/u/a.jpg HTTP/1.1\r\n")
    for line in (b"Cookie: sso=T; sso-rw=T", b"Referer: https://grok.example/", b"Sec-Fetch-Mode: navigate"):
        assert line + b"\r\n" in asked
    assert b"Sec-Fetch-Site: same-site\r\n" in asked
    assert b"Content-Type: image/jpeg\r\n" in asked


@pytest.mark.parametrize("status", [403, 408, 425, 429, 500, 503])
async def test_what_may_pass_is_tried_three_times(status: int) -> None:
    """Twice no, then yes is a yes; three times no is the last no."""
    no, yes = answer(status, b""), answer(200, JPEG, Content_Type="image/png")
    patient = Host(no, no, yes)
    async with patient.client() as client:
        assert await fetch(client) == JPEG
    host = Host(no)
    async with host.client() as client:
        with pytest.raises(UpstreamError) as raised:
            await fetch(client)
    assert (len(host.asked), raised.value.status) == (3, status)


async def test_a_broken_connection_is_tried_again() -> None:
    """As long as nothing has arrived."""
    host = Host(b"", b"", answer(200, JPEG, Content_Type="image/png"))
    async with host.client() as client:
        assert await fetch(client) == JPEG
    assert len(host.asked) >= 3


@pytest.mark.parametrize(
    ("said", "kind", "message"),
    [
        (answer(404, b""), MediaKind.IMAGE, "answered 404"),
        (answer(302, b"", Location="http://127.0.0.1:1/"), MediaKind.IMAGE, "answered 302"),
        (answer(200, b"<html>", Content_Type="text/html"), MediaKind.IMAGE, "of type 'text/html'"),
        (answer(200, b"<svg>", Content_Type="image/svg+xml"), MediaKind.IMAGE, "of type 'image/svg"),
        (answer(200, JPEG, Content_Type="application/octet-stream"), MediaKind.IMAGE, "of type"),
        (answer(200, b"x", Content_Type="image/png"), MediaKind.VIDEO, "of type"),
        (answer(200, b' {"error":1}', Content_Type="video/mp4"), MediaKind.VIDEO, "is a text"),
        (answer(200, b"", Content_Type="video/mp4"), MediaKind.VIDEO, "is empty"),
        (answer(200, b"x" * 101, Content_Type="video/mp4"), MediaKind.VIDEO, "more than the 100 bytes"),
    ],
    ids=["missing", "moved", "page", "svg", "unknown", "other kind", "error", "empty", "large"],
)
async def test_what_is_no_such_file_fails_at_once(said: bytes, kind: MediaKind, message: str) -> None:
    """One question, one error that says what came instead."""
    host = Host(said)
    async with host.client() as client:
        with pytest.raises(UpstreamError, match=message):
            await fetch(client, kind=kind, limit_bytes=100)
    assert len(host.asked) == 1


async def test_a_length_that_was_not_said_is_limited_too() -> None:
    """Counting goes on while the bytes come."""
    head = b"HTTP/1.1 200 X\r\nContent-Type: video/mp4\r\nTransfer-Encoding: chunked\r\n\r\n"
    host = Host(head + b"64\r\n" + b"x" * 100 + b"\r\n1\r\nx\r\n0\r\n\r\n")
    async with host.client() as client:
        with pytest.raises(UpstreamError, match="more than the 100 bytes"):
            await fetch(client, kind=MediaKind.VIDEO, limit_bytes=100)


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/a.jpg",
        "http://127.0.0.1:1/a",
        "file:///etc/passwd",
        "https://assets.grok.com@evil.example/a",
        "users/ü",
        "a b",
        "a\r\nb",
    ],
)
async def test_no_other_host_is_asked(address: str) -> None:
    """An account's cookie goes to Grok's own hosts only; what is no address goes nowhere."""
    host = Host(answer(200, JPEG, Content_Type="image/png"))
    async with host.client() as client:
        with pytest.raises(UpstreamError, match="address of a file") as raised:
            await fetch(client, address)
    assert raised.value.kind is ErrorKind.PROTOCOL
    assert host.asked == []


@pytest.mark.parametrize("begun", [False, True], ids=["before the first byte", "within"])
async def test_a_download_has_a_time_limit(*, begun: bool) -> None:
    """For all attempts and the whole file together."""
    head = b"HTTP/1.1 200 X\r\nContent-Type: image/png\r\nContent-Length: 100\r\n\r\n"
    host = Host(head + (b"x" if begun else b""))
    async with host.client(download_timeout_s=0.2) as client:
        with pytest.raises(UpstreamError) as raised:
            await fetch(client)
    assert raised.value.kind is ErrorKind.TIMEOUT


async def test_a_file_that_breaks_off_is_an_error() -> None:
    """Half a picture is never taken for a whole one."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 X\r\nContent-Type: image/png\r\nContent-Length: 100\r\n\r\nhalf")

    host = Host(b"")
    host.wire = Wire(serve)
    async with host.client() as client:
        with pytest.raises(UpstreamError, match="connection to Grok failed"):
            await fetch(client)


async def test_leaving_ends_the_download() -> None:
    """At once, however much is still to come."""
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 X\r\nContent-Type: image/png\r\nContent-Length: 100\r\n\r\nhalf")
        assert await reader.read() == b""
        gone.set()

    host = Host(b"")
    host.wire = Wire(serve)
    async with host.client() as client:
        async with client.download("T", PATH, kind=MediaKind.IMAGE, limit_bytes=100):
            pass
        await asyncio.wait_for(gone.wait(), 1)
