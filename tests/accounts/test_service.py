"""Leases, and what is remembered of them."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from sqlmodel import select

from grok_app.accounts import AccountRow, Accounts, Added, NoAccountError, Status, open_accounts
from grok_app.catalog import Pool
from grok_app.db import Database, Vault
from grok_app.settings import SettingsService
from grok_app.upstream import ErrorKind, UpstreamError

BASIC = (Pool.BASIC,)


@pytest.fixture
async def accounts(database: Database, vault: Vault, settings: SettingsService) -> AsyncGenerator[Accounts, None]:
    """A pool with one basic account, `first`."""
    async with open_accounts(database, vault, settings) as opened:
        await opened.add(Pool.BASIC, ["first"])
        yield opened


async def stored(database: Database) -> AccountRow:
    """The one stored account."""
    async with database.session() as session:
        return (await session.exec(select(AccountRow))).one()


async def fail(accounts: Accounts, error: BaseException) -> None:
    """A lease that ends in this error."""
    async with accounts.lease(BASIC, 1):
        raise error


async def test_a_finished_answer_is_paid_for(accounts: Accounts, database: Database) -> None:
    """A block that ends takes its cost from the quota, in the database too."""
    async with accounts.lease(BASIC, 4) as lease:
        assert lease.credential.get_secret_value() == "first"
        assert "first" not in repr(lease)
    await accounts.save()
    row = await stored(database)
    assert (row.quota, row.use_count, row.status) == (76, 1, "active")


@pytest.mark.parametrize(
    "error", [asyncio.CancelledError(), GeneratorExit(), KeyError()], ids=["cancel", "close", "bug"]
)
async def test_what_comes_to_nothing_costs_nothing(
    accounts: Accounts, database: Database, error: BaseException
) -> None:
    """A request that is broken off gives everything back."""
    with pytest.raises(type(error)):
        await fail(accounts, error)
    await accounts.save()
    assert (await stored(database)).quota == 80
    async with accounts.lease(BASIC, 80):
        pass


async def test_a_rate_limited_account_rests(accounts: Accounts, database: Database) -> None:
    """Nobody is asked who has had enough; the caller learns when somebody is free again."""
    with pytest.raises(UpstreamError):
        await fail(accounts, UpstreamError(ErrorKind.RATE_LIMITED, "slow down", retry_after_s=60))
    with pytest.raises(NoAccountError, match="No available tokens") as none_left:
        await fail(accounts, KeyError())
    assert 55 < (none_left.value.retry_after_s or 0) <= 60
    await accounts.save()
    assert (await stored(database)).status == Status.COOLING


async def test_refused_credentials_expire_the_account(accounts: Accounts, database: Database) -> None:
    """Five refusals in a row, by default."""
    for _ in range(5):
        with pytest.raises(UpstreamError):
            await fail(accounts, UpstreamError(ErrorKind.INVALID_CREDENTIAL, "bad-credentials", status=401))
    await accounts.save()
    row = await stored(database)
    assert (row.status, row.fail_count, row.last_fail_reason) == ("expired", 5, "bad-credentials")


async def test_a_blocked_account_does_not_stand_in_the_way(accounts: Accounts) -> None:
    """Once it is known to fail, an account is not the first to be asked, however much quota it has left."""
    await accounts.add(Pool.BASIC, ["second"])
    with pytest.raises(UpstreamError):
        async with accounts.lease(BASIC, 1) as blocked:
            raise UpstreamError(ErrorKind.BLOCKED_ACCOUNT, "blocked", status=403)
    for _ in range(20):
        async with accounts.lease(BASIC, 1) as lease:
            assert lease.account_id != blocked.account_id


async def test_an_id_is_never_given_twice(accounts: Accounts) -> None:
    """A request that began with an account which was deleted meanwhile settles with nobody else."""

    async def lose_the_account() -> None:
        async with accounts.lease(BASIC, 4):
            await accounts.delete(["first"])
            await accounts.add(Pool.BASIC, ["another"])
            raise UpstreamError(ErrorKind.RATE_LIMITED, "slow down")

    with pytest.raises(UpstreamError):
        await lose_the_account()
    [another] = accounts.all()
    assert (another.credential.get_secret_value(), another.status) == ("another", Status.ACTIVE)
    async with accounts.lease(BASIC, 80):
        with pytest.raises(NoAccountError):
            await fail(accounts, KeyError())


async def test_changes_are_saved_in_the_background(accounts: Accounts, database: Database) -> None:
    """Nobody has to ask for it."""
    async with accounts.lease(BASIC, 1):
        pass
    async with asyncio.timeout(5):
        while (await stored(database)).use_count == 0:  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.01)


async def test_accounts_survive_a_restart(database: Database, vault: Vault, settings: SettingsService) -> None:
    """What was lent before the end is written at the end, and read at the next start."""
    async with open_accounts(database, vault, settings) as accounts:
        await accounts.add(Pool.SUPER, ["first"])
        async with accounts.lease((Pool.SUPER,), 4):
            pass
    assert (await stored(database)).quota == 136
    async with open_accounts(database, vault, settings) as again, again.lease((Pool.SUPER,), 4) as lease:
        assert lease.credential.get_secret_value() == "first"


async def test_the_same_credential_is_one_account(accounts: Accounts, database: Database) -> None:
    """With or without `sso=`, in any pool, once or twice in a list."""
    assert await accounts.add(Pool.SUPER, ["sso=first; path=/", " first "]) == Added(0, 2, [])
    assert await accounts.add(Pool.SUPER, ["second", "sso=second"]) == Added(1, 1, [])
    async with database.session() as session:
        assert len((await session.exec(select(AccountRow))).all()) == 2


@pytest.mark.usefixtures("accounts")
async def test_credentials_are_unreadable_in_the_database(database: Database) -> None:
    """Neither the token nor anything made from it without the key is stored."""
    row = await stored(database)
    assert "first" not in row.credential
    assert len(row.fingerprint) == 64


@pytest.mark.parametrize("pasted", ["", "sso=", "a b", "tok\nen", "tökén", "x" * 20_000], ids=repr)
async def test_what_no_cookie_can_hold_is_skipped(accounts: Accounts, pasted: str) -> None:
    """A malformed token is named by its ends at most, with the reason, and the others are added."""
    result = await accounts.add(Pool.BASIC, ["good-one", pasted])
    assert (result.added, result.duplicates, len(result.skipped)) == (1, 0, 1)
    assert len(result.skipped[0].token) <= 9
    assert result.skipped[0].reason


async def test_a_deleted_account_is_gone(accounts: Accounts, database: Database) -> None:
    """From the pool and the database, also while it is lent; unknown tokens are passed over."""
    await accounts.add(Pool.BASIC, ["second"])
    async with accounts.lease(BASIC, 1, {2}) as lease:
        assert await accounts.delete(["sso=first", "unknown", "first"]) == 1
        assert lease.account_id == 1
    await accounts.save()
    assert [account.id for account in accounts.all()] == [2]
    assert (await stored(database)).id == 2


async def test_a_failed_save_is_tried_again(
    accounts: Accounts, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that is away for a moment costs nothing."""
    async with accounts.lease(BASIC, 1):
        pass
    with monkeypatch.context() as patched:
        patched.setattr(database, "session", lambda: (_ for _ in ()).throw(OSError("gone")))
        with pytest.raises(OSError, match="gone"):
            await accounts.save()
    await accounts.save()
    assert (await stored(database)).use_count == 1
