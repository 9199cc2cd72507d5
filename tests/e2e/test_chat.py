"""A visitor chats: real browser, real server, real HTTP to a simulated Grok."""

import pytest
from playwright.async_api import Page, expect

from tests.servers import eventually

from .conftest import Demo, open_page, send

pytestmark = pytest.mark.asyncio(loop_scope="session")  # the browser lives in one loop


async def test_a_visitor_reads_a_streamed_answer(chat: Page) -> None:
    """The answer grows while it comes, as Markdown, and ends with the button to send again."""
    await send(chat, "@echo # Title\n\nsome **bold** text")
    await expect(chat.get_by_role("heading", name="Title")).to_be_visible()
    await expect(chat.locator("strong", has_text="bold")).to_be_visible()
    await expect(chat.locator(".answer-actions")).to_be_visible()
    await expect(chat.get_by_text("@echo # Title")).to_be_visible()


async def test_a_long_answer_is_seen_before_it_ends(chat: Page) -> None:
    """Text is on the page while the stream is still open."""
    await send(chat, "@long hello")
    await expect(chat.locator(".markdown")).not_to_be_empty()
    await expect(chat.get_by_role("button", name="Stop")).to_be_visible()


async def test_stop_ends_the_answer_and_the_stream(chat: Page, demo: Demo) -> None:
    """What was read stays, and Grok is not asked for the rest."""
    await send(chat, "@long hello")
    await expect(chat.locator(".markdown")).not_to_be_empty()
    await chat.get_by_role("button", name="Stop").click()
    await expect(chat.get_by_text("Stopped.")).to_be_visible()
    await expect(chat.locator(".markdown")).not_to_be_empty()
    eventually(lambda: demo.upstream_states()[-1] == "cancelled")


async def test_closing_the_tab_ends_the_stream(chat: Page, demo: Demo) -> None:
    """Nobody reads on: the account is free again within seconds."""
    await send(chat, "@long hello")
    await expect(chat.locator(".markdown")).not_to_be_empty()
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


async def test_an_error_stands_in_place_and_in_a_toast(chat: Page) -> None:
    """With the server's own sentence, and a way to try again."""
    await send(chat, "@403-safety hello")
    message = await chat.locator(".answer-error").inner_text()
    assert message
    await expect(chat.locator("[data-sonner-toast]", has_text=message)).to_be_visible()
    await chat.get_by_role("button", name="Try again").click()
    await expect(chat.locator(".answer-error")).to_have_text(message)
    await expect(chat.locator(".turn")).to_have_count(1)


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
    pictures = chat.locator('.markdown img[src^="/v1/files/image/"]')
    await expect(pictures).to_have_count(2)
    await expect(pictures.last).to_have_js_property("naturalWidth", 1024)
    await expect(chat.locator(".answer-actions")).to_be_in_viewport()


async def test_html_in_an_answer_stays_text(chat: Page) -> None:
    """A model can't put elements or scripts into the page."""
    await send(chat, "@echo <img src=x onerror=alert(1)><b>bold</b>")
    await expect(chat.locator(".answer-actions")).to_be_visible()
    await expect(chat.locator(".markdown img, .markdown b")).to_have_count(0)


async def test_a_new_conversation_is_empty(chat: Page) -> None:
    """And forgets the old one."""
    await send(chat, "@echo hello")
    await expect(chat.locator(".answer-actions")).to_be_visible()
    await chat.get_by_role("button", name="New chat").click()
    await expect(chat.get_by_role("heading", name="What would you like to know?")).to_be_visible()


async def test_model_and_effort_are_remembered(chat: Page) -> None:
    """In this browser, over a reload."""
    await chat.get_by_role("combobox", name="Model").click()
    await chat.get_by_role("option", name="grok-4.1-fast").click()
    await expect(chat.get_by_role("combobox", name="Model")).to_have_text("grok-4.1-fast")
    await open_page(chat, "/chat")
    await expect(chat.get_by_role("combobox", name="Model")).to_have_text("grok-4.1-fast")
