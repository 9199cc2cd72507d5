"""`POST /rest/livekit/tokens`: who asks gets a room of its own. Source: protocol notes, sections 8.1 and 11.19."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import uuid4

import orjson

from grok_app.sandbox.exchange import Asked, Outcome, read_json
from grok_app.sandbox.replies import RefusedError, json_reply, refusal
from grok_app.sandbox.state import Sandbox
from grok_app.sandbox.voice.passes import Guest, issue

Checks = Mapping[str, Callable[[Any], bool]]
"""What each field must be; all are needed, and there are no others."""


def decide_voice(_sandbox: Sandbox, asked: Asked) -> Outcome:
    """Give a token for a new room. Nothing is taken from the quota.

    Raises:
        RefusedError: A field is missing, wrong or unknown.
    """
    wanted = _checked(asked.fields, _BODY, "the request")
    session = _checked(read_json(wanted["sessionPayload"].encode()), _SESSION, "sessionPayload")
    how = {name: session[name] for name in ("voice", "personality", "playback_speed")}
    guest = Guest(f"user-{asked.account.user_id}", f"room-{uuid4()}", orjson.dumps(how).decode())
    names = {"participantName": guest.identity, "roomName": guest.room}
    return json_reply({"token": issue(guest), "livekitUrl": wanted["livekitUrl"], **names})


def _checked(fields: Any, checks: Checks, about: str) -> dict[str, Any]:
    if not isinstance(fields, dict) or fields.keys() != checks.keys():
        raise RefusedError(refusal(400, 3, f"{about} must be an object of {', '.join(checks)}"))
    for name, is_right in checks.items():
        if not is_right(fields[name]):
            raise RefusedError(refusal(400, 3, f"{name} is wrong"))
    return fields


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_switch(value: Any) -> bool:
    return isinstance(value, bool)


def _is_speed(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(("ws://", "wss://"))


def _are_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_text, value.values()))


_SESSION: Final[Checks] = {
    "voice": _is_text,
    "personality": _is_text,
    "playback_speed": _is_speed,
    "enable_vision": _is_switch,
    "turn_detection": lambda value: value == {"type": "server_vad"},
}
_BODY: Final[Checks] = {
    "sessionPayload": _is_text,
    "requestAgentDispatch": _is_switch,
    "livekitUrl": _is_address,
    "params": _are_texts,
}
