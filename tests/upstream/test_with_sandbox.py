"""The client and the sandbox, written apart from one protocol, understand each other about media."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from io import BytesIO
from uuid import uuid4

import pytest
from PIL import Image

from grok_app.upstream import (
    EditPrompt,
    ErrorKind,
    GrokWeb,
    GrokWebOptions,
    ImagePost,
    ImageProgress,
    ImagesDone,
    ImaginePrompt,
    MediaKind,
    PictureEnd,
    PictureFrame,
    Upload,
    UpstreamError,
    VideoDone,
    VideoPost,
    VideoPreset,
    VideoProgress,
    VideoPrompt,
    open_grokweb,
)
from tests.servers import Sandbox

_drawn = BytesIO()
Image.new("RGB", (64, 48), "red").save(_drawn, "PNG")
PNG = _drawn.getvalue()
JPEG, MP4 = b"\xff\xd8\xff", b"ftyp"


@pytest.fixture
async def grok(sandbox: Sandbox) -> AsyncGenerator[GrokWeb, None]:
    """A client whose Grok is the sandbox."""
    options = GrokWebOptions(base_url=sandbox.url, assets_url=sandbox.url, accounts_url=sandbox.url)
    async with open_grokweb(lambda: options) as client:
        yield client


@pytest.fixture
def account() -> str:
    """One that the sandbox has never seen."""
    return f"sandbox-super-{uuid4().hex}"


async def content(grok: GrokWeb, account: str, address: str, kind: MediaKind) -> bytes:
    """All of a file."""
    async with grok.download(account, address, kind=kind, limit_bytes=50 << 20) as file:
        return b"".join([piece async for piece in file.pieces()])


async def test_a_file_goes_up_is_listed_comes_down_and_is_deleted(grok: GrokWeb, account: str) -> None:
    """What was uploaded is what is downloaded, and it is gone when it was deleted."""
    uploaded = await grok.upload(account, Upload("one.png", "image/png", PNG))
    assert await content(grok, account, uploaded.uri, MediaKind.IMAGE) == PNG
    async with aclosing(grok.assets(account)) as assets:
        listed = [asset.id async for asset in assets]
    assert listed == [uploaded.id]
    await grok.delete_asset(account, uploaded.id)
    async with aclosing(grok.assets(account)) as assets:
        assert [asset async for asset in assets] == []


async def test_pictures_are_edited(grok: GrokWeb, account: str) -> None:
    """Two pictures come of one request, with progress, and both can be downloaded."""
    uploaded = await grok.upload(account, Upload("one.png", "image/png", PNG))
    post = await grok.create_post(account, ImagePost(uploaded.uri))
    prompt = EditPrompt("Make it blue", (uploaded.uri,), post)
    async with aclosing(grok.edit_images(account, prompt)) as frames:
        *progress, done = [frame async for frame in frames]
    assert all(isinstance(frame, ImageProgress) for frame in progress)
    assert isinstance(done, ImagesDone)
    assert len(done.addresses) == 2
    for address in done.addresses:
        assert (await content(grok, account, address, MediaKind.IMAGE)).startswith(JPEG)


async def test_a_video_is_made(grok: GrokWeb, account: str) -> None:
    """Its progress only grows, it plays, it has a picture to be shown before, and it can be made larger."""
    post = await grok.create_post(account, VideoPost("A red kite"))
    prompt = VideoPrompt("A red kite", post, "3:2", 6, "480p", VideoPreset.NORMAL)
    async with aclosing(grok.video(account, prompt)) as frames:
        *progress, done = [frame async for frame in frames]
    percents = [frame.percent for frame in progress if isinstance(frame, VideoProgress)]
    assert percents == sorted(percents)
    assert isinstance(done, VideoDone)
    assert (await content(grok, account, done.address, MediaKind.VIDEO))[4:8] == MP4
    assert done.thumbnail
    assert (await content(grok, account, done.thumbnail, MediaKind.IMAGE)).startswith(JPEG)
    assert done.video_id
    larger = await grok.upscale(account, done.video_id)
    assert (await content(grok, account, larger, MediaKind.VIDEO))[4:8] == MP4


async def test_pictures_are_drawn_over_the_socket(grok: GrokWeb, account: str) -> None:
    """Each sharpens from a small one to its end, and the socket is closed when nobody listens any more."""
    lengths: dict[str | None, list[int]] = {}
    ended: set[str | None] = set()
    async with aclosing(grok.imagine(account, ImaginePrompt("A red kite", "16:9", has_adult_content=False))) as frames:
        async for frame in frames:
            if isinstance(frame, PictureFrame):
                lengths.setdefault(frame.image_id, []).append(frame.blob_length)
            elif isinstance(frame, PictureEnd):
                ended.add(frame.image_id)
            if len(ended) == 6:
                break
    assert ended == lengths.keys()
    for stages in lengths.values():
        assert stages == sorted(stages)
        assert stages[-1] > 100_000


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("401", ErrorKind.INVALID_CREDENTIAL),
        ("403-blocked", ErrorKind.BLOCKED_ACCOUNT),
        ("429", ErrorKind.RATE_LIMITED),
    ],
)
async def test_a_refused_socket_says_why(grok: GrokWeb, account: str, word: str, kind: ErrorKind) -> None:
    """So that the right thing happens to the account."""
    prompt = ImaginePrompt("A red kite", "1:1", has_adult_content=False)
    with pytest.raises(UpstreamError) as refused:
        async with aclosing(grok.imagine(f"{account}-@{word}", prompt)) as frames:
            await anext(frames)
    assert refused.value.kind is kind
