"""The WebSocket that draws pictures, on a real connection."""

import asyncio
from base64 import b64decode
from typing import Any
from uuid import uuid4

import httpx
import pytest
from curl_cffi import CurlError
from curl_cffi.requests.websockets import WebSocketError

from .conftest import Caller, cookies_of
from .media import image_of, painter

UPGRADE = {
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def fresh(suffix: str = "") -> str:
    """An account that no other test has used."""
    return f"sandbox-basic-{uuid4().hex[:8]}{suffix}"


def of_type(frames: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """The frames of one type."""
    return [frame for frame in frames if frame["type"] == kind]


async def test_every_picture_passes_three_stages(real: Caller) -> None:
    """Preview, medium and final under one id, told apart by the length of the base64 text (section 4.1)."""
    async with painter(real) as grok:
        await grok.ask("a red teapot", num_generations=2)
        frames = await grok.until(2)
    pictures = of_type(frames, "image")
    lengths = [len(picture["blob"]) for picture in pictures]
    assert [("small" if n < 30_000 else "medium" if n < 100_000 else "large") for n in lengths] == [
        "small",
        "small",
        "medium",
        "medium",
        "large",
        "large",
    ]
    assert len({picture["id"] for picture in pictures}) == 2
    for picture in pictures:
        extension = "jpg" if picture["percentage_complete"] == 100 else "png"
        assert picture["url"] == f"https://imagine-public.x.ai/imagine-public/images/{picture['id']}.{extension}"


async def test_without_a_number_six_pictures_come(real: Caller) -> None:
    """As in February 2026; each is completed after its final stage."""
    async with painter(real, fresh()) as grok:
        await grok.ask("a cat")
        frames = await grok.until(6)
    assert sum(frame.get("percentage_complete") == 100 for frame in frames) == 6
    assert frames[-1]["current_status"] == "completed"


@pytest.mark.parametrize("aspect", ["16:9", "9:16", "3:2", "2:3", "1:1"])
async def test_pictures_have_the_shape_that_was_asked_for(real: Caller, aspect: str) -> None:
    """A final JPEG whose sides are in that ratio, and that anybody can download."""
    async with painter(real, fresh()) as grok:
        await grok.ask("a cat", aspect_ratio=aspect, num_generations=1)
        final = of_type(await grok.until(1), "image")[-1]
    content = b64decode(final["blob"])
    picture = image_of(content)
    width, height = map(int, aspect.split(":"))
    assert (picture.format, picture.width * height) == ("JPEG", picture.height * width)
    response = await real.http.get(httpx.URL(final["url"]).path)
    assert (response.headers["content-type"], response.content) == ("image/jpeg", content)


async def test_a_socket_takes_prompts_and_resets_one_after_the_other(real: Caller) -> None:
    """Each prompt costs 4."""
    account = fresh()
    async with painter(real, account) as grok:
        await grok.say({"type": "reset"})
        await grok.ask("first", num_generations=1)
        await grok.until(1)
        await grok.say({"type": "reset"})
        await grok.ask("second", num_generations=1)
        await grok.until(1)
    state = await real.state_of(account)
    assert state["total"] - state["remaining"] == 8


async def test_many_sockets_draw_at_once(real: Caller) -> None:
    """Ten at a time, each with its own pictures."""

    async def one(number: int) -> set[str]:
        async with painter(real, fresh()) as grok:
            await grok.ask(f"picture {number}", num_generations=2)
            return {picture["id"] for picture in of_type(await grok.until(2), "image")}

    found = await asyncio.gather(*(one(number) for number in range(10)))
    assert len(set().union(*found)) == 20


async def test_open_sockets_are_counted(real: Caller) -> None:
    """Apart from the streams, and no longer when the client has left."""

    async def count() -> int:
        number: int = (await real.http.get("/sandbox/state")).json()["open_sockets"]
        return number

    before = await count()
    async with painter(real, fresh()) as grok:
        await grok.ask("@ws-silent")
        during = await count()
    async with asyncio.timeout(2):
        while await count() > before:
            pass
    assert during == before + 1


@pytest.mark.parametrize(
    ("account", "status", "part"),
    [
        ("nobody", 401, "bad-credentials"),
        ("sandbox-basic-@429", 429, "Too many requests"),
        ("sandbox-basic-@403-challenge", 403, "Just a moment"),
        ("sandbox-basic-@403-moderated", 403, "content-moderated"),
    ],
)
async def test_an_upgrade_is_refused_with_status_and_body(real: Caller, account: str, status: int, part: str) -> None:
    """By the words in the account's name, as on every call."""
    response = await real.http.get("/ws/imagine/listen", headers={**UPGRADE, **cookies_of(account)})
    assert response.status_code == status
    assert part in response.text


async def test_a_spent_quota_gives_an_error_frame(real: Caller) -> None:
    """rate_limit_exceeded, and the socket stays open."""
    async with painter(real, fresh("-quota3")) as grok:
        await grok.ask("a cat")
        assert (await grok.frame())["err_code"] == "rate_limit_exceeded"


async def test_blocked_is_silent_after_the_medium_stage(real: Caller) -> None:
    """@blocked: no final, no word."""
    async with painter(real, fresh()) as grok:
        await grok.ask("@blocked", num_generations=1)
        frames = [await grok.frame() for _ in range(3)]
        with pytest.raises((WebSocketError, CurlError)):
            await grok.frame(within_s=0.3)
    assert [frame.get("percentage_complete") for frame in frames] == [None, 25, 50]


@pytest.mark.parametrize(
    ("text", "is_allowed", "verdicts"),
    [
        ("@moderated", True, [True, True]),
        ("@moderated-one", True, [True, False]),
        ("@nsfw", False, [True, True]),
        ("@nsfw", True, [False, False]),
    ],
)
async def test_moderated_pictures_have_no_final_stage(
    real: Caller, text: str, is_allowed: bool, verdicts: list[bool]
) -> None:
    """The verdict comes with `completed`."""
    async with painter(real, fresh()) as grok:
        await grok.ask(text, num_generations=2, enable_nsfw=is_allowed)
        frames = await grok.until(2)
    assert [frame["moderated"] for frame in frames if frame.get("current_status") == "completed"] == verdicts
    finals = [frame for frame in frames if frame.get("percentage_complete") == 100]
    assert len(finals) == verdicts.count(False)


@pytest.mark.parametrize(
    ("word", "codes", "images"),
    [
        ("ws-429", ["rate_limit_exceeded"], 0),
        ("ws-error", ["internal_error"], 0),
        ("ws-close", [], 1),
        ("ws-partial", [], 3),
    ],
)
async def test_a_socket_may_be_closed_early(real: Caller, word: str, codes: list[str], images: int) -> None:
    """After an error frame, or without one."""
    async with painter(real, fresh()) as grok:
        await grok.ask(f"@{word}", num_generations=1)
        frames = [frame async for frame in grok.to_the_end()]
    assert [frame["err_code"] for frame in frames if frame["type"] == "error"] == codes
    assert len(of_type(frames, "image")) == images


async def test_garbage_is_no_picture(real: Caller) -> None:
    """@ws-garbage: the first message isn't even JSON."""
    async with painter(real, fresh()) as grok:
        await grok.ask("@ws-garbage")
        assert await grok.socket.recv_str(timeout=3) == "this is not JSON"


async def test_unknown_messages_leave_the_pictures_whole(real: Caller) -> None:
    """@ws-unknown."""
    async with painter(real, fresh()) as grok:
        await grok.ask("@ws-unknown", num_generations=1)
        frames = await grok.until(1)
    assert "ping" in {frame["type"] for frame in frames}
    assert frames[-2]["percentage_complete"] == 100


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"type": "input_text"},
        {"text": "a", "requestId": "r", "properties": 5},
        {"text": "a", "requestId": "r", "properties": {"aspect_ratio": "7:5"}},
        {"text": "a", "requestId": "r", "properties": {"num_generations": True}},
    ],
    ids=["empty", "no text", "properties", "aspect", "number"],
)
async def test_a_malformed_prompt_gives_an_error_frame(real: Caller, content: dict[str, Any]) -> None:
    """And costs nothing; the socket stays usable."""
    account = fresh()
    async with painter(real, account) as grok:
        await grok.say(content)
        assert (await grok.frame())["err_code"] == "invalid_argument"
        assert (await real.state_of(account))["remaining"] == 80
        await grok.ask("good", num_generations=1)
        await grok.until(1)
