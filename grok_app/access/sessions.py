"""The console's sessions: signed in once with the operator's key, then known by a cookie.

A cookie is `<id>.<signature>`: 32 random bytes and their keyed hash, so that a forged one is refused without a look at
the database. A row keeps another keyed hash of the id, and one of the operator's key that was shown.
"""

import re
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import ColumnElement, delete, or_
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from grok_app.access.keys import INVALID, MISSING, Access, is_one_of, operator_key
from grok_app.access.table import ConsoleSessionRow
from grok_app.db import Database, Vault, now_ms, unbroken
from grok_app.errors import AuthenticationError, OverloadedError
from grok_app.logs import get_logger
from grok_app.settings import SettingsService
from grok_app.shared import SharedAwayError

log = get_logger(__name__)
SESSION_COOKIE: Final = "grok_app_session"
SESSION_S: Final = 12 * 60 * 60
_AWAY: Final = (SQLAlchemyError, OSError, TimeoutError)
RECHECK_MS: Final = 5000
"""How long another process's sign-out may stay unseen, where no message tells of it."""

_COOKIE: Final = re.compile(r"([A-Za-z0-9_-]{43})\.([0-9a-f]{64})")
# One for each use of the keyed hash, so that a hash of one kind never passes for another.
_SIGNED: Final = "console-session:"
_STORED: Final = "console-session-row:"
_OPENED_BY: Final = "console-session-key:"
_ENDED: Final = "sessions.ended"
"""The message that one is over, by its fingerprints, or all of another key."""


@dataclass(frozen=True, slots=True)
class ConsoleSession:
    """What a signed-in browser holds. The cookie is no part of the repr."""

    cookie: str = field(repr=False)
    expires_at_ms: int


@dataclass(frozen=True, slots=True)
class _Seen:
    """A row as it was read."""

    key_fingerprint: str
    expires_at_ms: int
    read_at_ms: int


class Sessions:
    """Signs operators in and out. Rows are remembered, so that most requests cost no query.

    Args:
        database: Where the rows are.
        vault: Signs cookies, hashes what is stored.
        settings: Where the operator's key is.
        access: Judges the key that is shown; where it shares something, others are told when a session ends.
        clock_ms: The time, in Unix milliseconds.
    """

    def __init__(
        self,
        database: Database,
        vault: Vault,
        settings: SettingsService,
        access: Access,
        *,
        clock_ms: Callable[[], int] = now_ms,
    ) -> None:
        self._database = database
        self._vault = vault
        self._settings = settings
        self._access = access
        self._shared = access.shared
        self._clock_ms = clock_ms
        self._seen: dict[str, _Seen] = {}
        self._sign_outs = 0
        if self._shared:
            self._shared.on_message(_ENDED, lambda message: self._forget(message.decode().split()))

    async def sign_in(self, shown: str | None, address: str) -> ConsoleSession:
        """Begin a session of `SESSION_S`; rows of sessions that are over go.

        Raises:
            AuthenticationError: The key is missing or wrong, or no operator's key is set.
            RateLimitedError: The address showed too many wrong keys and must wait.
        """
        await self._access.check_admin(shown, address)
        session_id = secrets.token_urlsafe(32)
        now = self._clock_ms()
        row = ConsoleSessionRow(
            fingerprint=self._vault.fingerprint(_STORED + session_id),
            key_fingerprint=self._key_fingerprints()[0],
            created_at=now,
            expires_at=now + SESSION_S * 1000,
        )
        await unbroken(self._store(row))
        log.info("signed in to the console", address=address)
        signature = self._vault.fingerprint(_SIGNED + session_id)
        return ConsoleSession(f"{session_id}.{signature}", row.expires_at)

    async def check(self, cookie: str | None) -> ConsoleSession:
        """The session of this cookie.

        Raises:
            AuthenticationError: There is none: no cookie, a forged one, signed out, expired, begun with another
                operator's key; or no operator's key is set.
            OverloadedError: The database is away, and the session was never looked up before.
        """
        opened_by = self._key_fingerprints()
        if not cookie:
            raise AuthenticationError(MISSING)
        fingerprints = self._stored_fingerprints(cookie)
        seen = await self._look_up(fingerprints) if fingerprints else None
        if seen is None or seen.expires_at_ms <= self._clock_ms() or seen.key_fingerprint not in opened_by:
            raise AuthenticationError(INVALID)
        return ConsoleSession(cookie, seen.expires_at_ms)

    async def sign_out(self, cookie: str | None) -> None:
        """End the session of this cookie: here at once; on others with a message, at the latest after `RECHECK_MS`."""
        if fingerprints := self._stored_fingerprints(cookie or ""):
            await unbroken(self._end(_is_stored_as(fingerprints), fingerprints))

    async def end_those_of_other_keys(self) -> None:
        """End every session that was begun with another operator's key than the one in force.

        `check` refuses them already; this keeps them from coming back with their key.
        """
        key = self._settings.snapshot.app.app_key.get_secret_value()
        await unbroken(self._end(_is_of_other_key(self._vault.fingerprints(_OPENED_BY + key))))

    async def _end(self, which: ColumnElement[bool], fingerprints: Sequence[str] = ()) -> None:
        try:
            async with self._database.session() as session:
                await (await session.connection()).execute(delete(ConsoleSessionRow).where(which))
        finally:  # also when it failed: a commit whose outcome is unknown may have happened
            self._forget(fingerprints)
            if self._shared:
                with suppress(SharedAwayError):  # others look again within `RECHECK_MS`
                    await self._shared.tell(_ENDED, " ".join(fingerprints))

    def _forget(self, fingerprints: Sequence[str]) -> None:
        """Look this session up again when it is shown next; all of them if none is named."""
        self._sign_outs += 1
        for fingerprint in fingerprints or tuple(self._seen):
            self._seen.pop(fingerprint, None)

    async def _store(self, row: ConsoleSessionRow) -> None:
        is_over = or_(
            col(ConsoleSessionRow.expires_at) <= row.created_at,
            _is_of_other_key(self._key_fingerprints()),
        )
        async with self._database.session() as session:
            connection = await session.connection()
            await connection.execute(delete(ConsoleSessionRow).where(is_over))
            session.add(row)

    async def _look_up(self, fingerprints: list[str]) -> _Seen | None:
        """The row stored as one of these, read anew when it was read too long ago."""
        now = self._clock_ms()
        seen = self._seen.get(fingerprints[0])
        if seen and 0 <= now - seen.read_at_ms < RECHECK_MS:
            return seen
        sign_outs = self._sign_outs
        try:
            async with self._database.session() as session:
                row = (await session.exec(select(ConsoleSessionRow).where(_is_stored_as(fingerprints)))).first()
        except _AWAY as error:
            return self._as_last_seen(fingerprints[0], error)
        found = _Seen(row.key_fingerprint, row.expires_at, now) if row else None
        # What was read while somebody signed out may be that very session.
        if found and sign_outs == self._sign_outs:
            self._seen = {name: kept for name, kept in self._seen.items() if kept.expires_at_ms > now}
            self._seen[fingerprints[0]] = found
        else:
            self._seen.pop(fingerprints[0], None)
        return found

    def _as_last_seen(self, fingerprint: str, error: Exception) -> _Seen:
        """The row as it was before the database went away: nobody can have signed out elsewhere since."""
        log.warning("sessions can't be looked up, those that are known go on", exc_info=error)
        if seen := self._seen.get(fingerprint):
            return seen
        raise OverloadedError("The database does not answer. Please try again soon.") from error

    def _stored_fingerprints(self, cookie: str) -> list[str]:
        """Under which hashes the cookie's session may be stored; none for a cookie that we didn't sign."""
        parts = _COOKIE.fullmatch(cookie)
        if not parts or not is_one_of(parts[2], self._vault.fingerprints(_SIGNED + parts[1])):
            return []
        return self._vault.fingerprints(_STORED + parts[1])

    def _key_fingerprints(self) -> list[str]:
        """The hashes of the operator's key in force.

        Raises:
            AuthenticationError: None is set.
        """
        return self._vault.fingerprints(_OPENED_BY + operator_key(self._settings.snapshot))


async def end_all_sessions(database: Database) -> None:
    """End every session; processes that know some from their memory go on with them until `RECHECK_MS`."""
    async with database.session() as session:
        await (await session.connection()).execute(delete(ConsoleSessionRow))


def session_cookie(header: str) -> str | None:
    """The console's cookie in a `Cookie` header. Others in it may be written in any way."""
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return next((value for name, _, value in pairs if name == SESSION_COOKIE), None)


def _is_of_other_key(fingerprints: list[str]) -> ColumnElement[bool]:
    return col(ConsoleSessionRow.key_fingerprint).not_in(fingerprints)


def _is_stored_as(fingerprints: list[str]) -> ColumnElement[bool]:
    return col(ConsoleSessionRow.fingerprint).in_(fingerprints)
