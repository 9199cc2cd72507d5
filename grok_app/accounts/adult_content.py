"""Switching an account's adult content on, in the name of its owner, who must be an adult.

Three steps in this order, the first that fails ends it. Source: protocol notes, section 7; API contract, section 10.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from grok_app.errors import InvalidRequestError
from grok_app.upstream import GrpcStatus, SetupReply, Upstream, UpstreamError

TAG: Final = "nsfw"
_ADULT_YEARS: Final = 18
_OLDEST_YEARS: Final = 120
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_REQUIRED: Final = (
    "The date of birth of the accounts' owner is needed, as birth_date (YYYY-MM-DD) in the request or as the setting "
    "nsfw.birth_date, and the owner must be 18 or older."
)


@dataclass(frozen=True, slots=True)
class Switched:
    """What came of it, by the names that users of grok2api know."""

    success: bool
    http_status: int | None
    """Of the last step that was answered."""
    grpc_status: int | None
    grpc_message: str | None
    error: str | None
    """Which step failed and why."""


class StepFailedError(Exception):
    """Grok refused one of the steps.

    Attributes:
        cause: Why.
        result: The same, as it is told.
    """

    def __init__(self, step: str, cause: UpstreamError) -> None:
        super().__init__(f"{step} failed: {cause}")
        self.cause = cause
        self.result = _result(success=False, http_status=cause.status, grpc=cause.grpc, error=str(self))


def read_birth_date(stated: str | None, setting: str, today: date | None = None) -> date:
    """The owner's date of birth, as stated in the request or else in the settings; never a made-up one.

    Raises:
        InvalidRequestError: It is missing, no date, or that of a minor.
    """
    today = today or datetime.now(UTC).date()
    text = stated or setting
    try:
        born = date.fromisoformat(text if _DATE.fullmatch(text) else "")
    except ValueError:
        raise _birth_date_required() from None
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    if not _ADULT_YEARS <= age <= _OLDEST_YEARS:
        raise _birth_date_required()
    return born


async def switch_on(upstream: Upstream, credential: str, birth_date: date) -> Switched:
    """Accept the terms, state the date of birth, switch it on. What is set already is fine.

    Raises:
        StepFailedError: Grok refused one of them; the ones after it were not tried.
    """
    steps: tuple[tuple[str, Callable[[], Awaitable[SetupReply]]], ...] = (
        ("Accepting the terms", lambda: upstream.accept_terms(credential)),
        ("Stating the date of birth", lambda: upstream.set_birth_date(credential, birth_date)),
        ("Switching it on", lambda: upstream.show_adult_content(credential)),
    )
    for name, step in steps:
        try:
            reply = await step()
        except UpstreamError as error:
            raise StepFailedError(name, error) from error
    return _result(success=True, http_status=reply.http_status, grpc=reply.grpc, error=None)


def _result(*, success: bool, http_status: int | None, grpc: GrpcStatus | None, error: str | None) -> Switched:
    code, message = (grpc.code, grpc.message) if grpc else (None, None)
    return Switched(success, http_status, code, message or None, error)


def _birth_date_required() -> InvalidRequestError:
    return InvalidRequestError(_REQUIRED, code="birth_date_required", param="birth_date")
