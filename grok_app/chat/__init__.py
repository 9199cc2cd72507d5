"""Text chat: a conversation in, events of one answer out; retried over accounts until the first of them."""

from grok_app.chat.service import ChatService, gather, shows_thinking
from grok_app.chat.types import (
    Answer,
    ChatRequest,
    Event,
    Finished,
    Message,
    ReasoningEffort,
    Role,
    Started,
    Text,
    Thought,
    Usage,
)

__all__ = [
    "Answer",
    "ChatRequest",
    "ChatService",
    "Event",
    "Finished",
    "Message",
    "ReasoningEffort",
    "Role",
    "Started",
    "Text",
    "Thought",
    "Usage",
    "gather",
    "shows_thinking",
]
