"""Selecting: the box of a whole page, and the bar that floats over a list while items are selected."""

# mypy: disable-error-code="no-any-return"
# Reflex makes its element functions at run time, without types.

from typing import Any

import reflex as rx

from grok_app.ui.layout import icon, icon_button
from grok_app.ui.session import text


def page_box(is_selected: Any, on_change: Any) -> rx.Component:
    """Selects every item of the page, or leaves them off."""
    return rx.el.input(
        type="checkbox",
        checked=is_selected,
        on_change=lambda _: on_change,
        aria_label=text("cache.select_page"),
        id="select-page",
        class_name="checkbox",
    )


def item_box(is_selected: Any, on_change: Any, label: Any) -> rx.Component:
    """Selects one item, or leaves it off."""
    return rx.el.input(
        type="checkbox",
        checked=is_selected,
        on_change=lambda _: on_change,
        aria_label=label,
        class_name="checkbox",
    )


def selected_bar(count: Any, on_none: Any, *actions: rx.Component) -> rx.Component:
    """How many items are selected, on whatever page, and what can be done with them."""
    return rx.cond(
        count > 0,
        rx.el.section(
            rx.el.div(
                rx.el.strong(text("cache.selected", count=count), role="status", id="selected"),
                icon_button(icon("x", 16), text("cache.select_none"), on_click=on_none, id="select-none"),
                class_name="selected-count",
            ),
            rx.el.div(*actions, class_name="selected-actions"),
            aria_label=text("cache.selection"),
            class_name="selected-bar",
        ),
    )


def select_all(selected: Any, total: Any, on_click: Any) -> rx.Component:
    """Selects whatever the list has, on all pages, as long as there is more than is selected."""
    return rx.cond(
        selected < total,
        rx.el.button(
            text("accounts.select_all", count=total),
            type="button",
            on_click=on_click,
            class_name="button quiet small-text",
            id="select-all",
        ),
    )


def action(picture: str, label: Any, on_click: Any, is_off: Any, id: str) -> rx.Component:
    """A button of the bar."""
    return rx.el.button(
        icon(picture, 16),
        rx.el.span(label),
        type="button",
        on_click=on_click,
        disabled=is_off,
        id=id,
        class_name="button",
    )
