"""The console's sessions at rest. A row names no secret: whoever reads it can't sign in with it."""

from sqlalchemy import Column, String
from sqlmodel import Field

from grok_app.db import TableModel, UtcMs


class ConsoleSessionRow(TableModel, table=True):
    """One browser that is signed in."""

    __tablename__ = "console_session"

    fingerprint: str = Field(sa_column=Column(String(64), primary_key=True))
    """The keyed hash of the session's id."""
    key_fingerprint: str = Field(sa_column=Column(String(64), nullable=False))
    """The keyed hash of the operator's key that was shown: another key ends the session."""
    created_at: int = Field(sa_column=Column(UtcMs, nullable=False))
    expires_at: int = Field(sa_column=Column(UtcMs, nullable=False))
