"""Tokens that open a room, as LiveKit makes them. Source: https://docs.livekit.io/frontends/authentication/tokens."""

import time
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import jwt

from grok_app.sandbox.replies import Reply

API_KEY: Final = "sandbox"
SECRET: Final = "no-secret-at-all: whoever has the sandbox has it"  # noqa: S105 - protects nothing but made-up rooms
"""Signs every token, so that anybody can check one."""
VALID_S: Final = 3600
_ALGORITHM: Final = "HS256"
_NEEDED: Final = ("exp", "nbf", "iss", "sub")
_TEXT: Final = "text/plain; charset=utf-8"
OPEN_TO_ALL: Final = (("access-control-allow-origin", "*"),)
"""LiveKit lets pages of any origin read why they were refused."""


@dataclass(frozen=True, slots=True)
class Guest:
    """Who may enter which room."""

    identity: str
    room: str
    metadata: str
    """What the voice is to be like, as JSON."""
    id: str = field(default_factory=lambda: uuid4().hex)


def issue(guest: Guest) -> str:
    """The token of a guest, who may speak and listen for `VALID_S` seconds."""
    now_s = int(time.time())
    grant = {
        "room": guest.room,
        "roomJoin": True,
        "canPublish": True,
        "canPublishData": True,
        "canSubscribe": True,
    }
    claims = {
        "iss": API_KEY,
        "sub": guest.identity,
        "jti": guest.id,
        "name": guest.identity,
        "nbf": now_s,
        "exp": now_s + VALID_S,
        "video": grant,
        "metadata": guest.metadata,
    }
    return jwt.encode(claims, SECRET, _ALGORITHM)


def check(token: str) -> Guest | Reply:
    """The guest that a token lets in; else the answer, which says why not. Its words are INFERRED."""
    if not token:
        return _refused("access_token is missing")
    try:
        claims = jwt.decode(token, SECRET, [_ALGORITHM], issuer=API_KEY, options={"require": list(_NEEDED)})
    except jwt.ExpiredSignatureError:
        return _refused("token is expired (exp)")
    except jwt.InvalidTokenError:
        return _refused("invalid authorization token")
    grant: Any = claims.get("video")
    if not isinstance(grant, dict) or not grant.get("roomJoin") or not isinstance(grant.get("room"), str):
        return _refused("permissions denied")
    return Guest(claims["sub"], grant["room"], str(claims.get("metadata", "")))


def _refused(why: str) -> Reply:
    return Reply(401, why.encode(), _TEXT, OPEN_TO_ALL)


ADMITTED: Final = Reply(200, b"success", _TEXT, OPEN_TO_ALL)
