"""A visitor chats: real browser, real server, real HTTP to a simulated Grok."""

import base64
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from playwright.async_api import Browser, FilePayload, Locator, Page, expect

from tests.servers import eventually

from .conftest import Demo, Profile, open_as_visitor, open_page, send
from .console import find_barriers

pytestmark = pytest.mark.asyncio(loop_scope="session")  # the browser lives in one loop

DOT: Final = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="  # a png
ANSWERS: Final = "**/v1/public/chat/completions"
KEPT: Final = """() => new Promise((resolve) => {
    const opening = indexedDB.open("grok_app_chat");
    opening.onsuccess = () => {
        const reading = opening.result.transaction("turns").objectStore("turns").getAll();
        reading.onsuccess = () => (opening.result.close(), resolve(reading.result));
    };
})"""
"""All turns that the browser keeps."""
DROPPED: Final = """([content, name]) => {
    const data = new DataTransfer();
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    data.items.add(new File([bytes], name, { type: "image/png" }));
    return data;
}"""
"""A picture on its way by mouse or clipboard."""
PASTE: Final = """(field, clipboardData) => field.dispatchEvent(
    new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true })
)"""


def picture(name: str = "dot.png") -> FilePayload:
    """A picture as a file of the visitor's."""
    return FilePayload(name=name, mimeType="image/png", buffer=base64.b64decode(DOT))


async def answered(page: Page, message: str, turns: int = 1) -> None:
    """Send a message and wait for the end of its answer."""
    await send(page, message)
    await expect(page.locator(".answer-actions")).to_have_count(turns)


async def begun(page: Page) -> None:
    """Ask for a long answer and wait until some of it is there."""
    await send(page, "@long hello")
    await expect(page.locator(".markdown")).not_to_be_empty()


async def asked_with(page: Page, ask: Callable[[], Awaitable[object]]) -> Any:
    """What the server is asked for."""
    async with page.expect_request(ANSWERS) as request:
        await ask()
    return (await request.value).post_data_json


def text_of(file: Path) -> str:
    """What is in a file that was saved."""
    return file.read_text()


def rows(page: Page) -> Locator:
    """The conversations of the list."""
    return page.locator(".history-row")


async def test_a_visitor_reads_a_streamed_answer(chat: Page) -> None:
    """The answer grows while it comes, as Markdown, and ends with the button to send again."""
    await send(chat, "@echo # Title\n\nsome **bold** text")
    await expect(chat.get_by_role("heading", name="Title")).to_be_visible()
    await expect(chat.locator("strong", has_text="bold")).to_be_visible()
    await expect(chat.locator(".answer-actions")).to_be_visible()
    await expect(chat.locator(".question")).to_contain_text("@echo # Title")


async def test_a_long_answer_is_seen_before_it_ends(chat: Page) -> None:
    """Text is on the page while the stream is still open."""
    await begun(chat)
    await expect(chat.get_by_role("button", name="Stop")).to_be_visible()


async def test_stop_ends_the_answer_and_the_stream(chat: Page, demo: Demo) -> None:
    """What was read stays, and Grok is not asked for the rest."""
    await begun(chat)
    await chat.get_by_role("button", name="Stop").click()
    await expect(chat.get_by_text("Stopped.")).to_be_visible()
    await expect(chat.locator(".markdown")).not_to_be_empty()
    eventually(lambda: demo.upstream_states()[-1] == "cancelled")


async def test_closing_the_tab_ends_the_stream(chat: Page, demo: Demo) -> None:
    """Nobody reads on: the account is free again within seconds."""
    await begun(chat)
    asked = len(demo.upstream_states())
    await chat.close()
    eventually(lambda: demo.upstream_states()[asked - 1] == "cancelled")


async def test_thinking_is_folded(chat: Page) -> None:
    """The reasoning is there for who wants it."""
    await send(chat, "@think hello")
    await expect(chat.locator(".answer-actions")).to_be_visible()
    await expect(chat.locator(".thoughts-text")).to_be_hidden()
    await chat.get_by_text("Thoughts").click()
    await expect(chat.locator(".thoughts-text")).to_be_visible()


async def test_an_error_stands_in_place_and_in_a_toast(chat: Page, profile: Profile) -> None:
    """With the server's own sentence, and a way to try again."""
    await send(chat, "@403-safety hello")
    message = await chat.locator(".answer-error").inner_text()
    assert message
    await expect(chat.locator("[data-sonner-toast]", has_text=message)).to_be_visible()
    await chat.get_by_role("button", name="Try again").click()
    await expect(chat.locator(".answer-error")).to_have_text(message)
    await expect(chat.locator(".turn")).to_have_count(1)
    profile.forgive("403 (Forbidden)")


@pytest.mark.parametrize("status", [404, 429])
async def test_what_the_server_refuses_it_says_itself(chat: Page, profile: Profile, status: int) -> None:
    """A studio that was closed meanwhile, too many answers at once: its sentence is shown, and the question stays."""
    refusal = {"error": {"message": "Not now", "code": "not_now"}}
    await chat.route(ANSWERS, lambda route: route.fulfill(status=status, json=refusal))
    await send(chat, "hello")
    await expect(chat.locator(".answer-error")).to_have_text("Not now")
    await chat.unroute(ANSWERS)
    await chat.get_by_role("button", name="Try again").click()
    await expect(chat.locator(".markdown")).to_be_visible()
    profile.forgive(f"status of {status}")


async def test_a_key_that_counts_no_longer_leads_to_the_sign_in(chat: Page, demo: Demo, profile: Profile) -> None:
    """And the question is still there after signing in."""
    await chat.evaluate("localStorage.setItem('grok_app_public_key', 'former')")
    await send(chat, "Who am I?")
    await chat.wait_for_url("**/login*")
    await chat.wait_for_selector("#hydrated", state="attached")
    await chat.get_by_label("Access key").fill(demo.public_key)
    await chat.keyboard.press("Enter")
    await chat.wait_for_url("**/chat*")
    await expect(chat.locator(".question")).to_have_text("Who am I?")
    profile.forgive("401 (Unauthorized)")


async def test_shift_enter_begins_a_line(chat: Page) -> None:
    """Only Enter alone sends."""
    field = chat.get_by_label("Message Grok")
    await field.fill("one")
    await chat.keyboard.press("Shift+Enter")
    await chat.keyboard.type("two")
    await expect(field).to_have_value("one\ntwo")
    await chat.keyboard.press("Enter")
    await expect(field).to_have_value("")
    await expect(chat.locator(".question")).to_have_text("one\ntwo", use_inner_text=True)


async def test_answers_and_code_can_be_copied(chat: Page) -> None:
    """The answer as Markdown, a code block as its text."""
    await send(chat, "@echo ```python\nprint(1)\n```")
    await expect(chat.locator(".answer-actions")).to_be_visible()
    await chat.locator(".code-block").get_by_role("button", name="Copy").click()
    assert await chat.evaluate("navigator.clipboard.readText()") == "print(1)"
    await chat.locator(".answer-actions").get_by_role("button", name="Copy").click()
    assert "```python" in await chat.evaluate("navigator.clipboard.readText()")


async def test_a_found_picture_is_a_link(chat: Page) -> None:
    """The page loads nothing from another site, so a picture of one is offered, not shown."""
    await send(chat, "@card hello")
    await expect(chat.locator(".answer-actions")).to_be_visible()
    await expect(chat.locator(".markdown img")).to_have_count(0)
    await expect(chat.locator('.markdown a[href="https://example.com/a.jpg"]')).to_be_visible()


async def test_drawn_pictures_are_shown_to_the_last(chat: Page) -> None:
    """They come from this site, and the view follows them down as they load."""
    await send(chat, "@images A lighthouse in the fog")
    await expect(chat.locator(".answer-actions")).to_be_visible(timeout=15_000)
    pictures = chat.locator('.markdown img[src*="/v1/files/image/"]')
    await expect(pictures).to_have_count(2)
    await expect(pictures.last).to_have_js_property("naturalWidth", 1024)
    await expect(chat.locator(".answer-actions")).to_be_in_viewport()


async def test_html_in_an_answer_stays_text(chat: Page) -> None:
    """A model can't put elements or scripts into the page, nor a link that runs one."""
    await send(chat, "@echo <img src=x onerror=alert(1)><b>bold</b> [link](javascript:alert%281%29)")
    await expect(chat.locator(".answer-actions")).to_be_visible()
    await expect(chat.locator(".markdown img, .markdown b, .markdown [href^=javascript]")).to_have_count(0)


async def test_a_new_conversation_is_empty(chat: Page) -> None:
    """And sends nothing of the old one."""
    await answered(chat, "@echo hello")
    await chat.get_by_role("button", name="New chat").click()
    await expect(chat.get_by_role("heading", name="What would you like to know?")).to_be_visible()
    body = await asked_with(chat, lambda: send(chat, "@echo again"))
    assert [message["content"] for message in body["messages"]] == ["@echo again"]


async def test_model_and_effort_are_sent_and_remembered(chat: Page) -> None:
    """In this browser, over a reload; no effort is sent until one is chosen."""
    model, effort = (chat.get_by_role("combobox", name=name) for name in ("Model", "Reasoning effort"))
    body = await asked_with(chat, lambda: answered(chat, "@echo hello"))
    assert (body["model"], "reasoning_effort" in body) == ("grok-4", False)
    await model.select_option("grok-4.1-fast")
    await effort.select_option("high")
    await expect(effort).to_have_value("high")
    await open_page(chat, "/chat")
    await expect(model).to_have_value("grok-4.1-fast")
    body = await asked_with(chat, lambda: send(chat, "@echo hello"))
    assert (body["model"], body["reasoning_effort"]) == ("grok-4.1-fast", "high")


async def test_conversations_are_kept_opened_and_deleted(chat: Page) -> None:
    """They outlive a reload, which shows the one that was open; a deleted one is gone after a question alone."""
    await answered(chat, "@echo first")
    await chat.get_by_role("button", name="New chat").click()
    await answered(chat, "@echo second")
    await open_page(chat, "/chat")
    await expect(chat.locator(".markdown")).to_have_text("second")
    await expect(rows(chat).locator(".history-title span")).to_have_text(["@echo second", "@echo first"])
    await rows(chat).get_by_text("@echo first").click()
    await expect(chat.locator(".markdown")).to_have_text("first")
    await rows(chat).nth(1).hover()
    await chat.get_by_role("button", name="Delete: @echo first").click()
    await chat.get_by_role("button", name="Cancel").click()
    await expect(rows(chat)).to_have_count(2)
    await chat.get_by_role("button", name="Delete: @echo first").click()
    await chat.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    await expect(chat.locator("[data-sonner-toast]", has_text="deleted")).to_be_visible()
    await expect(rows(chat)).to_have_count(1)
    await expect(chat.get_by_role("heading", name="What would you like to know?")).to_be_visible()
    assert [turn["question"] for turn in await chat.evaluate(KEPT)] == ["@echo second"]
    await chat.get_by_role("button", name="Delete all").click()
    await chat.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    await expect(chat.get_by_text("No conversations yet")).to_be_visible()
    assert await chat.evaluate(KEPT) == []


async def test_a_stopped_answer_stays_and_goes_with_the_next_question(chat: Page) -> None:
    """Over a reload too: Grok is told what it had said so far."""
    await begun(chat)
    await chat.get_by_role("button", name="Stop").click()
    await expect(chat.get_by_text("Stopped.")).to_be_visible()
    await open_page(chat, "/chat")
    await expect(chat.get_by_text("Stopped.")).to_be_visible()
    [kept] = await chat.evaluate(KEPT)
    assert kept["answer"]
    body = await asked_with(chat, lambda: send(chat, "@echo go on"))
    assert body["messages"] == [
        {"role": "user", "content": "@long hello"},
        {"role": "assistant", "content": kept["answer"]},
        {"role": "user", "content": "@echo go on"},
    ]


async def test_closing_the_tab_keeps_what_was_there(chat: Page) -> None:
    """Another tab finds the answer as far as it was written."""
    other = await chat.context.new_page()
    await open_page(other, "/chat")
    await begun(chat)
    await chat.close()
    await rows(other).get_by_text("@long hello").click()
    await expect(other.locator(".markdown")).not_to_be_empty()
    await expect(other.get_by_text("Stopped.")).to_be_visible()


async def test_going_to_another_page_ends_the_stream(chat: Page, demo: Demo) -> None:
    """Within the site too, and whoever comes back finds what was there."""
    await begun(chat)
    asked = len(demo.upstream_states())
    await chat.get_by_role("link", name="Imagine").click()
    await chat.wait_for_url("**/imagine*")
    eventually(lambda: demo.upstream_states()[asked - 1] == "cancelled")
    await chat.get_by_role("link", name="Chat").click()
    await expect(chat.get_by_text("Stopped.")).to_be_visible()
    await expect(chat.locator(".markdown")).not_to_be_empty()


async def test_two_tabs_lose_nothing_of_each_other(chat: Page) -> None:
    """Each has conversations of its own, one may go on in both, and what is deleted here is gone there."""
    await answered(chat, "@echo first")
    other = await chat.context.new_page()
    await open_page(other, "/chat")
    await answered(other, "@echo other")
    await expect(rows(chat)).to_have_count(2)
    await rows(other).get_by_text("@echo first").click()
    await expect(other.locator(".turn")).to_contain_text(["@echo first"])
    await answered(other, "@echo second", turns=2)
    await expect(chat.locator(".turn")).to_have_count(2)
    await answered(chat, "@echo third", turns=3)
    await expect(other.locator(".turn")).to_have_count(3)
    await rows(chat).get_by_text("@echo first").hover()
    await chat.get_by_role("button", name="Delete: @echo first").click()
    await chat.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    await expect(other.get_by_role("heading", name="What would you like to know?")).to_be_visible()
    assert [turn["question"] for turn in await other.evaluate(KEPT)] == ["@echo other"]


async def test_without_a_database_the_chat_works(page: Page, demo: Demo) -> None:
    """And says that nothing is kept."""
    await page.add_init_script(
        "Object.defineProperty(self, 'indexedDB', { get() { throw new DOMException('none here', 'SecurityError'); } })"
    )
    await open_as_visitor(page, demo, "/chat")
    await expect(page.locator("[data-sonner-toast]", has_text="keeps no conversations")).to_have_count(1)
    await answered(page, "@echo hello")
    await answered(page, "@echo again", turns=2)
    await expect(page.locator(".markdown").last).to_contain_text("again")
    await expect(page.locator(".history").get_by_text("keeps no conversations")).to_be_visible()


async def test_pictures_are_attached_and_sent(chat: Page, demo: Demo) -> None:
    """From a file, the clipboard or the mouse; shown before and after, over a reload too, and taken out again."""
    await chat.locator("#pictures").set_input_files([picture("file.png"), picture("unwanted.png")])
    field, area = chat.get_by_label("Message Grok"), chat.locator(".chat-main")
    pasted = await chat.evaluate_handle(DROPPED, [DOT, "pasted.png"])
    await field.evaluate(PASTE, pasted)
    dropped = await chat.evaluate_handle(DROPPED, [DOT, "dropped.png"])
    await area.dispatch_event("dragover", {"dataTransfer": dropped})
    await expect(chat.get_by_text("Drop pictures here")).to_be_visible()
    await area.dispatch_event("drop", {"dataTransfer": dropped})
    await chat.get_by_role("button", name="Remove unwanted.png").click()
    names = ["file.png", "pasted.png", "dropped.png"]
    for name in names:
        await expect(chat.locator(".attached").get_by_alt_text(name)).to_be_visible()
    uploads = uploads_to(demo)
    body = await asked_with(chat, lambda: answered(chat, "What is on them?"))
    part = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{DOT}"}}
    assert body["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "What is on them?"}, part, part, part]}
    ]
    assert [upload["content"] for upload in uploads_to(demo)[len(uploads) :]] == [DOT] * 3
    await expect(chat.locator(".attached")).to_have_count(0)
    await open_page(chat, "/chat")
    for name in names:
        await expect(chat.locator(".question-pictures").get_by_alt_text(name)).to_have_js_property("naturalWidth", 1)


def uploads_to(demo: Demo) -> list[dict[str, str]]:
    """The files that Grok was given."""
    requests = httpx.get(f"{demo.sandbox_url}/sandbox/requests").json()
    return [request["body"] for request in requests if request["path"].endswith("/upload-file")]


async def test_what_cannot_be_sent_is_said_before(chat: Page) -> None:
    """Files that are no pictures, too many of them, and endless messages."""
    text = FilePayload(name="notes.txt", mimeType="text/plain", buffer=b"notes")
    await chat.locator("#pictures").set_input_files([text])
    await expect(chat.locator("[data-sonner-toast]", has_text="Only PNG, JPEG, WebP and GIF")).to_be_visible()
    await expect(chat.locator(".attached")).to_have_count(0)
    await chat.locator("#pictures").set_input_files([picture() for _ in range(65)])
    await expect(chat.locator("[data-sonner-toast]", has_text="at most 64 pictures")).to_be_visible()
    await expect(chat.locator(".attached li")).to_have_count(64)
    await chat.get_by_label("Message Grok").fill("x" * 200_001)
    await expect(chat.get_by_role("alert")).to_contain_text("at most 200000 characters")
    await expect(chat.get_by_role("button", name="Send")).to_be_disabled()


async def test_conversations_can_be_saved(chat: Page) -> None:
    """One as Markdown for reading, all as JSON for other programs."""
    await chat.locator("#pictures").set_input_files([picture()])
    await answered(chat, "@echo **hello**")
    await rows(chat).hover()
    async with chat.expect_download() as download:
        await chat.get_by_role("button", name="Save as Markdown: @echo **hello**").click()
    assert (await download.value).suggested_filename == "@echo hello.md"
    markdown = text_of(await (await download.value).path())
    assert markdown == "# @echo **hello**\n\n## You\n\n@echo **hello**\n\n*dot.png*\n\n## grok-4\n\n**hello**\n"
    async with chat.expect_download() as download:
        await chat.get_by_role("button", name="Save all").click()
    [conversation] = json.loads(text_of(await (await download.value).path()))["conversations"]
    [turn] = conversation["turns"]
    assert (turn["question"], turn["answer"], turn["state"]) == ("@echo **hello**", "**hello**", "done")
    assert turn["pictures"] == [{"name": "dot.png", "url": f"data:image/png;base64,{DOT}"}]


async def test_the_list_is_a_panel_or_a_drawer(chat: Page) -> None:
    """Beside the chat on a desktop, which is remembered; over it on a phone, where Escape closes it."""
    await answered(chat, "@echo hello")
    await chat.get_by_role("button", name="Hide conversations").click()
    await expect(chat.locator(".history")).to_have_count(0)
    await open_page(chat, "/chat")
    await expect(chat.get_by_role("button", name="Show conversations")).to_be_visible()
    await expect(chat.locator("aside.history")).to_have_count(0)
    await chat.set_viewport_size({"width": 375, "height": 760})
    await expect(chat.locator(".history")).to_be_hidden()
    await chat.get_by_role("button", name="Show conversations").focus()
    await chat.keyboard.press("Enter")
    await expect(chat.get_by_role("dialog", name="Conversations")).to_be_visible()
    await chat.keyboard.press("Escape")
    await expect(chat.locator(".history")).to_be_hidden()
    await expect(chat.get_by_role("button", name="Show conversations")).to_be_focused()
    await chat.get_by_role("button", name="New chat").click()
    await chat.get_by_role("button", name="Show conversations").click()
    await rows(chat).get_by_text("@echo hello").click()
    await expect(chat.locator(".history")).to_be_hidden()
    await expect(chat.locator(".markdown")).to_have_text("hello")
    await expect(chat.get_by_role("button", name="Send")).to_be_in_viewport()


@pytest.mark.parametrize(
    ("width", "scheme", "locale"),
    [(375, "light", "en-US"), (375, "dark", "zh-CN"), (1440, "light", "zh-CN"), (1440, "dark", "en-US")],
)
async def test_nothing_is_in_anybodys_way(browser: Browser, demo: Demo, width: int, scheme: Any, locale: str) -> None:
    """Empty, with an answer of every kind, with the list and with the question before deleting."""
    context = await browser.new_context(
        base_url=demo.url, viewport={"width": width, "height": 800}, color_scheme=scheme, locale=locale
    )
    page = await context.new_page()
    await page.emulate_media(reduced_motion="reduce")
    await open_as_visitor(page, demo, "/chat")
    await expect(page.locator(".welcome")).to_be_visible()
    barriers = await find_barriers(page)
    for number, message in enumerate(
        ("@think hello", "@echo | a |\n|-|\n| `b` |\n\n```python\n# c\n```", "@403-safety"), 1
    ):
        await page.locator("#pictures").set_input_files([picture()])
        await page.locator("#message").fill(message)
        await page.keyboard.press("Enter")
        await expect(page.locator(".answer-actions")).to_have_count(number, timeout=15_000)
    barriers += await find_barriers(page)
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    if width < 900:
        await page.locator("#history").click()
        barriers += await find_barriers(page)
    await rows(page).hover()
    await page.locator(".history-actions button").last.click()
    await expect(page.get_by_role("alertdialog")).to_be_visible()
    barriers += await find_barriers(page)
    await context.close()
    assert barriers == []


async def test_a_double_click_sends_and_does_not_stop(chat: Page) -> None:
    """The button to stop is where the one to send was."""
    await chat.get_by_label("Message Grok").fill("@echo whole")
    await chat.locator("#send").dblclick()
    await expect(chat.locator(".answer-actions")).to_be_visible()
    await expect(chat.get_by_text("Stopped.")).to_have_count(0)


async def test_a_pasted_text_is_a_text(chat: Page) -> None:
    """Also from office programs, which put a picture of it beside it; a picture alone is attached."""
    for texts, attached in ((["a cell"], []), ([], ["cell.png"])):
        await chat.get_by_label("Message Grok").evaluate(
            """(field, texts) => {
                const clipboardData = new DataTransfer();
                for (const text of texts) clipboardData.setData("text/plain", text);
                const head = Uint8Array.of(0x89, 0x50, 0x4e, 0x47);
                clipboardData.items.add(new File([head], "cell.png", {type: "image/png"}));
                window.isTaken = !field.dispatchEvent(
                    new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true})
                );
            }""",
            texts,
        )
        assert await chat.evaluate("isTaken") is bool(attached)
        await expect(chat.locator(".attached img")).to_have_count(len(attached))


async def test_an_answer_makes_the_browser_ask_for_nothing_but_pictures(chat: Page) -> None:
    """A picture's address may be any; what is no picture of ours is a link."""
    asked: list[str] = []
    chat.on("request", lambda it: asked.append(it.url))
    await send(chat, "@echo ![a](/v1/public/imagine/config) ![b](/v1/files/image/../../public/imagine/config)")
    await expect(chat.locator(".answer-actions")).to_be_visible()
    await expect(chat.locator(".markdown a")).to_have_count(2)
    assert [url for url in asked if url.endswith("/imagine/config")] == []


async def test_what_could_not_be_kept_stays_on_the_screen(chat: Page, profile: Profile) -> None:
    """A full disk is said once; another tab's news takes nothing away, and a reload finds the chat working."""
    await chat.evaluate(
        """() => {
            const real = IDBObjectStore.prototype.put;
            IDBObjectStore.prototype.put = function (value) {
                if (this.name === "conversations") throw new DOMException("full", "QuotaExceededError");
                return real.call(this, value);
            };
        }"""
    )
    await send(chat, "@echo kept nowhere")
    await expect(chat.locator(".answer-actions")).to_be_visible()
    other = await chat.context.new_page()
    await open_page(other, "/chat")
    await send(other, "@echo elsewhere")
    await expect(other.locator(".answer-actions")).to_be_visible()
    await expect(rows(chat)).to_have_count(1)
    await expect(chat.locator(".question")).to_have_text("@echo kept nowhere")
    await open_page(chat, "/chat")
    await expect(rows(chat)).to_have_count(1)
    profile.forgive("QuotaExceededError")
