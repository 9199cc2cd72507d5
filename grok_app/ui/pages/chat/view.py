"""The page."""

from typing import Final

import reflex as rx

from grok_app.catalog import CHAT_MODELS
from grok_app.ui import routes
from grok_app.ui.components import chat
from grok_app.ui.pages.chat.state import EFFORTS, ChatState
from grok_app.ui.session import Session, text
from grok_app.ui.studio import choice_list, studio_page, switching

_LABELS: Final = (
    "title",
    "lead",
    "example_1",
    "example_2",
    "example_3",
    "placeholder",
    "send",
    "stop",
    "new",
    "thinking",
    "thought",
    "waiting",
    "stopped",
    "retry",
    "too_long",
    "unreachable",
    "transcript",
    "you",
    "attach",
    "drop",
    "pictures",
    "remove_picture",
    "not_a_picture",
    "too_large",
    "pictures_many",
    "pictures_heavy",
    "conversations",
    "show_conversations",
    "hide_conversations",
    "close",
    "no_conversations",
    "kept_here",
    "not_kept",
    "unkept",
    "save",
    "save_all",
    "delete",
    "delete_one",
    "delete_title",
    "delete_lead",
    "deleted",
    "delete_all",
    "delete_all_title",
    "delete_all_lead",
    "all_deleted",
    "not_deleted",
    "cancel",
)


def view() -> rx.Component:
    """The page."""
    labels = {name: text(f"chat.{name}") for name in _LABELS} | {name: text(name) for name in ("copy", "copied")}
    return studio_page(
        routes.CHAT,
        chat(
            _models(),
            _efforts(),
            labels=labels,
            language=rx.cond(Session.is_chinese, "zh-CN", "en"),
            model=ChatState.model,
            effort=ChatState.effort,
            is_history_open=ChatState.history == "on",
            on_switch_history=switching(ChatState, "history"),
        ),
        class_name="chat",
    )


def _models() -> rx.Component:
    models = {model: model for model in CHAT_MODELS}
    return choice_list(text("chat.model"), ChatState, "model", models)


def _efforts() -> rx.Component:
    efforts = {effort: text(f"effort.{effort}") for effort in EFFORTS}
    return choice_list(text("chat.effort"), ChatState, "effort", efforts)
