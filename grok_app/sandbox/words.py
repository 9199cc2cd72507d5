"""Magic words: what one is, and how they are found in a text."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from grok_app.sandbox.replies import Reply
from grok_app.sandbox.steps import Step


class Call(Enum):
    """The calls of Grok that the sandbox answers, as method and path; a path has its parameters in braces."""

    CHAT = "POST /rest/app-chat/conversations/new"
    IMAGINE = "WS /ws/imagine/listen"
    UPLOAD = "POST /rest/app-chat/upload-file"
    ASSETS = "GET /rest/assets"
    DELETE = "DELETE /rest/assets-metadata/{asset_id}"
    DOWNLOAD = "GET /users/{path:path}"
    POST = "POST /rest/media/post/create"
    UPSCALE = "POST /rest/media/video/upscale"
    LIMITS = "POST /rest/rate-limits"
    TERMS = "POST /auth_mgmt.AuthManagement/SetTosAcceptedVersion"
    BIRTH = "POST /rest/auth/set-birth-date"
    VOICE = "POST /rest/livekit/tokens"
    ADULT = "POST /auth_mgmt.AuthManagement/UpdateUserFeatureControls"

    @property
    def method(self) -> str:
        """GET, POST, DELETE, or WS for a WebSocket."""
        return self.value.partition(" ")[0]

    @property
    def path(self) -> str:
        """The path as Starlette's routes write it."""
        return self.value.partition(" ")[2]


class Feature(Enum):
    """What an answer may contain besides text."""

    AGENTS = "agents"
    ARTIFACT = "artifact"
    CARD = "card"
    CHINESE = "chinese"
    ECHO = "echo"
    IMAGES = "images"
    LONG = "long"
    SEARCH = "search"
    SLOW = "slow"
    THINK = "think"


class Trouble(Enum):
    """What may go wrong with pictures and videos; each kind of them knows some."""

    BLOCKED = "blocked"
    MODERATED = "moderated"
    MODERATED_ONE = "moderated-one"
    NO_IMAGES = "no-images"
    NO_VIDEO = "no-video"
    NSFW = "nsfw"
    ONE_IMAGE = "one-image"
    VIDEO_STALL = "video-stall"
    WS_CLOSE = "ws-close"
    WS_ERROR = "ws-error"
    WS_GARBAGE = "ws-garbage"
    WS_HUGE = "ws-huge"
    WS_LIMITED = "ws-429"
    WS_PARTIAL = "ws-partial"
    WS_SILENT = "ws-silent"
    WS_TYPES = "ws-types"
    WS_UNKNOWN = "ws-unknown"


class Silence(Enum):
    """No answer at all."""

    HANG = "the headers never come"


Twist = Callable[[Iterable[Step]], Iterator[Step]]
"""Changes how a response is streamed."""


@dataclass(frozen=True, slots=True)
class Variant:
    """Another form of the same success: what was asked is done, and said differently."""

    of: Callable[[Reply], Reply]


Effect = Feature | Reply | Silence | Trouble | Twist | Variant


@dataclass(frozen=True, slots=True)
class Word:
    """A magic word, without its `@`."""

    name: str
    does: str
    """One line for people, Markdown-free."""
    effect: Effect
    call: Call | None = None
    """The one call that it acts on; None for all."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A word as it stands in a text; `once` when written `@once-…`."""

    word: Word
    once: bool


_WORD: Final = re.compile(r"(?<![\w@])@(once-)?([a-z0-9][a-z0-9-]*)(?![\w-])[ \n]?")
_ROLE: Final = re.compile(r"(system|developer|user|assistant|tool|function): ")
_NAME_WORD: Final = re.compile(r"-*@")
_PARAGRAPHS: Final = re.compile(r"(\n\n)")


def find_words(text: str, table: Mapping[str, Word]) -> list[Spoken]:
    """The magic words of a text, in its order.

    A paragraph that begins with a role (`user: …`) is an earlier turn of a flat prompt (protocol notes, section 2.1)
    and is passed over: else one `@429` would spoil a conversation for good.
    """
    paragraphs = (part for part in _PARAGRAPHS.split(text) if "@" in part and not _ROLE.match(part))
    matches = (match for part in paragraphs for match in _WORD.finditer(part))
    return [Spoken(table[match[2]], bool(match[1])) for match in matches if match[2] in table]


def spaced(name: str) -> str:
    """An account's name as a text: every `@` begins a word, with or without a hyphen between it and what is before."""
    return _NAME_WORD.sub(" @", name)


def without_words(text: str, table: Mapping[str, Word]) -> str:
    """The text without its magic words and the one blank or line end after each; nothing else changes."""
    if "@" not in text:
        return text
    return "".join(_stripped(part, table) for part in _PARAGRAPHS.split(text))


def _stripped(paragraph: str, table: Mapping[str, Word]) -> str:
    if _ROLE.match(paragraph):
        return paragraph
    return _WORD.sub(lambda match: "" if match[2] in table else match[0], paragraph)
