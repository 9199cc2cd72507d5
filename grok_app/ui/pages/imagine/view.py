"""The wall of pictures, what is asked for below it."""

# mypy: disable-error-code="no-any-return"
# Reflex makes its element functions at run time, without types.

from typing import Final

import reflex as rx

from grok_app.ui import routes
from grok_app.ui.components import imagine
from grok_app.ui.pages.imagine.state import MODES, RATIOS, RUNS, TOGGLES, ImagineState
from grok_app.ui.session import text
from grok_app.ui.studio import choice_list, segmented, studio_page, switch

_LABELS: Final = (
    *("prompt", "placeholder", "start", "stop", "welcome", "lead", "example_1", "example_2", "example_3"),
    *("idle", "connecting", "running", "stopping", "stopped", "failed"),
    *("images", "hidden", "active_runs", "average", "seconds", "transport"),
    *("wall", "picture", "unfinished", "lightbox", "place", "download", "close", "previous", "next"),
    *("select", "selected", "select_all", "select_none", "select_end", "zip", "zipped", "not_zipped"),
    *("clear", "clear_title", "clear_lead", "cancel", "cleared"),
    *("options", "folder", "folder_end", "folder_chosen", "folder_failed", "folder_refused"),
    *("lost", "fell_back", "no_socket"),
)


def view() -> rx.Component:
    """The page."""
    return studio_page(
        routes.IMAGINE,
        rx.el.h1(text("studio.imagine"), class_name="visually-hidden"),
        imagine(
            _fields(),
            _switches(),
            labels={name: text(f"imagine.{name}") for name in _LABELS},
            choices={
                "ratio": ImagineState.ratio,
                "runs": ImagineState.runs,
                "mode": ImagineState.mode,
                "isNsfw": ImagineState.is_nsfw,
            },
            toggles={
                "autoScroll": ImagineState.auto_scroll == "on",
                "autoDownload": ImagineState.auto_download == "on",
                "autoFilter": ImagineState.auto_filter == "on",
                "newestFirst": ImagineState.newest_first == "on",
            },
            final_min_chars=ImagineState.final_min_chars,
        ),
        class_name="imagine",
    )


def _fields() -> rx.Component:
    runs = {count: text(f"imagine.runs_{count}") for count in RUNS}
    modes = {mode: mode.upper() for mode in MODES}
    return rx.el.div(
        choice_list(text("imagine.ratio"), ImagineState, "ratio", {ratio: ratio for ratio in RATIOS}),
        choice_list(text("imagine.runs"), ImagineState, "runs", runs),
        segmented(text("imagine.mode"), ImagineState, "mode", modes),
        switch(text("imagine.nsfw"), ImagineState, "nsfw", is_on=ImagineState.is_nsfw),
        class_name="imagine-fields",
    )


def _switches() -> rx.Component:
    switches = (switch(text(f"imagine.{name}"), ImagineState, name) for name in TOGGLES)
    return rx.el.div(*switches, class_name="imagine-switches")
