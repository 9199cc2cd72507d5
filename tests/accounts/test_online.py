"""What Grok keeps for accounts."""

import pytest

from grok_app.accounts import Account, Counted, NoAccountError, OnlineFiles, Roster
from grok_app.catalog import Pool
from grok_app.errors import NotFoundError
from grok_app.settings import SettingsService
from grok_app.upstream import ErrorKind, UpstreamError
from tests.accounts.conftest import Rosters
from tests.accounts.files import ScriptedFiles
from tests.tasks.works import settle

AWAY = UpstreamError(ErrorKind.UNAVAILABLE, "Grok is away", status=503)
REFUSED = UpstreamError(ErrorKind.INVALID_CREDENTIAL, "unauthenticated", status=401)
LIMITED = UpstreamError(ErrorKind.RATE_LIMITED, "too many", status=429)
UNKNOWN = "There is no account with this token"


def account_of(roster: Roster, name: str = "first") -> Account:
    """This account as it is now."""
    account = roster.find(name)
    assert account is not None
    return account


def keep(files: ScriptedFiles, token: str, count: int) -> list[str]:
    """Let Grok keep so many files for this account; their ids."""
    files.kept[token] = [f"{token}-{number}" for number in range(count)]
    return list(files.kept[token])


async def test_each_account_is_counted_or_says_why_not(
    roster: Roster, online: OnlineFiles, files: ScriptedFiles
) -> None:
    """In the order asked for, under the tokens that were given; half a list is no count."""
    await roster.add({Pool.SUPER: ["second"]})
    keep(files, "first", 3)
    keep(files, "second", 2)
    files.list_failures["second"] = AWAY
    counted = await online.start_count(["unknown", "sso=first", "second"], list).wait()
    assert counted == [
        Counted("unknown", 0, UNKNOWN),
        Counted("sso=first", 3, None),
        Counted("second", 0, "Grok is away"),
    ]


async def test_a_file_that_is_told_twice_is_one(online: OnlineFiles, files: ScriptedFiles) -> None:
    """Pages overlap when something is used meanwhile, or come again."""
    files.kept["first"] = ["a", "b", "a"]
    assert await online.start_count(["first"], list).wait() == [Counted("first", 2, None)]
    assert await online.clear("first") == {"status": "success", "result": {"total": 2, "success": 2, "failed": 0}}


async def test_a_clearing_leaves_nothing_and_is_remembered(
    roster: Roster, online: OnlineFiles, files: ScriptedFiles, rosters: Rosters
) -> None:
    """The moment stands in the database too. Nothing goes before the list has come to its end."""
    kept = keep(files, "first", 7)
    result = await online.start_clear(["first"]).wait()
    assert result == {
        "status": "success",
        "summary": {"total": 1, "ok": 1, "fail": 0},
        "results": {"first": {"status": "success", "result": {"total": 7, "success": 7, "failed": 0}}},
    }
    assert files.asked[0] == ("listed", "first")
    assert sorted(files.asked[1:]) == [("delete", asset_id) for asset_id in kept]
    assert files.kept["first"] == []
    cleared_at = account_of(roster).last_asset_clear_at_ms
    assert cleared_at
    await roster.save()
    async with rosters.open() as other:
        assert account_of(other).last_asset_clear_at_ms == cleared_at


async def test_one_failure_stops_no_other_file(roster: Roster, online: OnlineFiles, files: ScriptedFiles) -> None:
    """It is counted, and it is a clearing all the same."""
    keep(files, "first", 5)
    files.delete_failures["first-3"] = AWAY
    assert (await online.clear("first"))["result"] == {"total": 5, "success": 4, "failed": 1}
    assert files.kept["first"] == ["first-3"]
    assert account_of(roster).last_asset_clear_at_ms


@pytest.mark.parametrize("count", [0, 4], ids=["nothing there", "all failed"])
async def test_a_clearing_is_one_when_something_went_or_nothing_was_there(
    roster: Roster, online: OnlineFiles, files: ScriptedFiles, count: int
) -> None:
    """Where every file stayed, the operator must not read that it was cleared."""
    for asset_id in keep(files, "first", count):
        files.delete_failures[asset_id] = AWAY
    assert (await online.clear("first"))["result"] == {"total": count, "success": 0, "failed": count}
    assert bool(account_of(roster).last_asset_clear_at_ms) is (count == 0)


async def test_a_list_that_fails_deletes_nothing(roster: Roster, online: OnlineFiles, files: ScriptedFiles) -> None:
    """The error says why, and a refused credential is counted as everywhere."""
    keep(files, "first", 3)
    files.list_failures["first"] = REFUSED
    assert await online.clear("first") == {"status": "error", "error": "unauthenticated"}
    assert files.asked == []
    account = account_of(roster)
    assert (account.fail_count, account.last_asset_clear_at_ms) == (1, None)


@pytest.mark.parametrize("failure", [REFUSED, LIMITED], ids=["refused", "limited"])
async def test_what_every_file_would_meet_ends_it(
    roster: Roster,
    online: OnlineFiles,
    files: ScriptedFiles,
    settings: SettingsService,
    failure: UpstreamError,
) -> None:
    """What was under way ends, the rest is not tried; and many refusals at once are one in a row."""
    await settings.change({"asset.delete_concurrent": 6, "token.fail_threshold": 2})
    for asset_id in keep(files, "first", 20):
        files.delete_failures[asset_id] = failure
    files.may_delete.clear()
    task = online.start_clear(["first"])
    await settle()
    files.may_delete.set()
    [told] = (await task.wait())["results"].values()
    assert told["result"] == {"total": 20, "success": 0, "failed": 20}
    assert len([call for call, _ in files.asked if call == "delete"]) == 6
    account = account_of(roster)
    assert (account.fail_count, account.status) == (failure is REFUSED, "active")


async def test_deletions_share_their_slots(
    roster: Roster, online: OnlineFiles, files: ScriptedFiles, settings: SettingsService
) -> None:
    """`asset.delete_concurrent` holds over all accounts and tasks, and for one account they run side by side."""
    await settings.change({"asset.delete_concurrent": 3})
    await roster.add({Pool.BASIC: ["second", "third"]})
    for token in ("first", "second", "third"):
        keep(files, token, 5)
    files.may_delete.clear()
    tasks = [online.start_clear(["first", "second"]), online.start_clear(["third"])]
    await settle()
    assert files.under_way == 3
    files.may_delete.set()
    for task in tasks:
        await task.wait()
    assert files.most_under_way == 3
    assert files.kept == {"first": [], "second": [], "third": []}


async def test_a_changed_number_of_deletions_is_in_force(
    online: OnlineFiles, files: ScriptedFiles, settings: SettingsService
) -> None:
    """For the account that is cleared next."""
    for number in (2, 4):
        await settings.change({"asset.delete_concurrent": number})
        keep(files, "first", 9)
        await online.clear("first")
        assert files.most_under_way == number


async def test_without_a_token_one_account_is_cleared(
    roster: Roster, online: OnlineFiles, files: ScriptedFiles
) -> None:
    """The one that would serve next, and no other; it costs it nothing."""
    await roster.add({Pool.BASIC: [{"token": "fuller", "quota": 90}]})
    keep(files, "first", 2)
    keep(files, "fuller", 3)
    before = account_of(roster, "fuller")
    assert await online.clear(None) == {"status": "success", "result": {"total": 3, "success": 3, "failed": 0}}
    assert len(files.kept["first"]) == 2
    after = account_of(roster, "fuller")
    assert (after.quota, after.use_count, after.last_used_at_ms) == (before.quota, 0, None)
    assert roster.pool.reserve([Pool.BASIC], 90) is after, "nothing is set aside any more"


async def test_without_any_account_there_is_none_to_clear(roster: Roster, online: OnlineFiles) -> None:
    """As for a chat."""
    await roster.delete(["first"])
    with pytest.raises(NoAccountError):
        await online.clear(None)


@pytest.mark.parametrize("token", ["unknown", ""])
async def test_an_unknown_token_clears_no_other_account(online: OnlineFiles, files: ScriptedFiles, token: str) -> None:
    """Also when a script's variable was empty."""
    keep(files, "first", 1)
    assert await online.clear(token) == {"status": "error", "error": UNKNOWN}
    assert files.asked == []


@pytest.mark.parametrize("is_clearing", [False, True], ids=["counting", "clearing"])
async def test_what_failed_can_be_tried_again(
    roster: Roster, online: OnlineFiles, files: ScriptedFiles, is_clearing: bool
) -> None:
    """Those accounts alone, and the result is theirs alone."""
    await roster.add({Pool.SUPER: ["second"]})
    keep(files, "second", 2)
    files.list_failures["second"] = AWAY
    task = online.start_clear(["first", "second"]) if is_clearing else online.start_count(["first", "second"], list)
    await task.wait()
    del files.list_failures["second"]
    result = await task.retry_failed().wait()
    if is_clearing:
        assert result["results"] == {"second": {"status": "success", "result": {"total": 2, "success": 2, "failed": 0}}}
    else:
        assert result == [Counted("second", 2, None)]


async def test_accounts_are_chosen_by_their_ids(roster: Roster, online: OnlineFiles, files: ScriptedFiles) -> None:
    """The result of a count tells no tokens; ids of accounts that are gone are passed over."""
    await roster.add({Pool.SUPER: ["second", "third"]})
    for token in ("first", "second", "third"):
        keep(files, token, 2)
    files.list_failures["second"] = AWAY
    ids = [account_of(roster, name).id for name in ("first", "second")]
    task = online.start_count_of([*ids, 999])
    assert await task.wait() == {"status": "success", "summary": {"total": 2, "ok": 1, "fail": 1}}
    assert task.kind == "online_load"
    cleared = await online.start_clear_of(ids[:1]).wait()
    assert cleared["summary"] == {"total": 1, "ok": 1, "fail": 0}
    assert {token: len(kept) for token, kept in files.kept.items()} == {"first": 0, "second": 2, "third": 2}


async def test_accounts_that_are_gone_are_no_task(online: OnlineFiles) -> None:
    """Whoever chose them is told."""
    with pytest.raises(NotFoundError, match="not there any more"):
        online.start_count_of([999])
    with pytest.raises(NotFoundError):
        online.start_clear_of([])
