"""The settings in force: defaults, then stored rows, then the environment."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from pydantic import SecretStr
from sqlmodel.ext.asyncio.session import AsyncSession

from grok_app.db import Database, Notice, Vault, retried, unbroken
from grok_app.errors import ConfigurationError, ConflictError, InvalidRequestError
from grok_app.logs import get_logger
from grok_app.settings.environment import Overrides
from grok_app.settings.keys import KEYS, make_key
from grok_app.settings.repository import SettingRepository
from grok_app.settings.schema import DEFINITIONS, Definition, Settings, plain, value_of
from grok_app.settings.spellings import flatten
from grok_app.settings.validation import Fault, WrongSettingsError, WrongValueError, validate

log = get_logger(__name__)
_WORTHLESS_KEYS: Final = {"grok2api": "is grok2api's default, which everyone knows", "": "would lock the operator out"}
"""Operator's keys that an import never brings along."""


@dataclass(frozen=True, slots=True)
class SettingView:
    """One setting as an operator sees it."""

    definition: Definition
    value: Any = field(repr=False)
    """In force, as JSON has it; a secret is readable."""
    source: Literal["default", "stored", "environment"]
    """Where the value comes from; what the environment holds can't be changed here."""
    variable: str
    """The environment variable that holds it, or would."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A name of an imported file that was passed over."""

    name: str
    reason: str


class SettingsService:
    """Reads and stores settings. `snapshot` is what requests read: immutable, replaced as a whole.

    Raises:
        ConfigurationError: The environment names something that is no setting.
    """

    def __init__(
        self, database: Database, vault: Vault, overrides: Mapping[str, str], notice: Notice | None = None
    ) -> None:
        self._database = database
        self._rows = SettingRepository(vault)
        self._overrides = Overrides(overrides)
        self._notice = notice
        self._turn = asyncio.Lock()  # what was read earlier must not come in force later
        self._stored: Collection[str] = frozenset()
        self._foreign: frozenset[str] = frozenset()
        self.snapshot = Settings()

    async def load(self) -> None:
        """Read the stored values and put them in force.

        Raises:
            ConfigurationError: A stored value or an environment value is wrong; it says which and what was expected.
        """
        await self._commit(None)

    async def catch_up(self) -> None:
        """Put in force what another process has stored since the last look. So cheap that every request does it."""
        if self._notice:
            await self._notice.catch_up(self.load)

    async def store(self, values: Mapping[str, Any]) -> None:
        """Store these values by dotted name and put them in force; all of them, or none if one is wrong.

        Raises:
            ConfigurationError: A name or a value is wrong; nothing has changed.
        """
        if unknown := _find_unknown(values):
            raise ConfigurationError(f"{unknown[0]} is not a setting")
        try:
            typed = validate(values)
        except WrongValueError as error:
            raise ConfigurationError(str(error)) from None  # the cause says nothing more
        await self._put(typed, values)

    async def change(self, body: Mapping[str, Any], *, reset: Collection[str] = ()) -> list[str]:
        """Store what an operator sends, in any of the spellings; all of it, or nothing if something is wrong.

        A value that the environment holds may be repeated, so that a whole configuration can be sent back.

        Args:
            body: Values by section or by dotted name.
            reset: Dotted names of settings that are to be at their defaults again, in the same transaction. A key has
                none to go back to.

        Returns:
            The names that were accepted without effect, since they are retired.

        Raises:
            InvalidRequestError: A name is unknown, or a key is to be reset; `param` is the dotted name.
            WrongSettingsError: Values are wrong: all of them are told.
            ConflictError: The environment holds another value, or what is to be reset.
        """
        flat = flatten(body)
        if unknown := flat.unknown or _find_unknown(reset):
            raise _unknown_setting(unknown[0])
        _refuse_keyless(reset)
        typed = _check(flat.values)
        held = [name for name in flat.values if name in self._overrides]
        self._refuse_held(name for name in held if value_of(typed, name) != value_of(self.snapshot, name))
        self._refuse_held(name for name in reset if name in self._overrides)
        _refuse_lock_out(typed, flat.values.keys() - held)
        await self._put(typed, flat.values.keys() - held, reset=reset)
        return flat.ignored

    async def import_file(self, body: Mapping[str, Any]) -> list[Skipped]:
        """Store what a configuration file of ours or of grok2api's holds; all of it, or nothing if a value is wrong.

        Returns:
            What was passed over: retired and unknown names, what the environment holds, and grok2api's default key.

        Raises:
            WrongSettingsError: A value is wrong; `param` is the dotted name.
        """
        flat = flatten(body)
        typed = _check(flat.values)
        skipped = [Skipped(name, "has no effect here") for name in flat.ignored]
        skipped += [Skipped(name, "is not a setting") for name in flat.unknown]
        for name in flat.values:
            if name in self._overrides:
                skipped.append(Skipped(name, f"is set by the environment variable {self._overrides.variable(name)}"))
            elif name == "app.app_key" and (why := _WORTHLESS_KEYS.get(typed.app.app_key.get_secret_value())):
                skipped.append(Skipped(name, f"{why}: the key here stays"))
        await self._put(typed, flat.values.keys() - {item.name for item in skipped})
        return skipped

    async def reset(self, names: Collection[str]) -> None:
        """Let these settings be at their defaults again, see `change`.

        Raises:
            InvalidRequestError: A name is unknown or a key's; nothing has changed.
            ConflictError: The environment holds one of them; nothing has changed.
        """
        await self.change({}, reset=names)

    def describe(self) -> list[SettingView]:
        """Every setting with its value and where that comes from, in the order in which they are shown."""
        return [
            SettingView(
                definition,
                plain(value_of(self.snapshot, name)),
                "environment" if name in self._overrides else "stored" if name in self._stored else "default",
                self._overrides.variable(name),
            )
            for name, definition in DEFINITIONS.items()
        ]

    async def ensure_keys(self) -> dict[str, str]:
        """Make the keys that were never set, store them, and return the new ones by name (`app_key`, …).

        Of several processes that start at once, each key is made by one, which alone returns it.

        A key that was set to the empty string stays empty: that is the operator's choice.
        """
        await self.load()
        missing = [key for key in KEYS if not ((name := f"app.{key}") in self._stored or name in self._overrides)]
        made = {key: make_key() for key in missing}
        if made:
            values = {f"app.{key}": value for key, value in made.items()}
            await unbroken(retried(lambda: self._commit(lambda session: self._rows.add(session, values))))
        return {key: value for key, value in made.items() if value_of(self.snapshot, f"app.{key}") == SecretStr(value)}

    def _refuse_held(self, names: Iterable[str]) -> None:
        for name in names:
            raise ConflictError(
                f"{name} is set by the environment variable {self._overrides.variable(name)}: change it there",
                code="set_by_environment",
                param=name,
            )

    async def _put(self, typed: Settings, names: Iterable[str], *, reset: Collection[str] = ()) -> None:
        values = {name: plain(value_of(typed, name)) for name in names}

        async def write(session: AsyncSession) -> None:
            if reset:
                await self._rows.forget(session, reset)
            if values:
                await self._rows.put(session, values)

        if values or reset:
            await unbroken(retried(lambda: self._commit(write)))

    async def _commit(self, write: Callable[[AsyncSession], Awaitable[None]] | None) -> None:
        """Change rows, if anything is to be changed, and put in force what is stored then."""
        try:
            async with self._turn:
                async with self._database.session() as session:
                    if write:
                        await write(session)
                    stored, foreign = await self._rows.read(session)
                    snapshot = self._build(stored)
                self.snapshot, self._stored = snapshot, stored.keys()
        finally:
            if write and self._notice:  # also when it failed: a commit whose outcome is unknown may have happened
                self._notice.announce()
        if news := foreign - self._foreign:
            log.warning("stored settings that this version doesn't know are ignored", names=sorted(news))
        self._foreign = foreign

    def _build(self, stored: Mapping[str, Any]) -> Settings:
        try:
            return validate({**stored, **self._overrides.values})
        except WrongValueError as error:
            lines = [f"{self._whose(fault)} {fault.reason}" for fault in error.faults]
        raise ConfigurationError("\n".join(lines))

    def _whose(self, fault: Fault) -> str:
        is_held = fault.name in self._overrides
        return self._overrides.variable(fault.name) if is_held else f"The stored setting {fault.path}"


async def open_settings(
    database: Database, vault: Vault, overrides: Mapping[str, str], *, notice: Notice | None = None
) -> SettingsService:
    """The settings service, loaded.

    Args:
        database: Where they are stored.
        vault: Seals the secrets among them.
        overrides: What the environment holds, as `read_env` returns it.
        notice: Shared with the other processes on this database. None: only this one changes settings.
    """
    service = SettingsService(database, vault, overrides, notice)
    await service.load()
    return service


def _find_unknown(names: Iterable[str]) -> list[str]:
    return [name for name in names if name not in DEFINITIONS]


def _unknown_setting(name: str) -> InvalidRequestError:
    return InvalidRequestError(f"{name} is not a setting", code="unknown_setting", param=name)


def _check(values: Mapping[str, Any]) -> Settings:
    try:
        return validate(values)
    except WrongValueError as error:
        faults = error.faults
    raise WrongSettingsError(faults)  # out here, since the cause would print secrets


def _refuse_keyless(reset: Collection[str]) -> None:
    """Refuse to forget a key. Its default is no key: that locks the operator out, and lets in everybody else."""
    for name in (f"app.{key}" for key in KEYS):
        if name in reset:
            raise InvalidRequestError(f"{name} has no default: give it a new key", code="no_default", param=name)


def _refuse_lock_out(typed: Settings, names: Collection[str]) -> None:
    name = "app.app_key"
    if name in names and not typed.app.app_key.get_secret_value():
        raise WrongSettingsError([Fault(name, name, "empty_key", "''", "a key: without one nobody gets in again")])
