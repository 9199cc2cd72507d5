"""The stored settings: one row per value that an operator has set."""

from sqlalchemy import Column, String, Text
from sqlmodel import Field

from grok_app.db import TableModel, UtcMs, now_ms


class SettingRow(TableModel, table=True):
    """One stored setting."""

    __tablename__ = "setting"

    name: str = Field(sa_column=Column(String(100), primary_key=True))
    """Dotted, `app.api_key`."""
    value: str = Field(sa_column=Column(Text, nullable=False))
    """JSON; sealed by the vault when the setting is a secret."""
    updated_at: int = Field(default_factory=now_ms, sa_column=Column(UtcMs, nullable=False))
