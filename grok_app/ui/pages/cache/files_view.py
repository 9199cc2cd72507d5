"""The list of pictures or videos, as tiles."""

# mypy: disable-error-code="no-any-return"
# Reflex makes its element functions at run time, without types.

from typing import Any

import reflex as rx

from grok_app.ui import routes
from grok_app.ui.console import confirm_dialog, empty_state, pager, skeleton
from grok_app.ui.layout import icon, icon_button, moment
from grok_app.ui.pages.cache.files_state import PAGE_SIZES, FilesState
from grok_app.ui.pages.cache.selection import action, item_box, page_box, selected_bar
from grok_app.ui.session import text


def files() -> rx.Component:
    """The list with its tools; or what stands in its place."""
    return rx.cond(FilesState.is_loaded, rx.cond(FilesState.total > 0, _list(), _nothing()), skeleton())


def files_tools() -> rx.Component:
    """What stands beside the tabs while there are files."""
    box = page_box(FilesState.is_page_selected, FilesState.toggle_page)
    return rx.cond(FilesState.total > 0, rx.el.label(box, text("cache.select_page"), class_name="check"))


def files_question() -> rx.Component:
    """What is asked before files go."""
    asked = FilesState.question
    titles = ("delete_image", "delete_video", "clear_image", "clear_video")
    return confirm_dialog(
        rx.match(asked.about, *((title, text(f"cache.{title}")) for title in titles), ""),
        text("cache.files_will_go", count=asked.count, size=asked.size),
        action=text("console.delete"),
        is_open=asked.about != "",
        on_confirm=FilesState.confirm,
        on_close=FilesState.close,
        is_busy=FilesState.is_busy,
    )


def _nothing() -> rx.Component:
    link = rx.link(text("cache.open_chat"), href=routes.CHAT, class_name="button")
    return rx.cond(
        FilesState.tab == "video",
        empty_state("film", text("cache.no_videos"), text("cache.no_videos_lead"), link),
        empty_state("image", text("cache.no_images"), text("cache.no_images_lead"), link),
    )


def _list() -> rx.Component:
    return rx.fragment(
        rx.el.ul(rx.foreach(FilesState.tiles, _tile), class_name="tiles", aria_label=_name_of_list()),
        pager(
            page=FilesState.page,
            pages=FilesState.pages,
            total=FilesState.total,
            size=FilesState.size,
            on_page=FilesState.go_to,
            on_size=FilesState.resize,
            sizes=PAGE_SIZES,
        ),
        selected_bar(
            FilesState.selected,
            FilesState.select_none,
            action(
                "trash-2",
                text("console.delete"),
                FilesState.ask_to_delete_selected,
                FilesState.is_busy,
                "delete-selected",
            ),
        ),
    )


def _name_of_list() -> rx.Var[str]:
    return rx.cond(FilesState.tab == "video", text("cache.tab_video"), text("cache.tab_image"))


def _tile(tile: Any) -> rx.Component:
    return rx.el.li(
        rx.el.a(
            rx.cond(FilesState.tab == "video", _first_frame(tile), _thumbnail(tile)),
            href=tile.url,
            target="_blank",
            rel="noopener",
            aria_label=text("cache.open_file", name=tile.name),
            class_name="tile-picture",
        ),
        item_box(tile.is_selected, FilesState.toggle(tile.name), text("cache.select_file", name=tile.name)),
        rx.el.div(
            rx.el.span(tile.name, class_name="tile-name", title=tile.name),
            rx.el.span(moment(tile.written_at_ms), class_name="tile-facts"),
            rx.el.span(tile.size, class_name="tile-facts"),
            class_name="tile-text",
        ),
        icon_button(
            icon("trash-2", 16),
            text("cache.delete_file", name=tile.name),
            on_click=FilesState.ask_to_delete(tile.name),
            disabled=FilesState.is_busy,
            class_name="button quiet icon small tile-delete",
        ),
        key=tile.name,
        class_name=rx.cond(tile.is_selected, "tile selected", "tile"),
    )


def _thumbnail(tile: Any) -> rx.Component:
    # The file itself: 50 of them in view or near it are 2.5 MB, once (2026-11-28); a small one would be one more file.
    return rx.el.img(src=tile.url, alt="", loading="lazy", decoding="async", custom_attrs={"draggable": "false"})


def _first_frame(tile: Any) -> Any:
    return rx.el.video(src=f"{tile.url}#t=0.1", preload="metadata", muted=True, plays_inline=True, tab_index=-1)
