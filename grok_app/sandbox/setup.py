"""An account's setup: its terms, its birth date, its switch for adult content.

Source: protocol notes, sections 7.2 to 7.4, 11.15 and 11.18. They name no order among the three, so none is asked for.
"""

import re
from datetime import datetime
from typing import Any, Final

from grok_app.sandbox.exchange import Asked, Outcome
from grok_app.sandbox.grpc_web import INVALID_ARGUMENT, SUCCESS, failure, message_of
from grok_app.sandbox.replies import BIRTH_DATE_LOCKED, RefusedError, json_reply, refusal
from grok_app.sandbox.state import Sandbox

ACCEPT_TERMS: Final = bytes.fromhex("1001")
_ADULT_CONTENT: Final = bytes.fromhex("121a0a18") + b"always_show_nsfw_content"
SWITCH_ADULT_CONTENT: Final = {
    bytes.fromhex("0a021001") + _ADULT_CONTENT: True,
    bytes.fromhex("0a021000") + _ADULT_CONTENT: False,
}
"""The two messages that the call knows, and what each switches to."""
_BIRTH_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")


def decide_terms(_sandbox: Sandbox, asked: Asked) -> Outcome:
    """Accept the terms, whether or not they were accepted before.

    Raises:
        RefusedError: The request isn't the gRPC-web message of the protocol.
    """
    if message_of(asked.content_type, bytes.fromhex(asked.body)) != ACCEPT_TERMS:
        raise RefusedError(failure(INVALID_ARGUMENT, "the message accepts no version of the terms"))
    asked.account.terms_accepted = True
    return SUCCESS


def decide_birth_date(_sandbox: Sandbox, asked: Asked) -> Outcome:
    """Set the birth date, which works once.

    Raises:
        RefusedError: The body has no such date, or one is set, be it the same.
    """
    birth_date = asked.fields.get("birthDate")
    if not _is_birth_date(birth_date):
        raise RefusedError(refusal(400, 3, "birthDate must be a date and time of the form YYYY-MM-DDTHH:MM:SS.mmmZ"))
    if asked.account.birth_date is not None:
        raise RefusedError(BIRTH_DATE_LOCKED)
    asked.account.birth_date = birth_date
    return json_reply({})


def decide_adult_content(_sandbox: Sandbox, asked: Asked) -> Outcome:
    """Switch adult content on or off.

    Raises:
        RefusedError: The request isn't the gRPC-web message of the protocol.
    """
    message = message_of(asked.content_type, bytes.fromhex(asked.body))
    if message not in SWITCH_ADULT_CONTENT:
        raise RefusedError(failure(INVALID_ARGUMENT, "the message switches no known feature"))
    asked.account.adult_content = SWITCH_ADULT_CONTENT[message]
    return SUCCESS


def _is_birth_date(value: Any) -> bool:
    if not isinstance(value, str) or not _BIRTH_DATE.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True
