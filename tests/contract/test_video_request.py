"""Videos through chat: what may be asked for, and what Grok gets. Source: API contract, sections 5.1 and 7."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.contract.film import HD, Player, film, shown
from tests.contract.media import CHATS, POST, UPLOAD, UPSCALE, Calls, attach, data_uri, image, opened, picture, text
from tests.contract.wire import error_of
from tests.servers import Gateway, Sandbox

RED = (255, 0, 0)
BLUE = (0, 0, 255)

both_forms = pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])


def config_of(asked: dict[str, Any]) -> dict[str, Any]:
    """What a request to Grok says about the video, without its post."""
    models: dict[str, Any] = asked["body"]["responseMetadata"]["modelConfigOverride"]["modelMap"]
    return {name: value for name, value in models["videoGenModelConfig"].items() if name != "parentPostId"}


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
