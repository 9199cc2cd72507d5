"""What a visitor chooses."""

from typing import ClassVar, Final, get_args

import reflex as rx

from grok_app.catalog import CHAT_MODELS
from grok_app.chat import ReasoningEffort
from grok_app.ui.session import Session
from grok_app.ui.studio import SWITCH, Choices

EFFORTS: Final = ("auto", *get_args(ReasoningEffort))
"""What the page offers; `auto` leaves it to the server's setting."""


class ChatState(Choices, Session):
    """The choices of the page, kept in the browser."""

    OFFERED: ClassVar = {"model": tuple(CHAT_MODELS), "effort": EFFORTS, "history": SWITCH}

    model: str = rx.LocalStorage("grok-4", name="grok_app_chat_model")
    effort: str = rx.LocalStorage("auto", name="grok_app_chat_effort")
    history: str = rx.LocalStorage("on", name="grok_app_chat_history")
    """Whether the list of conversations stands beside the chat, where there is room."""
