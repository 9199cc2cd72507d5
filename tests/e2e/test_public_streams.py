"""A page of somebody else's making draws and films with nothing but `fetch`, `EventSource` and `WebSocket`.

It does what the pages of grok2api do. Source: API contract, section 9.
"""

from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from .conftest import Demo
from .test_video_plays import check_playing

pytestmark = pytest.mark.asyncio(loop_scope="session")  # the browser lives in one loop

SCRIPT = """
const seen = {sse: [], ws: [], film: [], progress: []};
const ended = {};

async function ask(path, body) {
    const answer = await fetch(`/v1/public/${path}`, {
        method: "POST",
        headers: {"Content-Type": "application/json", Authorization: `Bearer ${window.key}`},
        body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(await answer.text());
    return answer.json();
}

function keep(events, event) {
    if (event.b64_json && event.stage === "final") {
        const picture = document.createElement("img");
        picture.src = `data:image/jpeg;base64,${event.b64_json}`;
        document.body.append(picture);
    }
    delete event.b64_json;
    events.push(event);
}

function drawByEvents(taskId) {
    const source = new EventSource(`/v1/public/imagine/sse?task_id=${taskId}`);
    source.onmessage = ({data}) => {
        keep(seen.sse, JSON.parse(data));
        if (seen.sse.at(-1).status === "stopped") {
            source.close();
            ended.sse = "stopped";
        }
    };
    source.onerror = () => { ended.sse = "lost"; source.close(); };
}

function drawBySocket(taskId) {
    const socket = new WebSocket(`${location.origin.replace("http", "ws")}/v1/public/imagine/ws?task_id=${taskId}`);
    socket.onopen = () => socket.send(JSON.stringify({type: "start", prompt: window.prompts.ws, aspect_ratio: "3:2"}));
    socket.onmessage = ({data}) => keep(seen.ws, JSON.parse(data));
    socket.onclose = ({code}) => { ended.ws = code; };
}

function film(taskId) {
    const source = new EventSource(`/v1/public/video/sse?task_id=${taskId}`);
    source.addEventListener("progress", ({data}) => seen.progress.push(JSON.parse(data).progress));
    source.onmessage = ({data}) => {
        if (data === "[DONE]") {
            source.close();
            ended.film = "done";
        } else {
            seen.film.push(JSON.parse(data));
        }
    };
    source.onerror = () => { ended.film = "lost"; source.close(); };
}
"""
PAGE = f'<!doctype html><link rel="icon" href="data:,"><title>Studio</title><body><script>{SCRIPT}</script></body>'
DRAW = """async prompts => {
    window.prompts = prompts;
    const tasks = {};
    for (const way of ["sse", "ws"]) {
        tasks[way] = (await ask("imagine/start", {prompt: prompts[way], aspect_ratio: "3:2", nsfw: false})).task_id;
    }
    drawByEvents(tasks.sse);
    drawBySocket(tasks.ws);
    return [tasks.sse, tasks.ws];
}"""
HAVE_FINALS = """count => [seen.sse, seen.ws].every(
    events => events.filter(event => event.type === "image_generation.completed").length >= count
)"""
DECODE = """async () => {
    const pictures = [...document.images];
    await Promise.all(pictures.map(picture => picture.decode()));
    return pictures.map(picture => picture.naturalWidth / picture.naturalHeight);
}"""
FILM = """async prompt => {
    const {task_id, aspect_ratio} = await ask("video/start", {prompt, aspect_ratio: "3:2", image_url: null});
    film(task_id);
    return aspect_ratio;
}"""
OPEN = """url => new Promise(tell => {
    const socket = new WebSocket(url);
    socket.onopen = () => tell(true);
    socket.onerror = () => tell(false);
})"""
MORE_THAN_A_BATCH = 7
PATIENCE_MS = 40_000
"""The simulated Grok takes its time: some 7 s for six pictures."""


@pytest_asyncio.fixture(loop_scope="session")
async def studio(page: Page, demo: Demo) -> Page:
    """The page, on the gateway's own origin and with the visitors' key.

    It takes the place of a real answer: from a made-up one Chromium opens no socket into the local network. That
    answer's policy, which lets a page do nothing, goes with it.
    """
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("Page.setBypassCSP", {"enabled": True})
    await page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
    await page.goto("/healthz")
    await page.set_content(PAGE)
    await page.evaluate("key => { window.key = key; }", demo.public_key)
    return page


def completed(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The finished pictures among the events."""
    return [event for event in events if event["type"] == "image_generation.completed"]


async def test_a_page_draws_without_end_until_it_stops(studio: Page) -> None:
    """By events and by a socket at once: batch after batch, pictures that a browser shows, and a clean end."""
    prompts = {"sse": "A red teapot", "ws": "A blue teapot"}
    tasks = await studio.evaluate(DRAW, prompts)
    await studio.wait_for_function(HAVE_FINALS, arg=MORE_THAN_A_BATCH, timeout=PATIENCE_MS)
    stopped = await studio.evaluate("task_ids => ask('imagine/stop', {task_ids})", tasks)
    await studio.wait_for_function("ended.sse && ended.ws", timeout=5_000)
    seen, ended = await studio.evaluate("[seen, ended]")
    shapes = await studio.evaluate(DECODE)

    assert stopped == {"status": "success", "removed": 2}
    assert ended == {"sse": "stopped", "ws": 1000}
    for way, prompt in prompts.items():
        first, *_, last = seen[way]
        assert (first["type"], first["status"], first["prompt"]) == ("status", "running", prompt)
        assert (last["status"], last["run_id"]) == ("stopped", first["run_id"])
        assert [event for event in seen[way] if event["type"] == "error"] == []
        ids = [event["image_id"] for event in completed(seen[way])]
        assert len(ids) == len(set(ids)) >= MORE_THAN_A_BATCH
    assert len(shapes) >= 2 * MORE_THAN_A_BATCH
    assert shapes == pytest.approx([1.5] * len(shapes), rel=0.05)


async def test_a_page_films_and_the_video_plays(studio: Page) -> None:
    """Progress as numbers, the player as text, and an end after which the browser doesn't come back."""
    ratio = await studio.evaluate(FILM, "A ball that jumps")
    await studio.wait_for_function("ended.film", timeout=PATIENCE_MS)
    seen, ended = await studio.evaluate("[seen, ended]")
    deltas = [choice["delta"] for chunk in seen["film"] for choice in chunk["choices"]]
    text = "".join(delta.get("content") or "" for delta in deltas)

    assert (ratio, ended) == ("3:2", {"film": "done"})
    assert seen["progress"] == sorted(set(seen["progress"]))
    assert (len(seen["progress"]) > 2, seen["progress"][-1]) == (True, 100)
    await studio.evaluate("html => { document.body.innerHTML = html; }", text.rpartition("</think>")[2])
    await check_playing(studio, studio.locator("video"))


async def test_a_page_of_another_site_is_kept_out(studio: Page, browser: Browser, demo: Demo) -> None:
    """A socket that another origin's page opens is refused, even with the key; its own page's is not."""
    url = f"{demo.url.replace('http', 'ws')}/v1/public/imagine/ws?public_key={demo.public_key}"
    foreign = await browser.new_page()
    await foreign.goto(demo.sandbox_url)
    is_open_elsewhere = await foreign.evaluate(OPEN, url)
    await foreign.close()

    assert not is_open_elsewhere
    assert await studio.evaluate(OPEN, url)
