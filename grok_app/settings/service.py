"""The settings in force: defaults, then stored rows, then the environment."""

import secrets
from collections.abc import Mapping
from typing import Any

import orjson
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from grok_app.db import Database, Vault, now_ms
from grok_app.env import PREFIX
from grok_app.errors import ConfigurationError
from grok_app.settings.schema import KEYS, Settings, is_secret
from grok_app.settings.table import SettingRow

_HIDDEN = ("upstream.extra_headers",)  # no secret by itself, but people put cookies there


class SettingsService:
    """Reads and stores settings. `snapshot` is what requests read: immutable, replaced as a whole."""

    def __init__(self, database: Database, vault: Vault, overrides: Mapping[str, str]) -> None:
        self._database = database
        self._vault = vault
        self._overrides = overrides
        self.snapshot = Settings()

    async def load(self) -> None:
        """Read the stored values and put them in force.

        Raises:
            ConfigurationError: A stored value or an environment value is wrong; it says which and what was expected.
        """
        async with self._database.session() as session:
            self.snapshot = await self._read(session)

    async def store(self, values: Mapping[str, Any]) -> None:
        """Store these values by dotted name and put them in force; all of them, or none if one is wrong.

        Raises:
            ConfigurationError: A value is wrong; nothing has changed.
        """
        async with self._database.session() as session:
            for name, value in values.items():
                await session.merge(SettingRow(name=name, value=self._seal(name, value), updated_at=now_ms()))
            snapshot = await self._read(session)
        self.snapshot = snapshot

    async def ensure_keys(self) -> dict[str, str]:
        """Make the keys that were never set, store them, and return the new ones by name (`app_key`, …).

        A key that was set to the empty string stays empty: that is the operator's choice.
        """
        async with self._database.session() as session:
            stored = set((await session.exec(select(SettingRow.name))).all())
        known = stored | self._overrides.keys()
        made = {key: secrets.token_urlsafe(32) for key in KEYS if f"app.{key}" not in known}
        if made:
            await self.store({f"app.{key}": value for key, value in made.items()})
        return made

    async def _read(self, session: AsyncSession) -> Settings:
        rows = (await session.exec(select(SettingRow))).all()
        return _build({row.name: self._unseal(row) for row in rows}, self._overrides)

    def _unseal(self, row: SettingRow) -> Any:
        return orjson.loads(self._vault.open(row.value) if is_secret(row.name) else row.value)

    def _seal(self, name: str, value: Any) -> str:
        text = orjson.dumps(value).decode()
        return self._vault.seal(text) if is_secret(name) else text


async def open_settings(database: Database, vault: Vault, overrides: Mapping[str, str]) -> SettingsService:
    """The settings service, loaded."""
    service = SettingsService(database, vault, overrides)
    await service.load()
    return service


def _build(stored: Mapping[str, Any], overrides: Mapping[str, str]) -> Settings:
    nested: dict[str, dict[str, Any]] = {}
    for name, value in {**stored, **overrides}.items():
        section, _, key = name.partition(".")
        nested.setdefault(section, {})[key] = value
    try:
        return Settings.model_validate(nested)
    except ValidationError as error:
        raise ConfigurationError(_explain(error, overrides)) from None  # the cause would print secrets


def _explain(error: ValidationError, overrides: Mapping[str, str]) -> str:
    return "\n".join(_explain_one(item, overrides) for item in error.errors())


def _explain_one(item: ErrorDetails, overrides: Mapping[str, str]) -> str:
    path = ".".join(str(part) for part in item["loc"][:2])
    name = next((known for known in overrides if known == path or known.startswith(f"{path}.")), None)
    shown = PREFIX + name.upper().replace(".", "__") if name else f"The stored setting {path}"
    if item["type"] == "extra_forbidden":
        return f"{shown} is not a setting"
    value = "(hidden)" if is_secret(path) or path in _HIDDEN else repr(item["input"])
    expected = item["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return f"{shown} = {value}: expected {expected}"
