"""Other forms of a success: what was asked is done, and the answer looks unusual or can't be read.

Source: protocol notes, sections 3, 6.1, 7.1, 8.1, 11.15 and 11.16.
"""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import orjson

from grok_app.sandbox import grpc_web
from grok_app.sandbox.grpc_web import Flag
from grok_app.sandbox.misfits import bomb
from grok_app.sandbox.replies import Reply, json_reply
from grok_app.sandbox.words import Variant

CUT_BYTES: Final = 6
"""So many bytes of the trailers never come: those of the status are among them."""


def always(reply: Reply) -> Variant:
    """This reply instead of the usual one."""
    return Variant(lambda _usual: reply)


def changed(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Variant:
    """The usual JSON object, changed."""
    return Variant(lambda usual: json_reply(change(orjson.loads(usual.body))))


def without(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The usual object without one of its fields."""
    return lambda fields: {key: value for key, value in fields.items() if key != name}


def only(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """One field of the usual object, nothing else."""
    return lambda fields: {name: fields.get(name)}


def cut_body() -> Variant:
    """The usual head, and half of the body."""
    return Variant(lambda usual: replace(usual, is_cut=True))


def tokens_only(limits: dict[str, Any]) -> dict[str, Any]:
    """What is left as `remainingTokens` and nothing else."""
    return {"remainingTokens": limits.get("remainingQueries")}


def nothing_left(limits: dict[str, Any]) -> dict[str, Any]:
    """Zero in each field that tells what is left."""
    return {name: 0 if name.startswith("remaining") else value for name, value in limits.items()}


def unknown_left(limits: dict[str, Any]) -> dict[str, Any]:
    """Null in each field that tells what is left."""
    return {**limits, "remainingQueries": None, "remainingTokens": None}


PACKED: Final = Variant(lambda usual: replace(bomb(), content_type=usual.content_type))
GRPC_HEADERS: Final = always(grpc_web.in_headers(0))
GRPC_TEXT: Final = always(Reply(200, b64encode(grpc_web.SUCCESS.body), grpc_web.TEXT_CONTENT_TYPE))
GRPC_TRAILERS: Final = always(Reply(200, grpc_web.trailers(0), grpc_web.CONTENT_TYPE))
GRPC_CUT: Final = always(Reply(200, grpc_web.SUCCESS.body[:-CUT_BYTES], grpc_web.CONTENT_TYPE))
GRPC_COMPRESSED: Final = always(
    Reply(200, grpc_web.frame(Flag.COMPRESSED, b"") + grpc_web.trailers(0), grpc_web.CONTENT_TYPE)
)
