"""Files, edits and videos."""

from contextlib import suppress
from typing import Any

import httpx
import orjson
import pytest

from grok_app.sandbox.accounts import Account
from grok_app.sandbox.media import Asset, File, Library

from .conftest import CHAT, Caller, cookies_of
from .media import (
    ASSETS,
    UPLOAD,
    UPSCALE,
    all_of,
    download,
    edit_body,
    image_of,
    png,
    post,
    responses,
    upload,
    video_body,
)


async def uploaded(caller: Caller, content: bytes, account: str = "sandbox-basic-1") -> str:
    """The URI of an uploaded file."""
    uri: str = (await upload(caller, content, account)).json()["fileUri"]
    return uri


async def test_an_upload_can_be_downloaded_by_its_owner_alone(caller: Caller) -> None:
    """The same bytes under the type that was told; 403 for another account, 401 for nobody."""
    body = (await upload(caller, b"%PDF-1.7", mime="application/pdf")).json()
    assert body["fileUri"].endswith(f"/{body['fileMetadataId']}/content")
    response = await download(caller, body["fileUri"])
    assert (response.content, response.headers["content-type"]) == (b"%PDF-1.7", "application/pdf")
    assert (await download(caller, body["fileUri"], "sandbox-basic-2")).status_code == 403
    assert (await caller.http.get("/" + body["fileUri"])).status_code == 401


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"content": "data:image/png;base64,AAAA"}, 400),
        ({"content": ""}, 400),
        ({"content": 5}, 400),
        ({"fileName": ""}, 400),
        ({"fileMimeType": "png"}, 400),
        ({"content": "AAAA" * (18 * 1024**2 - 1)}, 413),
    ],
    ids=["data uri", "empty", "number", "name", "type", "54 MiB"],
)
async def test_a_malformed_upload_is_refused(caller: Caller, changes: dict[str, Any], status: int) -> None:
    """With a gRPC code, and nothing is kept."""
    body = {"fileName": "a.png", "fileMimeType": "image/png", "content": "AAAA", **changes}
    assert (await caller.post(UPLOAD, body)).status_code == status
    assert (await caller.http.get("/sandbox/state")).json()["assets"] == 0


async def test_assets_are_listed_page_by_page_and_deleted(caller: Caller) -> None:
    """The last used first; a page token leads on; what is deleted is gone."""
    ids = [(await upload(caller, png())).json()["fileMetadataId"] for _ in range(5)]
    found, token = [], ""
    while True:
        query = {"pageSize": "2", "orderBy": "ORDER_BY_LAST_USE_TIME", **({"pageToken": token} if token else {})}
        page = (await caller.http.get(ASSETS, params=query, headers=cookies_of("sandbox-basic-1"))).json()
        found += [asset["assetId"] for asset in page["assets"]]
        token = page["nextPageToken"]
        if not token:
            break
    assert found == ids[::-1]
    delete = f"/rest/assets-metadata/{ids[0]}"
    statuses = [
        (await caller.http.delete(delete, headers=cookies_of(f"sandbox-basic-{n}"))).status_code for n in (2, 1, 1)
    ]
    assert statuses == [404, 200, 404]


async def test_a_list_may_repeat_its_page_token(caller: Caller) -> None:
    """@assets-repeat: the first page again and again; a client that follows it never ends."""
    account = "sandbox-basic-@assets-repeat"
    await upload(caller, png(), account)
    query = {"pageToken": "again"}
    first, second = [
        (await caller.http.get(ASSETS, params=params, headers=cookies_of(account))).json() for params in ({}, query)
    ]
    assert first["nextPageToken"] == "again"
    assert second == first


@pytest.mark.parametrize("query", [{"pageSize": "0"}, {"pageSize": "x"}, {"pageToken": "gone"}])
async def test_a_malformed_page_is_refused(caller: Caller, query: dict[str, str]) -> None:
    """400."""
    response = await caller.http.get(ASSETS, params=query, headers=cookies_of("sandbox-basic-1"))
    assert response.status_code == 400


async def test_attachments_must_be_the_accounts_own(caller: Caller) -> None:
    """A file that another account uploaded isn't there."""
    file_id = (await upload(caller, png())).json()["fileMetadataId"]
    body = {"message": "Hi", "fileAttachments": [file_id]}
    statuses = [(await caller.post(CHAT, body, f"sandbox-basic-{number}")).status_code for number in (1, 2)]
    assert statuses == [200, 404]


async def test_images_in_a_chat_answer_can_be_downloaded(caller: Caller) -> None:
    """@images: both, and the previews that announced them."""
    found = await caller.responses("@images rain")
    paths = found[-1]["modelResponse"]["generatedImageUrls"]
    previews = [p["imageUrl"] for p in all_of(found, "streamingImageGenerationResponse") if p["progress"] == 50]
    for path in (*paths, *previews):
        assert image_of((await download(caller, path)).content).format == "JPEG"
    assert len(set(paths)) == 2


@pytest.mark.parametrize(("word", "moderated"), [("moderated", [True, True]), ("moderated-one", [True, False])])
async def test_images_in_a_chat_answer_may_be_moderated(caller: Caller, word: str, moderated: list[bool]) -> None:
    """Then they are named, as in an edit, and can't be downloaded; the text is told all the same."""
    found = await caller.responses(f"@images @{word} rain")
    finals = [p for p in all_of(found, "streamingImageGenerationResponse") if p["progress"] == 100]
    assert [final["moderated"] for final in finals] == moderated
    paths = found[-1]["modelResponse"]["generatedImageUrls"]
    statuses = [(await download(caller, path)).status_code for path in paths]
    assert statuses == [404 if is_moderated else 200 for is_moderated in moderated]
    assert found[-1]["modelResponse"]["message"]


async def test_an_edit_shows_the_input_inside(caller: Caller) -> None:
    """Two pictures in the input's shape; its colour is in the upper middle of each. It costs 4."""
    uri = await uploaded(caller, png(600, 400, "#ff0000"))
    found = await responses(caller, edit_body("make it blue", [f"https://assets.grok.com/{uri}"]))
    progress = [p["progress"] for p in all_of(found, "streamingImageGenerationResponse")]
    assert progress == [0, 0, 50, 100, 50, 100]
    urls = found[-1]["modelResponse"]["generatedImageUrls"]
    assert len(urls) == 2
    for url in urls:
        picture = image_of((await download(caller, url)).content)
        red, green, blue = picture.getpixel((picture.width // 2, picture.height // 3))  # type: ignore[misc] # RGB
        assert picture.width * 2 == picture.height * 3
        assert red > 200
        assert max(green, blue) < 60
    assert (await caller.state_of("sandbox-basic-1"))["remaining"] == 76


@pytest.mark.parametrize(
    ("word", "moderated", "shown"),
    [
        ("moderated", [True, True], 2),
        ("moderated-one", [True, False], 2),
        ("one-image", [False], 1),
        ("no-images", [False, False], 0),
    ],
)
async def test_an_edit_may_yield_less(caller: Caller, word: str, moderated: list[bool], shown: int) -> None:
    """A moderated picture is named and can't be downloaded."""
    uri = await uploaded(caller, png())
    found = await responses(caller, edit_body(f"blue @{word}", [uri]))
    finals = [p for p in all_of(found, "streamingImageGenerationResponse") if p["progress"] == 100]
    assert [final["moderated"] for final in finals] == moderated
    assert len(found[-1]["modelResponse"]["generatedImageUrls"]) == shown
    statuses = [(await download(caller, final["imageUrl"])).status_code for final in finals]
    assert statuses == [404 if is_moderated else 200 for is_moderated in moderated]


@pytest.mark.parametrize(
    "urls", [[], ["users/x/y/content"], [5], ["http://[bad"]], ids=["none", "foreign", "number", "bad"]
)
async def test_an_edit_without_its_picture_is_refused(caller: Caller, urls: list[Any]) -> None:
    """And costs nothing."""
    response = await caller.post(CHAT, edit_body("blue", urls))
    assert response.status_code in {400, 403}
    assert (await caller.state_of("sandbox-basic-1"))["remaining"] == 80


@pytest.mark.parametrize("content", [b"no picture", png()[:60]], ids=["text", "cut"])
async def test_an_edit_of_no_picture_ends_in_an_error(caller: Caller, content: bytes) -> None:
    """In the stream, as the only frame."""
    uri = await uploaded(caller, content)
    response = await caller.post(CHAT, edit_body("blue", [uri]))
    assert "can't be read" in orjson.loads(response.content)["error"]["message"]


async def test_a_video_progresses_to_its_film(caller: Caller) -> None:
    """From 1 to 100, then an MP4, its thumbnail, and on request a second file in high resolution."""
    post_id = (await post(caller, {"mediaType": "MEDIA_POST_TYPE_VIDEO", "prompt": "waves"})).json()["post"]["id"]
    frames = all_of(await responses(caller, video_body("waves", post_id)), "streamingVideoGenerationResponse")
    progress = [frame["progress"] for frame in frames]
    assert (progress[0], progress[-1], progress) == (1, 100, sorted(progress))
    assert {frame["videoPostId"] for frame in frames} == {post_id}
    film = await download(caller, frames[-1]["videoUrl"])
    assert (film.headers["content-type"], film.content[4:8]) == ("video/mp4", b"ftyp")
    assert image_of((await download(caller, frames[-1]["thumbnailImageUrl"])).content).format == "JPEG"
    hd_url = (await caller.post(UPSCALE, {"videoId": frames[-1]["videoId"]})).json()["hdMediaUrl"]
    assert (await download(caller, hd_url)).content == film.content


async def test_a_video_may_begin_with_a_picture(caller: Caller) -> None:
    """The thumbnail shows it."""
    uri = await uploaded(caller, png(600, 400))
    body = {"mediaType": "MEDIA_POST_TYPE_IMAGE", "mediaUrl": f"https://assets.grok.com/{uri}"}
    post_id = (await post(caller, body)).json()["post"]["id"]
    frames = all_of(await responses(caller, video_body("waves", post_id)), "streamingVideoGenerationResponse")
    picture = image_of((await download(caller, frames[-1]["thumbnailImageUrl"])).content)
    assert picture.getpixel((picture.width // 2, picture.height // 3))[0] > 200  # type: ignore[index] # RGB


@pytest.mark.parametrize(("word", "moderated"), [("moderated", True), ("no-video", False)])
async def test_a_video_may_end_without_a_film(caller: Caller, word: str, moderated: bool) -> None:
    """100 percent, and no URL."""
    post_id = (await post(caller, {"mediaType": "MEDIA_POST_TYPE_VIDEO", "prompt": "x"})).json()["post"]["id"]
    frames = all_of(await responses(caller, video_body(f"@{word}", post_id)), "streamingVideoGenerationResponse")
    assert (frames[-1]["progress"], frames[-1]["moderated"]) == (100, moderated)
    assert "videoUrl" not in frames[-1]


@pytest.mark.parametrize(
    "changes", [{"aspectRatio": "7:5"}, {"videoLength": 7}, {"resolutionName": "8k"}, {"parentPostId": "unknown"}]
)
async def test_a_malformed_video_is_refused(caller: Caller, changes: dict[str, Any]) -> None:
    """400, or 404 for a post that was never created."""
    post_id = (await post(caller, {"mediaType": "MEDIA_POST_TYPE_VIDEO", "prompt": "x"})).json()["post"]["id"]
    response = await caller.post(CHAT, video_body("x", post_id, **changes))
    assert response.status_code in {400, 404}


@pytest.mark.parametrize("body", [{}, {"mediaType": "MEDIA_POST_TYPE_IMAGE"}, {"mediaType": "OTHER", "prompt": "x"}])
async def test_a_malformed_post_is_refused(caller: Caller, body: dict[str, Any]) -> None:
    """400."""
    assert (await post(caller, body)).status_code == 400


@pytest.mark.parametrize(
    ("word", "status", "part"),
    [
        ("upload-413", 413, "too large"),
        ("upload-429", 429, "Too many requests"),
        ("upload-id", 200, '"fileId":'),
        ("upload-nouri", 200, '"fileMetadataId":'),
        ("upload-empty", 200, "{}"),
        ("upload-page", 200, "<html>"),
    ],
)
async def test_an_upload_fails_as_the_accounts_name_says(caller: Caller, word: str, status: int, part: str) -> None:
    """Only this call: its chat works."""
    account = f"sandbox-basic-@{word}"
    response = await upload(caller, png(), account)
    assert response.status_code == status
    assert part in response.text
    assert ("fileUri" in response.text) == (word == "upload-id")
    assert (await caller.chat("Hi", account=account)).status_code == 200


@pytest.mark.parametrize(("word", "status"), [("post-500", 500), ("post-401", 401), ("post-empty", 200)])
async def test_a_post_fails_as_the_accounts_name_says(caller: Caller, word: str, status: int) -> None:
    """With a status, or with a success that names no post."""
    body = {"mediaType": "MEDIA_POST_TYPE_VIDEO", "prompt": "x"}
    response = await post(caller, body, f"sandbox-basic-@{word}")
    assert response.status_code == status
    assert "post" not in response.json()


async def test_an_unknown_video_is_not_upscaled(caller: Caller) -> None:
    """404; so is a picture."""
    picture = (await upload(caller, png())).json()["fileMetadataId"]
    statuses = [(await caller.post(UPSCALE, {"videoId": video_id})).status_code for video_id in ("x", picture, 5)]
    assert statuses == [404, 404, 404]


async def test_a_download_may_break_in_the_middle(real: Caller) -> None:
    """@download-cut: fewer bytes than the head promised."""
    account = "sandbox-basic-@download-cut"
    uri = await uploaded(real, png() * 50, account)
    with pytest.raises(httpx.RemoteProtocolError):
        await download(real, uri, account)


async def test_a_stalled_video_falls_silent(real: Caller) -> None:
    """@video-stall: progress up to 45, the connection stays open."""
    post_id = (await post(real, {"mediaType": "MEDIA_POST_TYPE_VIDEO", "prompt": "x"})).json()["post"]["id"]
    received = b""
    async with real.http.stream(
        "POST", CHAT, json=video_body("@video-stall", post_id), headers=cookies_of("sandbox-basic-1"), timeout=0.5
    ) as response:
        with suppress(httpx.ReadTimeout):
            async for piece in response.aiter_raw():
                received += piece
    assert b'"progress":45' in received
    assert b'"progress":50' not in received


def test_the_library_forgets_the_least_recently_used() -> None:
    """By bytes; a file that was read lately stays."""
    library, owner = Library(250), Account("sandbox-a", None, 0, 0, 0)  # type: ignore[arg-type] # the pool isn't read
    for name in ("a", "b"):
        library.add(Asset(owner.token, name, {name: File(bytes(100), "x/y")}, name))
    assert library.file("a")
    library.add(Asset(owner.token, "c", {"c": File(bytes(100), "x/y")}, "c"))
    assert [asset.id for asset in library.of(owner)] == ["c", "a"]
    assert (library.file("b"), library.size_bytes) == (None, 200)
