"""Edits, videos and attachments: what is asked, and what is read of the answer."""

from typing import Any

import orjson
import pytest

from grok_app.upstream import (
    ChatPrompt,
    DrawingFrame,
    EditPrompt,
    EndFrame,
    ErrorKind,
    ImageProgress,
    ImagesDone,
    MediaUpstream,
    Upstream,
    UpstreamError,
    VideoDone,
    VideoPreset,
    VideoProgress,
    VideoPrompt,
)
from grok_app.upstream.grokweb import video
from tests.upstream.wire import answer, grok

FIRST = "users/u-1/generated/11111111-2222-4333-8444-555555555555/image.jpg"
SECOND = "users/u-1/generated/66666666-7777-4888-8999-000000000000/image.jpg"
VIDEO_ID = "9e8d7c6b-5a49-4382-9716-051423324151"
VIDEO = f"https://assets.grok.com/users/user_1/generated/{VIDEO_ID}/generated_video.mp4"
EDIT = EditPrompt("Make it red", ("users/u/a/content", "https://assets.grok.com/users/u/b/content"), "post-1")
FILM = VideoPrompt("A cat", "post-1", "3:2", 6, "480p", VideoPreset.SPICY)
CHAT = ChatPrompt("Draw", "grok-3", "MODEL_MODE_FAST", 0.8, 0.95, None, ("f-1", "f-2"))


def lines(*responses: dict[str, Any]) -> bytes:
    """An answer of these `result.response` objects."""
    body = b"\n".join(orjson.dumps({"result": {"response": response}}) for response in responses)
    return answer(200, body + b"\n", Content_Type="application/json")


def drawing(**fields: object) -> dict[str, Any]:
    """A progress frame of a picture."""
    return {"streamingImageGenerationResponse": fields, "responseId": "r-2"}


def filming(**fields: object) -> dict[str, Any]:
    """A progress frame of a video."""
    return {"streamingVideoGenerationResponse": {"videoId": VIDEO_ID, **fields}, "responseId": "r-3"}


DRAWN = (
    drawing(imageIndex=0, progress=0),
    drawing(imageIndex=1, progress=0),
    drawing(imageIndex=0, progress=50, imageUrl=FIRST.replace("/image", "-part-0/image")),
    drawing(imageIndex=0, progress=100, imageUrl=FIRST, moderated=False),
    drawing(imageIndex=1, progress=100, imageUrl=SECOND, moderated=False),
)
PERCENTS = [(0, 0), (1, 0), (0, 50), (0, 100), (1, 100)]


def closing(*addresses: str, **fields: object) -> dict[str, Any]:
    """The final envelope."""
    return {"modelResponse": {"responseId": "r-2", "message": "", "generatedImageUrls": addresses, **fields}}


async def edited(said: bytes) -> list[object]:
    """What an edit gives."""
    async with grok(said) as site:
        return [item async for item in site.client.edit_images("T", EDIT)]


async def filmed(said: bytes) -> list[object]:
    """What a video gives."""
    async with grok(said) as site:
        return [item async for item in site.client.video("T", FILM)]


async def test_grok_com_offers_all_of_it() -> None:
    """A client is a way to Grok for texts and for media."""
    async with grok(b"") as site:
        texts: Upstream = site.client
        media: MediaUpstream = site.client
        ways: set[object] = {texts, media}
    assert len(ways) == 1


async def test_an_edit_is_asked_for_as_the_epoch_does() -> None:
    """The body of section 4.3, paths made addresses."""
    async with grok(lines(closing(FIRST)), assets_url="https://assets.example/") as site:
        assert [item async for item in site.client.edit_images("T", EDIT)] == [ImagesDone((FIRST,), 0)]
    body = orjson.loads(site.asked[0].body)
    assert site.asked[0].line == "POST /rest/app-chat/conversations/new HTTP/1.1"
    assert (body["modelName"], body["modelMode"], body["message"]) == ("imagine-image-edit", None, "Make it red")
    assert body["toolOverrides"] == {"imageGen": True}
    references = ["https://assets.grok.com/users/u/a/content", "https://assets.grok.com/users/u/b/content"]
    assert body["responseMetadata"] == {
        "requestModelDetails": {"modelId": "imagine-image-edit"},
        "modelConfigOverride": {
            "modelMap": {
                "imageEditModel": "imagine",
                "imageEditModelConfig": {"imageReferences": references, "parentPostId": "post-1"},
            }
        },
    }


async def test_an_edit_tells_how_far_it_is() -> None:
    """Each step once, then both pictures in Grok's order."""
    items = await edited(lines(*DRAWN, DRAWN[2], closing(FIRST, SECOND)))
    assert items == [*(ImageProgress(*step) for step in PERCENTS), ImagesDone((FIRST, SECOND), 0)]


async def test_a_refused_picture_is_not_given() -> None:
    """Though the final envelope repeats its address; how many there were is said."""
    refused = drawing(imageIndex=1, progress=100, imageUrl=SECOND, moderated=True)
    assert (await edited(lines(*DRAWN[:4], refused, closing(FIRST, SECOND))))[-1] == ImagesDone((FIRST,), 1)


@pytest.mark.parametrize("name", ["imageUrls", "imageURLs"])
async def test_addresses_are_found_wherever_they_stand(name: str) -> None:
    """Under other names too, as a list or one text, each once."""
    said = lines(closing(FIRST, deep=[{name: SECOND}, {name: [FIRST, 5]}]))
    assert await edited(said) == [ImagesDone((FIRST, SECOND), 0)]


async def test_an_edit_without_a_picture_says_so() -> None:
    """None is none; what that means is the caller's to say."""
    assert await edited(lines(closing())) == [ImagesDone((), 0)]


async def test_a_chat_sends_its_attachments_and_shows_its_drawings() -> None:
    """File ids as given; progress while it draws, addresses at the end."""
    card = orjson.dumps(
        {"id": "c", "image_chunk": {"imageUrl": "users/u/cat.jpg", "progress": 100, "moderated": False}}
    )
    said = lines(*DRAWN, {"cardAttachment": {"jsonData": card.decode()}}, closing(FIRST, SECOND))
    async with grok(said) as site:
        frames = [frame async for burst in site.client.chat("T", CHAT) for frame in burst]
    body = orjson.loads(site.asked[0].body)
    assert (body["fileAttachments"], body["imageAttachments"]) == (["f-1", "f-2"], [])
    assert [frame for frame in frames if isinstance(frame, DrawingFrame)] == [DrawingFrame(*step) for step in PERCENTS]
    assert frames[-1] == EndFrame("", (FIRST, SECOND, "users/u/cat.jpg"))


async def test_a_video_is_asked_for_as_the_epoch_does() -> None:
    """The body of section 5.2, the preset as a flag of the text."""
    done = filming(progress=100, videoUrl=VIDEO)
    async with grok(lines(done)) as site:
        assert [item async for item in site.client.video("T", FILM)][-1] == VideoDone(VIDEO, None, VIDEO_ID)
    body = orjson.loads(site.asked[0].body)
    assert (body["modelName"], body["modelMode"]) == ("grok-3", None)
    assert body["message"] == "A cat --mode=extremely-spicy-or-crazy"
    assert body["toolOverrides"] == {"videoGen": True}
    config = {"aspectRatio": "3:2", "parentPostId": "post-1", "resolutionName": "480p", "videoLength": 6}
    override = {"modelMap": {"videoGenModelConfig": config}}
    assert body["responseMetadata"] == {"requestModelDetails": {"modelId": "grok-3"}, "modelConfigOverride": override}


async def test_a_video_tells_how_far_it_is() -> None:
    """Progress only grows; the video comes last, with its still, whatever follows it."""
    done = filming(progress=100, videoUrl="users/u/video.mp4", thumbnailImageUrl="users/u/still.jpg")
    steps = [filming(progress=percent) for percent in (1, 34, 34, 20, 95)]
    items = await filmed(lines(*steps, done, {"token": "I generated a video"}, done))
    expected = [VideoProgress(percent) for percent in (1, 34, 95, 100)]
    assert items == [*expected, VideoDone("users/u/video.mp4", "users/u/still.jpg", VIDEO_ID)]


@pytest.mark.parametrize(
    ("last", "kind"),
    [
        (filming(progress=100, moderated=True, videoUrl=VIDEO), ErrorKind.MODERATED),
        (filming(progress=100), ErrorKind.PROTOCOL),
        (filming(progress=50, videoUrl=VIDEO), ErrorKind.PROTOCOL),
        ({"error": {"code": 8, "message": "rate limited"}}, ErrorKind.RATE_LIMITED),
        ({"modelResponse": {"streamErrors": [{"message": "anti-bot"}]}}, ErrorKind.ANTI_BOT),
    ],
    ids=["moderated", "no address", "unfinished", "error", "stream error"],
)
async def test_a_video_that_does_not_come_is_an_error(last: dict[str, Any], kind: ErrorKind) -> None:
    """It is never an empty success."""
    with pytest.raises(UpstreamError) as raised:
        await filmed(lines(filming(progress=1), last))
    assert raised.value.kind is kind


async def test_silence_while_a_video_is_made_is_a_timeout() -> None:
    """Videos have a limit of their own."""
    said = b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n\n\r\n"
    async with grok(said, video_idle_timeout_s=0.1) as site:
        with pytest.raises(UpstreamError) as raised:
            [item async for item in site.client.video("T", FILM)]
    assert raised.value.kind is ErrorKind.TIMEOUT


async def test_a_video_that_never_ends_is_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """However much Grok says meanwhile."""
    monkeypatch.setattr(video, "_TOTAL_S", 0.2)
    said = b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n\n\r\n"
    async with grok(said) as site:
        with pytest.raises(UpstreamError, match="in time") as raised:
            [item async for item in site.client.video("T", FILM)]
    assert raised.value.kind is ErrorKind.TIMEOUT


async def test_a_refusal_is_classified() -> None:
    """By status and body, as for a chat."""
    with pytest.raises(UpstreamError) as raised:
        await edited(answer(403, b'{"error":{"code":"content-moderated","message":"rejected"}}'))
    assert raised.value.kind is ErrorKind.MODERATED
