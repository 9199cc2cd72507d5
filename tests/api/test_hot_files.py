"""Files from memory, sent before the app behind has seen the request. Source: API contract, section 8."""

from types import SimpleNamespace
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from grok_app.api import files
from grok_app.api.files import HotFiles
from grok_app.media import Entry, Key, Kind

ENTRY = Entry(Kind.IMAGE, "a.png", 5, 1)


class Media:
    """Has one file, in memory, and notes what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[Key] = []

    def find_key(self, key: Key) -> Entry | None:
        """The file, if it is that one."""
        self.asked.append(key)
        return ENTRY if key == ENTRY.key else None

    def held(self, _entry: Entry) -> bytes:
        """What is in it."""
        return b"12345"


@pytest.fixture
def media(monkeypatch: pytest.MonkeyPatch) -> Media:
    """What the services have."""
    media = Media()
    monkeypatch.setattr(files, "current", lambda: SimpleNamespace(media=media))
    return media


async def ask(path: str, method: str = "GET", *headers: bytes) -> list[Message]:
    """What is sent; nothing when the request was passed on."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError("a GET has no body to wait for")

    async def behind(_scope: Scope, _receive: Receive, _send: Send) -> None:
        return

    scope: dict[str, Any] = {"type": "http", "method": method, "path": path}
    await HotFiles(behind)({**scope, "headers": [(name, b"") for name in headers]}, receive, send)
    return sent


@pytest.mark.parametrize("prefix", ["/v1", "/grok/v1"])
async def test_what_is_in_memory_is_sent(media: Media, prefix: str) -> None:
    """Whole, at once, and each time it counts as used."""
    start, body = await ask(f"{prefix}/files/image/a.png")
    assert (start["status"], body["body"]) == (200, b"12345")
    assert dict(start["headers"])[b"content-length"] == b"5"
    assert len(dict(start["headers"])[b"x-request-id"]) == 32
    assert media.asked == [(Kind.IMAGE, "a.png")]


@pytest.mark.usefixtures("media")
@pytest.mark.parametrize(
    "asked",
    [
        ("/v1/files/image/b.png",),
        ("/v1/files/video/a.png",),
        ("/v1/files/other/a.png",),
        ("/v1/models",),
        ("/x/v1/files/image/a.png",),
        ("/v1/files/image/a.png", "POST"),
        ("/v1/files/image/a.png", "GET", b"range"),
        ("/v1/files/image/a.png", "GET", b"if-none-match"),
        ("/v1/files/image/a.png", "GET", b"if-modified-since"),
        ("/v1/files/image/a.png", "GET", b"origin"),
    ],
    ids=lambda asked: " ".join(map(str, asked)),
)
async def test_all_else_is_passed_on(asked: Any) -> None:
    """To the routes, which know every case."""
    assert await ask(*asked) == []
