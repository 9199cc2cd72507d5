"""Accounts and settings on their way between installations, in files that grok2api knows: token.json, config.toml."""

import os
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

import tomli_w

from grok_app.accounts.arrivals import Arrivals, read_json, read_lines
from grok_app.accounts.departures import as_json, by_pool
from grok_app.accounts.listing import Changed
from grok_app.accounts.roster import Roster
from grok_app.catalog import Pool
from grok_app.errors import ConfigurationError, InvalidRequestError
from grok_app.settings import SettingsService, flatten, nest
from grok_app.settings import Skipped as SkippedSetting

ACCOUNTS_FILE: Final = "token.json"
SETTINGS_FILE: Final = "config.toml"
_ACCOUNTS_LIMIT_MB: Final = 200
_SETTINGS_LIMIT_MB: Final = 1
_HEAD: Final = "# Written by grok-app export; grok-app import reads it. It holds secrets.\n\n"


@dataclass(frozen=True, slots=True, repr=False)
class Parcel:
    """What is on its way. No repr: there are secrets in it."""

    accounts: Mapping[Pool, Sequence[Any]]
    """As `Roster.add` takes them."""
    settings: Mapping[str, Any]
    """As `SettingsService.import_file` takes them."""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What came of a parcel."""

    accounts: Changed
    settings: list[str]
    """The dotted names of those that were taken over."""
    passed_over: list[SkippedSetting]
    opens: list[str]
    """Keys that were taken over and are empty, so that nobody is asked for them."""


def read_parcel(path: Path, pool: Pool) -> Parcel:
    """Read a file by the ending of its name, or a folder's token.json and config.toml, those of them that it has.

    Args:
        path: `.json`: accounts by pool, or a bare list. `.txt`: a token per line, blank lines and `#` lines apart.
            `.toml`: settings.
        pool: Where the accounts of a bare list and of a text belong.

    Raises:
        ConfigurationError: There is nothing to read, or it is not what was expected; the message says where.
    """
    try:
        return _read_files(_files_at(path), pool)
    except OSError as error:
        raise ConfigurationError(f"{error.filename or path} can't be read: {error.strerror}") from error


async def unpack(parcel: Parcel, roster: Roster, settings: SettingsService) -> Unpacked:
    """Store the settings, then the accounts, each in one transaction. Accounts that are there already stay as they are.

    Raises:
        InvalidRequestError: A setting's value is wrong; nothing is stored, no account either.
    """
    passed_over = await settings.import_file(parcel.settings)
    without_effect = {item.name for item in passed_over}
    taken = [name for name in flatten(parcel.settings).values if name not in without_effect]
    accounts = await roster.add(parcel.accounts)
    app = settings.snapshot.app
    keys = {"app.api_key": app.api_key, "app.public_key": app.public_key}
    opens = [name for name, key in keys.items() if name in taken and not key.get_secret_value()]
    return Unpacked(accounts, taken, passed_over, opens)


def pack(roster: Roster, settings: SettingsService) -> Parcel:
    """Every account, oldest first, and every setting that is stored or held by the environment, secrets readable."""
    accounts = by_pool(sorted(roster.all(), key=lambda account: account.id))
    views = (view for view in settings.describe() if view.source != "default")
    return Parcel(accounts, nest({view.definition.name: view.value for view in views}))


def write_parcel(parcel: Parcel, folder: Path, *, may_overwrite: bool) -> None:
    """Write token.json and config.toml with mode 600, each whole or not at all. Makes the folder.

    Raises:
        ConfigurationError: One of them is there and may not be overwritten, or can't be written.
    """
    files = {
        folder / ACCOUNTS_FILE: as_json(parcel.accounts),
        folder / SETTINGS_FILE: f"{_HEAD}{tomli_w.dumps(parcel.settings)}".encode(),
    }
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not may_overwrite and (there := [path for path in files if os.path.lexists(path)]):
            raise ConfigurationError(
                f"{there[0]} is there already: choose another folder, or overwrite it with --force"
            )
        for path, content in files.items():
            _write(path, content)
    except OSError as error:
        raise ConfigurationError(f"{error.filename or folder} can't be written: {error.strerror}") from error


def _files_at(path: Path) -> list[Path]:
    if not path.exists():
        raise ConfigurationError(f"There is no {path}")
    if not path.is_dir():
        return [path]
    files = [file for name in (ACCOUNTS_FILE, SETTINGS_FILE) if (file := path / name).exists()]
    if not files:
        raise ConfigurationError(f"{path} has neither {ACCOUNTS_FILE} nor {SETTINGS_FILE}")
    return files


def _read_files(files: Iterable[Path], pool: Pool) -> Parcel:
    accounts: Mapping[Pool, Sequence[Any]] = {}
    settings: Mapping[str, Any] = {}
    for file in files:
        match file.suffix.lower():
            case ".json":
                accounts = _read_accounts(read_json, file, pool)
            case ".txt":
                accounts = _read_accounts(read_lines, file, pool)
            case ".toml":
                settings = _read_toml(file)
            case _:
                raise ConfigurationError(f"{file}: expected a folder, or a name that ends in .json, .txt or .toml")
    return Parcel(accounts, settings)


def _read_accounts(read: Callable[[str, Pool], Arrivals], path: Path, pool: Pool) -> Mapping[Pool, Sequence[Any]]:
    text = _read(path, _ACCOUNTS_LIMIT_MB)
    try:
        return read(text, pool).items
    except InvalidRequestError as error:
        raise ConfigurationError(f"{path}: {error.message}") from None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_read(path, _SETTINGS_LIMIT_MB))
    except ValueError as error:  # TOMLDecodeError, and int() of 5,000 digits
        raise ConfigurationError(f"{path} is no TOML: {error}") from None
    except RecursionError:
        raise ConfigurationError(f"{path}: its values are nested too deeply") from None


def _read(path: Path, limit_mb: int) -> str:
    if not path.is_file():
        raise ConfigurationError(f"{path} is no file")
    with path.open("rb") as file:
        content = file.read(limit_mb * 2**20 + 1)
    if len(content) > limit_mb * 2**20:
        raise ConfigurationError(f"{path} has more than {limit_mb} MB")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is no UTF-8 text: see byte {error.start + 1}") from None


def _write(path: Path, content: bytes) -> None:
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:  # mode 600 by itself
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:  # interrupted too: no half-written file is left
            Path(file.name).unlink()
            raise
