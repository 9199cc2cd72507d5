"""What is remembered of the files that Grok keeps."""

import pytest

from grok_app.accounts import Account, OnlineCount, OnlineFiles, OnlineTotal, Roster
from grok_app.catalog import Pool
from grok_app.upstream import ErrorKind, UpstreamError
from tests.accounts.files import ScriptedFiles

AWAY = UpstreamError(ErrorKind.UNAVAILABLE, "Grok is away", status=503)


def account_of(roster: Roster, name: str = "first") -> Account:
    """This account."""
    account = roster.find(name)
    assert account is not None
    return account


def last(online: OnlineFiles, account: Account) -> OnlineCount:
    """Its last count."""
    count = online.counts.get(account.id)
    assert count is not None
    return count


async def test_every_count_is_remembered(roster: Roster, online: OnlineFiles, files: ScriptedFiles) -> None:
    """By account, with the sizes and the time; an account that wasn't asked has none."""
    await roster.add({Pool.BASIC: ["second"]})
    files.kept["first"], files.size_bytes = ["a", "b"], 7
    assert online.counts.get(account_of(roster).id) is None
    version = online.counts.version
    await online.start_count(["first"], list).wait()
    count = last(online, account_of(roster))
    assert (count.count, count.size_bytes, count.error) == (2, 14, None)
    assert count.at_ms > 0
    assert online.counts.version != version
    assert online.counts.get(account_of(roster, "second").id) is None


@pytest.mark.parametrize("is_clearing", [False, True], ids=["counting", "clearing"])
async def test_a_list_that_fails_is_remembered_too(
    roster: Roster, online: OnlineFiles, files: ScriptedFiles, is_clearing: bool
) -> None:
    """In place of the former count: nobody knows how many there are now."""
    files.kept["first"] = ["a", "b"]
    await online.start_count(["first"], list).wait()
    files.list_failures["first"] = AWAY
    await (online.start_clear(["first"]) if is_clearing else online.start_count(["first"], list)).wait()
    count = last(online, account_of(roster))
    assert (count.count, count.error) == (0, "Grok is away")
    assert online.counts.total() == OnlineTotal(0, 0, 0)


async def test_a_clearing_leaves_what_it_could_not_delete(
    roster: Roster, online: OnlineFiles, files: ScriptedFiles
) -> None:
    """No new count is needed."""
    files.kept["first"], files.size_bytes = ["a", "b", "c"], 5
    files.delete_failures["b"] = AWAY
    await online.clear("first")
    count = last(online, account_of(roster))
    assert (count.count, count.size_bytes, count.error) == (1, 5, None)


async def test_counts_go_with_their_accounts(roster: Roster, online: OnlineFiles, files: ScriptedFiles) -> None:
    """They are part of no sum, and one that is added again begins anew."""
    await roster.add({Pool.BASIC: ["second"]})
    files.kept = {"first": ["a"], "second": ["b", "c"]}
    await online.start_count(["first", "second"], list).wait()
    assert online.counts.total() == OnlineTotal(2, 3, 0)
    assert online.counts.with_files() == {account_of(roster).id, account_of(roster, "second").id}
    gone = account_of(roster, "second").id
    await roster.delete(["second"])
    assert online.counts.total() == OnlineTotal(1, 1, 0)
    await roster.add({Pool.BASIC: ["second"]})
    assert online.counts.get(account_of(roster, "second").id) is None
    assert online.counts.get(gone) is None
    await online.clear("first")
    assert online.counts.with_files() == set()


async def test_the_sum_is_made_once_for_each_change(roster: Roster, online: OnlineFiles, files: ScriptedFiles) -> None:
    """It is asked for each second, by each tab."""
    files.kept = {"first": ["a"]}
    await online.start_count(["first"], list).wait()
    total = online.counts.total()
    assert online.counts.total() is total
    await roster.delete(["first"])
    assert online.counts.total() == OnlineTotal(0, 0, 0)


async def test_what_is_remembered_has_an_end(roster: Roster, online: OnlineFiles) -> None:
    """As many accounts as there are, also when nobody looks."""
    for number in range(5):
        await roster.add({Pool.BASIC: [f"more-{number}"]})
        await online.start_count([f"more-{number}"], list).wait()
        gone = account_of(roster, f"more-{number}").id
        await roster.delete([f"more-{number}"])
    await online.start_count(["first"], list).wait()
    assert online.counts.get(gone) is None
