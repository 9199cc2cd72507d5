"""From a conversation to the one text that Grok takes. Source: API contract, section 5.2."""

from collections.abc import Sequence

from grok_app.chat.types import Message


def flatten(messages: Sequence[Message]) -> str:
    """Join the messages with a blank line; every one but the last user message is prefixed with its role."""
    asked = max((i for i, message in enumerate(messages) if message.role == "user"), default=-1)
    return "\n\n".join(
        message.text if i == asked else f"{message.role}: {message.text}" for i, message in enumerate(messages)
    )
