"""Files that callers give: which are ours, what Grok is told of each, and what becomes of them afterwards."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from io import BytesIO
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any

import httpx
import pytest
from hypothesis import example
from hypothesis import given as given_any
from hypothesis import strategies as st

from grok_app.errors import InvalidRequestError
from grok_app.media import MOST_BYTES, Kind, MediaCache, RemoteFiles, Source, SourceKind, Sources
from grok_app.media import sources as sources_module
from grok_app.media.sources import IN_MEMORY_BYTES, _name
from grok_app.settings import SettingsService
from grok_app.upstream import Upload
from tests.media.grok import PNG

IMAGE, EDITABLE, AUDIO, FILE = SourceKind
GIF = b"GIF89a and so on"
OWN_URL = "https://me.example:8443/grok"


class Elsewhere:
    """The rest of the world.

    Attributes:
        pages: What there is, by path: its content type and its content.
        may_answer: What an answer waits for, by path.
        asked: The URLs, in order.
        files: What was fetched into.
        open: How many answers are waited for.
    """

    def __init__(self) -> None:
        self.pages: dict[str, tuple[str, bytes]] = {}
        self.may_answer: dict[str, asyncio.Event] = {}
        self.asked: list[str] = []
        self.files: list[IO[bytes]] = []
        self.open = 0
        self._news = asyncio.Event()

    async def until(self, count: int) -> None:
        """Return when so many answers are waited for."""
        while self.open != count:
            self._news.clear()
            await self._news.wait()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer."""
        self.asked.append(str(request.url))
        self.open += 1
        self._news.set()
        try:
            if event := self.may_answer.get(request.url.path):
                await event.wait()
            if request.url.path not in self.pages:
                return httpx.Response(404)
            mime_type, content = self.pages[request.url.path]
            return httpx.Response(200, headers={"content-type": mime_type}, stream=httpx.ByteStream(content))
        finally:
            self.open -= 1


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Elsewhere:
    """Nothing is there yet."""
    elsewhere = Elsewhere()

    def remembered(size: int) -> Any:
        elsewhere.files.append(SpooledTemporaryFile(size))  # noqa: SIM115 # whoever asked for it closes it
        return elsewhere.files[-1]

    monkeypatch.setattr("grok_app.media.sources.SpooledTemporaryFile", remembered)
    return elsewhere


@pytest.fixture
async def sources(cache: MediaCache, settings: SettingsService, elsewhere: Elsewhere) -> AsyncGenerator[Sources, None]:
    """Under test."""
    async with httpx.AsyncClient(transport=httpx.MockTransport(elsewhere)) as client:
        yield Sources(cache, RemoteFiles(client), settings)


def image(content: IO[bytes] | str | bytes, *, param: str = "messages.0.content.1.image_url.url") -> Source:
    """A picture of a message."""
    return Source(IMAGE, param, BytesIO(content) if isinstance(content, bytes) else content)


def given(kind: SourceKind, content: bytes, name: str, mime_type: str) -> Source:
    """A file of any kind."""
    return Source(kind, "messages.0.image_url.url", BytesIO(content), name, mime_type)


def content_of(upload: Upload) -> bytes:
    """What Grok would get."""
    assert not isinstance(upload.content, bytes | Path)
    upload.content.seek(0)
    return upload.content.read()


async def opened(sources: Sources, *given: Source, own_url: str = OWN_URL) -> list[tuple[str, str, bytes]]:
    """Name, type and content of each."""
    async with sources.open(given, own_url) as files:
        return [(file.name, file.mime_type, content_of(file)) for file in files]


async def refusal(sources: Sources, *given: Source) -> tuple[str | None, str | None, str]:
    """Why these are refused: the code, the field and the sentence."""
    with pytest.raises(InvalidRequestError) as raised:
        await opened(sources, *given)
    return raised.value.code, raised.value.param, str(raised.value)


@pytest.mark.parametrize(
    ("own_url", "url"),
    [
        ("https://me.example", "https://me.example/v1/files/image/a.png"),
        ("https://me.example", "https://me.example/grok/v1/files/image/a.png"),
        ("https://me.example:8443", "https://me.example:8443/v1/files/image/a.png?v=2#top"),
        ("https://me.example", "HTTPS://Me.Example/v1/files/image/%61.png"),
        (OWN_URL, f"{OWN_URL}/v1/files/image/a.png"),
        (OWN_URL, f"{OWN_URL}/grok/v1/files/image/a.png"),
        (OWN_URL, f"{OWN_URL}/v1/files/image//a.png"),
    ],
    ids=["host", "prefix", "port", "spelling", "path", "path and prefix", "slashes"],
)
async def test_a_file_of_ours_is_read_here(
    sources: Sources, cache: MediaCache, elsewhere: Elsewhere, own_url: str, url: str
) -> None:
    """However its address is written; nobody is asked for it."""
    await cache.put(Kind.IMAGE, "a.png", PNG)
    assert await opened(sources, image(url), own_url=own_url) == [("a.png", "image/png", PNG)]
    assert elsewhere.asked == []


@pytest.mark.parametrize(
    ("own_url", "url"),
    [
        ("https://me.example", "https://me.example.org/v1/files/image/a.png"),
        ("https://me.example", "http://me.example/v1/files/image/a.png"),
        ("https://me.example", "https://me.example:8443/v1/files/image/a.png"),
        ("https://me.example", "https://me.example/v2/files/image/a.png"),
        ("https://me.example", "https://me.example/v1/files/sound/a.png"),
        ("https://me.example", "https://other.example/?https://me.example/v1/files/image/a.png"),
        (OWN_URL, "https://me.example:8443/v1/files/image/a.png"),
        ("", "https://me.example/v1/files/image/a.png"),
    ],
    ids=["longer host", "scheme", "port", "version", "kind", "in a query", "outside the path", "unknown own"],
)
async def test_any_other_address_is_elsewhere(
    sources: Sources, cache: MediaCache, elsewhere: Elsewhere, own_url: str, url: str
) -> None:
    """A file of ours with that name is not meant."""
    await cache.put(Kind.IMAGE, "a.png", PNG)
    with pytest.raises(InvalidRequestError, match="status 404"):
        await opened(sources, image(url), own_url=own_url)
    assert elsewhere.asked == [url]


@pytest.mark.parametrize("name", ["b.png", "..%2F..%2Ftest.db", "%00.png", "a.svg", "a.png%3Fx"])
async def test_a_file_of_ours_that_is_not_there_is_no_good(
    sources: Sources, cache: MediaCache, elsewhere: Elsewhere, name: str
) -> None:
    """A name that can't be one is not there either."""
    await cache.put(Kind.IMAGE, "a.png", PNG)
    code, param, message = await refusal(sources, image(f"{OWN_URL}/v1/files/image/{name}"))
    assert (code, param, message) == ("invalid_media", "messages.0.content.1.image_url.url", "Image not found")
    assert elsewhere.asked == []


async def test_a_file_of_ours_is_not_cleaned_away_while_it_is_needed(
    sources: Sources, cache: MediaCache, folder: Path
) -> None:
    """Though it is the least recently used one of too many. Afterwards it may go."""
    await cache.put(Kind.IMAGE, "a.png", PNG)
    async with sources.open([image(f"{OWN_URL}/v1/files/image/a.png")], OWN_URL) as [file]:
        for number in range(5):
            await cache.put(Kind.VIDEO, f"{number}.mp4", b"v" * (256 << 10))
        await cache.clean()
        assert content_of(file) == PNG
    await cache.put(Kind.VIDEO, "last.mp4", b"v" * (1 << 20))
    await cache.clean()
    assert not (folder / "image" / "a.png").exists()


async def test_a_file_of_ours_may_be_deleted_while_it_is_needed(sources: Sources, cache: MediaCache) -> None:
    """Whoever clears the cache breaks no request; the file is closed afterwards."""
    await cache.put(Kind.IMAGE, "a.png", PNG)
    async with sources.open([image(f"{OWN_URL}/v1/files/image/a.png")], OWN_URL) as [file]:
        await cache.clear(Kind.IMAGE)
        assert content_of(file) == PNG
    assert getattr(file.content, "closed", False)


async def test_a_file_of_ours_may_go_just_before_it_is_opened(
    sources: Sources, cache: MediaCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It isn't there then; no path of ours is told."""
    await cache.put(Kind.IMAGE, "a.png", PNG)
    monkeypatch.setattr(cache, "path", lambda entry: Path("/nowhere") / entry.name)
    source = image(f"{OWN_URL}/v1/files/image/a.png", param="x")
    assert await refusal(sources, source) == ("invalid_media", "x", "Image not found")


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (given(IMAGE, PNG, "", ""), ("file.png", "image/png")),
        (given(IMAGE, PNG, "me.jpg", "image/jpeg"), ("me.jpg", "image/png")),
        (given(IMAGE, GIF, "me", "application/octet-stream"), ("me.gif", "image/gif")),
        (given(EDITABLE, PNG, "me.png", "image/jpg"), ("me.png", "image/png")),
        (given(AUDIO, b"ID3", "", "audio/mpeg"), ("file.mp3", "audio/mpeg")),
        (given(AUDIO, b"?", "me.webm", "video/webm"), ("me.webm", "video/webm")),
        (given(AUDIO, b"RIFF", "me.wav", ""), ("me.wav", "audio/x-wav")),
        (given(FILE, b"%PDF", "me.pdf", ""), ("me.pdf", "application/pdf")),
        (given(FILE, b"%PDF", "me.pdf", "nonsense"), ("me.pdf", "application/pdf")),
        (given(FILE, b"?", "", ""), ("file.bin", "application/octet-stream")),
        (given(FILE, b"?", "", "text/x-strange"), ("file.x-strange", "text/x-strange")),
        (given(FILE, b"?", '../../a\\b\r\n".txt', "text/plain"), ("_.._a_b___.txt", "text/plain")),
    ],
)
async def test_what_grok_is_told_of_a_file(sources: Sources, source: Source, told: tuple[str, str]) -> None:
    """Of pictures what the bytes say, else what the sender says, else what the name says; a name with an extension."""
    [(name, mime_type, _)] = await opened(sources, source)
    assert (name, mime_type) == told


@pytest.mark.parametrize(
    ("source", "code", "message"),
    [
        (given(IMAGE, b"", "", ""), "invalid_media", "image_url.url is empty"),
        (given(IMAGE, b"<svg>", "", ""), "invalid_media", "image_url.url is not a png, jpeg, webp or gif image"),
        (given(IMAGE, PNG, "", "text/html"), "invalid_media", "image_url.url is not a png, jpeg, webp or gif image"),
        (given(IMAGE, PNG, "me.pdf", ""), "invalid_media", "image_url.url is not a png, jpeg, webp or gif image"),
        (given(EDITABLE, b"", "", ""), "empty_file", "File content is empty"),
        (given(EDITABLE, GIF, "", ""), "invalid_image_type", "Unsupported image type. Supported: png, jpg, webp."),
        (
            given(EDITABLE, PNG, "", "image/gif"),
            "invalid_image_type",
            "Unsupported image type. Supported: png, jpg, webp.",
        ),
        (given(AUDIO, b"ID3", "", ""), "invalid_media", "image_url.url is not audio"),
        (given(AUDIO, b"ID3", "me.txt", ""), "invalid_media", "image_url.url is not audio"),
        (given(FILE, b"", "", ""), "invalid_media", "image_url.url is empty"),
    ],
)
async def test_what_is_not_what_it_must_be_is_refused(
    sources: Sources, source: Source, code: str, message: str
) -> None:
    """The error names the field."""
    assert await refusal(sources, source) == (code, source.param, message)


@pytest.mark.parametrize("kind", SourceKind)
async def test_the_limit_itself_is_not_too_large(
    sources: Sources, kind: SourceKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A byte more is, whatever it must be."""
    assert MOST_BYTES == 50 << 20
    monkeypatch.setattr(sources_module, "MOST_BYTES", len(PNG))
    said = "audio/mpeg" if kind is AUDIO else ""
    assert len(await opened(sources, Source(kind, "x", BytesIO(PNG), "", said))) == 1
    code, param, _ = await refusal(sources, Source(kind, "x", BytesIO(PNG + b"."), "", said))
    assert (code, param) == ("file_too_large", "x")


async def test_the_files_come_in_the_order_of_the_sources(
    sources: Sources, cache: MediaCache, elsewhere: Elsewhere
) -> None:
    """Whichever arrives first; all are fetched at once."""
    await cache.put(Kind.IMAGE, "own.png", PNG + b"own")
    for number in range(3):
        elsewhere.pages[f"/{number}.png"] = ("image/png", PNG + b"%d" % number)
        elsewhere.may_answer[f"/{number}.png"] = asyncio.Event()
    addresses = [f"https://x.example/{number}.png" for number in range(3)]
    wanted = [image(addresses[0]), image(PNG), image(f"{OWN_URL}/v1/files/image/own.png"), *map(image, addresses[1:])]
    opening = asyncio.create_task(opened(sources, *wanted))
    await elsewhere.until(3)
    for number in (2, 0, 1):
        elsewhere.may_answer[f"/{number}.png"].set()
    assert await opening == [
        ("0.png", "image/png", PNG + b"0"),
        ("file.png", "image/png", PNG),
        ("own.png", "image/png", PNG + b"own"),
        ("1.png", "image/png", PNG + b"1"),
        ("2.png", "image/png", PNG + b"2"),
    ]


@pytest.mark.parametrize(
    ("path", "said", "told"),
    [
        ("/a%20b.gif", "image/png; q=1", ("a b.gif", "image/png")),
        ("/", "", ("file.png", "image/png")),
        ("/%22%2Fetc%2Fpasswd", "", ("__etc_passwd.png", "image/png")),
    ],
)
async def test_a_fetched_file_is_named_after_its_address(
    sources: Sources, elsewhere: Elsewhere, path: str, said: str, told: tuple[str, str]
) -> None:
    """In so far as that is a name."""
    elsewhere.pages[httpx.URL(f"https://x.example{path}").path] = (said, PNG)
    assert await opened(sources, image(f"https://x.example{path}")) == [(*told, PNG)]


async def test_the_name_that_the_caller_says_comes_first(sources: Sources, elsewhere: Elsewhere) -> None:
    """Before that of the address."""
    elsewhere.pages["/a"] = ("", PNG)
    source = Source(IMAGE, "x", "https://x.example/a", "mine.png")
    assert [name for name, _, _ in await opened(sources, source)] == ["mine.png"]


async def test_a_request_fetches_few_files_at_once(sources: Sources, elsewhere: Elsewhere) -> None:
    """Four, however many it names; the others wait for them."""
    for number in range(6):
        elsewhere.pages[f"/{number}.png"] = ("image/png", PNG)
        elsewhere.may_answer[f"/{number}.png"] = asyncio.Event()
    opening = asyncio.create_task(opened(sources, *(image(f"https://x.example/{n}.png") for n in range(6))))
    await elsewhere.until(4)
    assert len(elsewhere.asked) == 4
    for event in elsewhere.may_answer.values():
        event.set()
    assert len(await opening) == 6


async def test_a_request_may_not_fetch_without_end(
    sources: Sources, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once all files together are too large, no other one is asked for, and the field is named."""
    monkeypatch.setattr("grok_app.media.sources._MOST_FETCHED_BYTES", 1)
    for number in range(6):
        elsewhere.pages[f"/{number}.png"] = ("image/png", PNG)
    wanted = [image(f"https://x.example/{number}.png", param=f"a.{number}") for number in range(6)]
    with pytest.raises(InvalidRequestError) as raised:
        await opened(sources, *wanted)
    assert raised.value.code == "invalid_media"
    assert raised.value.param in ("a.4", "a.5")


@pytest.mark.parametrize("size", [len(PNG), IN_MEMORY_BYTES + 1], ids=["small", "on the disk"])
async def test_fetched_files_are_closed_given_ones_are_not(sources: Sources, elsewhere: Elsewhere, size: int) -> None:
    """The first are ours, the others the caller's."""
    elsewhere.pages["/a.png"] = ("", PNG.ljust(size, b"."))
    given_file = BytesIO(PNG)
    async with sources.open([image(given_file), image("https://x.example/a.png")], OWN_URL):
        assert [file.closed for file in elsewhere.files] == [False]
    assert [file.closed for file in elsewhere.files] == [True]
    assert not given_file.closed


@pytest.mark.parametrize("is_left", [False, True], ids=["one is no good", "the caller leaves"])
async def test_what_is_not_needed_any_more_is_not_fetched(
    sources: Sources, elsewhere: Elsewhere, is_left: bool
) -> None:
    """The others are broken off, and closed; the error is that of the bad one, without a group around it."""
    elsewhere.may_answer = {"/slow.png": asyncio.Event(), "/bad.png": asyncio.Event()}
    elsewhere.pages["/bad.png"] = ("", b"<html>")
    wanted = [image("https://x.example/slow.png", param="a"), image("https://x.example/bad.png", param="b")]
    opening = asyncio.create_task(opened(sources, *wanted))
    await elsewhere.until(2)
    if is_left:
        opening.cancel()
    else:
        elsewhere.may_answer["/bad.png"].set()
    [ended] = await asyncio.gather(opening, return_exceptions=True)
    if is_left:
        assert isinstance(ended, asyncio.CancelledError)
    else:
        assert isinstance(ended, InvalidRequestError)
        assert ended.param == "b"
    assert (elsewhere.open, [file.closed for file in elsewhere.files]) == (0, [True, True])


async def test_nothing_given_is_nothing_opened(sources: Sources) -> None:
    """A message may be words alone."""
    assert await opened(sources) == []


def unwanted(name: str) -> Sequence[str]:
    """What no name may have."""
    return [char for char in name if char in '"\\/' or (char.isascii() and not char.isprintable())]


@given_any(st.text(st.sampled_from('ab. /\\"\n\x7f猫'), max_size=250), st.sampled_from(["image/png", "text/x-strange"]))
@example("me. " + "x" * 195 + ".png", "image/png")
@example(". " * 200, "text/x-strange")
def test_every_name_is_one_that_nobody_can_misread(name: str, mime_type: str) -> None:
    """No path, no quotes, no control characters; an extension, and no dot or blank at either end."""
    told = _name(name, mime_type)
    assert unwanted(told) == []
    assert told == told.strip(". ")
    assert "." in told
    assert len(told) <= 220
