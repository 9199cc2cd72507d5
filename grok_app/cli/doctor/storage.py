"""Where things are kept: the database, its secrets, the accounts, Redis."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlmodel import col, select

from grok_app.accounts import AccountRow, Status
from grok_app.cli.doctor.finding import Finding, failure, ok, warning
from grok_app.db import DatabaseState, KeyFile, Vault, examine_database, look_into_vault, open_database, shown_database
from grok_app.env import Env
from grok_app.errors import ConfigurationError
from grok_app.settings import Settings, open_settings, settings_of
from grok_app.shared import RedisState, examine_redis

_SLOW_MS: Final = 20.0
_MOST_AHEAD_S: Final = 1.0
"""Leases and sessions end at times; see docs/deployment.md."""
_FULL_SHARE: Final = 0.8


@dataclass(slots=True)
class Stored:
    """What was found, and the settings in force, as far as they can be read."""

    settings: Settings
    """In force; those of the environment alone, where what is stored can't be read."""
    findings: list[Finding] = field(default_factory=list)
    is_read: bool = False
    """Whether what is stored is among them."""


async def examine_storage(env: Env, overrides: Mapping[str, str]) -> Stored:
    """Look at database, settings and accounts. Makes no database and no key.

    Raises:
        ConfigurationError: The environment holds a setting that is wrong.
    """
    found = Stored(settings_of(overrides))
    try:
        state = await asyncio.to_thread(examine_database, env.database)
    except ConfigurationError as error:
        found.findings.append(failure("database", str(error), "Mend GROK_APP_DATABASE_URL"))
        return found
    except SQLAlchemyError as error:
        reason = str(error.orig if isinstance(error, DBAPIError) else error).partition("\n")[0]
        found.findings.append(
            failure(
                "database",
                f"{shown_database(env.database)} doesn't answer: {reason}",
                "Start it, or mend GROK_APP_DATABASE_URL",
            )
        )
        return found
    found.findings += _database(env, state)
    try:
        await _read(env, overrides, state, found)
    except ConfigurationError as error:
        found.findings.append(failure("settings", str(error), "Mend that setting, or bring the former key back"))
    return found


def examine_shared(env: Env) -> Iterator[Finding]:
    """Look at Redis. Blocks."""
    if not env.redis_url:
        if env.workers > 1:
            yield failure("Redis", f"{env.workers} workers need it", "Set REDIS_URL, or GROK_APP_WORKERS=1")
        else:
            yield ok("Redis", "not used: one worker alone needs none")
        return
    try:
        state = examine_redis(env.redis_url)
    except OSError as error:
        reason = str(error).replace(env.redis_url, "it")
        yield failure("Redis", f"doesn't answer: {reason}", "Start it, or mend REDIS_URL")
        return
    yield from _redis(state)


def _database(env: Env, state: DatabaseState) -> Iterator[Finding]:
    where = shown_database(env.database)
    if not state.is_there:
        yield warning("database", f"{where} has no tables yet", "The first start makes them, or grok-app db upgrade")
        return
    if state.is_newer:
        yield failure("database", f"{where} is of a later version than this program", "Update the program")
        return
    if state.missing:
        yield warning(
            "database",
            f"{where} misses {state.missing} migration{'s' * (state.missing > 1)}",
            "The next start makes them, or grok-app db upgrade",
        )
    if state.why_unwritable:
        yield failure("database", f"{where} can't be written: {state.why_unwritable}", "Let its user write")
    elif state.query_ms > _SLOW_MS:
        yield warning("database", f"{where} takes {state.query_ms:.0f} ms a query", "Bring it nearer")
    elif not state.missing:
        yield ok("database", f"{where}, up to date, {state.query_ms:.1f} ms a query")


async def _read(env: Env, overrides: Mapping[str, str], state: DatabaseState, found: Stored) -> None:
    """Read the settings in force and the accounts; without tables the environment alone says what is in force."""
    is_readable = state.is_there and not state.missing and not state.is_newer
    if not is_readable:
        return
    vault = look_into_vault(env.secret_key.get_secret_value(), env.data_dir)
    if vault is None:
        found.findings.append(
            failure(
                "secret key",
                f"there is a database, but neither {KeyFile(env.data_dir).path} nor GROK_APP_SECRET_KEY",
                "Bring the key back that encrypted its secrets: without it no account can be read",
            )
        )
        return
    async with open_database(env.database) as database:
        async with database.session() as session:
            rows = (await session.exec(select(col(AccountRow.status), col(AccountRow.credential)))).all()
        states = Counter(status for status, _ in rows)
        sealed = await asyncio.to_thread(lambda: sum(not _opens(vault, credential) for _, credential in rows))
        found.findings += _accounts(states, sealed)
        found.settings, found.is_read = (await open_settings(database, vault, overrides)).snapshot, True


def _opens(vault: Vault, sealed: str) -> bool:
    try:
        vault.open(sealed)
    except ConfigurationError:
        return False
    return True


def _accounts(states: Counter[str], sealed: int) -> Iterator[Finding]:
    total, active = states.total(), states[Status.ACTIVE]
    if sealed:
        yield failure(
            "accounts",
            f"{sealed:,} of {total:,} can't be decrypted with the key in force",
            "Bring back the key that encrypted them: behind a comma in GROK_APP_SECRET_KEY, or as the key file",
        )
    told = ", ".join(f"{states[state]:,} {state}" for state in Status if states[state])
    if not total:
        yield warning("accounts", "there are none", "Add some in the console, or with grok-app import")
    elif not active:
        yield warning("accounts", f"none can be asked: {told}", "Wait until they have rested, or refresh them")
    else:
        yield ok("accounts", told)


def _redis(state: RedisState) -> Iterator[Finding]:
    if state.is_cluster:
        yield failure("Redis", "is a cluster", "Use one server")
    if state.policy not in ("", "noeviction"):
        yield warning("Redis", f"drops keys when it is full ({state.policy})", "Set maxmemory-policy noeviction")
    if state.limit_bytes and state.used_bytes > _FULL_SHARE * state.limit_bytes:
        share = state.used_bytes / state.limit_bytes
        yield warning("Redis", f"its memory is {share:.0%} full", "Raise maxmemory")
    if abs(state.ahead_s) > _MOST_AHEAD_S:
        yield warning("clock", f"Redis' is {state.ahead_s:+.1f} s off ours", "Let both machines ask an NTP server")
    yield ok("Redis", f"{state.version} answers in {state.answer_ms:.1f} ms")
