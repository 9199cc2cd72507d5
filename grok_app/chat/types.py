"""What a chat takes and what it gives: the words shared by the API, the pages and the service."""

from dataclasses import dataclass
from typing import Literal

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


@dataclass(frozen=True, slots=True)
class Usage:
    """Estimated token counts, see `grok_app.chat.usage`."""

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


@dataclass(frozen=True, slots=True)
class Thought:
    """A piece of the reasoning. Never empty, never after the first `Text`."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the answer, filtered and ready to show. Never empty."""

    text: str


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
