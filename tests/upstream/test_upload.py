"""Giving Grok a file."""

import base64
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from grok_app.upstream import ErrorKind, Upload, Uploaded, UpstreamError, VideoPost
from grok_app.upstream.grokweb.upload import open_body
from tests.upstream.wire import answer, grok

YES = answer(200, b'{"fileMetadataId":"f-1","fileUri":"users/u/f-1/content"}')


@pytest.mark.parametrize("size", [0, 1, 2, 3, 49_151, 49_152, 49_153, 200_000])
@pytest.mark.parametrize("is_local", [False, True], ids=["bytes", "path"])
async def test_a_file_arrives_as_it_is(tmp_path: Path, size: int, *, is_local: bool) -> None:
    """The JSON object of section 3.1, its length announced, whatever the size."""
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    path = tmp_path / "file"
    path.write_bytes(content)
    async with grok(YES) as site:
        file = Upload('a"ä.png', "image/png", path if is_local else content)
        assert await site.client.upload("T", file) == Uploaded("f-1", "users/u/f-1/content")
    [asked] = site.asked
    assert asked.line == "POST /rest/app-chat/upload-file HTTP/1.1"
    assert asked.headers["referer"] == f"{site.origin}/"
    body = orjson.loads(asked.body)
    assert base64.b64decode(body.pop("content"), validate=True) == content
    assert body == {"fileName": 'a"ä.png', "fileMimeType": "image/png"}


@pytest.mark.parametrize("content", [lambda path: path, Path.read_bytes], ids=["path", "bytes"])
async def test_an_upload_costs_no_memory(tmp_path: Path, content: Callable[[Path], Path | bytes]) -> None:
    """50 MB are encoded as they go; beside them there is less than a megabyte."""
    path = tmp_path / "large"
    path.write_bytes(bytes(50 << 20))
    file = Upload("large", "video/mp4", content(path))
    tracemalloc.start()
    with open_body(file) as body:
        sent = 0
        while data := body.read(64 << 10):
            sent += len(data)
        peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sent == body.length
    assert peak < 1 << 20


async def test_a_body_begins_again() -> None:
    """A connection that was closed meanwhile makes curl take another one."""
    with open_body(Upload("a", "b", b"content")) as body:
        first = body.read(20)
        body.seek(0, 0)
        assert body.read(1000).startswith(first)
        with pytest.raises(OSError, match="only begin again"):
            body.seek(5, 0)


async def test_other_requests_follow_an_upload() -> None:
    """On the same connection, with bodies of their own."""
    async with grok(answer(200, b'{"fileMetadataId":"f-1","post":{"id":"p-1"}}')) as site:
        for _ in range(2):
            await site.client.upload("T", Upload("a", "b", b"c" * 100_000))
            await site.client.create_post("T", VideoPost("A cat"))
            await site.client.delete_asset("T", "f-1")
    assert site.wire.connections == 1
    assert [asked.line.split()[0] for asked in site.asked] == ["POST", "POST", "DELETE"] * 2
    assert [asked.body for asked in site.asked[2::3]] == [b"", b""]
    assert site.asked[1].body == site.asked[4].body == b'{"mediaType":"MEDIA_POST_TYPE_VIDEO","prompt":"A cat"}'


async def test_later_epochs_name_the_id_otherwise() -> None:
    """`fileId` does as well; an address is not needed."""
    async with grok(answer(200, b'{"fileId":"f-2"}')) as site:
        assert await site.client.upload("T", Upload("a", "b", b"c")) == Uploaded("f-2", "")


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (answer(429, b""), ErrorKind.RATE_LIMITED),
        (answer(401, b""), ErrorKind.INVALID_CREDENTIAL),
        (answer(200, b"{}"), ErrorKind.PROTOCOL),
        (answer(200, b"no"), ErrorKind.PROTOCOL),
        (answer(200, b"[]"), ErrorKind.PROTOCOL),
    ],
    ids=["limited", "signed out", "no id", "no JSON", "no object"],
)
async def test_a_refusal_says_why(said: bytes, kind: ErrorKind) -> None:
    """Statuses mean what they mean elsewhere; an answer without an id is none."""
    async with grok(said) as site:
        with pytest.raises(UpstreamError) as raised:
            await site.client.upload("T", Upload("a", "b", b"c"))
    assert raised.value.kind is kind


async def test_a_missing_file_is_said(tmp_path: Path) -> None:
    """Nothing is sent."""
    async with grok(YES) as site:
        with pytest.raises(FileNotFoundError):
            await site.client.upload("T", Upload("a", "b", tmp_path / "none"))
    assert site.asked == []
