"""A video of an answer plays in a browser, as a chat page would show it and by its address alone."""

import re

import httpx
import pytest
from playwright.async_api import Locator, Page, Response, Route, expect

from .conftest import Demo

pytestmark = pytest.mark.asyncio(loop_scope="session")  # the browser lives in one loop

MODEL = "grok-imagine-1.0-video"
LENGTH_S = 6
SEEK_S = 4
MAKING_S = 15
"""The simulated Grok takes its time, some 5 s."""
READY = "video => video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA"
PLAY = """async video => {
    video.muted = true;  // without it a browser plays only after a click
    await video.play();
    await new Promise(advanced => { video.ontimeupdate = () => video.currentTime > 0.2 && advanced(); });
    video.pause();
    return video.currentTime;
}"""
SEEK = """async (video, seconds) => {
    const found = new Promise(sought => { video.onseeked = sought; });
    video.currentTime = seconds;
    await found;
    return [video.currentTime, video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA];
}"""


@pytest.fixture(scope="session")
def answer(demo: Demo) -> str:
    """What a chat answers who was asked for a video."""
    asked = {
        "model": MODEL,
        "messages": [{"role": "user", "content": "A ball that jumps"}],
        "stream": False,
        "reasoning_effort": "none",
    }
    headers = {"Authorization": f"Bearer {demo.api_key}"}
    whole = httpx.post(f"{demo.url}/v1/chat/completions", json=asked, headers=headers, timeout=MAKING_S)
    content: str = whole.raise_for_status().json()["choices"][0]["message"]["content"]
    return content


async def check_playing(page: Page, video: Locator) -> None:
    """It has a picture, goes on when it is played, and goes to where it is sent."""
    await expect(video).to_have_count(1)
    await page.wait_for_function(READY, arg=await video.element_handle())
    assert await video.evaluate("video => [video.videoWidth, video.videoHeight]") == [480, 320]
    assert await video.evaluate("video => video.duration") == pytest.approx(LENGTH_S, abs=0.1)
    assert await video.evaluate("video => video.seekable.end(0)") == pytest.approx(LENGTH_S, abs=0.1)
    assert await video.evaluate(PLAY) > 0
    assert await video.evaluate(SEEK, SEEK_S) == [SEEK_S, True]


async def test_the_player_of_an_answer_plays(page: Page, answer: str) -> None:
    """A page that shows the answer as it is has a player with a poster, in which one can seek."""
    media: list[Response] = []

    async def show(route: Route) -> None:
        await route.fulfill(content_type="text/html", body=f'<link rel="icon" href="data:,">{answer}')

    page.on("response", lambda it: media.append(it) if "/v1/files/" in it.url else None)
    await page.route("**/shown", show)
    await page.goto("/shown")

    await check_playing(page, page.locator("video"))
    kinds = {re.split(r"[;/]", response.headers["content-type"])[0]: response.status for response in media}
    assert kinds == {"video": 206, "image": 200}


async def test_the_address_of_a_video_plays(page: Page, answer: str) -> None:
    """Whoever opens the link gets the browser's own player."""
    found = re.search(r'<source[^>]* src="([^"]+)"', answer)
    assert found
    await page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
    await page.goto(found[1])

    await check_playing(page, page.locator("video"))
