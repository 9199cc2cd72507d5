"""What Grok keeps for an account, posts, and upscaling."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import orjson
import pytest

from grok_app.upstream import (
    Asset,
    ErrorKind,
    GrokWeb,
    GrokWebOptions,
    ImagePost,
    UpstreamError,
    VideoPost,
    asset_id,
    open_grokweb,
)
from tests.upstream.wire import Wire, answer, grok, read_head

ID = "5d3f2c1b-0a9b-4c8d-8e7f-6a5b4c3d2e1f"


async def listed(pages: list[bytes]) -> tuple[list[Asset], list[str]]:
    """The list that these pages make, and the paths that were asked."""
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            asked.append((await read_head(reader)).split()[1].decode())
            writer.write(answer(200, pages[min(len(asked), len(pages)) - 1]))

    async with Wire(serve).listen() as wire, open_grokweb(lambda: GrokWebOptions(base_url=wire.url)) as client:
        return [asset async for asset in client.assets("T")], asked


async def test_a_list_goes_on_to_its_last_page() -> None:
    """Each page names the next one; what has no id is passed over."""
    first = orjson.dumps({"assets": [{"assetId": "a", "name": "A"}, {"name": "none"}, 5], "nextPageToken": "t /1"})
    assets, asked = await listed([first, b'{"assets":[{"assetId":"b"}],"nextPageToken":""}'])
    assert assets == [Asset("a", "A"), Asset("b", "")]
    query = "/rest/assets?pageSize=50&orderBy=ORDER_BY_LAST_USE_TIME&source=SOURCE_ANY&isLatest=true"
    assert asked == [query, f"{query}&pageToken=t+%2F1"]


@pytest.mark.parametrize(
    ("told", "size"),
    [
        ({"fileSize": 12}, 12),
        ({"size": "34"}, 34),
        ({}, 0),
        ({"fileSize": -1}, 0),
        ({"fileSize": "a lot"}, 0),
        ({"fileSize": "9" * 5000}, 0),
        ({"fileSize": True}, 0),
        ({"fileSize": None}, 0),
    ],
    ids=["number", "text", "none", "negative", "words", "endless", "yes", "null"],
)
async def test_sizes_are_read_where_they_make_sense(told: dict[str, Any], size: int) -> None:
    """As a number or as text, by either name; anything else is no size, and no failure."""
    assets, _ = await listed([orjson.dumps({"assets": [{"assetId": "a", **told}]})])
    assert assets == [Asset("a", "", size)]


async def test_a_page_token_that_comes_again_ends_the_list() -> None:
    """Grok would go in circles."""
    assets, asked = await listed([b'{"assets":[{"assetId":"a"}],"nextPageToken":"t"}'])
    assert (len(assets), len(asked)) == (2, 2)


async def test_a_file_is_deleted() -> None:
    """By its id, whatever characters that has."""
    async with grok(answer(200, b"{}")) as site:
        await site.client.delete_asset("T", "a/../b")
    [asked] = site.asked
    assert asked.line == "DELETE /rest/assets-metadata/a%2F..%2Fb HTTP/1.1"
    assert asked.headers["referer"] == f"{site.origin}/files"


@pytest.mark.parametrize(
    ("post", "sent"),
    [
        (
            ImagePost("users/u/f/content"),
            {"mediaType": "MEDIA_POST_TYPE_IMAGE", "mediaUrl": "ASSETS/users/u/f/content"},
        ),
        (ImagePost("https://a.b/c"), {"mediaType": "MEDIA_POST_TYPE_IMAGE", "mediaUrl": "https://a.b/c"}),
        (VideoPost("A cat"), {"mediaType": "MEDIA_POST_TYPE_VIDEO", "prompt": "A cat"}),
    ],
    ids=["path", "address", "video"],
)
async def test_a_post_is_created(post: ImagePost | VideoPost, sent: dict[str, str]) -> None:
    """With what it is about; its id comes back."""
    async with grok(answer(200, b'{"post":{"id":"p-1"}}'), assets_url="https://assets.example/") as site:
        assert await site.client.create_post("T", post) == "p-1"
    [asked] = site.asked
    assert asked.line == "POST /rest/media/post/create HTTP/1.1"
    assert asked.headers["referer"] == site.origin
    expected = {name: value.replace("ASSETS", "https://assets.grok.com") for name, value in sent.items()}
    assert orjson.loads(asked.body) == expected


async def test_a_video_is_made_larger() -> None:
    """The address of the larger one comes back."""
    async with grok(answer(200, b'{"hdMediaUrl":"users/u/hd.mp4"}')) as site:
        assert await site.client.upscale("T", "v-1") == "users/u/hd.mp4"
    assert site.asked[0].line == "POST /rest/media/video/upscale HTTP/1.1"
    assert orjson.loads(site.asked[0].body) == {"videoId": "v-1"}


async def all_of(generator: AsyncGenerator[Asset, None]) -> None:
    """Read a list to its end."""
    async for _ in generator:
        pass


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.create_post("T", VideoPost("x")),
        lambda client: client.upscale("T", "v"),
        lambda client: all_of(client.assets("T")),
        lambda client: client.delete_asset("T", "a"),
    ],
    ids=["post", "upscale", "list", "delete"],
)
@pytest.mark.parametrize(
    ("status", "kind"), [(429, ErrorKind.RATE_LIMITED), (503, ErrorKind.UNAVAILABLE)], ids=["429", "503"]
)
async def test_refusals_are_told_apart(
    ask: Callable[[GrokWeb], Awaitable[object]], status: int, kind: ErrorKind
) -> None:
    """As everywhere, by status and body."""
    async with grok(answer(status, b"")) as site:
        with pytest.raises(UpstreamError) as raised:
            await ask(site.client)
    assert raised.value.kind is kind


@pytest.mark.parametrize("body", [b"{}", b'{"post":5}', b'{"post":{"id":""}}', b"<html>"])
async def test_a_post_without_an_id_is_none(body: bytes) -> None:
    """An answer that makes no sense is an error that says so."""
    async with grok(answer(200, body)) as site:
        with pytest.raises(UpstreamError, match="about the post") as raised:
            await site.client.create_post("T", VideoPost("x"))
    assert raised.value.kind is ErrorKind.PROTOCOL


@pytest.mark.parametrize(
    ("address", "found"),
    [
        (f"users/u/{ID}/content", ID),
        (f"https://assets.grok.com/users/u/{ID}/content?x=1", ID),
        (f"https://assets.grok.com/users/u/generated/{ID}/generated_video.mp4", ID),
        ("https://assets.grok.com/users/u/short/content", None),
        ("", None),
    ],
)
def test_an_address_has_an_id(address: str, found: str | None) -> None:
    """That of the file, picture or video."""
    assert asset_id(address) == found
