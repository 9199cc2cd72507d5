"""The bar above a list whose items can be selected."""

# mypy: disable-error-code="no-any-return"
# Reflex makes its element functions at run time, without types.

from typing import Any

import reflex as rx

from grok_app.ui.session import text


def selection_bar(
    count: Any, *, is_page_selected: Any, on_page: Any, on_none: Any, actions: tuple[rx.Component, ...]
) -> rx.Component:
    """Select the page or nothing, see how many items are selected, and do something with them.

    Args:
        count: How many are, on whatever page.
        is_page_selected: Whether all of this page are.
        on_page: Selects the page, or leaves it off.
        on_none: Selects nothing any more.
        actions: Buttons.
    """
    return rx.el.div(
        rx.el.label(
            rx.el.input(type="checkbox", checked=is_page_selected, on_change=lambda _: on_page, id="select-page"),
            text("cache.select_page"),
            class_name="check",
        ),
        rx.el.span(text("cache.selected", count=count), role="status", class_name="selection-count"),
        rx.el.button(
            text("cache.select_none"),
            type="button",
            on_click=on_none,
            disabled=count == 0,
            class_name="button quiet",
            id="select-none",
        ),
        rx.el.div(*actions, class_name="selection-actions"),
        class_name="selection",
    )
