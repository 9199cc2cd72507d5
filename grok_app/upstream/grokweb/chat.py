"""The request of a text chat. Source: protocol notes, section 2.2."""

from typing import Any, Final

from grok_app.upstream.base import ChatPrompt
from grok_app.upstream.grokweb.conversation import Conversation, Waits
from grok_app.upstream.grokweb.headers import GrokWebOptions

_TOTAL_S: Final = 1800.0
"""The longest thinking takes some minutes; an answer without end would keep its account and its place for ever."""


def chat_conversation(prompt: ChatPrompt, options: GrokWebOptions) -> Conversation:
    """What asks for one answer."""
    override: dict[str, Any] = {"temperature": prompt.temperature, "topP": prompt.top_p}
    if prompt.reasoning_effort is not None:
        override["reasoningEffort"] = prompt.reasoning_effort
    waits = Waits(options.first_frame_timeout_s, options.idle_timeout_s, _TOTAL_S)
    return Conversation(waits, prompt.message, prompt.model, prompt.mode, override, attachments=prompt.attachments)
