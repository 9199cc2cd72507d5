"""The page."""

from typing import Any, Final

import reflex as rx

from grok_app.media import MOST_BYTES
from grok_app.ui import routes
from grok_app.ui.components import video
from grok_app.ui.pages.video.state import LENGTHS_S, PRESETS, RATIOS, RESOLUTIONS, VideoState
from grok_app.ui.session import text
from grok_app.ui.studio import choice_list, segmented, studio_page

_LABELS: Final = (
    "title",
    "lead",
    "prompt",
    "placeholder",
    "start",
    "stop",
    "choose",
    "address",
    "address_placeholder",
    "preview",
    "clear",
    "not_a_picture",
    "unreadable",
    "films",
    "progress",
    "waiting",
    "filming",
    "finishing",
    "upscaling",
    "elapsed",
    "took",
    "seconds",
    "with_picture",
    "open",
    "download",
    "raw",
    "raw_empty",
    "done",
    "stopped",
    "failed",
    "no_video",
    "unreachable",
)


def view() -> rx.Component:
    """The page."""
    return studio_page(
        routes.VIDEO,
        video(
            *_choices(),
            labels=_labels(),
            ratio=VideoState.ratio,
            length=VideoState.length,
            resolution=VideoState.resolution,
            preset=VideoState.preset,
            limit_bytes=MOST_BYTES,
        ),
        class_name="video",
    )


def _choices() -> tuple[rx.Component, ...]:
    ratios = {ratio: ratio for ratio in RATIOS}
    lengths = {length: text("video.seconds", count=length) for length in LENGTHS_S}
    resolutions = {resolution: resolution for resolution in RESOLUTIONS}
    return (
        segmented(text("video.ratio"), VideoState, "ratio", ratios),
        segmented(text("video.length"), VideoState, "length", lengths),
        segmented(text("video.resolution"), VideoState, "resolution", resolutions),
        choice_list(text("video.preset"), VideoState, "preset", _presets()),
    )


def _presets() -> dict[str, Any]:
    return {preset: text(f"video.preset_{preset}") for preset in PRESETS}


def _labels() -> dict[str, Any]:
    return {
        **{name: text(f"video.{name}") for name in _LABELS},
        **{f"preset_{preset}": shown for preset, shown in _presets().items()},
        "too_large": text("video.too_large", limit=MOST_BYTES >> 20),
        "copy": text("copy"),
        "copied": text("copied"),
    }
