"""A finished request, from what it gathered to what is kept, and to rows and back."""

import os
import re
from dataclasses import fields
from itertools import count
from typing import Any, Final

import orjson
from sqlalchemy import Row

from grok_app.requests.types import AttemptRecord, Outcome, RequestDetail, RequestQuery, RequestRecord
from grok_app.trace import LEFT, Trace

_PROCESS: Final = os.urandom(3).hex()
_numbers: Final = count()
_ID_BITS: Final = 24
_ACCOUNT: Final = re.compile(r"#([0-9]{1,9})")
_SAME: Final = [field.name for field in fields(RequestRecord) if field.name != "started_at_ms"]
"""What rows and records have under the same name."""


def new_id(started_at_ms: int) -> str:
    """An id that sorts by time, then by order of finishing, and that no other process gives."""
    return f"{first_id(started_at_ms)}{next(_numbers) % (1 << _ID_BITS):06x}{_PROCESS}"


def first_id(started_at_ms: int) -> str:
    """What ids of this moment begin with; it sorts before all of them."""
    return f"{started_at_ms:011x}"


def detail_of(trace: Trace) -> RequestDetail:
    """What is kept of a finished request."""
    attempts = tuple(
        AttemptRecord(attempt.account_id, attempt.error and _plain(attempt.error), attempt.reason, attempt.duration_ms)
        for attempt in trace.attempts
    )
    failed = sum(attempt.error is not None for attempt in attempts)
    outcome = _outcome(trace)
    record = RequestRecord(
        id=new_id(trace.started_at_ms),
        request_id=trace.id,
        started_at_ms=trace.started_at_ms,
        route=trace.route,
        model=trace.model,
        key=_storable(trace.key),
        is_stream=trace.is_stream,
        status=trace.status,
        outcome=outcome,
        error=trace.error and _plain(trace.error),
        account_id=attempts[-1].account_id if attempts else None,
        retries=max(0, failed - (outcome == "error")),
        first_chunk_ms=trace.first_chunk_ms,
        duration_ms=trace.duration_ms,
        prompt_tokens=trace.prompt_tokens,
        completion_tokens=trace.completion_tokens,
        bytes_sent=trace.bytes_sent,
    )
    answer = None if trace.answer is None else "".join(trace.answer)
    return RequestDetail(record, _storable(trace.reason), attempts, trace.prompt, answer)


def values_of(detail: RequestDetail) -> dict[str, Any]:
    """The columns of a row."""
    record = detail.record
    attempts = [(item.account_id, item.error, _storable(item.reason), item.duration_ms) for item in detail.attempts]
    own = {"started_at": record.started_at_ms, "reason": detail.reason, "attempts": orjson.dumps(attempts).decode()}
    return {**{name: getattr(record, name) for name in _SAME}, **own}


def content_of(detail: RequestDetail) -> str:
    """Prompt and answer as one text, to be sealed."""
    texts = [None if text is None else _storable(text) for text in (detail.prompt, detail.answer)]
    return orjson.dumps(texts).decode()


def read_record(row: Row[Any]) -> RequestRecord:
    """The request of a row."""
    return RequestRecord(**{name: getattr(row, name) for name in _SAME}, started_at_ms=row.started_at)


def read_detail(row: Row[Any], content: str | None) -> RequestDetail:
    """The request of a whole row, with its content, opened, where it was kept."""
    attempts = tuple(AttemptRecord(*attempt) for attempt in orjson.loads(row.attempts))
    prompt, answer = orjson.loads(content) if content else (None, None)
    return RequestDetail(read_record(row), row.reason, attempts, prompt, answer)


def words_of(query: RequestQuery) -> str:
    """What is searched for, as it may be stored."""
    return _storable(query.search.strip())


def account_of(query: RequestQuery) -> int | None:
    """The account that is searched for, as `#12`."""
    found = _ACCOUNT.fullmatch(query.search.strip())
    return int(found[1]) if found else None


def _outcome(trace: Trace) -> Outcome:
    if trace.error is None:
        return "ok"
    return "left" if trace.error == LEFT else "error"


def _plain(code: str) -> str:
    """A code as a plain text: kinds are enums of another domain."""
    return str(code)[:50]


def _storable(text: str) -> str:
    """The text without what a database refuses: lone surrogates, and NUL, which PostgreSQL doesn't take."""
    return (
        text if text.isascii() and "\0" not in text else text.encode(errors="replace").decode().replace("\0", "\ufffd")
    )
