"""The frame around every page: header, skip link, the note when the connection is gone."""

# mypy: disable-error-code="no-any-return"
# Reflex makes its element functions at run time, without types.

from collections.abc import Sequence
from typing import Any

import reflex as rx
from reflex_components_core.core.banner import has_too_many_connection_errors  # type: ignore[import-untyped] # no marker

from grok_app.ui import routes
from grok_app.ui.components import Moment, TabTitle, notices
from grok_app.ui.session import Session, text


def page(
    *content: rx.Component,
    title: str = "",
    class_name: str = "",
    header: rx.Component | None = None,
    **props: Any,
) -> rx.Component:
    """A whole page around its content.

    Args:
        content: What it is about.
        title: The text that names it on the browser's tab; empty: it has no name but the site's.
        class_name: Of the content.
        header: The line at the top, see `top_line`; without it, one that leads to the studio.
        props: Of the whole page.
    """
    return rx.el.div(
        TabTitle.create(title=_tab_title(title), language=_language()),
        header or top_line(routes.STUDIO),
        rx.el.main(*content, id="content", tab_index=-1, class_name=f"content {class_name}"),
        notices(Session.notice),
        # Pages are prerendered and clicks before hydration are lost: tests and scripts wait for this mark.
        rx.cond(Session.is_hydrated, rx.el.span(id="hydrated", hidden=True)),
        class_name="frame",
        lang=_language(),
        **props,
    )


def icon(name: str, size: int = 18) -> rx.Component:
    """A bundled icon that says nothing itself."""
    return rx.icon(name, size=size, aria_hidden=True)


def icon_button(icon: rx.Component, label: rx.Var[str], **props: Any) -> rx.Component:
    """A quiet button that shows an icon and says its name."""
    props.setdefault("class_name", "button quiet icon")
    return rx.el.button(icon, aria_label=label, title=label, type="button", **props)


def moment(at_ms: Any) -> rx.Component:
    """Date and time of Unix milliseconds, in the page's language and the browser's time zone; a dash for none."""
    return Moment.create(at=at_ms, language=_language())


def connection_note() -> rx.Component:
    """A line at the top while the server can't be reached. Grows on top of any page."""
    return rx.cond(
        has_too_many_connection_errors,
        rx.el.div(text("connection_lost"), role="status", class_name="connection-note"),
    )


def top_line(home: str, *further: rx.Component, navigation: rx.Component | None = None) -> rx.Component:
    """The line at the top: what skips it, what leads home, the switches of every page, and what else is there."""
    return rx.el.header(
        rx.el.a(text("skip_to_content"), href="#content", class_name="skip-link"),
        rx.link(
            rx.el.img(src="/mark.svg", alt="", class_name="mark"),
            rx.el.span(text("brand")),
            href=home,
            class_name="brand",
        ),
        *([navigation] if navigation else []),
        rx.el.div(
            icon_button(icon("languages"), text("language_switch"), on_click=Session.switch_language, id="language"),
            icon_button(icon("sun-moon"), text("color_mode"), on_click=rx.toggle_color_mode, id="color-mode"),
            *further,
            class_name="header-actions",
        ),
        class_name="header",
    )


def navigation(pages: Sequence[tuple[str, str, str]], *, active: str, label: Any, class_name: str) -> rx.Component:
    """The way from one page to the others.

    Args:
        pages: Path, icon and text of each.
        active: The path of the page that is shown.
        label: What it is called.
        class_name: Of the whole.
    """
    links = [
        rx.link(
            icon(picture),
            rx.el.span(text(name)),
            href=route,
            class_name="nav-link",
            custom_attrs={"aria-current": "page"} if route == active else {},
        )
        for route, picture, name in pages
    ]
    return rx.el.nav(*links, aria_label=label, class_name=class_name)


def _tab_title(title: str) -> Any:
    return f"{text(title)} · {text('brand')}" if title else text("brand")


def _language() -> rx.Var[str]:
    return rx.cond(Session.is_chinese, "zh-CN", "en")
