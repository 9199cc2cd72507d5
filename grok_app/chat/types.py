"""What a chat takes and what it gives: the words shared by the API, the pages and the service."""

from dataclasses import dataclass
from typing import Literal

from grok_app.media import Source

Role = Literal["developer", "system", "user", "assistant"]
ReasoningEffort = Literal["none", "minimal", "low", "medium", "high", "xhigh"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of the conversation, as text. Several text parts are joined with a newline."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A conversation to be answered, already validated."""

    model: str
    messages: tuple[Message, ...]
    temperature: float = 0.8
    top_p: float = 0.95
    reasoning_effort: ReasoningEffort | None = None
    """None: the setting `app.thinking` decides whether thinking is shown."""
    attachments: tuple[Source, ...] = ()
    """The files of all messages, in their order."""
    own_url: str = ""
    """How the caller reaches us, which links to our files begin with; empty: they begin with their path."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Estimated token counts, see `grok_app.usage`."""

    prompt_tokens: int
    completion_tokens: int
    """Answer and thinking together, thinking included when it was hidden."""
    reasoning_tokens: int


@dataclass(frozen=True, slots=True)
class Started:
    """The answer has begun. Always the first event; from here on nothing is retried."""

    id: str
    """Grok's response id, or one of ours that begins with `chatcmpl-`."""
    fingerprint: str | None


@dataclass(slots=True)
class Thought:
    """A piece of the reasoning, or how far a picture of the answer is. Never empty.

    After the first `Text` only the latter comes, in lines of its own.
    """

    text: str


@dataclass(slots=True)
class Text:
    """Pieces of the answer that came together, filtered and ready to show, one for each token."""

    pieces: list[str]
    """At least one, and none of them empty."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The answer is complete. Always the last event."""

    usage: Usage


Event = Started | Thought | Text | Finished


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, for callers that don't stream."""

    id: str
    fingerprint: str | None
    thinking: str
    text: str
    usage: Usage
