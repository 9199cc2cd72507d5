"""What is known of finished requests: the words shared by the pages and the service."""

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["ok", "error", "left"]
"""`left`: the caller went before the end, which counts neither as a success nor as an error."""
Show = Literal["all", "ok", "errors"]


@dataclass(frozen=True, slots=True)
class Minute:
    """What finished in one minute of the clock."""

    at_ms: int
    """When it began, Unix time."""
    requests: int
    errors: int
    first_chunk_p50_ms: float | None
    """Of chats alone: a picture or a video has no first token. None when there was none."""
    first_chunk_p95_ms: float | None


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One finished request, as the list shows it."""

    id: str
    """Ours; in the order of their beginning."""
    request_id: str
    """As answered in `x-request-id`; a caller may choose the same one twice."""
    started_at_ms: int
    route: str
    model: str
    """Empty when the request was refused before the model was known."""
    key: str
    """Masked, or the name of who asked; empty when no key was shown."""
    is_stream: bool
    status: int
    """499: nobody was left to be answered. A stream that broke has the 200 that it began with."""
    outcome: Outcome
    error: str | None
    """The code of the error that ended it, or `client_left`."""
    account_id: int | None
    """The account that was asked last; None when none was."""
    retries: int
    """How many attempts failed that others followed."""
    first_chunk_ms: int | None
    duration_ms: int
    prompt_tokens: int
    completion_tokens: int
    bytes_sent: int


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One account asked once."""

    account_id: int
    error: str | None
    """The kind of Grok's failure, or the code of one of ours; None when there was none."""
    reason: str
    duration_ms: int
    """To the first word or the failure; 0 when it was broken off before."""


@dataclass(frozen=True, slots=True)
class RequestDetail:
    """One finished request with all that is known of it."""

    record: RequestRecord
    reason: str
    """The message of the error that ended it; may be empty."""
    attempts: tuple[AttemptRecord, ...]
    prompt: str | None
    """None unless content was kept. At most 10,000 characters."""
    answer: str | None


@dataclass(frozen=True, slots=True)
class RequestQuery:
    """Which requests are looked for."""

    show: Show = "all"
    route: str = ""
    """Empty: all of them."""
    model: str = ""
    """Empty: all of them."""
    search: str = ""
    """Found in id, model, route, key or error, in any case; `#12` finds what account 12 was asked too.

    Only the newest requests are searched.
    """
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class FoundRequests:
    """One page of what was found, newest first."""

    items: tuple[RequestRecord, ...]
    total: int
    """How many there are on all pages, but not more than can be leafed through."""
    has_more: bool
    """Whether there are more than that."""
