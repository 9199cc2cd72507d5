"""A visitor talks: with a microphone that Chromium makes up, and the real LiveKit client up to where sound begins.

The sandbox has LiveKit's signalling and no sound. What comes after that is tried with a stand-in for the client's
library, see `livekit_client.js`; the rules are tried in `tests/ui/scripts`.
"""

import json
import re
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from tests.servers import eventually

from .conftest import BROWSER_ARGUMENTS, CHROMIUM, Demo, Profile, open_as_visitor
from .console import find_barriers

FAKE_MICROPHONE: Final = "--use-fake-device-for-media-stream"
CLIPBOARD: Final = ("clipboard-read", "clipboard-write")
STAND_IN: Final = Path(__file__).with_name("livekit_client.js")
TOKEN: Final = "**/v1/public/voice/token"
RECORDING: Final = """
const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
globalThis.opened = [];
navigator.mediaDevices.getUserMedia = async (wish) => {
  const stream = await open(wish);
  opened.push(...stream.getTracks());
  return stream;
};
"""
IS_MICROPHONE_OPEN: Final = "opened.some((track) => track.readyState === 'live')"
NO_TOKEN: Final = {"message": "No available tokens for voice mode", "code": "no_token"}
WITHOUT_A_SESSION: Final = {
    "no secure page": (
        "Object.defineProperty(window, 'isSecureContext', { value: false });"
        "Object.defineProperty(navigator, 'mediaDevices', { value: undefined });",
        "Open this page with https://",
    ),
    "no calls": ("delete window.RTCPeerConnection;", "Use a current Chrome"),
    "no microphone": (
        "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotFoundError'); };",
        "There is no microphone. Connect one",
    ),
    "microphone in use": (
        "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotReadableError'); };",
        "Close other programs",
    ),
}
pytestmark = pytest.mark.asyncio(loop_scope="session")  # the browser lives in one loop


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser() -> AsyncGenerator[Browser, None]:
    """A Chromium whose microphone beeps once a second."""
    async with async_playwright() as playwright:
        arguments = [*BROWSER_ARGUMENTS, FAKE_MICROPHONE]
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def voice(profile: Profile, page: Page, demo: Demo) -> Page:
    """The voice page of a visitor who has allowed the microphone; `opened` are the tracks it was opened with."""
    await profile.context.grant_permissions(["microphone", *CLIPBOARD])
    await page.add_init_script(RECORDING)
    await open_as_visitor(page, demo, "/voice")
    return page


@pytest_asyncio.fixture(loop_scope="session")
async def call(voice: Page) -> Page:
    """The voice page in a session, with the stand-in for LiveKit's client; `room` is its room."""
    script = STAND_IN.read_text()
    await voice.route("**/livekit-client*.js", lambda it: it.fulfill(body=script, content_type="text/javascript"))
    await start(voice)
    await expect(voice.get_by_role("heading", name="Connected")).to_be_visible()
    return voice


async def start(page: Page) -> None:
    """Begin to talk."""
    await page.get_by_role("button", name="Start talking").click()


def asked_of(demo: Demo, path: str) -> list[dict[str, Any]]:
    """What the sandbox was asked for there, oldest first."""
    requests = httpx.get(f"{demo.sandbox_url}/sandbox/requests").json()
    return [request for request in requests if request["path"].partition("?")[0] == path]


def log(page: Page) -> Locator:
    """The lines of the session's log."""
    return page.locator(".voice-log")


def failure(page: Page) -> Locator:
    """What stands where the session would be."""
    return page.locator(".voice-failure")


async def test_the_session_that_was_chosen_is_entered_and_its_silence_told(voice: Page, demo: Demo) -> None:
    """Grok is asked for what was chosen before a reload. Where no sound gets through, the page says so and ends."""
    await voice.get_by_role("radio", name="Leo").click()
    await voice.get_by_label("Personality").select_option("meditation")
    await voice.locator("#speed").fill("1.3")
    await expect(voice.locator("#fact-speed")).to_have_text("1.3×")
    await voice.reload()
    await voice.wait_for_selector("#hydrated", state="attached")
    await expect(voice.get_by_role("radio", name="Leo")).to_be_checked()
    await expect(voice.locator("#fact-speed")).to_have_text("1.3×")

    await start(voice)
    await expect(voice.get_by_role("heading", name="Connecting")).to_be_visible()
    await expect(voice.get_by_role("radio", name="Leo")).to_be_disabled()
    await expect(voice.locator("#fact-server")).to_have_text(re.compile(r"^127\.0\.0\.1:\d+$"))
    wanted = json.loads(asked_of(demo, "/rest/livekit/tokens")[-1]["body"]["sessionPayload"])
    assert (wanted["voice"], wanted["personality"], wanted["playback_speed"]) == ("leo", "meditation", 1.3)
    await expect(log(voice)).to_contain_text("The server let us in")
    assert asked_of(demo, "/rtc/v1")[-1]["status"] == 101

    await expect(failure(voice)).to_contain_text("answered, but no sound gets through", timeout=25_000)
    await expect(voice.locator("[data-sonner-toast]", has_text="no sound gets through")).to_be_visible()
    assert not await voice.evaluate(IS_MICROPHONE_OPEN)
    eventually(lambda: asked_of(demo, "/rtc/v1")[-1]["state"] != "open")
    await expect(voice.get_by_role("radio", name="Leo")).to_be_enabled()


async def test_a_double_click_starts_and_does_not_hang_up(voice: Page) -> None:
    """The button to hang up is where the one to start was."""
    await voice.get_by_role("button", name="Start talking").dblclick()
    await expect(log(voice)).to_contain_text("The server let us in")


async def test_leaving_the_page_hangs_up(voice: Page, demo: Demo) -> None:
    """The microphone is closed and the session left, also on the way to another page of the studio."""
    await start(voice)
    await expect(log(voice)).to_contain_text("The server let us in")
    assert await voice.evaluate(IS_MICROPHONE_OPEN)
    await voice.get_by_role("link", name="Video").click()
    await expect(voice.locator("#prompt")).to_be_visible()
    await voice.wait_for_function(f"() => !({IS_MICROPHONE_OPEN})")
    eventually(lambda: asked_of(demo, "/rtc/v1")[-1]["state"] != "open")


LEVEL: Final = """name => document.querySelector(`.of-${name} [role=meter]`).ariaValueNow"""
"""Looked at with each frame: Chromium's microphone beeps for a moment each second."""


async def test_a_call_has_sound_and_words_and_ends(call: Page) -> None:
    """Both levels move, what is said stands there with who said it, and hanging up closes the microphone."""
    await call.wait_for_function(f"() => ({LEVEL})('you') >= 10")
    await call.evaluate("room.speak()")
    await call.wait_for_function(f"() => ({LEVEL})('grok') >= 10")
    assert not await call.evaluate("room.player.paused")
    await call.evaluate(
        """for (const [text, identity] of [["Hel", "grok"], ["Hello.", "grok"], ["Hi!", "visitor"]])
             room.emit("TranscriptionReceived", [{ id: identity, text, final: true }], { identity })"""
    )
    await expect(call.locator(".voice-words p")).to_have_text(["GrokHello.", "YouHi!"])

    await call.get_by_role("button", name="Mute").click()
    await expect(call.get_by_role("button", name="Unmute")).to_be_visible()
    assert await call.evaluate("room.isMuted")
    await call.get_by_role("button", name="Unmute").click()
    await expect(log(call)).to_contain_text("Microphone muted")
    await call.evaluate("room.emit('Reconnecting')")
    await expect(call.get_by_role("heading", name="Connecting again")).to_be_visible()
    await call.evaluate("room.emit('Reconnected')")
    await call.get_by_role("button", name="Hang up").click()
    await expect(call.get_by_role("button", name="Start talking")).to_be_visible()
    assert await call.evaluate("room.isLeft")
    assert not await call.evaluate(IS_MICROPHONE_OPEN)
    await expect(call.locator(".voice-words p")).to_have_count(2)


async def test_held_back_sound_is_asked_for(call: Page) -> None:
    """A browser that plays nothing by itself does at a click."""
    await call.evaluate("room.canPlaybackAudio = false; room.emit('AudioPlaybackStatusChanged', false)")
    await call.get_by_role("button", name="Play Grok's voice").click()
    await expect(call.get_by_role("button", name="Play Grok's voice")).to_have_count(0)


async def test_an_end_by_the_server_is_told(call: Page) -> None:
    """It is no failure of the visitor's network, and the microphone is closed."""
    await call.evaluate("room.emit('Disconnected', 5)")
    await expect(failure(call)).to_have_text("Grok ended the session. Start again to go on talking.")
    assert not await call.evaluate(IS_MICROPHONE_OPEN)


@pytest.mark.parametrize(("script", "advice"), WITHOUT_A_SESSION.values(), ids=WITHOUT_A_SESSION.keys())
async def test_without_a_microphone_nothing_is_spent(page: Page, demo: Demo, script: str, advice: str) -> None:
    """The page says why there is none and what to do, and asks Grok for nothing."""
    await page.add_init_script(script)
    await open_as_visitor(page, demo, "/voice")
    before = len(asked_of(demo, "/rest/livekit/tokens"))
    await start(page)
    await expect(failure(page)).to_contain_text(advice)
    await expect(page.locator("[data-sonner-toast]", has_text=advice)).to_be_visible()
    assert len(asked_of(demo, "/rest/livekit/tokens")) == before


async def test_a_microphone_that_is_not_allowed_is_told_in_both_languages(page: Page, demo: Demo) -> None:
    """With where to allow it. The browser refuses what its visitor has not granted."""
    await open_as_visitor(page, demo, "/voice")
    await start(page)
    await expect(failure(page)).to_contain_text("Allow it for this site at the address bar")
    await page.locator("#language").click()
    await expect(failure(page)).to_contain_text("本站未获准使用麦克风。请在地址栏处")
    await expect(log(page)).to_contain_text("本站未获准使用麦克风")
    await expect(page.get_by_role("heading", name="未连接")).to_be_visible()


async def test_without_an_account_the_server_is_quoted(voice: Page, profile: Profile) -> None:
    """And the visitor knows whom to ask; the microphone is closed again."""
    await voice.route(TOKEN, lambda it: it.fulfill(status=503, json={"error": NO_TOKEN}))
    await start(voice)
    await expect(failure(voice)).to_contain_text("No available tokens for voice mode. Wait a few minutes")
    assert not await voice.evaluate(IS_MICROPHONE_OPEN)
    await voice.locator("#fetch-token").click()
    await expect(
        voice.locator("[data-sonner-toast]", has_text="No available tokens for voice mode").first
    ).to_be_visible()
    profile.forgive("503")


async def test_an_unreachable_gateway_is_told(voice: Page, profile: Profile) -> None:
    """It is this site that did not answer."""
    await voice.route(TOKEN, lambda it: it.abort())
    await start(voice)
    await expect(failure(voice)).to_contain_text("This site did not answer")
    profile.forgive("net::ERR_FAILED")


async def test_an_unreachable_voice_server_is_told(voice: Page) -> None:
    """By its name, with what may stand in between."""
    await voice.route_web_socket("**/rtc/**", lambda socket: socket.close())
    await start(voice)
    await expect(failure(voice)).to_contain_text(re.compile(r"The voice server 127\.0\.0\.1:\d+ can't be reached"))
    assert not await voice.evaluate(IS_MICROPHONE_OPEN)


async def test_a_token_that_does_not_count_is_told(voice: Page, demo: Demo, profile: Profile) -> None:
    """In the voice server's words, for which it is asked over HTTP: the page's policy allows both of its origins."""
    names = {"participant_name": "", "room_name": ""}
    answer = {"token": "forged", "url": demo.sandbox_url.replace("http", "ws", 1), **names}
    await voice.route(TOKEN, lambda it: it.fulfill(json=answer))
    await start(voice)
    await expect(failure(voice)).to_contain_text("did not accept the token: ")
    await expect(failure(voice)).to_contain_text("invalid authorization token")
    for words in ("/rtc/v1", "401"):
        profile.forgive(words)


async def test_a_token_alone_is_shown_when_asked_for(voice: Page, demo: Demo) -> None:
    """Masked, with its address, to be revealed and copied; no session begins and no microphone is opened."""
    await voice.locator("#fetch-token").click()
    token = voice.locator("#voice-token")
    await expect(token).to_have_text(re.compile(r"^•+$"))
    await expect(voice.locator("#fact-url")).to_have_text(demo.sandbox_url.replace("http", "ws", 1))
    await expect(voice.locator("#fact-room")).to_contain_text("room-")
    await voice.get_by_role("button", name="Copy the token").click()
    await expect(voice.get_by_role("button", name="Copied")).to_be_visible()
    copied = await voice.evaluate("navigator.clipboard.readText()")
    await voice.get_by_role("button", name="Show the token").click()
    await expect(token).to_have_text(copied)
    assert copied.count(".") == 2
    assert await voice.evaluate("opened.length") == 0


async def test_the_log_is_copied_and_cleared_without_the_token(call: Page) -> None:
    """What was cleared by mistake can be had again."""
    await call.get_by_role("button", name="Copy the log").click()
    await expect(call.get_by_role("button", name="Copied")).to_be_visible()
    copied = await call.evaluate("navigator.clipboard.readText()")
    assert re.match(r"\d{4}-\d\d-\d\dT\S+Z Started with voice ara, personality assistant, speed 1\n", copied)
    assert "Token received for user-" in copied
    assert "eyJ" not in copied
    await call.get_by_role("button", name="Clear the log").click()
    await expect(call.get_by_text("Nothing yet.")).to_be_visible()
    await call.get_by_role("button", name="Undo").click()
    await expect(log(call)).to_contain_text("Started with voice ara")


@pytest.mark.parametrize("width", [375, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everyone_can_use_it(call: Page, width: int, scheme: str) -> None:
    """Axe finds no barrier in a session, its token shown, nor after a failure; nothing is wider than the screen."""
    await call.set_viewport_size({"width": width, "height": 800})
    if scheme == "dark":
        await call.locator("#color-mode").dispatch_event("click")
    await call.locator("#fetch-token").click()
    await expect(call.locator("#voice-token")).to_be_visible()
    await call.evaluate("room.emit('TranscriptionReceived', [{ id: 'a', text: 'Hello', final: false }], {})")
    await expect(call.locator(".voice-words p")).to_be_visible()
    assert await find_barriers(call) == []
    await call.evaluate("room.emit('Disconnected')")
    await expect(failure(call)).to_contain_text("was lost")
    assert await find_barriers(call) == []
    widths = "[document.documentElement, document.querySelector('main')].map((it) => it.scrollWidth - it.clientWidth)"
    assert await call.evaluate(widths) == [0, 0]
