"""What an operator does with accounts: the services do it, the page says how it went."""

import asyncio
import json
from typing import Any

import pytest

from grok_app.accounts import Status
from grok_app.catalog import Pool
from grok_app.tasks import service
from grok_app.ui.pages.accounts import ActionsState, EditState
from grok_app.upstream import ErrorKind, UpstreamError
from tests.tasks.works import until_over
from tests.ui.crowd import Crowd
from tests.ui.tabs import fresh, send

TOKENS = ["first-token-aaaa", "second-token-bbb", "third-token-cccc"]


@pytest.fixture
async def tab(people: Crowd) -> Any:
    """A tab with three accounts."""
    await people.roster.add({Pool.BASIC: TOKENS})
    state = fresh(EditState)
    await send(state, "show_all")
    return state


def said(tab: Any) -> tuple[str, str]:
    """The last toast."""
    return tab.notice.kind, tab.notice.text


async def exported(tab: Any, scope: str, form: str) -> dict[str, Any]:
    """What the browser is to ask for."""
    [event] = await send(tab, "export", form={"scope": scope, "format": form})
    given = {str(name): value for name, value in event.args}
    request: dict[str, Any] = json.loads(given["value"]._var_value)
    assert (request["path"], request["name"]) == ("/v1/admin/tokens/export", f"token.{form}")
    body: dict[str, Any] = request["body"]
    return body


async def finish(people: Crowd) -> None:
    """Wait for every task."""
    for task in people.tasks.running():
        await until_over(task)


async def test_one_account_is_refreshed(tab: Any) -> None:
    """Its new quota is told and shown."""
    await send(tab, "refresh", account_id=tab.rows[0].id)
    assert said(tab) == ("success", "firs…aaaa: 50 left")
    assert (tab.rows[0].quota, tab.busy_rows) == (50, [])


async def test_a_failed_refresh_says_why(people: Crowd, tab: Any) -> None:
    """With the account's mask."""
    people.grok.quotas[TOKENS[0]] = UpstreamError(ErrorKind.INVALID_CREDENTIAL, "Grok refused the sign-in", status=401)
    await send(tab, "refresh", account_id=tab.rows[0].id)
    kind, sentence = said(tab)
    assert kind == "error"
    assert sentence.startswith("firs…aaaa: ")


async def test_a_cancelled_refresh_frees_its_button(people: Crowd, tab: Any) -> None:
    """And is told."""
    people.grok.answering.clear()
    refreshing = asyncio.create_task(send(tab, "refresh", account_id=tab.rows[0].id))
    await people.grok.was_asked.wait()
    assert tab.busy_rows == [tab.rows[0].id]
    await people.tasks.cancel(people.tasks.running()[0].id)
    people.grok.answering.set()
    await refreshing
    assert tab.busy_rows == []
    assert said(tab) == ("error", "The task was cancelled before its end.")


async def test_a_refresh_that_can_not_begin_frees_its_button(tab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too much is under way; it is told."""
    monkeypatch.setattr(service, "MOST_RUNNING", 0)
    await send(tab, "refresh", account_id=tab.rows[0].id)
    assert tab.busy_rows == []
    assert "under way already" in said(tab)[1]


async def test_the_selected_ones_are_refreshed_as_a_task(people: Crowd, tab: Any) -> None:
    """Which anybody can watch."""
    await send(tab, "select_all")
    await send(tab, "toggle", account_id=tab.rows[0].id)
    await send(tab, "refresh_selected")
    [task] = people.tasks.all()
    assert (task.kind, task.progress().total) == ("refresh", 2)
    await finish(people)
    assert sorted(people.grok.asked) == [("quota", TOKENS[1]), ("quota", TOKENS[2])]


async def test_one_account_is_switched_off_and_on(people: Crowd, tab: Any) -> None:
    """As the button says, whatever has become of the account since it was drawn."""
    account_id = tab.rows[0].id
    for _ in range(2):
        await send(tab, "disable", account_id=account_id)
        assert (tab.rows[0].status, said(tab)) == ("disabled", ("success", "Accounts disabled: 1"))
    for _ in range(2):
        await send(tab, "enable", account_id=account_id)
        assert (tab.rows[0].status, said(tab)) == ("active", ("success", "Accounts enabled: 1"))
    assert (tab.busy_rows, people.tokens()) == ([], TOKENS)


@pytest.mark.parametrize("event", ["refresh", "disable", "enable", "ask_delete", "edit", "toggle"])
async def test_an_account_that_is_gone_is_told(people: Crowd, tab: Any, event: str) -> None:
    """Whatever was to be done with it; nothing opens."""
    account_id = tab.rows[0].id
    await people.roster.remove([account_id])
    await send(tab, event, account_id=account_id)
    assert said(tab) == ("error", "There is no such account any more.")
    assert (tab.busy_rows, tab.question.count, tab.draft.id, tab.selected) == ([], 0, 0, 0)


async def test_selected_accounts_that_are_gone_are_told(people: Crowd, tab: Any) -> None:
    """Nothing is asked or begun about none."""
    await send(tab, "select_all")
    await people.roster.remove([row.id for row in tab.rows])
    for event in ("ask_delete_selected", "refresh_selected"):
        tab.notice.text = ""
        await send(tab, event)
        assert said(tab) == ("error", "There is no such account any more.")
    assert (people.tasks.all(), tab.question.count) == ([], 0)


async def test_the_selected_ones_are_switched(people: Crowd, tab: Any) -> None:
    """How many it were is told; the buttons are free again."""
    await send(tab, "select_all")
    await send(tab, "disable_selected")
    assert said(tab) == ("success", "Accounts disabled: 3")
    await send(tab, "enable_selected")
    assert said(tab) == ("success", "Accounts enabled: 3")
    assert tab.busy == ""
    assert {account.status for account in people.roster.all()} == {Status.ACTIVE}


async def test_nothing_is_deleted_unasked(people: Crowd, tab: Any) -> None:
    """The question names one account, or says how many; it can be closed."""
    await send(tab, "delete")
    await send(tab, "ask_delete", account_id=tab.rows[0].id)
    assert (tab.question.count, tab.question.token) == (1, "firs…aaaa")
    await send(tab, "close_question")
    await send(tab, "delete")
    assert people.tokens() == TOKENS


async def test_what_was_asked_about_is_deleted(people: Crowd, tab: Any) -> None:
    """One account by its line, then those that are selected."""
    await send(tab, "ask_delete", account_id=tab.rows[0].id)
    await send(tab, "delete")
    assert (people.tokens(), tab.question.count) == (TOKENS[1:], 0)
    await send(tab, "toggle", account_id=tab.rows[0].id)
    await send(tab, "ask_delete_selected")
    assert (tab.question.count, tab.question.token) == (1, "seco…-bbb")
    await send(tab, "select_all")
    await send(tab, "ask_delete_selected")
    assert tab.question.count == 2
    await send(tab, "delete")
    assert (people.tokens(), tab.selected, said(tab)) == ([], 0, ("success", "Accounts deleted: 2"))


async def test_a_failure_frees_the_buttons(people: Crowd, tab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """And is told without its details."""

    async def broken(_ids: object) -> int:
        raise OSError("disk full")

    monkeypatch.setattr(people.roster, "disable", broken)
    await send(tab, "select_all")
    await send(tab, "disable_selected")
    assert tab.busy == ""
    assert said(tab)[0] == "error"
    assert "disk full" not in said(tab)[1]


async def test_adult_content_needs_a_date_of_birth(people: Crowd, tab: Any) -> None:
    """The server's sentence stands in the dialog; with a date the task begins."""
    await send(tab, "select_all")
    await send(tab, "ask_adult_content")
    assert tab.adult_count == 3
    await send(tab, "start_adult_content", form={"birth_date": ""})
    assert tab.adult_error
    assert people.tasks.all() == []
    await send(tab, "start_adult_content", form={"birth_date": "1990-05-17"})
    await finish(people)
    await send(tab, "show_all")
    assert (tab.adult_count, tab.counts["nsfw_on"]) == (0, 3)


async def test_an_export_names_ids_and_no_tokens(tab: Any) -> None:
    """The selected ones or those that match; the browser fetches the file by itself."""
    ids = [row.id for row in tab.rows]
    await send(tab, "toggle", account_id=ids[1])
    assert await exported(tab, "selected", "txt") == {"ids": [ids[1]], "format": "txt"}
    assert tab.busy == "export"
    await send(tab, "end_export", error="")
    assert (tab.busy, said(tab)) == ("", ("success", "Accounts exported: 1"))
    await send(tab, "search", words="-bbb")
    assert await exported(tab, "matching", "json") == {"ids": [ids[1]], "format": "json"}
    await send(tab, "end_export", error="Not now")
    assert (said(tab), tab.busy) == (("error", "Not now"), "")


@pytest.mark.parametrize("scope", ["selected", "matching"])
async def test_an_export_of_all_names_nobody(tab: Any, scope: str) -> None:
    """However many they are, one request can have them."""
    await send(tab, "select_all")
    assert await exported(tab, scope, "txt") == {"format": "txt"}
    await send(tab, "end_export", error="")
    assert said(tab) == ("success", "Accounts exported: 3")


async def test_what_is_exported_stays_in_no_state(tab: Any) -> None:
    """It is said to the browser once: a page that is loaded anew fetches nothing again."""
    await send(tab, "toggle", account_id=tab.rows[1].id)
    await exported(tab, "selected", "txt")
    assert "/v1/admin/tokens/export" not in str(tab.dict())


async def test_an_account_is_edited(people: Crowd, tab: Any) -> None:
    """The form begins with what it is; what was not touched may change meanwhile, and stays."""
    await send(tab, "edit", account_id=tab.rows[0].id)
    assert (tab.draft.token, tab.draft.quota, tab.draft.pool) == ("firs…aaaa", "80", "ssoBasic")
    await people.roster.edit(tab.rows[0].id, {"quota": 7})
    await send(tab, "save", form={"pool": "ssoSuper", "quota": "80", "note": "mine", "tags": "a, b，a"})
    [account] = people.roster.chosen([people.id_of(TOKENS[0])])
    assert (account.pool, account.quota, account.note, account.tags) == (Pool.SUPER, 7, "mine", ("a", "b"))
    assert (tab.draft.id, said(tab)) == (0, ("success", "Account saved."))


@pytest.mark.parametrize(
    ("form", "field"),
    [({"quota": "many"}, "quota"), ({"note": "x" * 2001}, "note"), ({"tags": "y" * 51}, "tags")],
    ids=["quota", "note", "tags"],
)
async def test_a_wrong_field_is_told_where_it_stands(tab: Any, form: dict[str, str], field: str) -> None:
    """The form stays open, and the account as it was."""
    await send(tab, "edit", account_id=tab.rows[0].id)
    before = {"pool": "ssoBasic", "quota": "80", "note": "", "tags": ""}
    await send(tab, "save", form=before | form)
    assert (tab.error_field, tab.draft.id) == (field, tab.rows[0].id)
    assert tab.form_error
    assert tab.busy == ""


async def test_who_was_deleted_meanwhile_can_not_be_saved(people: Crowd, tab: Any) -> None:
    """The form says so."""
    await send(tab, "edit", account_id=tab.rows[0].id)
    await people.roster.remove([tab.rows[0].id])
    await send(tab, "save", form={"pool": "ssoBasic", "quota": "80", "note": "x", "tags": ""})
    assert (tab.error_field, bool(tab.form_error)) == ("", True)


async def test_an_account_is_added(people: Crowd, tab: Any) -> None:
    """With what was given; its token stays in no state."""
    form = {"token": "sso=fourth-token-ddd", "pool": "ssoSuper", "quota": "", "note": "new", "tags": "a"}
    await send(tab, "open_add")
    await send(tab, "add", form=form)
    [account] = people.roster.chosen([people.id_of("fourth-token-ddd")])
    assert (account.pool, account.quota, account.note, account.tags) == (Pool.SUPER, 140, "new", ("a",))
    assert (tab.is_adding, len(tab.rows)) == (False, 4)
    assert "fourth-token-ddd" not in str(tab.dict())


@pytest.mark.parametrize("token", ["bad token", "x", TOKENS[0]], ids=["blank", "short", "there"])
async def test_a_token_that_can_not_be_added_is_told(people: Crowd, tab: Any, token: str) -> None:
    """At its field; the form stays open."""
    await send(tab, "open_add")
    await send(tab, "add", form={"token": token, "pool": "ssoBasic", "quota": "", "note": "", "tags": ""})
    assert (tab.error_field, tab.is_adding, people.tokens()) == ("token", True, TOKENS)


def test_every_action_is_an_event() -> None:
    """The selection's buttons are all there."""
    assert {"refresh_selected", "disable_selected", "enable_selected", "ask_delete_selected"} <= set(
        ActionsState.event_handlers
    )
