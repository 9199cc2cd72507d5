"""Another key for what is stored: all of it, in pieces, and nothing lost whatever happens in between."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Table, event, insert, select, update

from grok_app.accounts import SEALED, AccountRow
from grok_app.db import Database, Sealed, Vault, reseal

OLD = Vault(["the old key of this site"])
BOTH = Vault(["the new key of this site", "the old key of this site"])
NEW = Vault(["the new key of this site"])
ACCOUNTS: Table = SEALED.table


async def store(database: Database, vault: Vault, names: Sequence[str]) -> None:
    """Accounts whose credentials are sealed by this vault."""
    rest = {"pool": "ssoBasic", "status": "active", "quota": 80, "cooling_until": 0, "use_count": 0, "fail_count": 0,
            "created_at": 1, "tags": "[]", "note": ""}  # fmt: skip
    rows = [{**rest, "credential": vault.seal(name), "fingerprint": vault.fingerprint(name)} for name in names]
    async with database.session() as session:
        await (await session.connection()).execute(insert(AccountRow), rows)


async def stored(database: Database) -> list[Any]:
    """The rows, oldest first."""
    async with database.session() as session:
        return list((await (await session.connection()).execute(select(ACCOUNTS).order_by(ACCOUNTS.c.id))).all())


async def test_everything_is_sealed_anew_on_each_database(database: Database) -> None:
    """More than a batch: the new key alone opens every one and finds it; what it has sealed before stays."""
    names = [f"account-{number}" for number in range(900)]
    await store(database, OLD, names)
    await store(database, BOTH, ["later"])
    result = await reseal(database, BOTH, SEALED, print)
    rows = await stored(database)
    assert [NEW.open(row.credential) for row in rows] == [*names, "later"]
    assert [row.fingerprint for row in rows] == [NEW.fingerprint(name) for name in [*names, "later"]]
    assert (result.anew, result.already, result.unreadable) == (900, 1, 0)


async def test_broken_off_it_goes_on(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done is done, what isn't opens with the old key, and the next one does the rest alone."""
    await store(database, OLD, [f"account-{number}" for number in range(900)])
    calls = 0

    def seal(text: str, whole: Any = BOTH.seal) -> str:
        nonlocal calls
        calls += 1
        if calls == 500:
            raise KeyboardInterrupt
        return str(whole(text))

    with monkeypatch.context() as broken:
        broken.setattr(BOTH, "seal", seal)
        with pytest.raises(KeyboardInterrupt):
            await reseal(database, BOTH, SEALED, print)
    assert {BOTH.open(row.credential) for row in await stored(database)} == {f"account-{n}" for n in range(900)}
    again = await reseal(database, BOTH, SEALED, print)
    assert (again.anew, again.already) == (500, 400)


async def test_what_a_server_replaces_meanwhile_stays(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that was read before and written after is the server's."""
    await store(database, OLD, ["before"])
    theirs = BOTH.seal("after")
    sealing = BOTH.seal

    def seal(text: str) -> str:
        statement = update(ACCOUNTS).values(credential=theirs)
        engine = database._engine.sync_engine

        @event.listens_for(engine, "before_cursor_execute", once=True)
        def meanwhile(connection: Any, cursor: Any, *_: Any) -> None:
            cursor.execute(str(statement.compile(connection.engine, compile_kwargs={"literal_binds": True})))

        return sealing(text)

    monkeypatch.setattr(BOTH, "seal", seal)
    await reseal(database, BOTH, SEALED, print)
    assert [row.credential for row in await stored(database)] == [theirs]


async def test_what_no_key_opens_is_counted_and_left(database: Database) -> None:
    """Nothing is made worse."""
    await store(database, Vault(["a key that is gone for good"]), ["lost"])
    before = await stored(database)
    result = await reseal(database, BOTH, SEALED, print)
    assert (result.anew, result.already, result.unreadable) == (0, 0, 1)
    assert await stored(database) == before


async def test_rows_that_are_not_sealed_are_left(database: Database) -> None:
    """Most settings are plain."""
    await store(database, OLD, ["plain"])
    before = await stored(database)
    nobody = Sealed("Accounts", ACCOUNTS, "credential", concerns=lambda _: False)
    assert (await reseal(database, BOTH, nobody, print)).anew == 0
    assert await stored(database) == before
