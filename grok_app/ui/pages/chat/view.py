"""The conversation above, the composer below."""

# mypy: disable-error-code="no-any-return"
# Reflex makes its element functions at run time, without types.

from typing import Any

import reflex as rx

from grok_app.catalog import CHAT_MODELS
from grok_app.ui import routes
from grok_app.ui.components import composer, copy_button, markdown, transcript
from grok_app.ui.layout import icon, icon_button
from grok_app.ui.pages.chat.state import EFFORTS, ChatState
from grok_app.ui.session import text
from grok_app.ui.studio import studio_page


def view() -> rx.Component:
    """The page."""
    return studio_page(
        routes.CHAT,
        rx.cond(ChatState.is_empty, rx.fragment(), rx.el.h1(text("chat.heading"), class_name="off-screen")),
        transcript(
            rx.cond(ChatState.is_empty, _welcome()),
            rx.foreach(ChatState.turns, _turn),
            rx.cond(ChatState.is_answering, _answer_in_progress()),
            label=text("chat.transcript"),
        ),
        rx.el.div(_composer(), class_name="composer-dock"),
        on_unmount=ChatState.stop,
        title="chat.heading",
        class_name="chat",
    )


def _welcome() -> rx.Component:
    return rx.el.section(
        rx.el.h1(text("chat.title")),
        rx.el.p(text("chat.lead"), class_name="lead"),
        rx.el.div(*(_example(f"chat.example_{number}") for number in (1, 2, 3)), class_name="examples"),
        class_name="welcome",
    )


def _example(key: str) -> rx.Component:
    ask = ChatState.send(text(key))  # type: ignore[misc] # binds its argument
    return rx.el.button(text(key), type="button", class_name="example", on_click=ask)


def _turn(turn: Any) -> rx.Component:
    return rx.el.article(
        _question(turn.question),
        rx.cond(turn.thinking != "", _thoughts(turn.thinking, text("chat.thought"))),
        rx.cond(turn.answer != "", _markdown(turn.answer)),
        rx.cond(turn.error != "", rx.el.p(turn.error, role="alert", class_name="answer-error")),
        rx.cond(turn.is_stopped, rx.el.p(text("chat.stopped"), class_name="hint")),
        rx.el.div(
            rx.cond(turn.answer != "", copy_button(turn.answer, **_copy_labels())),
            _retry(),
            class_name="answer-actions",
        ),
        class_name="turn",
    )


def _answer_in_progress() -> rx.Component:
    return rx.el.article(
        _question(ChatState.question),
        rx.cond(
            ChatState.thinking != "",
            _thoughts(ChatState.thinking, rx.cond(ChatState.answer == "", text("chat.thinking"), text("chat.thought"))),
        ),
        rx.cond(
            ChatState.answer != "",
            _markdown(ChatState.answer),
            rx.el.div(
                rx.el.span(),
                rx.el.span(),
                rx.el.span(),
                role="status",
                aria_label=text("chat.waiting"),
                class_name="waiting",
            ),
        ),
        class_name="turn",
        aria_busy=True,
    )


def _question(question: Any) -> rx.Component:
    return rx.el.div(question, class_name="question")


def _thoughts(thinking: Any, label: Any) -> rx.Component:
    return rx.el.details(
        rx.el.summary(icon("chevron-right", 15), rx.el.span(label)),
        rx.el.div(thinking, class_name="thoughts-text"),
        class_name="thoughts",
    )


def _markdown(source: Any) -> rx.Component:
    return markdown(source, **_copy_labels())


def _copy_labels() -> dict[str, Any]:
    return {"copy_label": text("copy"), "copied_label": text("copied")}


def _retry() -> rx.Component:
    return icon_button(
        icon("refresh-cw", 15), text("chat.retry"), on_click=ChatState.retry, class_name="button quiet icon small retry"
    )


def _composer() -> rx.Component:
    return composer(
        _select(text("chat.model"), ChatState.model, ChatState.choose_model, {model: model for model in CHAT_MODELS}),
        _select(
            text("chat.effort"),
            ChatState.effort,
            ChatState.choose_effort,
            {effort: text(f"effort.{effort}") for effort in EFFORTS},
        ),
        icon_button(
            icon("square-pen", 16),
            text("chat.new"),
            on_click=ChatState.start_over,
            disabled=ChatState.is_empty,
            id="new-chat",
        ),
        placeholder=text("chat.placeholder"),
        send_label=text("chat.send"),
        stop_label=text("chat.stop"),
        is_busy=ChatState.is_answering,
        on_send=ChatState.send,
        on_stop=ChatState.stop,
    )


def _select(label: Any, value: Any, on_change: Any, options: dict[str, Any]) -> rx.Component:
    items = [rx.select.item(shown, value=key) for key, shown in options.items()]
    return rx.select.root(
        rx.select.trigger(aria_label=label, title=label, variant="ghost", color_scheme="gray", class_name="select"),
        rx.select.content(*items, position="popper"),
        value=value,
        on_change=on_change,
        size="2",
    )
