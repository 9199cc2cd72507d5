"""A request as the page shows it: a line of the list, and all of it. No credential, and of a key only a hint."""

import dataclasses
from collections.abc import Mapping
from typing import Final

from grok_app.accounts import Account, mask
from grok_app.requests import RequestDetail, RequestRecord

_NOTE_CHARS: Final = 24
Known = Mapping[int, Account]
"""Accounts that are still there, by id."""


@dataclasses.dataclass
class Row:
    """One line of the list. 0 stands for what there was none of."""

    id: str = ""
    at_ms: int = 0
    key: str = ""
    model: str = ""
    route: str = ""
    account: str = ""
    """`#12`; empty when none was asked."""
    note: str = ""
    """Of the account, cut; its token, masked, where it has none. Empty when it is gone."""
    outcome: str = ""
    status: int = 0
    error: str = ""
    first_ms: int = 0
    duration_ms: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    retries: int = 0


@dataclasses.dataclass
class AttemptLine:
    """One account asked once."""

    account: str
    token: str
    """Masked; empty when the account is gone."""
    error: str
    reason: str
    duration_ms: int


@dataclasses.dataclass
class Detail:
    """All of one request."""

    row: Row = dataclasses.field(default_factory=Row)
    request_id: str = ""
    is_stream: bool = False
    reason: str = ""
    bytes_sent: int = 0
    attempts: list[AttemptLine] = dataclasses.field(default_factory=list)
    has_content: bool = False
    prompt: str = ""
    answer: str = ""


def row_of(record: RequestRecord, known: Known) -> Row:
    """The request in a line."""
    account = known.get(record.account_id) if record.account_id is not None else None
    return Row(
        id=record.id,
        at_ms=record.started_at_ms,
        key=record.key,
        model=record.model,
        route=record.route,
        account=_number(record.account_id),
        note=_cut(account.note) if account and account.note else _masked(account),
        outcome=record.outcome,
        status=record.status,
        error=record.error or "",
        first_ms=record.first_chunk_ms or 0,
        duration_ms=record.duration_ms,
        prompt_tokens=record.prompt_tokens,
        completion_tokens=record.completion_tokens,
        retries=record.retries,
    )


def detail_of(detail: RequestDetail, known: Known) -> Detail:
    """All of the request."""
    attempts = [
        AttemptLine(
            account=_number(attempt.account_id),
            token=_masked(known.get(attempt.account_id)),
            error=attempt.error or "",
            reason=attempt.reason,
            duration_ms=attempt.duration_ms,
        )
        for attempt in detail.attempts
    ]
    return Detail(
        row=row_of(detail.record, known),
        request_id=detail.record.request_id,
        is_stream=detail.record.is_stream,
        reason=detail.reason,
        bytes_sent=detail.record.bytes_sent,
        attempts=attempts,
        has_content=detail.prompt is not None,
        prompt=detail.prompt or "",
        answer=detail.answer or "",
    )


def _number(account_id: int | None) -> str:
    return "" if account_id is None else f"#{account_id}"


def _masked(account: Account | None) -> str:
    return mask(account.credential.get_secret_value()) if account else ""


def _cut(note: str) -> str:
    return note if len(note) <= _NOTE_CHARS else f"{note[: _NOTE_CHARS - 1]}…"
