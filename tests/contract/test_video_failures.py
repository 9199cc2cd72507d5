"""Videos through chat: upscaling, and what a caller gets when a video fails. Source: API contract, sections 5.4, 7."""

import asyncio
import time
from typing import Any

import httpx
import pytest

from grok_app.catalog import Pool
from grok_app.sandbox.media.videos import STALLED_AT, clip
from tests.conftest import ENDLESS, QUICK_RETRIES, GatewayFactory
from tests.contract.film import CHINESE, HD, MODEL, Player, film, shown, steps
from tests.contract.media import CHATS, DOWNLOAD, POST, UPLOAD, UPSCALE, Calls, image, picture, text
from tests.contract.test_disconnect import assert_cancelled
from tests.contract.test_thinking import parts
from tests.contract.wire import CHAT, DONE, body, error_of, events, streamed
from tests.servers import Gateway, Sandbox, eventually

FAILED = (502, "server_error", "upstream_error")
REFUSED = (403, "permission_error", "content_policy_violation")
LATE = (504, "server_error", "upstream_timeout")

both_forms = pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])


def test_720p_of_a_basic_account_is_upscaled(abroad: Gateway, calls: Calls, question: str) -> None:
    """Grok makes it larger after it is finished; the step is a line of the thinking, and the larger file is kept."""
    lines = steps(abroad, question, video_config=HD, reasoning_effort="low")

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
    assert "Upscaling video" not in steps(gateway, question, video_config=config)
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
        content, _ = parts(unscaled, f"{question} {number}", stream=True, model=MODEL, video_config=HD)
        lines, _, answer = content.partition("\n</think>\n")
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


@pytest.fixture(scope="module")
def limited(make_gateway: GatewayFactory) -> Gateway:
    """A gateway whose basic accounts may not post."""
    accounts = {
        Pool.BASIC: (f"sandbox-basic-{ENDLESS}-@post-429", f"sandbox-basic-{ENDLESS}-@post-401"),
        Pool.SUPER: (f"sandbox-super-post-{ENDLESS}",),
    }
    return make_gateway(accounts, {**QUICK_RETRIES, "app.api_key": ""})


def test_a_limited_post_moves_on_too(limited: Gateway, sandbox: Sandbox, calls: Calls, question: str) -> None:
    """An account that may not post is left alone, and the super account steps in."""
    shown(limited, question)

    assert {entry["status"] for entry in calls(POST)} == {429, 401, 200}
    [asked] = sandbox.asked(question)
    assert asked["account"].startswith("sandbox-super")


@pytest.fixture(scope="module")
def broken(make_gateway: GatewayFactory) -> Gateway:
    """A gateway for all of whose accounts posts fail."""
    accounts = tuple(f"sandbox-basic-{ENDLESS}-@post-{word}" for word in ("500", "empty", "page"))
    return make_gateway({Pool.BASIC: accounts}, {**QUICK_RETRIES, "app.api_key": ""})


@both_forms
def test_a_post_that_fails_is_an_error(broken: Gateway, sandbox: Sandbox, question: str, stream: bool) -> None:
    """Without a post there is no video, and the caller is told that Grok failed."""
    answer = film(broken, question, stream=stream)

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
