"""The list of accounts: whole, durable, and nobody's change undoes another's."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import select
from structlog.testing import capture_logs

from grok_app.accounts import AccountRow, Accounts, Changed, Roster, Status, as_record, ledger
from grok_app.catalog import Pool
from grok_app.db import Database, now_ms
from grok_app.errors import NotFoundError
from grok_app.upstream import ErrorKind, UpstreamError
from tests.accounts.conftest import Rosters


async def rows(database: Database) -> dict[int, AccountRow]:
    """All stored accounts by their ids."""
    async with database.session() as session:
        return {row.id or 0: row for row in (await session.exec(select(AccountRow))).all()}


def by_token(roster: Roster) -> dict[str, Any]:
    """All accounts in memory by their tokens."""
    return {account.credential.get_secret_value(): account for account in roster.all()}


async def test_the_same_credential_is_one_account(roster: Roster, database: Database) -> None:
    """With or without `sso=`, in any pool, once or twice in a list."""
    assert await roster.add({Pool.SUPER: ["sso=first; path=/", " first "]}) == Changed(duplicates=2)
    assert await roster.add({Pool.SUPER: ["second", "sso=second"]}) == Changed(added=1, duplicates=1)
    assert len(await rows(database)) == 2


async def test_credentials_are_unreadable_in_the_database(roster: Roster, database: Database) -> None:
    """Neither the token nor anything made from it without the key is stored."""
    row = (await rows(database))[roster.all()[0].id]
    assert "first" not in row.credential
    assert len(row.fingerprint) == 64


@pytest.mark.parametrize("pasted", ["", "sso=", "a b", "tok\nen", "tökén", "x" * 20_000], ids=repr)
async def test_what_no_cookie_can_hold_is_skipped(roster: Roster, pasted: str) -> None:
    """A malformed token is named by its ends at most, with the reason, and the others are added."""
    result = await roster.add({Pool.BASIC: ["good-one", pasted]})
    assert (result.added, result.duplicates, len(result.skipped)) == (1, 0, 1)
    assert len(result.skipped[0].token) <= 9
    assert result.skipped[0].reason


async def test_a_deleted_account_is_gone(roster: Roster, accounts: Accounts, database: Database) -> None:
    """From the pool and the database, also while it is lent; unknown tokens are passed over."""
    await roster.add({Pool.BASIC: ["second"]})
    second = by_token(roster)["second"].id
    async with accounts.lease((Pool.BASIC,), 1, {second}):
        assert await roster.delete(["sso=first", "unknown", "first"]) == 1
    await roster.save()
    assert [account.id for account in roster.all()] == [second] == list(await rows(database))


async def test_a_failed_save_is_tried_again(
    roster: Roster, accounts: Accounts, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that is away for a moment costs nothing."""
    async with accounts.lease((Pool.BASIC,), 1):
        pass
    with monkeypatch.context() as patched:
        patched.setattr(database, "session", lambda: (_ for _ in ()).throw(OSError("gone")))
        with pytest.raises(OSError, match="gone"):
            await roster.save()
    await roster.save()
    [row] = (await rows(database)).values()
    assert row.use_count == 1


async def test_a_database_that_is_away_is_logged_once(
    roster: Roster, accounts: Accounts, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often saving is tried meanwhile; then nothing is missing."""
    monkeypatch.setattr(ledger, "_LOOK_S", 0.01)
    tries = iter(range(3))
    working, is_saved = database.session, asyncio.Event()

    def session() -> Any:
        if next(tries, None) is not None:
            raise OSError("gone")
        is_saved.set()
        return working()

    monkeypatch.setattr(database, "session", session)
    with capture_logs() as lines:
        async with accounts.lease((Pool.BASIC,), 1):
            pass
        await is_saved.wait()
        await roster.save()
    assert [line["event"] for line in lines if line["log_level"] == "error"] == [
        "accounts could not be saved, trying again"
    ]
    [row] = (await rows(database)).values()
    assert row.use_count == 1


async def test_replacing_keeps_adds_moves_and_deletes(roster: Roster, database: Database) -> None:
    """The list sent is the list kept; the id and the fields that were not sent stay, in memory and in the database."""
    await roster.add({Pool.BASIC: ["gone", {"token": "kept", "note": "mine", "quota": 7, "use_count": 3}]})
    kept = by_token(roster)["kept"]
    result = await roster.replace({Pool.SUPER: [{"token": "sso=kept", "tags": ["a"]}, "newer", "newer"]})
    assert (result.added, result.updated, result.deleted, result.duplicates) == (1, 1, 2, 1)
    now = by_token(roster)
    assert now.keys() == {"kept", "newer"}
    assert (now["kept"].id, now["kept"].pool, now["kept"].tags) == (kept.id, Pool.SUPER, ("a",))
    assert (now["kept"].note, now["kept"].quota, now["kept"].use_count) == ("mine", 7, 3)
    assert now["newer"].quota == 140
    row = (await rows(database))[kept.id]
    assert (row.pool, row.tags, row.note, row.quota) == ("ssoSuper", '["a"]', "mine", 7)
    assert len(await rows(database)) == 2


async def test_what_is_sent_back_unchanged_changes_nothing(roster: Roster, database: Database) -> None:
    """A script that reads the list and sends it back has done nothing."""
    before = await rows(database)
    assert await roster.replace({Pool.BASIC: ["first"]}) == Changed()
    assert {i: row.model_dump() for i, row in (await rows(database)).items()} == {
        i: row.model_dump() for i, row in before.items()
    }


async def test_a_slip_in_a_field_deletes_no_account(roster: Roster) -> None:
    """The account stays as it is, and the item is named."""
    before = by_token(roster)
    result = await roster.replace({Pool.SUPER: [{"token": "sso=first", "quota": -1}]})
    assert (result.deleted, result.updated, len(result.skipped)) == (0, 0, 1)
    assert by_token(roster) == before


async def test_a_replacement_that_fails_changes_nothing(
    roster: Roster, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a list is never kept."""
    with monkeypatch.context() as patched:
        patched.setattr("grok_app.accounts.repository._insert", lambda *_: (_ for _ in ()).throw(OSError("full")))
        with pytest.raises(OSError, match="full"):
            await roster.replace({Pool.BASIC: ["newer"]})
    assert by_token(roster).keys() == {"first"}
    assert len(await rows(database)) == 1


async def test_requests_meanwhile_are_not_undone(roster: Roster, accounts: Accounts, database: Database) -> None:
    """A list that was read before a request ended takes nothing back that the request has counted."""
    async with accounts.lease((Pool.BASIC,), 4):
        replacing = asyncio.create_task(roster.replace({Pool.BASIC: [{"token": "first", "use_count": 0, "note": "n"}]}))
        await asyncio.sleep(0)
    await replacing
    await roster.save()
    [row] = (await rows(database)).values()
    assert (row.use_count, row.quota, row.note) == (1, 76, "n")


async def test_a_list_sent_back_does_not_wake_who_was_limited_meanwhile(
    roster: Roster, accounts: Accounts, database: Database
) -> None:
    """What a script read before the refusal takes the rest back neither in memory nor in the database."""
    read_before = [as_record(account) | {"note": "edited"} for account in roster.all()]
    with pytest.raises(UpstreamError):
        await limit(accounts)
    await roster.replace({Pool.BASIC: read_before})
    await roster.save()
    [account], [row] = roster.all(), (await rows(database)).values()
    assert (account.status, account.quota, account.note) == (Status.COOLING, 0, "edited")
    assert (row.status, row.quota, row.note) == ("cooling", 0, "edited")


async def limit(accounts: Accounts) -> None:
    """A request that Grok refuses for two hours."""
    async with accounts.lease((Pool.BASIC,), 1):
        raise UpstreamError(ErrorKind.RATE_LIMITED, "slow down", retry_after_s=7200)


async def test_an_account_that_wakes_is_seen_awake(roster: Roster, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator needn't wait for a request to find out."""
    await roster.amend("first", {"status": Status.COOLING})
    with monkeypatch.context() as patched:
        later = now_ms() + 901_000
        patched.setattr(roster.pool, "_now_ms", lambda: later)
        [account] = roster.all()
    assert (account.status, account.quota) == (Status.ACTIVE, 80)


async def test_edits_of_one_account_at_the_same_time_all_count(roster: Roster, database: Database) -> None:
    """Each begins where the other one has ended."""
    await asyncio.gather(
        roster.amend("first", {}, Pool.SUPER),
        roster.amend("first", {"note": "x"}),
        roster.amend("first", {"tags": ("y",)}),
    )
    [row] = (await rows(database)).values()
    assert (row.pool, row.note, row.tags) == ("ssoSuper", "x", '["y"]')


async def test_two_operators_do_not_undo_each_other(roster: Roster, database: Database) -> None:
    """Additions and deletions at the same time all count."""
    await roster.add({Pool.BASIC: [f"old-{number}" for number in range(10)]})
    await asyncio.gather(
        *(roster.add({Pool.BASIC: [f"new-{number}"]}) for number in range(10)),
        *(roster.delete([f"old-{number}"]) for number in range(10)),
    )
    assert by_token(roster).keys() == {"first", *(f"new-{number}" for number in range(10))}
    assert len(await rows(database)) == 11


async def test_one_account_is_amended(roster: Roster, database: Database) -> None:
    """Just the given fields change, at once and in the database too."""
    after = await roster.amend("sso=first", {"status": Status.DISABLED, "note": "on holiday"}, Pool.SUPER)
    assert (after.status, after.note, after.pool, after.quota) == (Status.DISABLED, "on holiday", Pool.SUPER, 80)
    [row] = (await rows(database)).values()
    assert (row.status, row.note, row.pool) == ("disabled", "on holiday", "ssoSuper")
    with pytest.raises(NotFoundError):
        await roster.amend("unknown", {})


async def test_a_tag_is_given_once_and_written(roster: Roster, database: Database) -> None:
    """However often."""
    [first] = roster.all()
    for _ in range(2):
        roster.tag(first.id, "nsfw")
    await roster.save()
    [row] = (await rows(database)).values()
    assert row.tags == '["nsfw"]'


async def test_another_process_is_followed(rosters: Rosters, roster: Roster, accounts: Accounts) -> None:
    """What it adds, edits and deletes is seen; what our requests have counted and not written yet stays ours."""
    await roster.add({Pool.BASIC: ["second"]})
    second = by_token(roster)["second"].id
    async with rosters.open() as other:
        async with accounts.lease((Pool.BASIC,), 1, {second}):
            await other.add({Pool.SUPER: ["third"]})
            await other.amend("first", {"note": "theirs", "status": Status.DISABLED})
            await other.delete(["second"])
        await roster.catch_up()
        async with asyncio.timeout(5):
            while by_token(roster)["first"].status is not Status.DISABLED:  # noqa: ASYNC110 - Redis may be a moment late
                await asyncio.sleep(0.01)
    now = by_token(roster)
    assert now.keys() == {"first", "third"}
    assert (now["first"].note, now["first"].use_count) == ("theirs", 1)


async def test_what_another_process_has_disabled_stays_disabled(
    rosters: Rosters, roster: Roster, accounts: Accounts, database: Database
) -> None:
    """Also when a request of ours ends and is written before we have heard of it."""
    async with rosters.open() as other:
        async with accounts.lease((Pool.BASIC,), 1):
            await other.amend("first", {"status": Status.DISABLED})
        await roster.save()
        [row] = (await rows(database)).values()
        assert (row.status, row.use_count) == ("disabled", 1)
        await roster.catch_up()
    assert roster.all()[0].status is Status.DISABLED


@pytest.mark.parametrize("steps", range(0, 40, 3))
async def test_a_write_is_never_broken_off(roster: Roster, database: Database, steps: int) -> None:
    """Whoever is cancelled in the middle leaves memory and database alike, and nothing locked."""
    await roster.add({Pool.BASIC: [f"token-{number}" for number in range(50)]})
    writing = asyncio.create_task(roster.replace({Pool.SUPER: [f"token-{number}" for number in range(25, 75)]}))
    for _ in range(steps):
        await asyncio.sleep(0)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    assert {account.id: account.pool for account in roster.all()} == {
        account_id: row.pool for account_id, row in (await rows(database)).items()
    }
    await roster.amend("token-30", {"note": "x"})


async def test_a_stop_in_the_middle_of_a_save_loses_nothing(rosters: Rosters, database: Database) -> None:
    """The save under way is finished, then the rest is saved."""
    async with rosters.open() as roster:
        await roster.add({Pool.BASIC: [f"token-{number}" for number in range(300)]})
        for account in roster.all():
            roster.keep(account.id, lambda it: replace(it, use_count=1))
        saving = asyncio.create_task(roster.save())
        for _ in range(5):
            await asyncio.sleep(0)
        saving.cancel()
        roster.keep(roster.all()[0].id, lambda it: replace(it, use_count=2))
    await asyncio.gather(saving, return_exceptions=True)
    counts = sorted(row.use_count for row in (await rows(database)).values())
    assert counts == [1] * 299 + [2]


async def test_two_processes_may_add_the_same_account(rosters: Rosters, roster: Roster, database: Database) -> None:
    """The second one finds it there."""
    async with rosters.open() as other:
        await other.add({Pool.BASIC: ["same"]})
        assert await roster.add({Pool.SUPER: ["same", "more"]}) == Changed(added=1, duplicates=1)
    assert len(await rows(database)) == 3
    assert by_token(roster)["same"].pool is Pool.BASIC


async def test_changes_of_another_process_are_seen_soon(rosters: Rosters, roster: Roster) -> None:
    """Without anyone asking."""
    async with rosters.open() as other:
        await other.add({Pool.BASIC: ["second"]})
    async with asyncio.timeout(10):
        while roster.find("second") is None:  # noqa: ASYNC110 - the other process tells only the file
            await asyncio.sleep(0.01)
