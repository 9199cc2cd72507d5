"""The shapes that the console's pages are made of. Their looks are in `assets/console.css`."""

# mypy: disable-error-code="no-any-return"
# Reflex makes its element functions at run time, without types.

from typing import Any, Final, Literal

import reflex as rx
from reflex.vars import FunctionStringVar

from grok_app.ui.layout import icon, icon_button
from grok_app.ui.session import text

PAGE_SIZES: Final = (20, 50, 100, 200)
_DEBOUNCE_MS: Final = 250
# Radix gives the focus back to a dialog's trigger only, and ours have none: states open them.
_REMEMBER_FOCUS: Final[Any] = FunctionStringVar.create(
    "((event) => { event.currentTarget.opener = document.activeElement })"
)
_GIVE_FOCUS_BACK: Final[Any] = FunctionStringVar.create(
    "((event) => { event.preventDefault(); event.currentTarget.opener?.focus() })"
)

Tone = Literal["neutral", "good", "warn", "bad", "accent"]


def number_card(label: Any, value: Any, *, hint: Any = None, id: str = "") -> rx.Component:
    """One number under its name."""
    return rx.el.div(
        rx.el.dt(label, class_name="number-label"),
        rx.el.dd(value, class_name="number-value"),
        *([] if hint is None else [rx.el.dd(hint, class_name="number-hint")]),
        class_name="number-card",
        **({"id": id} if id else {}),
    )


def badge(label: Any, tone: Any = "neutral", *, hint: Any = None) -> rx.Component:
    """A word in a colour.

    Args:
        label: The word.
        tone: A `Tone`, or a variable that is one.
        hint: What more there is to say, on hover and on focus. An empty one says nothing.
    """
    if hint is None:
        return rx.el.span(label, class_name=f"badge {tone}")
    told = rx.el.span(label, class_name=f"badge {tone} hinted", tab_index=0, aria_description=hint)
    return rx.cond(hint != "", rx.tooltip(told, content=hint), rx.el.span(label, class_name=f"badge {tone}"))


def meter(value: Any, total: Any, label: Any, *, tone: Any = "accent") -> rx.Component:
    """A bar that is filled so far."""
    return rx.el.progress(value=value, max=rx.cond(total > 0, total, 1), aria_label=label, class_name=f"meter {tone}")


def tabs(*items: rx.Component, label: Any) -> rx.Component:
    """A row of `tab`s, of which one is chosen."""
    return rx.el.div(*items, role="group", aria_label=label, class_name="tabs")


def tab(label: Any, *, is_chosen: Any, on_click: Any, count: Any = None, id: str = "") -> rx.Component:
    """One of several views of the same list, with how many it would show."""
    counted = [] if count is None else [rx.el.span(count, class_name="tab-count")]
    return rx.el.button(
        rx.el.span(label),
        *counted,
        type="button",
        aria_pressed=rx.cond(is_chosen, "true", "false"),
        on_click=on_click,
        class_name="tab",
        **({"id": id} if id else {}),
    )


def search_field(label: Any, value: Any, on_change: Any, *, id: str = "search") -> rx.Component:
    """A field that searches a moment after the last key."""
    return rx.el.label(
        icon("search", 16),
        rx.el.span(label, class_name="visually-hidden"),
        rx.debounce_input(
            rx.el.input(type="search", placeholder=label, value=value, on_change=on_change, id=id, class_name="input"),
            debounce_timeout=_DEBOUNCE_MS,
        ),
        class_name="field search",
    )


def sort_head(label: Any, *, is_sorted: Any, is_descending: Any, on_click: Any, class_name: str = "") -> rx.Component:
    """A column's head that sorts by it, and says in which direction it is sorted."""
    direction = rx.cond(is_descending, "descending", "ascending")
    arrow = rx.cond(is_descending, icon("arrow-down", 14), icon("arrow-up", 14))
    return rx.el.th(
        rx.el.button(label, rx.cond(is_sorted, arrow), type="button", on_click=on_click, class_name="sort"),
        scope="col",
        aria_sort=rx.cond(is_sorted, direction, "none"),
        class_name=class_name,
    )


def pager(  # noqa: PLR0913 - each is shown
    *, page: Any, pages: Any, total: Any, size: Any, on_page: Any, on_size: Any, sizes: tuple[int, ...] = PAGE_SIZES
) -> rx.Component:
    """Where one is in a list, and the way through it.

    Args:
        page: From 1.
        pages: How many there are.
        total: How many items there are.
        size: Items per page.
        on_page: An event that takes a page.
        on_size: An event that takes a size, as text.
        sizes: What can be chosen.
    """
    return rx.el.div(
        rx.el.span(text("console.total", count=total), class_name="pager-total"),
        rx.el.label(
            rx.el.span(text("console.per_page"), class_name="visually-hidden"),
            rx.el.select(
                *(rx.el.option(text("console.size", count=count), value=str(count)) for count in sizes),
                value=size.to(str),
                on_change=on_size,
                class_name="select",
            ),
        ),
        icon_button(icon("chevron-left"), text("console.previous"), on_click=on_page(page - 1), disabled=page <= 1),
        rx.el.span(text("console.page_of", page=page, pages=pages), class_name="pager-place"),
        icon_button(icon("chevron-right"), text("console.next"), on_click=on_page(page + 1), disabled=page >= pages),
        class_name="pager",
    )


def skeleton(rows: int = 6) -> rx.Component:
    """What stands in a list's place while it is loaded."""
    return rx.el.div(
        *(rx.el.div(class_name="skeleton-row") for _ in range(rows)),
        aria_busy=True,
        aria_label=text("console.loading"),
        role="status",
        class_name="skeleton",
    )


def empty_state(picture: str, title: Any, lead: Any, *actions: rx.Component) -> rx.Component:
    """What stands in an empty list's place: why, and what to do next."""
    return rx.el.div(
        icon(picture, 28),
        rx.el.h2(title, class_name="empty-title"),
        rx.el.p(lead, class_name="empty-lead"),
        rx.el.div(*actions, class_name="empty-actions"),
        class_name="empty",
    )


def dialog(title: Any, *content: rx.Component, is_open: Any, on_close: Any, wide: bool = False) -> rx.Component:
    """A window over the page. Escape and a click beside it close it; then what opened it has the focus again.

    Args:
        title: Its heading.
        content: What is in it; `dialog_actions` last.
        is_open: Whether it is there.
        on_close: An event without arguments.
        wide: For more than a few fields.
    """
    return rx.dialog.root(
        rx.dialog.content(
            rx.dialog.title(title, class_name="dialog-title"),
            *content,
            aria_describedby="",
            custom_attrs={"onOpenAutoFocus": _REMEMBER_FOCUS, "onCloseAutoFocus": _GIVE_FOCUS_BACK},
            class_name="dialog wide" if wide else "dialog",
            max_width="min(44rem, calc(100vw - 24px))" if wide else "min(28rem, calc(100vw - 24px))",
        ),
        open=is_open,
        on_open_change=lambda _: on_close,
    )


def confirm_dialog(  # noqa: PLR0913 - each is shown or done
    title: Any, lead: Any, *, action: Any, is_open: Any, on_confirm: Any, on_close: Any, is_busy: Any = False
) -> rx.Component:
    """Ask before something is deleted.

    Args:
        title: The question.
        lead: What will happen.
        action: The name of the button that does it.
        is_open: Whether it is asked.
        on_confirm: Does it; its event closes the dialog.
        on_close: Does nothing but close it.
        is_busy: Whether it is being done.
    """
    return rx.alert_dialog.root(
        rx.alert_dialog.content(
            rx.alert_dialog.title(title, class_name="dialog-title"),
            rx.alert_dialog.description(lead, class_name="dialog-lead"),
            dialog_actions(
                rx.el.button(text("console.cancel"), type="button", on_click=on_close, class_name="button"),
                rx.el.button(
                    action,
                    type="button",
                    on_click=on_confirm,
                    disabled=is_busy,
                    class_name="button danger",
                    id="confirm",
                ),
            ),
            class_name="dialog",
            max_width="min(28rem, calc(100vw - 24px))",
        ),
        open=is_open,
        on_open_change=lambda _: on_close,
    )


def dialog_actions(*buttons: rx.Component) -> rx.Component:
    """The buttons at the end of a dialog."""
    return rx.el.div(*buttons, class_name="dialog-actions")
