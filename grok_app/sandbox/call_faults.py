"""The magic words that act on one call beside chat: on the quota, the voice token, or one step of an account's setup.

Sources: protocol notes, sections 2.10, 6.1, 7, 8.1, 11.15, 11.16, 11.18 and 11.19.
"""

from typing import Final

from grok_app.sandbox import replies, variants
from grok_app.sandbox.grpc_web import CONTENT_TYPE, Flag, failure, frame, in_headers
from grok_app.sandbox.misfits import all_wrong
from grok_app.sandbox.replies import Reply, json_reply, nested, refusal
from grok_app.sandbox.words import Call, Effect, Silence, Word

_DENIED: Final = "permission denied"
_BUSY: Final = refusal(429, 8, "Too many requests", retry_after_s=37)
_BROKEN: Final = nested(500, 13, "Internal error")

_ORDINARY: Final[tuple[tuple[str, str, Effect], ...]] = (
    ("401", "invalid credentials", replies.INVALID_CREDENTIALS),
    ("500", "internal error, JSON", _BROKEN),
    ("hang", "the headers never come", Silence.HANG),
)
_GRPC: Final[tuple[tuple[str, str, Effect], ...]] = (
    ("7", "gRPC status 7 in the trailers: permission denied", failure(7, _DENIED)),
    ("7-bare", "the same without a message", Reply(200, frame(Flag.TRAILERS, b"grpc-status: 7\r\n"), CONTENT_TYPE)),
    ("7-header", "the same in the HTTP headers, without a body", in_headers(7, _DENIED)),
    ("8", "gRPC status 8 in the trailers: too many requests", failure(8, "Too many requests")),
    ("16", "gRPC status 16 in the trailers: unauthenticated", failure(16, "unauthenticated")),
    ("garbage", "bytes that are no frames", Reply(200, b"\x7f\xff\xff\xff\xffthis is no frame", CONTENT_TYPE)),
    ("header", "success, status 0 in the HTTP headers, without a body", variants.GRPC_HEADERS),
    ("trailer", "success, the trailers alone", variants.GRPC_TRAILERS),
    ("text", "success as base64 (grpc-web-text)", variants.GRPC_TEXT),
    ("compressed", "done, but the answer is a compressed frame", variants.GRPC_COMPRESSED),
    ("cut", "done, but the answer ends inside the trailers", variants.GRPC_CUT),
)
_BIRTH: Final[tuple[tuple[str, str, Effect], ...]] = (
    ("204", "success without a body", variants.always(Reply(204, b""))),
    ("locked", "429 that means: already set", replies.BIRTH_DATE_LOCKED),
    ("429", "an ordinary rate limit, Retry-After: 37", _BUSY),
)
_LIMITS: Final[tuple[tuple[str, str, Effect], ...]] = (
    ("tokens", "what is left as remainingTokens, nothing else", variants.changed(variants.tokens_only)),
    ("zero", "nothing is left, whatever chat took", variants.changed(variants.nothing_left)),
    ("null", "what is left is null", variants.changed(variants.unknown_left)),
    ("empty", "an empty JSON object", variants.always(json_reply({}))),
    ("types", "each field has a wrong type", variants.changed(all_wrong)),
    ("bomb", "a megabyte of gzip that unpacks to 1 GiB", variants.PACKED),
    ("garbage", "200 with an HTML page", variants.always(replies.LOST_PAGE)),
    ("429", "rate limited, Retry-After: 37", _BUSY),
)
_VOICE: Final[tuple[tuple[str, str, Effect], ...]] = (
    ("bare", "the token alone, without names", variants.changed(variants.only("token"))),
    ("empty", "everything but the token", variants.changed(variants.without("token"))),
    ("garbage", "200 with an HTML page", variants.always(replies.LOST_PAGE)),
    ("429", "rate limited, Retry-After: 37", _BUSY),
)


def _words(prefix: str, call: Call, *rows: tuple[str, str, Effect]) -> tuple[Word, ...]:
    return tuple(Word(f"{prefix}-{name}", does, effect, call) for name, does, effect in rows)


QUOTA: Final = _words("limits", Call.LIMITS, *_LIMITS, *_ORDINARY)
VOICE: Final = _words("voice", Call.VOICE, *_VOICE, *_ORDINARY)
SETUP: Final = (
    *_words("terms", Call.TERMS, *_GRPC, *_ORDINARY),
    *_words("birth", Call.BIRTH, *_BIRTH, *_ORDINARY),
    *_words("adult", Call.ADULT, *_GRPC, *_ORDINARY),
)
