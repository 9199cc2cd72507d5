"""The console's sessions: who holds the cookie is in, until it ends."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession
from structlog.testing import capture_logs

from grok_app.access import SESSION_S, Sessions
from grok_app.access.sessions import RECHECK_MS
from grok_app.access.table import ConsoleSessionRow
from grok_app.db import Database, Vault
from grok_app.errors import AuthenticationError, OverloadedError, RateLimitedError
from tests.access.fixed import OPERATOR_KEY, Clock, FixedSettings, access_to, fixed

ADDRESS = "192.0.2.1"


class Watched:
    """The database, which counts how often it is asked, and holds answers back while the gate is shut."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.asked = 0
        self.is_away = False
        self.gate: asyncio.Event | None = None
        self.has_read = asyncio.Event()
        """Set when an answer is held back."""

    @asynccontextmanager
    async def session(self) -> AsyncGenerator[AsyncSession, None]:
        """A session of the database."""
        self.asked += 1
        if self.is_away:
            raise OperationalError("SELECT", {}, Exception("the database is away"))
        gate = self.gate
        async with self._database.session() as session:
            yield session
        if gate:
            self.has_read.set()
            await gate.wait()


@pytest.fixture
def watched(database: Database) -> Watched:
    """The database under watch."""
    return Watched(database)


@pytest.fixture
def clock() -> Clock:
    """The time."""
    return Clock()


@pytest.fixture
def settings() -> FixedSettings:
    """Settings with an operator's key."""
    return fixed(app_key=OPERATOR_KEY)


def open_sessions(watched: Watched, vault: Vault, settings: FixedSettings, clock: Clock) -> Sessions:
    """The sessions as one process knows them."""
    access = access_to(settings, clock)
    return Sessions(watched, vault, settings, access, clock_ms=clock.ms)  # type: ignore[arg-type] # look-alikes


@pytest.fixture
def sessions(watched: Watched, vault: Vault, settings: FixedSettings, clock: Clock) -> Sessions:
    """The sessions under test."""
    return open_sessions(watched, vault, settings, clock)


@pytest.fixture
def elsewhere(watched: Watched, vault: Vault, settings: FixedSettings, clock: Clock) -> Sessions:
    """The same sessions in another process."""
    return open_sessions(watched, vault, settings, clock)


async def rows(database: Database) -> list[ConsoleSessionRow]:
    """What is stored."""
    async with database.session() as session:
        return list((await session.exec(select(ConsoleSessionRow))).all())


async def is_in(sessions: Sessions, cookie: str) -> bool:
    """Whether this cookie opens the console."""
    try:
        await sessions.check(cookie)
    except AuthenticationError:
        return False
    return True


async def test_a_session_lasts_twelve_hours(sessions: Sessions, clock: Clock) -> None:
    """The cookie opens until then, and says when it ends; not a moment longer."""
    begun = await sessions.sign_in(OPERATOR_KEY, ADDRESS)
    assert begun.expires_at_ms == clock.ms() + SESSION_S * 1000
    assert await sessions.check(begun.cookie) == begun
    clock.now_s += SESSION_S - 1
    assert await sessions.check(begun.cookie) == begun
    clock.now_s += 1
    assert not await is_in(sessions, begun.cookie)


async def test_every_process_knows_a_session(sessions: Sessions, elsewhere: Sessions) -> None:
    """Signed in at one, known at all."""
    begun = await sessions.sign_in(OPERATOR_KEY, ADDRESS)
    assert await elsewhere.check(begun.cookie) == begun


@pytest.mark.parametrize(("shown", "said"), [("no", "Invalid"), ("", "Missing"), (None, "Missing")], ids=str)
async def test_only_the_operators_key_signs_in(
    sessions: Sessions, database: Database, shown: str | None, said: str
) -> None:
    """Any other key begins nothing."""
    with pytest.raises(AuthenticationError, match=said):
        await sessions.sign_in(shown, ADDRESS)
    assert await rows(database) == []


async def test_guessing_is_held_up_and_sessions_are_not(sessions: Sessions) -> None:
    """After five wrong keys an address must wait with the right one too; who is signed in goes on from there."""
    begun = await sessions.sign_in(OPERATOR_KEY, ADDRESS)
    for _ in range(5):
        with pytest.raises(AuthenticationError):
            await sessions.sign_in("no", ADDRESS)
    with pytest.raises(RateLimitedError):
        await sessions.sign_in(OPERATOR_KEY, ADDRESS)
    assert await is_in(sessions, begun.cookie)


async def test_sign_out_ends_it_at_once(sessions: Sessions, watched: Watched, database: Database) -> None:
    """A copy of the cookie opens nothing from then on; other sessions stay; a second sign-out is no error."""
    begun, other = [await sessions.sign_in(OPERATOR_KEY, ADDRESS) for _ in range(2)]
    assert await is_in(sessions, begun.cookie)
    await sessions.sign_out(begun.cookie)
    assert not await is_in(sessions, begun.cookie)
    assert await is_in(sessions, other.cookie)
    assert len(await rows(database)) == 1
    await sessions.sign_out(begun.cookie)
    asked = watched.asked
    for stranger in (None, "", "forged"):
        await sessions.sign_out(stranger)
    assert watched.asked == asked


async def test_another_process_sees_a_sign_out_within_seconds(
    sessions: Sessions, elsewhere: Sessions, clock: Clock
) -> None:
    """It asks the database again from time to time."""
    begun = await sessions.sign_in(OPERATOR_KEY, ADDRESS)
    assert await is_in(elsewhere, begun.cookie)
    await sessions.sign_out(begun.cookie)
    clock.now_s += RECHECK_MS / 1000
    assert not await is_in(elsewhere, begun.cookie)


async def test_a_key_that_comes_back_brings_no_session_back(
    sessions: Sessions, settings: FixedSettings, database: Database
) -> None:
    """What was begun with it ended when it was changed; sessions of the key in force go on."""
    begun = await sessions.sign_in(OPERATOR_KEY, ADDRESS)
    await sessions.end_those_of_other_keys()
    assert await is_in(sessions, begun.cookie)
    for key in ("another-operators-key", OPERATOR_KEY):
        settings.change(app_key=key)
        await sessions.end_those_of_other_keys()
    assert not await is_in(sessions, begun.cookie)
    assert await rows(database) == []


async def test_a_check_under_way_revives_no_session(sessions: Sessions, watched: Watched) -> None:
    """A row that was read just before a sign-out is not remembered after it."""
    begun = await sessions.sign_in(OPERATOR_KEY, ADDRESS)
    watched.gate = gate = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(sessions.check(begun.cookie))
        await watched.has_read.wait()
        watched.gate = None
        await sessions.sign_out(begun.cookie)
        gate.set()
    assert not await is_in(sessions, begun.cookie)


async def test_a_busy_session_costs_a_query_every_few_seconds(
    sessions: Sessions, watched: Watched, clock: Clock
) -> None:
    """A page with many requests doesn't load the database."""
    begun = await sessions.sign_in(OPERATOR_KEY, ADDRESS)
    asked = watched.asked
    for _ in range(100):
        await sessions.check(begun.cookie)
        clock.now_s += RECHECK_MS / 1000 / 128
    assert watched.asked == asked + 1
    clock.now_s += RECHECK_MS / 1000 / 4
    await sessions.check(begun.cookie)
    assert watched.asked == asked + 2


async def test_a_forged_cookie_costs_no_query(sessions: Sessions, watched: Watched, vault: Vault) -> None:
    """Whatever somebody makes up is refused by its signature, and nothing of it is remembered."""
    begun = await sessions.sign_in(OPERATOR_KEY, ADDRESS)
    asked = watched.asked
    session_id, _, signature = begun.cookie.partition(".")
    for forged in (
        session_id,
        f"{session_id}.{'0' * 64}",
        f"{'A' * 43}.{signature}",
        f"{session_id}.{vault.fingerprint(session_id)}",
        f"{begun.cookie}\n",
        f"{begun.cookie}x",
        "é" * 43 + f".{signature}",
        "x" * 100_000,
        ".",
    ):
        assert not await is_in(sessions, forged)
    assert watched.asked == asked


async def test_what_is_stored_opens_nothing(sessions: Sessions, database: Database) -> None:
    """Neither the cookie nor the key can be read from the table, nor are its hashes the cookie's signature."""
    begun = await sessions.sign_in(OPERATOR_KEY, ADDRESS)
    [row] = await rows(database)
    stored = str(row.model_dump())
    for secret in (OPERATOR_KEY, *begun.cookie.split(".")):
        assert secret not in stored


async def test_another_operators_key_ends_every_session(
    sessions: Sessions, settings: FixedSettings, database: Database
) -> None:
    """At once, on requests already known too; the next sign-in clears the rows away."""
    begun = await sessions.sign_in(OPERATOR_KEY, ADDRESS)
    assert await is_in(sessions, begun.cookie)
    settings.change(app_key="another-key")
    assert not await is_in(sessions, begun.cookie)
    await sessions.sign_in("another-key", ADDRESS)
    assert len(await rows(database)) == 1


async def test_without_an_operators_key_nobody_is_in(sessions: Sessions, settings: FixedSettings) -> None:
    """Neither with a session from before nor with any key."""
    begun = await sessions.sign_in(OPERATOR_KEY, ADDRESS)
    settings.change(app_key="")
    with pytest.raises(AuthenticationError, match="App key is not configured"):
        await sessions.check(begun.cookie)
    with pytest.raises(AuthenticationError, match="App key is not configured"):
        await sessions.sign_in("", ADDRESS)


async def test_a_rotated_vault_key_ends_no_session(
    sessions: Sessions, watched: Watched, settings: FixedSettings, clock: Clock, database: Database
) -> None:
    """While the old key still decrypts, cookies signed with it hold, through another sign-in too, and can be ended."""
    begun = await sessions.sign_in(OPERATOR_KEY, ADDRESS)
    rotated = open_sessions(watched, Vault(["a newer key for tests", "a key for tests only"]), settings, clock)
    newer = await rotated.sign_in(OPERATOR_KEY, ADDRESS)
    assert await is_in(rotated, begun.cookie)
    await rotated.sign_out(begun.cookie)
    assert not await is_in(rotated, begun.cookie)
    assert await is_in(rotated, newer.cookie)
    assert len(await rows(database)) == 1


async def test_expired_rows_are_cleared_away(sessions: Sessions, clock: Clock, database: Database) -> None:
    """A sign-in removes what is over, and nothing else."""
    await sessions.sign_in(OPERATOR_KEY, ADDRESS)
    clock.now_s += SESSION_S / 2
    kept = await sessions.sign_in(OPERATOR_KEY, ADDRESS)
    clock.now_s += SESSION_S / 2
    newest = await sessions.sign_in(OPERATOR_KEY, ADDRESS)
    assert {row.expires_at for row in await rows(database)} == {kept.expires_at_ms, newest.expires_at_ms}


@pytest.mark.parametrize(("cookie", "said"), [(None, "Missing"), ("", "Missing"), ("forged", "Invalid")], ids=str)
async def test_a_missing_cookie_is_told_from_a_wrong_one(sessions: Sessions, cookie: str | None, said: str) -> None:
    """The caller learns whether anything was shown at all."""
    with pytest.raises(AuthenticationError, match=f"{said} authentication token"):
        await sessions.check(cookie)


async def test_secrets_show_nowhere(sessions: Sessions) -> None:
    """Neither in a repr nor in the log, which names the address."""
    with capture_logs() as log:
        begun = await sessions.sign_in(OPERATOR_KEY, ADDRESS)
        with pytest.raises(AuthenticationError) as refused:
            await sessions.sign_in("a-guess", ADDRESS)
    assert [entry["address"] for entry in log] == [ADDRESS] * 2
    shown = repr(begun) + repr(vars(sessions)) + str(refused.value) + str(log)
    for secret in (OPERATOR_KEY, "a-guess", *begun.cookie.split(".")):
        assert secret not in shown


async def test_a_known_session_goes_on_without_the_database(
    sessions: Sessions, elsewhere: Sessions, watched: Watched, clock: Clock
) -> None:
    """Until it ends. One that was never looked up can't be judged, and is no sign-out."""
    cookie = (await sessions.sign_in(OPERATOR_KEY, ADDRESS)).cookie
    await sessions.check(cookie)
    watched.is_away = True
    clock.now_s += RECHECK_MS / 1000
    await sessions.check(cookie)
    with pytest.raises(OverloadedError):
        await elsewhere.check(cookie)
    clock.now_s += SESSION_S
    with pytest.raises(AuthenticationError):
        await sessions.check(cookie)
