"""The requests at rest. Content is in a table of its own, sealed, so that lists read narrow rows."""

from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Text
from sqlmodel import Field

from grok_app.db import Sealed, TableModel, UtcMs


class RequestRow(TableModel, table=True):
    """One finished request."""

    __tablename__ = "request"
    __table_args__: Any = (
        Index("ix_request_outcome", "outcome", "id"),
        Index("ix_request_route", "route", "id"),
        Index("ix_request_model", "model", "id"),
    )

    id: str = Field(sa_column=Column(String(24), primary_key=True))
    """Sorts by the beginning of the request, so that newest first, retention and filters need no other column."""
    request_id: str = Field(sa_column=Column(String(128), nullable=False))
    started_at: int = Field(sa_column=Column(UtcMs, nullable=False))
    route: str = Field(sa_column=Column(String(50), nullable=False))
    model: str = Field(sa_column=Column(String(50), nullable=False))
    key: str = Field(sa_column=Column(String(20), nullable=False))
    is_stream: bool = Field(sa_column=Column(Boolean, nullable=False))
    status: int = Field(sa_column=Column(Integer, nullable=False))
    outcome: str = Field(sa_column=Column(String(5), nullable=False))
    error: str | None = Field(sa_column=Column(String(50), nullable=True))
    reason: str = Field(sa_column=Column(String(200), nullable=False))
    account_id: int | None = Field(sa_column=Column(Integer, nullable=True))
    retries: int = Field(sa_column=Column(Integer, nullable=False))
    first_chunk_ms: int | None = Field(sa_column=Column(Integer, nullable=True))
    duration_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    prompt_tokens: int = Field(sa_column=Column(Integer, nullable=False))
    completion_tokens: int = Field(sa_column=Column(Integer, nullable=False))
    bytes_sent: int = Field(sa_column=Column(BigInteger, nullable=False))
    attempts: str = Field(sa_column=Column(Text, nullable=False))
    """A JSON array of `[account id, error, reason, ms]`."""


class RequestContentRow(TableModel, table=True):
    """What was said in one request, while `app.log_content` was on."""

    __tablename__ = "request_content"

    id: str = Field(sa_column=Column(String(24), primary_key=True))
    """Of the request."""
    content: str = Field(sa_column=Column(Text, nullable=False))
    """Sealed by the vault: a JSON array of prompt and answer."""


SEALED: Final = Sealed("Contents of requests", RequestContentRow.metadata.tables["request_content"], "content")
"""What `grok-app key rotate` seals anew."""
