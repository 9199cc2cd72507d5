"""The accounts page in a real browser: everything an operator does with accounts, and what goes wrong with it."""

import json
import re
from collections.abc import AsyncGenerator, Iterator
from typing import Final

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Download, FileChooser, Locator, Page, expect

from .conftest import Demo, Profile, free_port, open_page, read_demo, running
from .console import Traffic, find_barriers, signed_in_as

pytestmark = pytest.mark.asyncio(loop_scope="session")  # the browser lives in one loop

PATH: Final = "/admin/token"
OTHERS: Final = [f"sandbox-basic-kept-{number}" for number in range(1, 6)]
"""What each test begins with."""
REFUSED: Final = "sandbox-basic-bad-@401"
MANY: Final = 10_000
PAINT_LIMIT_MS: Final = 4_000


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo of its own: other tests count their accounts too."""
    data = tmp_path_factory.mktemp("accounts")
    settings = {"GROK_APP_TOKEN__FAIL_THRESHOLD": "9", "GROK_APP_TOKEN__AUTO_REFRESH": "false"}
    with running("demo", "--port", free_port(), "--data-dir", str(data), until="Ctrl-C", **settings) as output:
        yield read_demo(output)


@pytest_asyncio.fixture(loop_scope="session")
async def operator(demo: Demo) -> AsyncGenerator[httpx.AsyncClient, None]:
    """A script of the operator's."""
    headers = {"Authorization": f"Bearer {demo.operators_key}"}
    async with httpx.AsyncClient(base_url=f"{demo.url}/v1/admin", headers=headers, timeout=30) as client:
        yield client


@pytest.fixture
def traffic(profile: Profile) -> Traffic:
    """What goes over the sockets."""
    traffic = Traffic()
    traffic.watch(profile.context)
    return traffic


@pytest_asyncio.fixture(loop_scope="session")
async def accounts(profile: Profile, demo: Demo, traffic: Traffic, operator: httpx.AsyncClient) -> Page:  # noqa: ARG001 - watches before the page opens
    """The page, signed in, with the accounts that each test begins with."""
    await operator.post("/tokens", json={})  # so that all of them are new
    await operator.post("/tokens", json={"ssoBasic": OTHERS})
    await signed_in_as(profile.context, demo)
    page = await profile.context.new_page()
    await open_page(page, PATH)
    await expect(lines(page)).to_have_count(len(OTHERS))
    return page


def lines(page: Page) -> Locator:
    """The lines of the table."""
    return page.locator("#accounts tbody tr")


def line(page: Page, words: str) -> Locator:
    """The line with these words."""
    return lines(page).filter(has_text=words)


async def expect_toast(page: Page, words: str) -> None:
    """The page says so."""
    await expect(page.locator("[data-sonner-toast]").filter(has_text=words).first).to_be_visible()


async def tokens_of(operator: httpx.AsyncClient) -> list[str]:
    """What is stored."""
    pools = (await operator.get("/tokens")).json()
    return [account["token"] for pool in pools.values() for account in pool]


async def test_an_account_is_added_edited_switched_and_deleted(accounts: Page, operator: httpx.AsyncClient) -> None:
    """Each step by its own button, each with a toast; nothing is deleted unasked."""
    await accounts.locator("#add").click()
    await accounts.locator("#form-token").fill("sso=sandbox-basic-mine-7; path=/")
    await accounts.locator("#form-note").fill("of mine")
    await accounts.keyboard.press("Enter")
    await accounts.locator("#submit").click()
    await expect_toast(accounts, "Account added.")
    mine = line(accounts, "of mine")
    await expect(mine).to_have_count(1)

    await mine.get_by_role("button", name="Edit").click()
    await accounts.locator("#form-quota").fill("7")
    await accounts.locator("#form-pool").select_option("ssoSuper")
    await accounts.locator("#form-tags").fill("team, spare")
    await accounts.locator("#submit").click()
    await expect_toast(accounts, "Account saved.")
    await expect(mine).to_contain_text("Super")
    await expect(mine).to_contain_text("spare")

    await mine.get_by_role("button", name="Disable").click()
    await expect(mine.get_by_text("Disabled", exact=True)).to_be_visible()
    await mine.get_by_role("button", name="Enable").click()
    await expect(mine.get_by_text("Active", exact=True)).to_be_visible()

    await mine.get_by_role("button", name="Delete").click()
    await accounts.get_by_role("button", name="Cancel").click()
    await expect(mine).to_have_count(1)
    await mine.get_by_role("button", name="Delete").click()
    await accounts.locator("#confirm").click()
    await expect(mine).to_have_count(0)
    assert await tokens_of(operator) == OTHERS


async def test_a_form_says_what_is_wrong_with_it(accounts: Page) -> None:
    """Where it is wrong; Escape leaves it."""
    await accounts.locator("#add").click()
    await accounts.locator("#form-token").fill("no token at all")
    await accounts.locator("#submit").click()
    await expect(accounts.get_by_role("alert")).to_have_text("A token has no spaces, line breaks or accents")
    await accounts.locator("#form-token").fill(OTHERS[0])
    await accounts.locator("#submit").click()
    await expect(accounts.get_by_role("alert")).to_have_text("This account is there already.")
    assert await find_barriers(accounts) == []
    await accounts.keyboard.press("Escape")
    await expect(accounts.get_by_role("dialog")).to_have_count(0)

    await line(accounts, "t-1").get_by_role("button", name="Edit").click()
    await accounts.locator("#form-quota").fill("many")
    await accounts.locator("#submit").click()
    await expect(accounts.locator("#form-quota-error")).to_be_visible()


async def test_a_token_is_copied_without_coming_into_the_page(accounts: Page, traffic: Traffic) -> None:
    """It is on the clipboard, and neither in the page nor in anything that its socket said."""
    await line(accounts, "t-2").get_by_role("button", name="Copy the token").click()
    await expect(line(accounts, "t-2").get_by_role("button", name="Copied")).to_be_visible()
    assert await accounts.evaluate("navigator.clipboard.readText()") == OTHERS[1]
    assert OTHERS[1] not in await accounts.content()
    assert traffic.frames
    assert not any(OTHERS[1] in frame for frame in traffic.frames)


async def test_a_token_that_is_gone_can_not_be_copied(
    accounts: Page, profile: Profile, operator: httpx.AsyncClient
) -> None:
    """The server's sentence says so."""
    copy = line(accounts, "t-2").get_by_role("button", name="Copy the token")
    await operator.post("/tokens/delete", json={"tokens": [OTHERS[1]]})
    await copy.click()
    await expect_toast(accounts, "There are no such accounts")
    profile.forgive("404")


async def test_what_is_pasted_is_previewed_then_imported(accounts: Page, operator: httpx.AsyncClient) -> None:
    """Nothing is stored before the numbers were seen; the same text can be taken for another pool."""
    await accounts.locator("#import").click()
    text = f"# mine\n{OTHERS[0]}\nsandbox-super-new-1\nsandbox-super-new-1\nsandbox-super-new-2\nno token\n"
    await accounts.locator("#import-text").fill(text)
    await accounts.locator("#preview").click()
    for name, count in (("new", 2), ("known", 1), ("repeated", 1), ("malformed", 1)):
        await expect(accounts.locator(f"#preview-{name}")).to_contain_text(str(count))
    await expect(accounts.locator(".import-faults")).to_contain_text("Line 6")
    assert await find_barriers(accounts) == []
    assert await tokens_of(operator) == OTHERS

    await accounts.get_by_role("button", name="Back").click()
    await accounts.locator("#import-pool").select_option("ssoSuper")
    await accounts.locator("#preview").click()
    await expect(accounts.locator("#import-preview")).to_contain_text("super 2")
    await accounts.locator("#import-new").click()
    await expect_toast(accounts, "2 added, 2 there already or repeated, 1 malformed")
    await expect(lines(accounts)).to_have_count(len(OTHERS) + 2)


async def test_a_large_file_is_imported(accounts: Page, traffic: Traffic) -> None:
    """Of some megabytes, which no single event may have; none of it comes back to the page."""
    tokens = [{"token": f"sandbox-basic-file-{n}", "note": f"文 {n} " + "x" * 1500} for n in range(1500)]
    content = json.dumps({"ssoBasic": tokens, "ssoSuper": []}, ensure_ascii=False).encode()
    await accounts.locator("#import").click()
    async with accounts.expect_file_chooser() as choosing:
        await accounts.get_by_role("button", name="Choose a file").click()
    chooser: FileChooser = await choosing.value
    await chooser.set_files({"name": "token.json", "mimeType": "application/json", "buffer": content})
    await expect(accounts.locator(".intake-chosen")).to_contain_text("token.json")
    await accounts.locator("#preview").click()
    await expect(accounts.locator("#preview-new")).to_contain_text("1500", timeout=20_000)
    await accounts.locator("#import-new").click()
    await expect_toast(accounts, "1500 added")
    assert max(map(len, traffic.frames)) < 1_000_000


async def test_a_file_can_be_dropped(accounts: Page) -> None:
    """Onto the dialog."""
    await accounts.locator("#import").click()
    dropped = await accounts.evaluate_handle(
        "text => { const it = new DataTransfer(); it.items.add(new File([text], 'mine.txt')); return it; }",
        "dropped-token-1\n",
    )
    await accounts.dispatch_event(".intake", "drop", {"dataTransfer": dropped})
    await expect(accounts.locator(".intake-chosen")).to_contain_text("mine.txt")
    await accounts.locator("#preview").click()
    await expect(accounts.locator("#preview-new")).to_contain_text("1")


async def test_a_text_that_can_not_be_read_is_explained(accounts: Page) -> None:
    """In the dialog, by its place; the text is still there to be corrected."""
    await accounts.locator("#import").click()
    await accounts.locator("#import-text").fill('{"ssoBasic": ["one",}')
    await accounts.locator("#preview").click()
    await expect(accounts.locator("#import-error")).to_contain_text("It is no JSON")
    await accounts.locator("#import-text").fill('{"ssoBasic": ["one-more"]}')
    await accounts.locator("#preview").click()
    await expect(accounts.locator("#preview-new")).to_contain_text("1")


async def test_selected_accounts_are_exported(accounts: Page, traffic: Traffic) -> None:
    """As lines or as JSON that can be imported again; the socket never has the tokens."""
    await line(accounts, "t-1").get_by_role("checkbox").click()
    await line(accounts, "t-3").get_by_role("checkbox").click()
    await accounts.locator("#selected-export").click()
    file = await saved(accounts)
    assert (file.suggested_filename, await content_of(file)) == ("token.txt", f"{OTHERS[0]}\n{OTHERS[2]}\n")
    await expect_toast(accounts, "Accounts exported: 2")

    await accounts.locator("#export").click()
    await accounts.get_by_label("All that match: 5").check()
    await accounts.get_by_label("JSON, with every field").check()
    file = await saved(accounts)
    pools = json.loads(await content_of(file))
    assert [account["token"] for account in pools["ssoBasic"]] == OTHERS
    assert not any(OTHERS[0] in frame for frame in traffic.frames)


async def test_a_page_that_is_loaded_anew_waits_for_nothing(accounts: Page) -> None:
    """What it was fetching or handing in went with it: no second download, no dialog, no button at rest."""
    asked: list[str] = []
    await accounts.route("**/tokens/export", lambda route: asked.append(route.request.url))  # never answered
    await accounts.locator("#export").click()
    await accounts.locator("#submit").click()
    await expect(accounts.locator("#export")).to_be_disabled()
    await accounts.locator("#import").click()
    await accounts.locator("#import-text").fill("sandbox-basic-late-1")
    await accounts.locator("#preview").click()
    await expect(accounts.locator("#preview-new")).to_contain_text("1")

    await accounts.reload()
    await expect(accounts.locator("#export")).to_be_enabled()
    await expect(accounts.get_by_role("dialog")).to_have_count(0)
    await expect(lines(accounts)).to_have_count(len(OTHERS))
    assert len(asked) == 1


async def test_another_list_has_its_own_selection(accounts: Page) -> None:
    """What was selected in the former one can't be deleted out of sight."""
    await lines(accounts).first.get_by_role("checkbox").click()
    await expect(accounts.locator("#selected")).to_have_text("1 selected")
    await accounts.locator("#search").fill("t-2")
    await expect_toast(accounts, "Another list is shown, selected no more: 1")
    await expect(accounts.locator(".selected-bar")).to_have_count(0)


async def saved(page: Page) -> Download:
    """The file that the open dialog gives."""
    async with page.expect_download() as downloading:
        await page.locator("#submit").click()
    return await downloading.value


async def content_of(file: Download) -> str:
    """What is in it."""
    return (await file.path()).read_text(encoding="utf-8")


async def test_a_batch_shows_its_failures_and_is_tried_again(accounts: Page, operator: httpx.AsyncClient) -> None:
    """The reasons stand below the page; trying again takes the failed ones only."""
    await operator.post("/tokens/add", json={"tokens": [REFUSED]})
    await expect(lines(accounts)).to_have_count(len(OTHERS) + 1)
    await accounts.locator("#select-page").click()
    await expect(accounts.locator("#selected")).to_have_text("6 selected")
    await accounts.locator("#selected-refresh").click()
    tray = accounts.locator("#tasks")
    await expect(tray).to_contain_text("6 of 6")
    await expect(tray).to_contain_text("5 ok")
    await tray.get_by_text("What failed").click()
    await expect(tray).to_contain_text("sand…@401")
    await tray.get_by_role("button", name="Retry failed").click()
    await expect(tray).to_contain_text("1 of 1")


async def test_a_script_s_batch_is_shown_too(accounts: Page, operator: httpx.AsyncClient) -> None:
    """Whoever started it; the list shows what it has brought."""
    await operator.patch("/tokens", json={"token": OTHERS[3], "quota": 3})
    await expect(line(accounts, "t-4").locator(".quota-number")).to_have_text("3")
    await operator.post("/tokens/refresh/async", json={"tokens": OTHERS})
    await expect(accounts.locator("#tasks")).to_contain_text("5 of 5")
    await expect(line(accounts, "t-4").locator(".quota-number")).not_to_have_text("3")


async def test_adult_content_asks_for_a_date_of_birth(accounts: Page) -> None:
    """Which nobody invents; under 18 is refused where it was written."""
    await line(accounts, "t-5").get_by_role("checkbox").click()
    await accounts.locator("#selected-adult").click()
    await accounts.get_by_label("Date of birth").fill("2020-01-01")
    await accounts.locator("#submit").click()
    await expect(accounts.get_by_role("alert")).to_be_visible()
    await accounts.get_by_label("Date of birth").fill("1990-05-17")
    await accounts.locator("#submit").click()
    await expect(line(accounts, "t-5").get_by_text("nsfw", exact=True)).to_be_visible()
    await accounts.locator("#filter-nsfw_on").click()
    await expect(lines(accounts)).to_have_count(1)


async def test_selected_accounts_are_switched_and_deleted(accounts: Page, operator: httpx.AsyncClient) -> None:
    """All of them in one step each; the bar goes with the selection."""
    await accounts.locator("#select-page").click()
    await accounts.locator("#selected-disable").click()
    await expect_toast(accounts, "Accounts disabled: 5")
    await expect(accounts.locator("#filter-disabled")).to_contain_text("5")
    await accounts.locator("#selected-enable").click()
    await expect_toast(accounts, "Accounts enabled: 5")
    await accounts.locator("#selected-delete").click()
    await expect(accounts.get_by_role("alertdialog")).to_contain_text("Delete accounts: 5?")
    await accounts.locator("#confirm").click()
    await expect(accounts.get_by_text("No accounts yet")).to_be_visible()
    await expect(accounts.locator(".selected-bar")).to_have_count(0)
    assert await tokens_of(operator) == []
    assert await find_barriers(accounts) == []


async def test_the_list_is_sorted_and_searched_by_keyboard(accounts: Page) -> None:
    """A head says how it is sorted; what finds nothing offers the way back."""
    head = accounts.get_by_role("columnheader", name="Token")
    for order, last in (("ascending", "t-5"), ("descending", "t-1")):
        await head.get_by_role("button").focus()
        await accounts.keyboard.press("Enter")
        await expect(head).to_have_attribute("aria-sort", order)
        await expect(lines(accounts).last).to_contain_text(last)
    await accounts.locator("#search").fill("t-3")
    await expect(lines(accounts)).to_have_count(1)
    await accounts.locator("#search").fill("nobody has this")
    await expect(accounts.get_by_text("No account matches")).to_be_visible()
    await accounts.get_by_role("button", name="Show all accounts").click()
    await expect(lines(accounts)).to_have_count(len(OTHERS))
    await expect(accounts.locator("#search")).to_have_value("")


async def test_a_status_says_its_reason(accounts: Page, operator: httpx.AsyncClient) -> None:
    """On focus too, not on hover alone."""
    await operator.patch("/tokens", json={"token": OTHERS[0], "status": "cooling"})
    status = line(accounts, "t-1").locator(".badge.hinted")
    await accounts.set_viewport_size({"width": 1440, "height": 1600})  # a tip closes when its place is scrolled
    await status.focus()
    await expect(accounts.get_by_role("tooltip")).to_contain_text("resting")
    await expect(line(accounts, "t-1")).to_contain_text("until")


@pytest.mark.parametrize("width", [375, 1440])
async def test_nothing_scrolls_sideways_whatever_is_open(accounts: Page, width: int) -> None:
    """With accounts selected, and with each dialog."""
    await accounts.set_viewport_size({"width": width, "height": 800})
    await lines(accounts).first.get_by_role("checkbox").click()
    assert await is_within(accounts, width)
    for opener in ("#add", "#import", "#selected-export", "#selected-adult", "#selected-delete"):
        await accounts.locator(opener).click()
        await expect(accounts.locator("[role=dialog], [role=alertdialog]")).to_be_visible()
        assert await is_within(accounts, width)
        await accounts.keyboard.press("Escape")
        await expect(accounts.locator("[role=dialog], [role=alertdialog]")).to_have_count(0)


async def is_within(page: Page, width: int) -> bool:
    """Whether nothing goes beyond the window's edge."""
    return bool(await page.evaluate("document.documentElement.scrollWidth") <= width)


@pytest.mark.timeout(300)  # ten thousand accounts are stored first
async def test_ten_thousand_accounts_stay_fluid(accounts: Page, operator: httpx.AsyncClient) -> None:
    """The page is painted at once, each look at the list is short, and all of them go into one batch."""
    more = [f"sandbox-super-crowd-{number:05}" for number in range(MANY - len(OTHERS))]
    (await operator.post("/tokens/add", json={"tokens": more, "pool": "ssoSuper"})).raise_for_status()
    await accounts.goto(PATH)
    await accounts.wait_for_selector("#accounts tbody tr")
    painted_ms = await accounts.evaluate("performance.now()")
    await expect(accounts.locator("#card-total")).to_contain_text("10,000")
    await accounts.locator("select").last.select_option("200")
    await expect(lines(accounts)).to_have_count(200)
    await accounts.locator("#search").fill("0999")
    await expect(lines(accounts)).not_to_have_count(200)
    await accounts.locator("#search").fill("")
    await expect(lines(accounts)).to_have_count(200)

    await accounts.locator("#select-page").click()
    await accounts.locator("#select-all").click()
    await expect(accounts.locator("#selected")).to_have_text("10000 selected")
    await accounts.locator("#selected-refresh").click()
    await expect(accounts.locator("#tasks")).to_contain_text(re.compile(r"\d+ of 10000"))
    await accounts.locator("#tasks").get_by_role("button", name="Cancel").click()
    await expect(accounts.locator("#tasks")).to_contain_text("Cancelled")
    assert painted_ms < PAINT_LIMIT_MS
