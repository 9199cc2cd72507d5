"""The settings page: a form of all settings, saved together, that keeps secrets back and edits safe."""

import asyncio
import re
from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Dialog, Locator, Page, expect

from grok_app.settings import DEFINITIONS

from .conftest import Demo, Profile, open_page, sign_in
from .console import Traffic, find_barriers, settle, signed_in_as

pytestmark = pytest.mark.asyncio(loop_scope="session")  # the browser lives in one loop

PATH = "/admin/config"


@pytest_asyncio.fixture(loop_scope="session")
async def traffic(profile: Profile) -> Traffic:
    """What the page hears and says."""
    traffic = Traffic()
    traffic.watch(profile.context)
    return traffic


@pytest_asyncio.fixture(loop_scope="session")
async def form(traffic: Traffic, profile: Profile, demo: Demo) -> AsyncGenerator[Page, None]:
    """The page, signed in. What a test changed is put back."""
    assert traffic.frames == []
    await signed_in_as(profile.context, demo)
    page = await profile.context.new_page()
    before = read(demo)
    await open_page(page, PATH)
    await settle(page)
    yield page
    with demo.operator() as script:
        script.post("/config", json=before).raise_for_status()


def read(demo: Demo) -> dict[str, Any]:
    """The settings in force."""
    with demo.operator() as script:
        config: dict[str, Any] = script.get("/config").raise_for_status().json()
        return config


def change(demo: Demo, values: dict[str, Any]) -> None:
    """Change settings as a script does."""
    with demo.operator() as script:
        script.post("/config", json=values).raise_for_status()


def row(form: Page, name: str) -> Locator:
    """All there is of one setting."""
    return form.locator(f'[data-name="{name}"]')


def control(form: Page, name: str) -> Locator:
    """Where its value is."""
    return form.locator(f'[name="{name}"]')


async def save(form: Page) -> None:
    """Click the button."""
    await form.get_by_role("button", name="Save").click()


async def test_changes_are_saved_together(form: Page, demo: Demo) -> None:
    """A switch, a number, a choice, a list: counted while they wait, in force at once, there after a reload."""
    await form.get_by_role("switch", name="Temporary chats").click()
    await expect(form.get_by_text("1 unsaved change", exact=True)).to_be_visible()
    await control(form, "chat.timeout").fill("75.5")
    await form.get_by_label("Form of videos").select_option("markdown")
    await form.get_by_label("Statuses").fill("429\n503")
    await expect(row(form, "chat.timeout").get_by_text("Unsaved")).to_be_visible()
    await expect(form.get_by_text("4 unsaved changes")).to_be_visible()
    assert read(demo)["app"]["temporary"] is True

    await save(form)
    await expect(form.locator("[data-sonner-toast]", has_text="Settings saved: 4.")).to_be_visible()
    await expect(form.locator(".save-bar")).to_have_count(0)
    config = read(demo)
    assert (config["app"]["temporary"], config["app"]["video_format"]) == (False, "markdown")
    assert (config["chat"]["timeout"], config["retry"]["retry_status_codes"]) == (75.5, [429, 503])
    await form.reload()
    await expect(control(form, "chat.timeout")).to_have_value("75.5")
    await expect(form.get_by_role("switch", name="Temporary chats")).not_to_be_checked()


async def test_a_change_that_is_taken_back_is_none(form: Page) -> None:
    """By typing the old value, by its Undo, or all at once with Discard."""
    field = control(form, "retry.max_retry")
    await field.fill("4")
    await field.fill("3")
    await expect(form.locator(".save-bar")).to_have_count(0)
    await field.fill("4")
    await form.get_by_role("button", name="Undo: Attempts", exact=True).click()
    await expect(field).to_have_value("3")
    await field.fill("4")
    await control(form, "cache.limit_mb").fill("")
    await form.get_by_role("button", name="Discard").click()
    await expect(form.locator(".save-bar")).to_have_count(0)
    await expect(field).to_have_value("3")
    await expect(control(form, "cache.limit_mb")).to_have_value("512")


async def test_what_is_wrong_is_said_at_its_field(form: Page, demo: Demo) -> None:
    """All of it; the first gets the focus, also when a search hides it; nothing is saved and nothing typed is lost."""
    await control(form, "app.app_url").fill("nonsense")
    await control(form, "usage.timeout").fill("soon")
    await form.get_by_role("switch", name="Temporary chats").click()
    search = form.get_by_role("searchbox")
    await search.fill("quota")
    await save(form)

    await expect(control(form, "app.app_url")).to_be_focused()
    await expect(control(form, "app.app_url")).to_be_in_viewport()
    await expect(search).to_have_value("")
    for name, said in {
        "app.app_url": "Expected an address like https://host or http://host:port/path, or nothing.",
        "usage.timeout": "Expected a number from 0.1 to 3600 s.",
    }.items():
        await expect(control(form, name)).to_have_attribute("aria-invalid", "true")
        await expect(control(form, name)).to_have_accessible_description(re.compile(re.escape(said)))
    await expect(form.locator("[data-sonner-toast]", has_text="Nothing was saved.")).to_be_visible()
    assert await find_barriers(form) == []
    assert read(demo)["app"]["temporary"] is True

    await control(form, "app.app_url").fill("https://grok.example.com/")
    await expect(control(form, "app.app_url")).not_to_have_attribute("aria-invalid", "true")
    await control(form, "usage.timeout").fill("30")
    await save(form)
    await expect(form.locator("[data-sonner-toast]", has_text="Settings saved: 3.")).to_be_visible()
    await expect(control(form, "app.app_url")).to_have_value("https://grok.example.com")


async def test_a_default_comes_back(form: Page, demo: Demo) -> None:
    """What differs has a dot and says what the default is; Reset brings that back when it is saved."""
    await expect(row(form, "chat.timeout").get_by_text("Differs from the default")).to_have_count(0)
    change(demo, {"chat.timeout": 90, "proxy.cf_clearance": "hunter2"})
    for name, said in {"chat.timeout": "Default: 60 s", "proxy.cf_clearance": "Default: empty"}.items():
        await expect(row(form, name).get_by_text("Differs from the default")).to_be_attached()
        await expect(row(form, name).get_by_text(said)).to_be_visible()
        await row(form, name).get_by_role("button", name="Reset").click()
        await expect(row(form, name).get_by_text("Differs from the default")).to_have_count(0)
    await save(form)
    await expect(form.locator("[data-sonner-toast]", has_text="Settings saved: 2.")).to_be_visible()
    config = read(demo)
    assert (config["chat"]["timeout"], config["proxy"]["cf_clearance"]) == (60, "")
    await expect(row(form, "app.api_key").get_by_role("button", name="Reset")).to_have_count(0)


async def test_a_secret_is_shown_on_request_alone(form: Page, demo: Demo, traffic: Traffic) -> None:
    """It comes from the server then, by itself, is forgotten when it is hidden, and never was in the page before."""
    field = control(form, "app.api_key")
    await expect(field).to_have_value("")
    assert demo.api_key not in await form.content()
    assert demo.api_key not in "\n".join(traffic.frames)
    await form.get_by_role("button", name="Reveal: API keys").click()
    await expect(field).to_have_value(demo.api_key)
    assert "\n".join(traffic.frames).count(demo.api_key) == 1
    assert demo.operators_key not in "\n".join(traffic.frames)
    await form.get_by_role("button", name="Hide: API keys").click()
    await expect(field).to_have_value("")
    await expect(form.locator(".save-bar")).to_have_count(0)


async def test_a_secret_is_copied_without_being_shown(form: Page, demo: Demo) -> None:
    """One that the environment holds, too."""
    await form.get_by_role("button", name="Copy: API keys").click()
    await expect(form.get_by_role("button", name="Copied: API keys")).to_be_visible()
    assert await form.evaluate("navigator.clipboard.readText()") == demo.api_key
    await expect(control(form, "app.api_key")).to_have_value("")


async def test_a_new_key_is_generated(form: Page, demo: Demo) -> None:
    """Shown before it is saved, in force afterwards, and hidden again."""
    field = control(form, "app.api_key")
    await form.get_by_role("button", name="Generate: API keys").click()
    await expect(form.get_by_text("1 unsaved change", exact=True)).to_be_visible()
    made = await field.input_value()
    assert len(made) == 43
    assert read(demo)["app"]["api_key"] == demo.api_key
    await save(form)
    await expect(form.locator(".save-bar")).to_have_count(0)
    await expect(field).to_have_value("")
    assert read(demo)["app"]["api_key"] == made


async def test_a_typed_secret_goes_up_with_the_save_alone(form: Page, demo: Demo, traffic: Traffic) -> None:
    """Masked while it is typed. An emptied field is the wish for no key, but only where the key was to be seen."""
    field = control(form, "app.api_key")
    await expect(field).to_have_attribute("type", "password")
    await field.press_sequentially("hunter2")
    await field.press("Tab")
    assert "hunter2" not in "\n".join(traffic.frames)
    await save(form)
    await expect(form.locator(".save-bar")).to_have_count(0)
    assert read(demo)["app"]["api_key"] == "hunter2"
    assert sum("hunter2" in frame for frame in traffic.frames) == 1

    await field.press_sequentially("x")
    await field.press("Backspace")
    await expect(form.locator(".save-bar")).to_have_count(0)
    await form.get_by_role("button", name="Reveal: API keys").click()
    await expect(field).to_have_value("hunter2")
    await field.fill("")
    await save(form)
    await expect(form.locator(".save-bar")).to_have_count(0)
    assert read(demo)["app"]["api_key"] == ""


async def test_the_environment_can_only_be_read(form: Page) -> None:
    """With the name of the variable that holds it."""
    held = row(form, "app.public_enabled")
    await expect(held.get_by_role("switch")).to_be_disabled()
    description = re.compile("Set by the environment variable GROK_APP_APP__PUBLIC_ENABLED$")
    await expect(held.get_by_role("switch")).to_have_accessible_description(description)
    url = control(form, "upstream.grok_url")
    await expect(url).to_have_attribute("readonly", "")
    await expect(row(form, "upstream.grok_url").get_by_text("GROK_APP_UPSTREAM__GROK_URL")).to_be_visible()
    await expect(row(form, "upstream.grok_url").get_by_role("button")).to_have_count(0)


async def test_settings_are_found_in_both_languages(form: Page) -> None:
    """By title, help and name, whichever language is shown; sections without a hit make way."""
    search = form.get_by_role("searchbox")
    for query, found in {
        "adult content": ["image.nsfw", "nsfw.concurrent", "nsfw.batch_size", "nsfw.timeout", "nsfw.birth_date"],
        "CF_clear": ["proxy.cf_clearance"],
        "出生日期": ["nsfw.birth_date"],
        "retry wait longest": ["retry.retry_backoff_max"],
    }.items():
        await search.fill(query)
        await expect(form.locator(".setting")).to_have_count(len(found))
        assert [await it.get_attribute("data-name") for it in await form.locator(".setting").all()] == found
    await expect(form.get_by_role("heading", level=2)).to_have_text(["Retries"])
    await form.locator("#language").click()
    await expect(form.get_by_role("heading", level=2)).to_have_text(["重试"])
    await search.fill("no such thing")
    await expect(form.get_by_role("heading", name="没有找到")).to_be_visible()
    await form.get_by_role("button", name="显示全部").click()
    await expect(form.locator(".setting")).to_have_count(len(DEFINITIONS))


async def test_the_index_leads_to_a_section(form: Page) -> None:
    """And with it the keyboard."""
    await form.get_by_role("navigation", name="Sections").get_by_text("Quotas").click()
    head = form.get_by_role("heading", name="Quotas")
    await expect(head).to_be_in_viewport()
    await form.keyboard.press("Tab")
    await expect(control(form, "usage.concurrent")).to_be_focused()
    await expect(form.get_by_role("searchbox")).to_be_in_viewport()
    assert await form.evaluate("document.documentElement.scrollTop") == 0, "the page itself stands still"


async def test_the_form_is_filled_by_keyboard(form: Page, demo: Demo) -> None:
    """Space switches, Enter in a field saves."""
    await control(form, "app.temporary").focus()
    await form.keyboard.press("Space")
    await control(form, "retry.max_retry").focus()
    await form.keyboard.press("Control+A")
    await form.keyboard.type("4")
    await form.keyboard.press("Enter")
    await expect(form.locator("[data-sonner-toast]", has_text="Settings saved: 2.")).to_be_visible()
    assert (read(demo)["app"]["temporary"], read(demo)["retry"]["max_retry"]) == (False, 4)


async def test_typing_asks_the_server_for_nothing(form: Page, traffic: Traffic) -> None:
    """Neither per key nor when the field is left; nor does a search."""
    heard = len(said_by_page(traffic))
    await control(form, "proxy.user_agent").fill("")
    await control(form, "proxy.user_agent").press_sequentially("Mozilla/5.0 (X11; Linux x86_64)")
    await form.get_by_role("searchbox").press_sequentially("proxy")
    await expect(form.locator(".setting")).to_have_count(5)
    assert len(said_by_page(traffic)) == heard


def said_by_page(traffic: Traffic) -> list[str]:
    """What was said of the settings' state."""
    return [frame for frame in traffic.frames if "settings_state" in frame]


async def test_unsaved_edits_survive_what_others_change(form: Page, demo: Demo) -> None:
    """Other fields follow a script's change; the edited one keeps its edit and says what it is meanwhile."""
    await control(form, "chat.timeout").fill("75")
    change(demo, {"chat.timeout": 90, "chat.stream_timeout": 45})
    await expect(control(form, "chat.stream_timeout")).to_have_value("45")
    await expect(control(form, "chat.timeout")).to_have_value("75")
    await expect(row(form, "chat.timeout").get_by_text("Changed elsewhere in the meantime: 90")).to_be_visible()
    await save(form)
    await expect(form.locator(".save-bar")).to_have_count(0)
    assert (read(demo)["chat"]["timeout"], read(demo)["chat"]["stream_timeout"]) == (75, 45)


async def test_two_tabs_agree(form: Page, profile: Profile) -> None:
    """What one saves, the other shows."""
    other = await profile.context.new_page()
    await open_page(other, PATH)
    await settle(other)
    await control(form, "cache.limit_mb").fill("600")
    await save(form)
    await expect(control(other, "cache.limit_mb")).to_have_value("600")


async def test_leaving_with_unsaved_edits_is_asked_about(form: Page) -> None:
    """Within the console by a dialog of ours, which Escape closes; on a reload by the browser."""
    overview = form.locator('nav a[href="/admin"]')
    await control(form, "chat.timeout").press_sequentially("1")
    await overview.click()
    dialog = form.get_by_role("dialog", name="Leave without saving?")
    await expect(dialog).to_be_visible()
    assert await find_barriers(form) == []
    await form.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(control(form, "chat.timeout")).to_have_value("160")

    asked: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def stay(question: Dialog) -> None:
        asked.set_result(question.type)
        await question.dismiss()

    form.once("dialog", stay)
    await form.evaluate("setTimeout(() => location.reload())")
    assert await asked == "beforeunload"
    await expect(control(form, "chat.timeout")).to_have_value("160")

    await overview.click()
    await dialog.get_by_role("button", name="Leave").click()
    await expect(form.get_by_role("heading", name="Overview", level=1)).to_be_visible()
    await form.locator(f'nav a[href="{PATH}"]').click()
    await expect(control(form, "chat.timeout")).to_have_value("60")


async def test_a_new_operators_key_leads_to_the_sign_in(form: Page, profile: Profile, demo: Demo) -> None:
    """In every tab, with a word why; the new key opens, and the old session is over."""
    other = await profile.context.new_page()
    await open_page(other, "/admin/cache")
    await control(form, "app.app_key").fill("")
    await form.get_by_role("button", name="Reveal: Operator's key").click()
    await expect(control(form, "app.app_key")).to_have_value(demo.operators_key)
    await control(form, "app.app_key").fill("")
    await save(form)
    await expect(row(form, "app.app_key").get_by_text("without one nobody gets in again")).to_be_visible()

    await control(form, "app.app_key").fill("another-operators-key")
    await save(form)
    try:
        for tab in (form, other):
            await tab.wait_for_url("**/admin/login*")
        await expect(form.get_by_text("Please sign in with the new operator's key.")).to_be_visible()
        await sign_in(form, "another-operators-key")
        await form.wait_for_url(f"**{PATH}")
        await settle(form)
        await control(form, "app.app_key").fill(demo.operators_key)
        await save(form)
        await form.wait_for_url("**/admin/login*")
    finally:
        bring_back(demo, "another-operators-key")


def bring_back(demo: Demo, key: str) -> None:
    """Make the demo's key the operator's again, if another one still is."""
    with demo.operator() as script:
        headers = {"Authorization": f"Bearer {key}"}
        script.post("/config", json={"app.app_key": demo.operators_key}, headers=headers)
