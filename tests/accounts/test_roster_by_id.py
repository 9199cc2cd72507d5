"""Accounts by their ids, as the console knows them: edited, switched and removed, in one step each."""

import asyncio
from typing import Any

import pytest

from grok_app.accounts import Accounts, Roster, Status, read_fields
from grok_app.catalog import Pool
from grok_app.db import Database
from grok_app.errors import InvalidRequestError, NotFoundError
from tests.accounts.test_roster import by_token, rows


@pytest.fixture
async def ids(roster: Roster) -> dict[str, int]:
    """One account of each status, by that status."""
    await roster.add({Pool.SUPER: [{"token": f"is-{status}", "status": status} for status in Status]})
    return {status: by_token(roster)[f"is-{status}"].id for status in Status}


async def test_ids_name_accounts(roster: Roster, ids: dict[str, int]) -> None:
    """Oldest first; one that is gone is passed over."""
    wanted = {ids["expired"], ids["active"], 999}
    assert [account.id for account in roster.chosen(wanted)] == [ids["active"], ids["expired"]]


async def test_one_account_is_edited(roster: Roster, database: Database, ids: dict[str, int]) -> None:
    """Just what is given changes, the pool too, at once and in the database."""
    given = read_fields({"quota": 7, "note": "n", "tags": ["a", "b"]}).given()
    after = await roster.edit(ids["active"], given, Pool.BASIC)
    assert (after.pool, after.quota, after.note, after.tags) == (Pool.BASIC, 7, "n", ("a", "b"))
    row = (await rows(database))[ids["active"]]
    assert (row.pool, row.quota, row.note, row.tags) == ("ssoBasic", 7, "n", '["a","b"]')


async def test_who_is_gone_can_not_be_edited(roster: Roster) -> None:
    """Another operator may have deleted the account while the form was open."""
    with pytest.raises(NotFoundError):
        await roster.edit(999, {"note": "n"})


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"quota": "many"}, "quota"),
        ({"quota": -1}, "quota"),
        ({"note": "x" * 2001}, "note"),
        ({"tags": [""]}, "tags.0"),
    ],
    ids=["no number", "too little", "too long", "empty tag"],
)
def test_a_wrong_field_is_named(given: dict[str, Any], param: str) -> None:
    """So that the form can say it where it stands."""
    with pytest.raises(InvalidRequestError) as refused:
        read_fields(given)
    assert refused.value.param == param


async def test_disabling_changes_only_the_others(roster: Roster, database: Database, ids: dict[str, int]) -> None:
    """Those that are disabled already don't count; whoever wasn't named stays as it was."""
    assert await roster.disable({*ids.values(), 999}) == 3
    assert {row.status for row in (await rows(database)).values() if row.id in ids.values()} == {"disabled"}
    assert by_token(roster)["first"].status is Status.ACTIVE


async def test_enabling_wakes_only_the_disabled(roster: Roster, database: Database, ids: dict[str, int]) -> None:
    """One that rests or is expired doesn't serve because somebody enabled a selection it was in."""
    assert await roster.enable(ids.values()) == 1
    stored = await rows(database)
    assert {name: stored[account_id].status for name, account_id in ids.items()} == {
        "active": "active",
        "cooling": "cooling",
        "expired": "expired",
        "disabled": "active",
    }


async def test_accounts_are_removed(roster: Roster, database: Database, ids: dict[str, int]) -> None:
    """From memory and database; ids that are gone already don't count."""
    assert await roster.remove([ids["active"], ids["cooling"], 999]) == 2
    assert ids["active"] not in await rows(database)
    assert len(roster.all()) == 3


@pytest.mark.parametrize("action", ["disable", "enable", "remove"])
async def test_an_action_is_one_transaction(
    roster: Roster, database: Database, monkeypatch: pytest.MonkeyPatch, action: str, ids: dict[str, int]
) -> None:
    """When it fails, nothing has changed, neither in the database nor in memory."""
    before, stored = roster.all(), await rows(database)
    with monkeypatch.context() as patched:
        patched.setattr("grok_app.accounts.repository._update", lambda *_: (_ for _ in ()).throw(OSError("full")))
        with pytest.raises(OSError, match="full"):
            await getattr(roster, action)(ids.values())
    assert roster.all() == before
    assert (await rows(database)).keys() == stored.keys()


async def test_a_request_meanwhile_is_not_undone(roster: Roster, accounts: Accounts, database: Database) -> None:
    """An account that is disabled while it serves keeps what the request has counted."""
    [first] = roster.all()
    async with accounts.lease((Pool.BASIC,), 4):
        disabling = asyncio.create_task(roster.disable([first.id]))
        await asyncio.sleep(0)
    await disabling
    await roster.save()
    [row] = (await rows(database)).values()
    assert (row.status, row.use_count) == ("disabled", 1)
