"""Videos through chat. Source: API contract, sections 5.1, 5.3 and 7; protocol notes, sections 5 and 11.12."""

import asyncio
import re
import time
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import httpx
import openai
import pytest

from grok_app.catalog import Pool
from grok_app.sandbox.media.videos import PROGRESS, STALLED_AT, clip
from tests.conftest import ENDLESS, QUICK_RETRIES, GatewayFactory
from tests.contract.media import (
    CHATS,
    DOWNLOAD,
    FILES_URL,
    POST,
    UPLOAD,
    UPSCALE,
    Calls,
    attach,
    data_uri,
    image,
    opened,
    picture,
    text,
)
from tests.contract.test_disconnect import assert_cancelled
from tests.contract.test_thinking import parts
from tests.contract.wire import CHAT, DONE, ask, body, error_of, events, streamed
from tests.servers import Gateway, Sandbox, eventually

MODEL = "grok-imagine-1.0-video"
FAILED = (502, "server_error", "upstream_error")
REFUSED = (403, "permission_error", "content_policy_violation")
LATE = (504, "server_error", "upstream_timeout")
STEPS = (*PROGRESS, 100)
"""The percentages that the sandbox tells."""
ENGLISH = [f"Generating video: {percent}%" for percent in STEPS]
CHINESE = [f"正在生成视频中，当前进度{percent}%" for percent in STEPS]
HD = {"resolution_name": "720p"}
RED = (255, 0, 0)
BLUE = (0, 0, 255)

both_forms = pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])


class Player(HTMLParser):
    """The elements of an HTML fragment: the attributes of each by its name."""

    def __init__(self, fragment: str) -> None:
        super().__init__()
        self.elements: dict[str, dict[str, str | None]] = {}
        self.feed(fragment)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember it; two of a kind would be a mistake."""
        assert tag not in self.elements
        self.elements[tag] = dict(attrs)

    @property
    def video(self) -> str:
        """The address of the video."""
        return self.elements["source"]["src"] or ""

    @property
    def poster(self) -> str:
        """The address of the picture that is shown before it plays."""
        return self.elements["video"]["poster"] or ""


def film(gateway: Gateway, content: Any, *, stream: bool = False, **fields: Any) -> httpx.Response:
    """Ask for a video and wait for all of the answer; thinking is hidden unless asked for."""
    return ask(gateway, content, stream=stream, **{"model": MODEL, "reasoning_effort": "none", **fields})


def shown(gateway: Gateway, content: Any, *, stream: bool = False, **fields: Any) -> str:
    """The answer to a request for a video, without thinking."""
    answer, reasoning = parts(gateway, content, stream=stream, **{"model": MODEL, "reasoning_effort": "none", **fields})
    assert reasoning == ""
    return answer


def steps(gateway: Gateway, content: Any, *, stream: bool, **fields: Any) -> list[str]:
    """The lines of the thinking, which must be all that the element or the field of it has."""
    answer, reasoning = parts(gateway, content, stream=stream, model=MODEL, **fields)
    if reasoning:
        assert "think>" not in answer + reasoning
        return reasoning.splitlines()
    assert answer.startswith("<think>\n")
    thinking, closing, rest = answer.removeprefix("<think>\n").partition("\n</think>\n")
    assert closing
    assert "think>" not in rest
    return thinking.splitlines()


def config_of(asked: dict[str, Any]) -> dict[str, Any]:
    """What a request to Grok says about the video, without its post."""
    models: dict[str, Any] = asked["body"]["responseMetadata"]["modelConfigOverride"]["modelMap"]
    return {name: value for name, value in models["videoGenModelConfig"].items() if name != "parentPostId"}


def test_the_model_is_on_offer(client: openai.OpenAI) -> None:
    """It is listed like every other."""
    assert MODEL in [model.id for model in client.models.list()]
    assert client.models.retrieve(MODEL).owned_by == "xai"


@both_forms
def test_a_video_is_a_player_by_default(gateway: Gateway, question: str, stream: bool) -> None:
    """The answer is one `<video>` element with controls, the poster and the source, both at our own address."""
    answer = shown(gateway, question, stream=stream).strip()
    player = Player(answer)

    assert answer.startswith("<video")
    assert answer.endswith("</video>")
    assert player.elements.keys() == {"video", "source"}
    assert "controls" in player.elements["video"]
    assert player.elements["source"]["type"] == "video/mp4"
    assert player.video.startswith(f"{gateway.url}/v1/files/video/")
    assert player.poster.startswith(f"{gateway.url}/v1/files/image/")


def test_the_video_is_kept_here(gateway: Gateway, calls: Calls, question: str) -> None:
    """Whoever has the link gets the film, whole or in part, without a key; Grok was asked for it once."""
    player = Player(shown(gateway, question))
    whole = gateway.stranger.get(player.video)
    part = gateway.stranger.get(player.video, headers={"Range": "bytes=4-7"})

    assert (whole.status_code, whole.headers["content-type"]) == (200, "video/mp4")
    assert whole.content == clip()
    assert (part.status_code, part.content) == (206, b"ftyp")
    assert part.headers["content-range"] == f"bytes 4-7/{len(whole.content)}"
    downloads = calls(DOWNLOAD)
    assert sorted(entry["path"].rpartition("/")[2] for entry in downloads) == [
        "generated_video.mp4",
        "preview_image.jpg",
    ]
    assert {entry["account"] for entry in downloads} == {calls(CHATS)[0]["account"]}


@pytest.mark.parametrize("ratio", ["16:9", "9:16", "1:1"])
def test_the_poster_has_the_shape_of_the_video(gateway: Gateway, question: str, ratio: str) -> None:
    """It is a real picture, of the aspect ratio that was asked for."""
    player = Player(shown(gateway, question, video_config={"aspect_ratio": ratio}))
    answer = gateway.stranger.get(player.poster)
    width, height = opened(answer.content).size
    across, down = map(int, ratio.split(":"))

    assert answer.headers["content-type"] == "image/jpeg"
    assert width * down == height * across


@both_forms
def test_a_video_may_be_a_markdown_link(abroad: Gateway, question: str, stream: bool) -> None:
    """`app.video_format = markdown`."""
    answer = shown(abroad, question, stream=stream)
    found = re.fullmatch(r"\[video\]\((\S+)\)", answer.strip())

    assert found, answer
    assert found[1].startswith(f"{abroad.url}/v1/files/video/")
    assert abroad.stranger.get(found[1]).content == clip()


@both_forms
def test_a_video_may_be_a_bare_address(elsewhere: Gateway, question: str, stream: bool) -> None:
    """`app.video_format = url`; with `app.app_url` it begins with that."""
    answer = shown(elsewhere, question, stream=stream).strip()

    assert re.fullmatch(rf"{re.escape(FILES_URL)}/v1/files/video/\S+", answer)
    assert elsewhere.stranger.get(answer.removeprefix(FILES_URL)).content == clip()


def test_links_begin_with_the_callers_address(gateway: Gateway, question: str) -> None:
    """Without `app.app_url` they lead to where the caller reached us."""
    asked = body(question, model=MODEL, reasoning_effort="none", stream=False)
    answer = gateway.http.post(CHAT, json=asked, headers={"Host": "films.example.net"})
    player = Player(answer.json()["choices"][0]["message"]["content"])

    assert player.video.startswith("http://films.example.net/v1/files/video/")
    assert player.poster.startswith("http://films.example.net/v1/files/image/")


@both_forms
@pytest.mark.parametrize("effort", [None, "high"], ids=str)
def test_progress_is_thinking(gateway: Gateway, question: str, effort: str | None, stream: bool) -> None:
    """While thinking is shown, each step is a line of it, once, in English by default."""
    assert steps(gateway, question, stream=stream, reasoning_effort=effort) == ENGLISH


@both_forms
def test_progress_speaks_the_language_of_the_operator(abroad: Gateway, question: str, stream: bool) -> None:
    """`app.language` and `app.thinking_format` hold for progress too."""
    assert steps(abroad, question, stream=stream, reasoning_effort="low") == CHINESE


@both_forms
@pytest.mark.parametrize("effort", ["none", None], ids=str)
def test_hidden_thinking_hides_progress(
    gateway: Gateway, abroad: Gateway, question: str, effort: str | None, stream: bool
) -> None:
    """`reasoning_effort: none`, or the setting where the request doesn't say: the video is all there is."""
    answer = shown(gateway if effort else abroad, question, stream=stream, reasoning_effort=effort)

    assert "%" not in answer
    assert "think>" not in answer


def test_progress_comes_as_it_is_made(gateway: Gateway, question: str) -> None:
    """A step leaves at once: here the video never comes."""
    asked = body(f"{question} @video-stall", model=MODEL, stream=True)
    last = f"Generating video: {STALLED_AT}%"
    with gateway.http.stream("POST", CHAT, json=asked) as answer:
        seen = next(line for line in answer.iter_lines() if last in line)

    assert seen.startswith("data: {")


CONFIGS: dict[str, tuple[Any, dict[str, Any]]] = {
    "omitted": (None, {}),
    "empty": ({}, {}),
    "nulls": (dict.fromkeys(("aspect_ratio", "video_length", "resolution_name", "preset")), {}),
    "unknown fields": ({"fps": 60}, {}),
    "all": (
        {"aspect_ratio": "9:16", "video_length": 10, "resolution_name": "720p", "preset": "fun"},
        {"aspectRatio": "9:16", "videoLength": 10, "resolutionName": "720p", "mode": "extremely-crazy"},
    ),
    **{f"ratio {ratio}": ({"aspect_ratio": ratio}, {"aspectRatio": ratio}) for ratio in ("16:9", "3:2", "2:3", "1:1")},
    **{
        f"pixels {pixels}": ({"aspect_ratio": pixels}, {"aspectRatio": ratio})
        for pixels, ratio in {
            "1280x720": "16:9",
            "720x1280": "9:16",
            "1792x1024": "3:2",
            "1024x1792": "2:3",
            "1024x1024": "1:1",
        }.items()
    },
    **{f"length {length!r}": ({"video_length": length}, {"videoLength": int(length)}) for length in (6, 10, 15, "15")},
    **{f"resolution {name}": ({"resolution_name": name}, {"resolutionName": name}) for name in ("480p", "720p")},
    **{
        f"preset {preset}": ({"preset": preset}, {"mode": mode})
        for preset, mode in {
            "normal": "normal",
            "spicy": "extremely-spicy-or-crazy",
            "custom": "custom",
        }.items()
    },
}
DEFAULTS = {"aspectRatio": "3:2", "videoLength": 6, "resolutionName": "480p", "mode": "custom"}


@pytest.mark.parametrize(("config", "changes"), CONFIGS.values(), ids=CONFIGS)
def test_the_configuration_travels(
    gateway: Gateway, sandbox: Sandbox, question: str, config: Any, changes: dict[str, Any]
) -> None:
    """Each setting reaches Grok in its spelling, and what isn't said has its default."""
    film(gateway, question, video_config=config).raise_for_status()

    [asked] = sandbox.asked(question)
    expected = DEFAULTS | changes
    assert asked["body"]["message"] == f"{question} --mode={expected.pop('mode')}"
    assert config_of(asked) == expected


RATIOS = "aspect_ratio must be one of ['16:9', '9:16', '3:2', '2:3', '1:1']"
LENGTHS = "video_length must be 6, 10, or 15 seconds"
RESOLUTIONS = "resolution_name must be one of ['480p', '720p']"
PRESETS = "preset must be one of ['fun', 'normal', 'spicy', 'custom']"
ROWS: dict[str, tuple[str, Any, str, str]] = {
    "ratio unknown": ("aspect_ratio", "4:3", "invalid_aspect_ratio", RATIOS),
    "ratio empty": ("aspect_ratio", "", "invalid_aspect_ratio", RATIOS),
    "ratio number": ("aspect_ratio", 1.5, "invalid_aspect_ratio", RATIOS),
    "ratio array": ("aspect_ratio", ["16:9"], "invalid_aspect_ratio", RATIOS),
    "pixels unknown": ("aspect_ratio", "1920x1080", "invalid_aspect_ratio", RATIOS),
    "length unknown": ("video_length", 7, "invalid_video_length", LENGTHS),
    "length zero": ("video_length", 0, "invalid_video_length", LENGTHS),
    "length fraction": ("video_length", 6.5, "invalid_video_length", LENGTHS),
    "length word": ("video_length", "six", "invalid_video_length", LENGTHS),
    "length boolean": ("video_length", True, "invalid_video_length", LENGTHS),
    "length object": ("video_length", {}, "invalid_video_length", LENGTHS),
    "resolution unknown": ("resolution_name", "1080p", "invalid_resolution", RESOLUTIONS),
    "resolution number": ("resolution_name", 720, "invalid_resolution", RESOLUTIONS),
    "preset unknown": ("preset", "wild", "invalid_preset", PRESETS),
    "preset number": ("preset", 1, "invalid_preset", PRESETS),
}


@both_forms
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_wrong_configuration_is_named(
    gateway: Gateway, calls: Calls, question: str, row: tuple[str, Any, str, str], stream: bool
) -> None:
    """Each rule has its param, its code and its sentence, letter by letter; Grok isn't asked."""
    field, value, code, message = row
    answer = film(gateway, question, stream=stream, video_config={field: value})

    assert answer.status_code == 400
    assert error_of(answer) == {
        "message": message,
        "type": "invalid_request_error",
        "param": f"video_config.{field}",
        "code": code,
    }
    assert calls(POST) == calls(CHATS) == []


@pytest.mark.parametrize("config", ["720p", [], 5], ids=repr)
def test_a_configuration_is_an_object(gateway: Gateway, question: str, config: Any) -> None:
    """Anything else is a schema error that names the field."""
    answer = film(gateway, question, video_config=config)

    assert answer.status_code == 400
    assert error_of(answer)["param"] == "video_config"


def test_a_video_begins_with_a_post(gateway: Gateway, sandbox: Sandbox, calls: Calls, question: str) -> None:
    """A post with the prompt, then the request of the protocol notes that belongs to it, by the same account."""
    film(gateway, question).raise_for_status()

    [post] = calls(POST)
    assert post["body"] == {"mediaType": "MEDIA_POST_TYPE_VIDEO", "prompt": question}
    [asked] = sandbox.asked(question)
    assert asked["account"] == post["account"]
    assert asked["path"] == CHATS
    sent = asked["body"]
    assert (sent["modelName"], sent.get("modelMode")) == ("grok-3", None)
    assert sent["toolOverrides"] == {"videoGen": True}
    assert sent["responseMetadata"]["requestModelDetails"] == {"modelId": "grok-3"}
    assert sent["responseMetadata"]["modelConfigOverride"]["modelMap"]["videoGenModelConfig"]["parentPostId"]
    assert calls(UPLOAD) == calls(UPSCALE) == []


@both_forms
def test_the_first_picture_becomes_the_video(
    gateway: Gateway, sandbox: Sandbox, calls: Calls, question: str, stream: bool
) -> None:
    """It alone is uploaded, and the post that the video belongs to shows it: Grok's poster has its colour."""
    red, blue = picture(colour=RED, size=(300, 200)), picture(colour=BLUE, size=(300, 200))
    player = Player(shown(gateway, [text(question), image(red), image(blue)], stream=stream))

    [uploaded] = calls(UPLOAD)
    assert data_uri(red).endswith(uploaded["body"]["content"])
    [post] = calls(POST)
    assert post["body"].keys() == {"mediaType", "mediaUrl"}
    assert post["body"]["mediaType"] == "MEDIA_POST_TYPE_IMAGE"
    assert re.fullmatch(r"/users/[^/]+/[^/]+/content", urlsplit(post["body"]["mediaUrl"]).path)
    [asked] = sandbox.asked(question)
    assert asked["body"]["message"] == f"{question} --mode=custom"
    assert uploaded["account"] == post["account"] == asked["account"]
    poster = opened(gateway.stranger.get(player.poster).content).convert("RGB")
    colour = poster.getpixel((poster.width // 2, poster.height // 3))
    assert isinstance(colour, tuple)
    assert colour[0] > 200
    assert max(colour[1:]) < 60


def test_a_picture_of_another_message_counts(gateway: Gateway, calls: Calls, question: str) -> None:
    """The first picture of the conversation is the one, wherever it stands."""
    first, second = picture(), picture()
    messages = [
        {"role": "user", "content": [text("Look at this"), image(first)]},
        {"role": "assistant", "content": "Nice"},
        {"role": "user", "content": [text(question), image(second)]},
    ]
    film(gateway, "", messages=messages).raise_for_status()

    [uploaded] = calls(UPLOAD)
    assert data_uri(first).endswith(uploaded["body"]["content"])


@pytest.mark.parametrize("value", [data_uri(b"hello", "text/plain"), "http://127.0.0.1/a.png", "not a URL"])
def test_a_wrong_picture_is_refused(gateway: Gateway, calls: Calls, question: str, value: str) -> None:
    """The rules for media are those of every chat."""
    answer = film(gateway, [text(question), attach("image_url", value)])

    assert answer.status_code == 400
    error = error_of(answer)
    assert (error["code"], error["param"]) == ("invalid_media", "messages.0.content.1.image_url.url")
    assert calls(POST) == calls(UPLOAD) == []


@pytest.mark.parametrize(
    ("config", "tier"),
    [
        ({}, "basic"),
        ({"video_length": 6, "resolution_name": "480p"}, "basic"),
        (HD, "super"),
        ({"video_length": 10}, "super"),
        ({"video_length": "15"}, "super"),
        ({"video_length": 15, **HD}, "super"),
    ],
    ids=["default", "small", "720p", "10 s", "15 s", "large"],
)
def test_large_videos_prefer_the_super_pool(
    gateway: Gateway, calls: Calls, question: str, config: dict[str, Any], tier: str
) -> None:
    """720p or more than 6 s is what super accounts are for; the rest spares them."""
    film(gateway, question, video_config=config).raise_for_status()

    [asked] = calls(CHATS)
    assert asked["account"].startswith(f"sandbox-{tier}")


def test_each_pool_serves_when_the_other_is_empty(
    abroad: Gateway, elsewhere: Gateway, calls: Calls, question: str
) -> None:
    """Preference is no more than that: basic accounts make large videos, super accounts small ones."""
    film(abroad, question, video_config={"video_length": 15}).raise_for_status()
    film(elsewhere, question).raise_for_status()

    basic, super_ = calls(CHATS)
    assert basic["account"].startswith("sandbox-basic")
    assert super_["account"].startswith("sandbox-super")


@both_forms
def test_720p_of_a_basic_account_is_upscaled(abroad: Gateway, calls: Calls, question: str, stream: bool) -> None:
    """Grok makes it larger after it is finished; the step is a line of the thinking, and the larger file is kept."""
    lines = steps(abroad, question, stream=stream, video_config=HD, reasoning_effort="low")

    assert lines == [*CHINESE, "正在对视频进行超分辨率"]
    [upscaled] = calls(UPSCALE)
    assert upscaled["body"].keys() == {"videoId"}
    assert upscaled["account"] == calls(CHATS)[0]["account"]
    films = [entry["path"] for entry in calls(DOWNLOAD) if entry["path"].endswith(".mp4")]
    assert len(films) == 1
    assert films[0].endswith(f"{upscaled['body']['videoId']}/generated_video_hd.mp4")


@pytest.mark.parametrize("config", [HD, {"video_length": 10}, {}], ids=["720p of super", "480p of super", "480p"])
def test_other_videos_are_not_upscaled(gateway: Gateway, calls: Calls, question: str, config: dict[str, Any]) -> None:
    """Super accounts make 720p themselves, and 480p is what was asked for."""
    assert "Upscaling video" not in steps(gateway, question, stream=True, video_config=config)
    assert calls(UPSCALE) == []


@pytest.fixture(scope="module")
def unscaled(make_gateway: GatewayFactory) -> Gateway:
    """A gateway for whose accounts upscaling fails, for each in another way."""
    words = ("500", "lost", "empty", "page", "429")
    accounts = {Pool.BASIC: tuple(f"sandbox-basic-{ENDLESS}-@upscale-{word}" for word in words)}
    return make_gateway(accounts, {**QUICK_RETRIES, "app.api_key": ""})


def test_a_failed_upscale_keeps_the_video(unscaled: Gateway, calls: Calls, question: str) -> None:
    """However it fails, also when the larger file isn't there: the caller gets the original."""
    for number in range(5):
        lines, _, answer = parts(
            unscaled, f"{question} {number}", stream=number % 2 == 0, model=MODEL, video_config=HD
        )[0].partition("</think>\n")
        assert unscaled.stranger.get(Player(answer).video).content == clip()
        assert lines.splitlines()[-1] == "Upscaling video"

    assert len({entry["account"] for entry in calls(UPSCALE)}) == 5


FAILURES = {
    "moderated": REFUSED,
    "no-video": FAILED,
    "late-error": FAILED,
    "half": FAILED,
    "cut": FAILED,
}
"""What happens after the first step."""
AT_ONCE = {"403-moderated": REFUSED, "429": (429, "rate_limit_error", "rate_limit_exceeded"), "500": FAILED}


@pytest.mark.parametrize(("word", "expected"), (FAILURES | AT_ONCE).items(), ids=FAILURES | AT_ONCE)
def test_a_video_that_fails_is_an_error(
    gateway: Gateway, question: str, word: str, expected: tuple[int, str, str]
) -> None:
    """A caller who doesn't stream gets its status and its code, never an answer without a video."""
    answer = film(gateway, f"{question} @{word}")

    error = error_of(answer)
    assert (answer.status_code, error["type"], error["code"]) == expected
    assert error["message"]


@pytest.mark.parametrize(("word", "expected"), FAILURES.items(), ids=FAILURES)
def test_a_stream_that_fails_ends_with_the_error(
    gateway: Gateway, sandbox: Sandbox, question: str, word: str, expected: tuple[int, str, str]
) -> None:
    """After the first step: the steps, the error, `[DONE]`, and no other account is asked."""
    answer = film(gateway, f"{question} @{word}", stream=True, reasoning_effort=None)

    assert answer.status_code == 200
    *chunks, last, done = events(answer.text)
    assert "Generating video: 1%" in streamed(chunks, "content")
    assert all(chunk["choices"][0]["finish_reason"] is None for chunk in chunks)
    assert (last["error"]["type"], last["error"]["code"]) == expected[1:]
    assert done == DONE
    assert len(sandbox.asked(question)) == 1


@both_forms
@pytest.mark.parametrize("word", ["429", "401", "500"])
def test_an_accounts_fault_moves_on_to_another(
    gateway: Gateway, calls: Calls, question: str, word: str, stream: bool
) -> None:
    """The next account makes the video, from an upload and a post of its own."""
    content = picture()
    player = Player(shown(gateway, [text(f"{question} @once-{word}"), image(content)], stream=stream))

    assert gateway.stranger.get(player.video).content == clip()
    accounts = [asked["account"] for asked in calls(CHATS)]
    assert len(set(accounts)) == len(accounts) == 2
    for path in (UPLOAD, POST):
        assert [entry["account"] for entry in calls(path)] == accounts


def test_a_limited_post_moves_on_too(
    make_gateway: GatewayFactory, sandbox: Sandbox, calls: Calls, question: str
) -> None:
    """An account that may not post, or is refused, is left alone; a super account steps in."""
    accounts = {
        Pool.BASIC: (f"sandbox-basic-{ENDLESS}-@post-429", f"sandbox-basic-{ENDLESS}-@post-401"),
        Pool.SUPER: (f"sandbox-super-post-{ENDLESS}",),
    }
    gateway = make_gateway(accounts, {**QUICK_RETRIES, "app.api_key": ""})
    shown(gateway, question)

    assert {entry["status"] for entry in calls(POST)} == {429, 401, 200}
    assert [asked["account"] for asked in sandbox.asked(question)] == list(accounts[Pool.SUPER])


@both_forms
def test_a_post_that_fails_is_an_error(
    make_gateway: GatewayFactory, sandbox: Sandbox, question: str, stream: bool
) -> None:
    """Without a post there is no video, and the caller is told that Grok failed."""
    accounts = tuple(f"sandbox-basic-{ENDLESS}-@post-{word}" for word in ("500", "empty", "page"))
    gateway = make_gateway({Pool.BASIC: accounts}, {**QUICK_RETRIES, "app.api_key": ""})
    answer = film(gateway, question, stream=stream)

    error = error_of(answer)
    assert (answer.status_code, error["type"], error["code"]) == FAILED
    assert sandbox.asked(question) == []


def test_a_video_that_cannot_be_downloaded_is_an_error(lossy: Gateway, question: str) -> None:
    """A link to Grok's own file would work for nobody but the account, so that none is given."""
    answer = film(lossy, question, video_config=HD)

    assert answer.status_code in {502, 504}
    assert error_of(answer)["code"] in {"upstream_error", "upstream_timeout"}


@pytest.mark.parametrize("word", ["hang", "video-stall"])
def test_silence_is_a_timeout(abroad: Gateway, question: str, word: str) -> None:
    """Before the first frame within `video.timeout`, later within `video.stream_timeout`: a 504."""
    answer = film(abroad, f"{question} @{word}")

    error = error_of(answer)
    assert (answer.status_code, error["type"], error["code"]) == LATE


def test_silence_within_a_stream_is_a_timeout(abroad: Gateway, question: str) -> None:
    """Steps, then the error and `[DONE]`, not a client that hangs."""
    answer = film(abroad, f"{question} @video-stall", stream=True, reasoning_effort="low")
    *chunks, last, done = events(answer.text)

    assert f"当前进度{STALLED_AT}%" in streamed(chunks, "reasoning_content")
    assert (last["error"]["type"], last["error"]["code"]) == LATE[1:]
    assert done == DONE


@both_forms
@pytest.mark.parametrize("word", ["hang", "video-stall"])
async def test_leaving_cancels_the_video(
    http: httpx.AsyncClient, sandbox: Sandbox, question: str, word: str, stream: bool
) -> None:
    """A caller who goes away stops the work at Grok within a second."""
    asked = body(f"{question} @{word}", model=MODEL, stream=stream)
    asking = asyncio.create_task(http.post(CHAT, json=asked))
    await asyncio.to_thread(eventually, lambda: sandbox.asked(question))
    asking.cancel()
    left_at = time.time()
    await asyncio.gather(asking, return_exceptions=True)

    await assert_cancelled(sandbox, question, left_at)


@pytest.mark.parametrize("effort", [None, "none"], ids=str)
def test_a_stream_has_the_shape_of_a_chat(gateway: Gateway, question: str, effort: str | None) -> None:
    """The role first, the finish reason last, every chunk under one id, and usage only when it is asked for."""
    answer = film(gateway, question, stream=True, reasoning_effort=effort)
    *chunks, done = events(answer.text)
    first, *middle, last = chunks

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert (answer.headers["cache-control"], answer.headers["x-accel-buffering"]) == ("no-cache", "no")
    assert done == DONE
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert last["choices"][0]["finish_reason"] == "stop"
    assert all(chunk["choices"][0]["finish_reason"] is None for chunk in (first, *middle))
    assert {(chunk["id"], chunk["object"], chunk["model"]) for chunk in chunks} == {
        (first["id"], "chat.completion.chunk", MODEL)
    }
    assert [chunk for chunk in chunks if chunk.get("usage")] == []


@pytest.mark.parametrize("prefix", ["", "/grok"], ids=["/v1", "/grok/v1"])
def test_the_official_client_gets_a_video(gateway: Gateway, question: str, prefix: str) -> None:
    """Streamed and whole; `video_config` is a field that the SDK doesn't know, and usage is real."""
    config = {"video_config": {"aspect_ratio": "16:9", "preset": "normal"}}
    with openai.OpenAI(base_url=f"{gateway.url}{prefix}/v1", api_key=gateway.key, max_retries=0) as client:
        whole = client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": question}], stream=False, extra_body=config
        )
        with client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": question}],
            stream=True,
            stream_options={"include_usage": True},
            extra_body=config,
        ) as stream:
            *chunks, last = stream

    assert (whole.object, whole.model) == ("chat.completion", MODEL)
    [choice] = whole.choices
    assert (choice.finish_reason, choice.message.role) == ("stop", "assistant")
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    for content in (said, choice.message.content or ""):
        assert gateway.stranger.get(Player(content.partition("</think>")[2]).video).content == clip()
    assert last.choices == []
    for usage in (last.usage, whole.usage):
        assert usage is not None
        assert min(usage.prompt_tokens, usage.completion_tokens) > 0
        assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
