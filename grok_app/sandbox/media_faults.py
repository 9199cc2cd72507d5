"""The magic words of pictures, videos and files. Sources: protocol notes, sections 3 to 5 and 11.10 to 11.12."""

from typing import Final

from grok_app.sandbox import replies
from grok_app.sandbox.misfits import all_wrong
from grok_app.sandbox.replies import json_reply, nested, refusal
from grok_app.sandbox.variants import PACKED, always, changed, cut_body, without
from grok_app.sandbox.words import Call, Effect, Silence, Trouble, Word

AGAIN: Final = "again"
"""A page token that leads to the first page."""
_BUSY: Final = refusal(429, 8, "Too many requests", retry_after_s=37)
_GONE: Final = refusal(404, 5, "Asset not found")

DRAWN: Final = (
    Word("moderated", "every picture, or the video, is moderated", Trouble.MODERATED),
    Word("moderated-one", "the first picture is moderated, the others are good", Trouble.MODERATED_ONE),
    Word("no-images", "an edit that ends without a picture", Trouble.NO_IMAGES, Call.CHAT),
    Word("one-image", "an edit that makes one picture instead of two", Trouble.ONE_IMAGE, Call.CHAT),
    Word("no-video", "a video that ends without its URL", Trouble.NO_VIDEO, Call.CHAT),
    Word("video-stall", "a video's progress up to 45, then silence", Trouble.VIDEO_STALL, Call.CHAT),
)
SOCKET: Final = (
    Word("blocked", "preview and medium, then silence", Trouble.BLOCKED, Call.IMAGINE),
    Word("nsfw", "adult: moderated unless enable_nsfw is true", Trouble.NSFW, Call.IMAGINE),
    Word("ws-429", "the error frame rate_limit_exceeded, then closed", Trouble.WS_LIMITED, Call.IMAGINE),
    Word("ws-error", "an error frame with another code, then closed", Trouble.WS_ERROR, Call.IMAGINE),
    Word("ws-close", "closed after the previews", Trouble.WS_CLOSE, Call.IMAGINE),
    Word("ws-partial", "closed after the first finished picture", Trouble.WS_PARTIAL, Call.IMAGINE),
    Word("ws-silent", "nothing comes, the socket stays open", Trouble.WS_SILENT, Call.IMAGINE),
    Word("ws-garbage", "messages that are not JSON, wrong types, then closed", Trouble.WS_GARBAGE, Call.IMAGINE),
    Word("ws-huge", "one message of 40 MiB, then the good ones", Trouble.WS_HUGE, Call.IMAGINE),
    Word("ws-types", "the good messages, each also with a wrong type in every field", Trouble.WS_TYPES, Call.IMAGINE),
    Word("ws-unknown", "the good pictures between messages that nobody knows", Trouble.WS_UNKNOWN, Call.IMAGINE),
)

_ORDINARY: Final[tuple[tuple[str, str, Effect], ...]] = (
    ("401", "invalid credentials", replies.INVALID_CREDENTIALS),
    ("429", "rate limited, Retry-After: 37", _BUSY),
    ("500", "internal error, JSON", nested(500, 13, "Internal error")),
    ("hang", "the headers never come", Silence.HANG),
    ("page", "200 with an HTML page", always(replies.LOST_PAGE)),
    ("bomb", "a megabyte of gzip that unpacks to 1 GiB", PACKED),
)
_UPLOAD: Final[tuple[tuple[str, str, Effect], ...]] = (
    ("413", "too large", refusal(413, 8, "The file is too large")),
    ("id", "fileId in place of fileMetadataId", changed(lambda file: _renamed(file, "fileMetadataId", "fileId"))),
    ("types", "each field has a wrong type", changed(all_wrong)),
    ("nouri", "the answer has no fileUri", changed(without("fileUri"))),
    ("empty", "an empty JSON object", always(json_reply({}))),
)
_ASSETS: Final[tuple[tuple[str, str, Effect], ...]] = (
    ("repeat", "page and nextPageToken are the first on and on", changed(lambda p: {**p, "nextPageToken": AGAIN})),
    ("empty", "an empty JSON object", always(json_reply({}))),
)
_DELETE: Final[tuple[tuple[str, str, Effect], ...]] = (("404", "no such asset", _GONE),)
_DOWNLOAD: Final[tuple[tuple[str, str, Effect], ...]] = (
    ("404", "no such file", _GONE),
    ("cut", "the connection breaks in the middle of the file", cut_body()),
)
_POST: Final[tuple[tuple[str, str, Effect], ...]] = (("empty", "an empty JSON object", always(json_reply({}))),)
_UPSCALE: Final[tuple[tuple[str, str, Effect], ...]] = (
    ("empty", "an empty JSON object", always(json_reply({}))),
    ("lost", "the URL of a file that isn't there", changed(lambda found: {"hdMediaUrl": found["hdMediaUrl"] + ".no"})),
)


def _words(prefix: str, call: Call, *rows: tuple[str, str, Effect]) -> tuple[Word, ...]:
    return tuple(Word(f"{prefix}-{name}", does, effect, call) for name, does, effect in rows)


def _renamed(fields: dict[str, object], old: str, new: str) -> dict[str, object]:
    return {new if name == old else name: value for name, value in fields.items()}


FILES: Final = (
    *_words("upload", Call.UPLOAD, *_UPLOAD, *_ORDINARY),
    *_words("assets", Call.ASSETS, *_ASSETS, *_ORDINARY),
    *_words("delete", Call.DELETE, *_DELETE, *_ORDINARY),
    *_words("download", Call.DOWNLOAD, *_DOWNLOAD, *_ORDINARY),
    *_words("post", Call.POST, *_POST, *_ORDINARY),
    *_words("upscale", Call.UPSCALE, *_UPSCALE, *_ORDINARY),
)
