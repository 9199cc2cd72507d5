"""The stored settings: one row per value that an operator has set."""

from typing import Final

from sqlalchemy import Column, String, Text
from sqlmodel import Field

from grok_app.db import Sealed, TableModel, UtcMs, now_ms
from grok_app.settings.schema import is_sealed


class SettingRow(TableModel, table=True):
    """One stored setting."""

    __tablename__ = "setting"

    name: str = Field(sa_column=Column(String(100), primary_key=True))
    """Dotted, `app.api_key`."""
    value: str = Field(sa_column=Column(Text, nullable=False))
    """JSON; sealed by the vault when the setting is a secret."""
    updated_at: int = Field(default_factory=now_ms, sa_column=Column(UtcMs, nullable=False))


def is_clear(value: str) -> bool:
    """Whether this value of a secret dates from before it was sealed: headers, an object. Nothing sealed begins so."""
    return value.startswith("{")


SEALED: Final = Sealed(
    "Settings", SettingRow.metadata.tables["setting"], "value", concerns=is_sealed, is_clear=is_clear
)
"""What `grok-app key rotate` seals anew."""
