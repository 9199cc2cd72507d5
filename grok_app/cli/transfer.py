"""Moving in and out. Imported only by the commands that do it, since all of the services come along."""

import asyncio
import textwrap
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import click
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from grok_app.accounts import Parcel, Unpacked, pack, read_parcel, unpack, write_parcel
from grok_app.catalog import Pool
from grok_app.db import Vault, shown_database, upgrade
from grok_app.env import Env, current_env
from grok_app.errors import ConfigurationError, InvalidRequestError
from grok_app.logs import configure_logging
from grok_app.runtime import open_storage, vault_of

_MOST_LINES: Final = 20
_OPENED: Final = {
    "app.api_key": "anyone may call /v1",
    "app.public_key": "anyone may use the studio, when app.public_enabled is on",
}
_LONGEST_CHARS: Final = 200
_WIDTH: Final = 100


def move_in(path: Path, pool: Pool, *, is_rehearsal: bool) -> None:
    """Take over what is at this path, see `read_parcel`, and say what came of it. Servers may run meanwhile.

    Brings the database up to date first. A rehearsal does everything and takes it back; it leaves no database behind
    where there was none, and needs one that is there to be up to date.

    Raises:
        ConfigurationError: Something is wrong; it says what. A setting or an account that is wrong changes nothing.
    """
    env, overrides = begin()
    with _explained(path):
        parcel = read_parcel(path, pool)
        if is_rehearsal:
            result = _rehearse(parcel, env, overrides)
        else:
            upgrade(env.database)
            result = asyncio.run(_unpack(parcel, env, vault_of(env), overrides))
    if is_rehearsal:
        click.echo("Nothing has changed: this is what would happen.\n")
    where = shown_database(env.database) if env.database_url else str(env.data_dir.absolute())
    click.echo("\n".join((f"Into {where}", *_report(result))))
    for name in result.opens:
        click.secho(f"Warning: {name} is empty: {_OPENED[name]}.", fg="yellow")


def move_out(folder: Path, *, may_overwrite: bool) -> None:
    """Write all accounts and settings into this folder, see `write_parcel`, and say so. Servers may run meanwhile.

    Raises:
        ConfigurationError: Something is wrong; it says what.
    """
    env, overrides = begin()
    if is_missing(env.database):
        raise ConfigurationError(f"There is no database in {env.data_dir.absolute()}: expected one to export from")
    with _explained(folder):
        upgrade(env.database)
        parcel = asyncio.run(_pack(env, overrides))
        write_parcel(parcel, folder, may_overwrite=may_overwrite)
    accounts = sum(len(rows) for rows in parcel.accounts.values())
    settings = sum(len(section) for section in parcel.settings.values())
    click.echo(f"Written to {folder}: token.json with {accounts} accounts, config.toml with {settings} settings.")
    click.secho("Both hold tokens and keys in plain text: delete them when you have moved.", fg="yellow")


def begin() -> tuple[Env, dict[str, str]]:
    """The environment of a command, whose log goes to stderr: what is said goes to stdout."""
    env, overrides = current_env()
    configure_logging(env.log_level, as_json=env.log_json)
    return env, overrides


@contextmanager
def _explained(path: Path) -> Generator[None, None, None]:
    """Let what can be expected to go wrong end in a sentence."""
    try:
        yield
    except InvalidRequestError as error:
        raise ConfigurationError(f"{path}: {error.message}. Nothing has changed") from error
    except OSError as error:
        raise ConfigurationError(f"{error.filename or path}: {error.strerror}") from error
    except SQLAlchemyError as error:
        cause = error.orig if isinstance(error, DBAPIError) else error  # not the statement, which has values in it
        hint = ". grok-app db upgrade brings an older one up to date" if "no such" in str(cause) else ""
        raise ConfigurationError(f"The database failed: {cause}{hint}") from error


def _rehearse(parcel: Parcel, env: Env, overrides: dict[str, str]) -> Unpacked:
    """Unpack the parcel in front of nobody: notices, and a database that was missing, go with their folder."""
    with TemporaryDirectory() as folder:
        is_new = is_missing(env.database)
        stage = env.model_copy(update={"data_dir": Path(folder), "database_url": "" if is_new else env.database})
        if is_new:
            upgrade(stage.database)
        vault = vault_of(stage if is_new else env)
        return asyncio.run(_unpack(parcel, stage, vault, overrides, is_rehearsal=True))


async def _unpack(
    parcel: Parcel, env: Env, vault: Vault, overrides: dict[str, str], *, is_rehearsal: bool = False
) -> Unpacked:
    async with open_storage(env, vault, overrides, is_rehearsal=is_rehearsal) as storage:
        return await unpack(parcel, storage.roster, storage.settings)


async def _pack(env: Env, overrides: dict[str, str]) -> Parcel:
    async with open_storage(env, vault_of(env), overrides) as storage:
        return pack(storage.roster, storage.settings)


def is_missing(database_url: str) -> bool:
    """Whether it is a file that isn't there."""
    kind, _, path = database_url.partition(":///")
    return kind == "sqlite" and not Path(path.partition("?")[0]).exists()


def _report(result: Unpacked) -> Iterator[str]:
    accounts = result.accounts
    known = f"{accounts.duplicates} there already or given twice"
    yield f"Accounts: {accounts.added} added, {known}, {len(accounts.skipped)} skipped"
    yield from _listed("skipped", [f"{item.pool} {item.token}: {item.reason}" for item in accounts.skipped])
    yield f"Settings: {len(result.settings)} taken over, {len(result.passed_over)} passed over"
    if result.settings:
        yield textwrap.fill(", ".join(result.settings), _WIDTH, initial_indent="  ", subsequent_indent="  ")
    yield from _listed("passed over", [f"{item.name} {item.reason}" for item in result.passed_over])


def _listed(what: str, items: list[str]) -> Iterator[str]:
    for item in items[:_MOST_LINES]:
        yield f"  {what}: {_printable(item)}"
    if len(items) > _MOST_LINES:
        yield f"  and {len(items) - _MOST_LINES} more"


def _printable(text: str) -> str:
    """The text without what a file could make a terminal do."""
    return "".join(character if character.isprintable() else " " for character in text[:_LONGEST_CHARS])
