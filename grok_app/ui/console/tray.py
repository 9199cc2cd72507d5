"""How the tasks look, below every page."""

# mypy: disable-error-code="no-any-return"
# Reflex makes its element functions at run time, without types.

from typing import Any, Final

import reflex as rx

from grok_app.ui.console.parts import meter
from grok_app.ui.console.tasks import TasksState
from grok_app.ui.layout import icon, icon_button
from grok_app.ui.session import text

_KINDS: Final = ("refresh", "nsfw", "online_load", "online_clear")


def task_tray() -> rx.Component:
    """The tasks of every page, as cards at its lower edge; nothing where there are none."""
    return rx.cond(
        TasksState.tasks,
        rx.el.section(
            rx.foreach(TasksState.tasks, _card), aria_label=text("tasks.title"), id="tasks", class_name="task-tray"
        ),
    )


def _card(task: Any) -> rx.Component:
    return rx.el.article(
        rx.el.div(
            rx.el.strong(_name(task), class_name="task-name"),
            rx.el.span(_status(task), class_name="task-status", role="status"),
            rx.el.div(*_actions(task), class_name="task-actions"),
            class_name="task-head",
        ),
        meter(task.processed, task.total, _name(task)),
        rx.el.p(
            rx.el.span(text("tasks.progress", done=task.processed, total=task.total)),
            rx.el.span(text("tasks.ok", count=task.ok), class_name="good"),
            rx.el.span(text("tasks.failed", count=task.fail), class_name=rx.cond(task.fail > 0, "bad", "")),
            class_name="task-numbers",
        ),
        rx.cond(task.warning != "", rx.el.p(task.warning, class_name="task-warning")),
        rx.cond(task.fail > 0, _failures(task)),
        class_name="task",
        key=task.id,
    )


def _name(task: Any) -> rx.Var[str]:
    return rx.match(task.kind, *((kind, text(f"tasks.{kind}")) for kind in _KINDS), task.kind)


def _status(task: Any) -> rx.Var[str]:
    names = ("running", "paused", "done", "error", "cancelled")
    return rx.match(task.status, *((name, text(f"tasks.{name}")) for name in names), "")


def _actions(task: Any) -> tuple[rx.Component, ...]:
    is_paused = task.status == "paused"
    pause = icon_button(icon("pause"), text("tasks.pause"), on_click=TasksState.pause(task.id))
    resume = icon_button(icon("play"), text("tasks.resume"), on_click=TasksState.resume(task.id))
    cancel = icon_button(icon("square"), text("tasks.cancel"), on_click=TasksState.cancel(task.id))
    retry = rx.el.button(
        text("tasks.retry"), type="button", class_name="button small-text", on_click=TasksState.retry_failed(task.id)
    )
    dismiss = icon_button(icon("x"), text("tasks.dismiss"), on_click=TasksState.dismiss(task.id))
    return (
        rx.cond(task.is_over, rx.cond(task.can_retry, retry), rx.cond(is_paused, resume, pause)),
        rx.cond(task.is_over, dismiss, cancel),
    )


def _failures(task: Any) -> rx.Component:
    shown: Any = TasksState.failures
    is_open = TasksState.opened == task.id
    items = rx.foreach(shown, lambda it: rx.el.li(rx.el.code(it.item), " ", rx.el.span(it.reason)))
    return rx.el.div(
        rx.el.button(
            rx.cond(is_open, icon("chevron-down", 14), icon("chevron-right", 14)),
            text("tasks.failures"),
            type="button",
            aria_expanded=rx.cond(is_open, "true", "false"),
            on_click=TasksState.toggle_failures(task.id),
            class_name="sort",
        ),
        rx.cond(
            is_open,
            rx.fragment(
                rx.el.ul(items, class_name="task-failures", tab_index=0),
                rx.cond(
                    task.fail > shown.length(),
                    rx.el.p(text("tasks.more", count=task.fail - shown.length()), class_name="hint"),
                ),
            ),
        ),
        class_name="task-details",
    )
