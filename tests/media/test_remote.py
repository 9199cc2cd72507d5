"""Fetching files that a caller names by URL."""

import asyncio
import ssl
import zlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from grok_app import __version__
from grok_app.errors import InvalidRequestError
from grok_app.media.public_address import Address
from grok_app.media.remote import Remote, open_remote_files
from tests.upstream.wire import Wire, answer, chunk, read_head

PNG = b"\x89PNG picture"
HERE = "127.0.0.1"


def is_here(address: Address) -> bool:
    """Plays the public internet: it has one host."""
    return address == ip_address(HERE)


class Names:
    """A name server that says one thing after another, the last one for ever."""

    def __init__(self, *said: Sequence[str]) -> None:
        self.said = said or ([HERE],)
        self.asked: list[str] = []

    async def __call__(self, host: str, _port: int) -> Sequence[str]:
        """The addresses of a host."""
        self.asked.append(host)
        addresses = self.said[min(len(self.asked), len(self.said)) - 1]
        if not addresses:
            raise OSError("no such host")
        return addresses


class Host:
    """A public host that gives one answer after another, the last one for ever; at `files.example`."""

    def __init__(self, *said: bytes, names: Names | None = None, is_silent: bool = False) -> None:
        self.said = said
        self.names = names or Names()
        self.is_silent = is_silent
        self.asked: list[str] = []
        self.wire = Wire(self.serve)
        self.port = 0
        self.into = BytesIO()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the one request of a connection."""
        self.asked.append((await read_head(reader)).decode())
        writer.write(self.said[min(len(self.asked), len(self.said)) - 1])
        if self.is_silent:
            await reader.read()
            self.wire.closed.set()
        writer.close()

    @asynccontextmanager
    async def listen(self) -> AsyncGenerator["Host", None]:
        """Serve while the block runs."""
        async with self.wire.listen() as wire:
            self.port = int(wire.url.rstrip("/").rpartition(":")[2])
            yield self

    async def fetch(self, path: str = "/a.png", *, limit_bytes: int = 1 << 20, timeout_s: float = 5) -> Remote:
        """Fetch a path of this host, or a URL where PORT stands for its port."""
        url = path.replace("PORT", str(self.port)) if "://" in path else f"http://files.example:{self.port}{path}"
        async with open_remote_files(resolve=self.names, is_allowed=is_here) as files:
            return await files.fetch(url, self.into, limit_bytes=limit_bytes, timeout_s=timeout_s)

    async def refuse(self, path: str = "/a.png", **limits: Any) -> InvalidRequestError:
        """What `fetch` raises. It names no address and no field."""
        with pytest.raises(InvalidRequestError) as refused:
            await self.fetch(path, **limits)
        assert refused.value.param is None
        assert not any(
            secret in refused.value.message for secret in ("127.", "10.0", "::1", "files.example", "hunter2")
        )
        return refused.value


def moved(to: str) -> bytes:
    """A redirect that tries to leave a cookie."""
    return answer(302, Location=to, Set_Cookie="seen=1; Path=/")


async def test_a_file_arrives() -> None:
    """With its type and name, and ready to be read."""
    async with Host(answer(200, PNG, Content_Type="Image/PNG; q=1")).listen() as host:
        assert await host.fetch("/a/b%20c.png?size=1/2#part") == Remote("image/png", "b c.png")
    assert host.into.read() == PNG


async def test_a_file_may_have_no_type_and_no_name() -> None:
    """Nothing is invented."""
    async with Host(answer(200, PNG)).listen() as host:
        assert await host.fetch("") == Remote("", "")


async def test_we_say_who_we_are_and_nothing_of_the_caller() -> None:
    """The host sees its own name, our version and no more."""
    async with Host(answer(200, PNG)).listen() as host:
        await host.fetch()
    line, *headers = host.asked[0].strip().split("\r\n")
    assert line == "GET /a.png HTTP/1.1"
    assert sorted(header.lower() for header in headers) == [
        "accept-encoding: identity",
        "accept: */*",
        "connection: close",
        f"host: files.example:{host.port}",
        f"user-agent: grok_app/{__version__}",
    ]


async def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would resolve the name itself."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    async with Host(answer(200, PNG)).listen() as host:
        await host.fetch()
    assert host.into.read() == PNG


async def test_five_redirects_are_followed_without_cookies() -> None:
    """The last one names the file."""
    hops = [moved("/1"), moved("2?x"), moved("http://FILES.example:PORT/3"), moved("//other.example:PORT/4")]
    async with Host().listen() as host:
        said = [*hops, moved("/the/end.png"), answer(200, PNG)]
        host.said = tuple(hop.replace(b"PORT", str(host.port).encode()) for hop in said)
        assert (await host.fetch()).name == "end.png"
    assert [head.split()[1] for head in host.asked] == ["/a.png", "/1", "/2?x", "/3", "/4", "/the/end.png"]
    assert host.names.asked[3:] == ["files.example", "other.example", "other.example"]
    assert not any("cookie" in head.lower() for head in host.asked)


async def test_a_circle_of_redirects_ends() -> None:
    """With the sixth."""
    async with Host(moved("/again")).listen() as host:
        error = await host.refuse()
    assert (error.code, len(host.asked)) == ("invalid_media", 6)
    assert error.message == "The URL redirects more than 5 times"


@pytest.mark.parametrize(
    "to",
    [
        "http://127.0.0.2:PORT/",
        "http://[::1]:PORT/",
        "http://[::ffff:127.0.0.1]:PORT/",
        "http://169.254.169.254/latest/meta-data/",
        "http://0x7f000001:PORT/",
        "http://files.example:99999/",
        "http://:hunter2@files.example:PORT/",
        "https://user:hunter2@files.example:PORT/",
        "file:///etc/passwd",
        "ftp://files.example/",
        "//[/",
    ],
)
async def test_a_redirect_to_where_we_do_not_go_is_refused(to: str) -> None:
    """As if it had been asked for directly."""
    async with Host().listen() as host:
        host.said = (moved(to.replace("PORT", str(host.port))),)
        assert (await host.refuse()).code == "invalid_media"
        assert len(host.asked) == 1
        assert to.startswith("//") or (await host.refuse(to)).code == "invalid_media"
        assert len(host.asked) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433:PORT/",
        "http://017700000001:PORT/",
        "http://0x7f000001:PORT/",
        "http://0X7F.1:PORT/",
        "http://127.1:PORT/",
        "http://127.0.0.1.:PORT/",
        "http://0:PORT/",
        "http://[::1]:PORT/",
        "http://[::ffff:7f00:1]:PORT/",
        "http://[64:ff9b::7f00:1]:PORT/",
        "http://[2002:7f00:1::]:PORT/",
        "http://[fe80::1%25lo]:PORT/",
        "http://[fe80::1%lo]:PORT/",
        "http://LOCALHOST:PORT/",
        "http://localhost.:PORT/",
        "http://localhost%2e:PORT/",
        "http://%6cocalhost:PORT/",
        "http://１２７.0.0.1:PORT/",
        "http://ⓛocalhost:PORT/",
        "http://bücher.example:PORT/",
        "http://files.example\\@localhost:PORT/",
        "http://" + "a" * 64 + ".example:PORT/",
        "http://\ud800/",
        "http:///a",
        "http:a",
        "//files.example/",
        "/etc/passwd",
        "",
        " http://files.example:PORT/",
    ],
)
async def test_no_spelling_leads_to_ourselves(url: str) -> None:
    """Every name leads to loopback here, and loopback isn't public."""
    async with Host(answer(200, PNG)).listen() as host, open_remote_files(resolve=Names()) as files:
        with pytest.raises(InvalidRequestError) as refused:
            await files.fetch(url.replace("PORT", str(host.port)), host.into, limit_bytes=99, timeout_s=5)
    assert (refused.value.code, host.wire.connections) == ("invalid_media", 0)


async def test_the_system_says_where_a_host_is() -> None:
    """Left to itself, and told what is public, it finds this machine."""
    async with Host(answer(200, PNG)).listen() as host:
        url = f"http://localhost:{host.port}/"
        async with open_remote_files(is_allowed=lambda address: address.is_loopback) as files:
            await files.fetch(url, host.into, limit_bytes=99, timeout_s=5)
        async with open_remote_files() as files:
            with pytest.raises(InvalidRequestError, match="unknown or not public"):
                await files.fetch(url, host.into, limit_bytes=99, timeout_s=5)
    assert host.wire.connections == 1


async def test_a_name_that_moves_inside_after_the_check_changes_nothing() -> None:
    """A name is asked for once, and the connection goes to what was answered then."""
    async with Host(answer(200, PNG), names=Names([HERE], ["10.0.0.1"])).listen() as host:
        await host.fetch()
        assert host.names.asked == ["files.example"]
        await host.refuse()
    assert len(host.asked) == 1


async def test_a_name_that_moves_inside_between_redirects_is_refused() -> None:
    """Every hop is checked anew."""
    async with Host(moved("/b.png"), answer(200, PNG), names=Names([HERE], ["10.0.0.1"])).listen() as host:
        await host.refuse()
    assert len(host.asked) == 1


@pytest.mark.parametrize("bad", ["10.0.0.1", "::1", "fe80::1%eth0"])
async def test_one_bad_address_spoils_a_host(bad: str) -> None:
    """Wherever it stands."""
    for addresses in ([HERE, bad], [bad, HERE]):
        async with Host(answer(200, PNG), names=Names(addresses)).listen() as host:
            await host.refuse()
        assert host.wire.connections == 0


async def test_an_unknown_host_and_a_hidden_one_look_the_same() -> None:
    """Or one could ask us which names our networks have."""
    unknown = await Host(names=Names([])).refuse("http://db/")
    hidden = await Host(names=Names(["10.0.0.1"])).refuse("http://db/")
    assert unknown.body() == hidden.body()


async def test_an_address_that_does_not_answer_leaves_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host without IPv6 in use here, say."""
    monkeypatch.setattr("tests.media.test_remote.is_here", lambda address: address.is_loopback)
    async with Host(answer(200, PNG), names=Names(["::1", HERE])).listen() as host:
        await host.fetch()
    assert host.into.read() == PNG


async def test_a_host_that_cannot_be_connected_to_is_said() -> None:
    """Without what the system says of it."""
    async with Host(b"").listen() as host:
        pass
    assert (await host.refuse()).message == "The host of the URL can't be connected to"


@pytest.mark.parametrize(
    "said",
    [
        answer(404, b"none"),
        answer(500, b"broken"),
        answer(304),
        answer(302, b"to nowhere"),
        answer(200),
        answer(204),
        answer(200, PNG)[:-3],
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"",
        answer(200, zlib.compress(bytes(1 << 20)), Content_Encoding="deflate"),
    ],
    ids=["404", "500", "304", "nowhere", "empty", "204", "cut", "ssh", "silent", "compressed"],
)
async def test_what_is_no_file_is_refused(said: bytes) -> None:
    """Each with its own sentence, and a compressed one without unpacking it."""
    async with Host(said).listen() as host:
        assert (await host.refuse()).code == "invalid_media"


async def test_a_file_may_be_as_large_as_the_limit() -> None:
    """And not a byte larger."""
    async with Host(answer(200, PNG)).listen() as host:
        await host.fetch(limit_bytes=len(PNG))
        assert (await host.refuse(limit_bytes=len(PNG) - 1)).code == "file_too_large"


async def test_a_file_that_says_it_is_too_large_is_not_read() -> None:
    """Its first byte never comes here."""
    async with Host(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", is_silent=True).listen() as host:
        error = await host.refuse(limit_bytes=99)
        await host.wire.closed.wait()
    assert (error.code, error.message) == ("file_too_large", "The file at the URL is larger than 99 bytes")


async def test_a_file_that_does_not_say_its_size_is_read_to_the_limit() -> None:
    """A host that never stops is hung up on."""
    wrote = 0

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal wrote
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(chunk(bytes(1 << 16)))
            await writer.drain()
            wrote += 1 << 16

    host = Host()
    host.wire = Wire(pour)
    async with host.listen():
        assert (await host.refuse(limit_bytes=1 << 20)).code == "file_too_large"
        await host.wire.closed.wait()
    assert host.into.tell() <= 1 << 20


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"], ids=["silent", "stuck"])
async def test_a_slow_host_is_given_up(said: bytes) -> None:
    """Whatever it is slow with."""
    async with Host(said, is_silent=True).listen() as host:
        error = await host.refuse(timeout_s=0.1)
        await host.wire.closed.wait()
    assert error.message == "The file at the URL did not arrive in time"


async def test_a_slow_name_server_is_given_up() -> None:
    """It counts, too."""

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return await asyncio.Future[Sequence[str]]()

    async with open_remote_files(resolve=resolve) as files:
        with pytest.raises(InvalidRequestError, match="did not arrive in time"):
            await files.fetch("http://files.example/", BytesIO(), limit_bytes=9, timeout_s=0.01)


class Certified:
    """A host with a certificate for `files.example`, and a client that trusts its issuer."""

    def __init__(self, folder: Path) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("files.example")]), critical=False)
            .sign(key, hashes.SHA256())
            .public_bytes(serialization.Encoding.PEM)
        )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file = folder / "both.pem"
        file.write_bytes(private + certificate)
        self.server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.server.load_cert_chain(file)
        self.server.sni_callback = self.note
        self.client = ssl.create_default_context(cadata=certificate.decode())
        self.names: list[str | None] = []

    def note(self, _socket: object, name: str | None, _context: object) -> None:
        """Remember under which name we are called."""
        self.names.append(name)

    @asynccontextmanager
    async def listen(self) -> AsyncGenerator[int, None]:
        """Serve a file to everyone while the block runs; the port."""
        host = Host(answer(200, PNG))
        server = await asyncio.start_server(host.serve, HERE, 0, ssl=self.server)
        yield server.sockets[0].getsockname()[1]
        server.close()


@pytest.mark.parametrize("name", ["files.example", "FILES.example", "files.example."])
async def test_a_certificate_is_that_of_the_name(tmp_path: Path, name: str) -> None:
    """Though the connection goes to an address."""
    certified, into = Certified(tmp_path), BytesIO()
    async with (
        certified.listen() as port,
        open_remote_files(resolve=Names(), is_allowed=is_here, tls=certified.client) as files,
    ):
        await files.fetch(f"https://{name}:{port}/", into, limit_bytes=99, timeout_s=5)
    assert (into.read(), certified.names) == (PNG, ["files.example"])


@pytest.mark.parametrize("name", ["other.example", HERE])
async def test_a_certificate_of_another_name_is_refused(tmp_path: Path, name: str) -> None:
    """Also right after the right name was connected to, at the same address."""
    certified = Certified(tmp_path)
    async with (
        certified.listen() as port,
        open_remote_files(resolve=Names(), is_allowed=is_here, tls=certified.client) as files,
    ):
        await files.fetch(f"https://files.example:{port}/", BytesIO(), limit_bytes=99, timeout_s=5)
        with pytest.raises(InvalidRequestError, match="can't be connected to"):
            await files.fetch(f"https://{name}:{port}/", BytesIO(), limit_bytes=99, timeout_s=5)


async def test_a_certificate_of_nobody_we_trust_is_refused(tmp_path: Path) -> None:
    """As by any browser."""
    certified = Certified(tmp_path)
    async with certified.listen() as port, open_remote_files(resolve=Names(), is_allowed=is_here) as files:
        with pytest.raises(InvalidRequestError, match="can't be connected to"):
            await files.fetch(f"https://files.example:{port}/", BytesIO(), limit_bytes=99, timeout_s=5)
