"""Another key for what is stored. Imported only by the command that does it, since the database comes along."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

import click
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from grok_app.cli.transfer import begin, is_missing
from grok_app.db import KeyFile, Resealed, Vault, make_secret, split_keys, upgrade
from grok_app.env import Env
from grok_app.errors import ConfigurationError
from grok_app.runtime import reseal_all


def rotate() -> None:
    """Seal everything that is stored with the first key of the environment, or with a new one in the key file.

    May be broken off at any time: nothing is lost, and the next one goes on.

    Raises:
        ConfigurationError: Something is wrong; it says what.
    """
    env, _ = begin()
    with _explained(env):
        _rotate(env)


def _rotate(env: Env) -> None:
    if is_missing(env.database):
        raise ConfigurationError(f"There is no database in {env.data_dir.absolute()}: expected one to rotate keys of")
    file, given = KeyFile(env.data_dir), split_keys(env.secret_key.get_secret_value())
    if not file.exists():
        _rotate_given(env, given)
        return
    with file.alone():
        if given:
            _rotate_given(env, [*given, *file.read()])
            click.echo(f"{file.path} is needed no more, but for backups made before.")
        else:
            _rotate_file(env, file)


def _rotate_given(env: Env, keys: list[str]) -> None:
    if len(keys) < 2:  # noqa: PLR2004 - a new one and an old one
        raise ConfigurationError(
            "GROK_APP_SECRET_KEY has no second key: expected a new key, a comma, and the key in force until now"
        )
    _reseal(env, keys)
    click.echo("Everything is sealed with the first key of GROK_APP_SECRET_KEY: the others may go at the next start.")


def _rotate_file(env: Env, file: KeyFile) -> None:
    keys = file.read()
    if len(keys) == 1:
        keys = [make_secret(), *keys]
        file.replace(keys)
    else:
        click.echo("Going on where an earlier rotation was broken off.")
    _reseal(env, keys)
    file.replace(keys[:1])
    click.echo(f"{file.path} holds a new key. Backups made before need the former one.")


def _reseal(env: Env, keys: list[str]) -> None:
    upgrade(env.database)
    results = asyncio.run(reseal_all(env.database, Vault(keys), click.echo))
    for result in results:
        click.echo(_report(result))
    click.echo("Sessions of the console have ended.")


def _report(result: Resealed) -> str:
    line = f"{result.what}: {result.anew:,} sealed anew, {result.already:,} were already"
    lost = f", {result.unreadable:,} left that none of the keys opens" if result.unreadable else ""
    return line + lost


@contextmanager
def _explained(env: Env) -> Generator[None, None, None]:
    try:
        yield
    except SQLAlchemyError as error:
        cause = error.orig if isinstance(error, DBAPIError) else error  # not the statement, which has values in it
        raise ConfigurationError(f"The database failed: {cause}. Run it again: it goes on where it was") from error
    except OSError as error:
        raise ConfigurationError(f"{error.filename or env.data_dir}: {error.strerror}") from error
