"""The charts of the last hour. A chart says its gist by itself, and each minute by the arrow keys."""

# mypy: disable-error-code="no-any-return"
# Reflex makes its element functions at run time, without types.

from typing import Any, Final

import reflex as rx

from grok_app.ui.console import CLOCK, DURATION
from grok_app.ui.session import text

_HEIGHT: Final = 200
_TICK: Final = {"fontSize": 12, "fill": "var(--gray-11)"}
_MARGIN: Final = {"top": 10, "right": 6, "bottom": 0, "left": 0}


def requests_chart(minutes: Any, label: Any) -> rx.Component:
    """Answered and failed requests of each minute, one over the other.

    Args:
        minutes: The points.
        label: What it comes to, for those who don't see it.
    """
    series = {"stack_id": "requests", "is_animation_active": False}
    return rx.recharts.bar_chart(
        _grid(),
        rx.recharts.bar(data_key="ok", name=text("overview.answered"), fill="var(--accent-9)", **series),
        rx.recharts.bar(data_key="errors", name=text("overview.failed"), fill="var(--red-9)", **series),
        _time_axis(),
        _value_axis(allow_decimals=False, width=34),
        _tooltip(),
        data=minutes,
        **_frame(label),
    )


def first_token_chart(minutes: Any, label: Any) -> rx.Component:
    """The time to the first token of each minute, of the usual answer and of a slow one.

    Args:
        minutes: The points; a minute without answers has none.
        label: What it comes to, for those who don't see it.
    """
    return rx.recharts.line_chart(
        _grid(),
        _line("p95", text("overview.p95"), "var(--amber-11)"),
        _line("p50", text("overview.p50"), "var(--accent-9)"),
        _time_axis(),
        _value_axis(tick_formatter=DURATION, width=52),
        _tooltip(formatter=DURATION),
        data=minutes,
        **_frame(label),
    )


def legend(*entries: tuple[Any, str]) -> rx.Component:
    """What the colours mean.

    Args:
        entries: Names and class names of their swatches.
    """
    return rx.el.div(
        *(
            rx.el.span(rx.el.span(class_name=f"swatch {kind}", aria_hidden=True), name, class_name="legend-entry")
            for name, kind in entries
        ),
        class_name="legend",
    )


def _frame(label: Any) -> dict[str, Any]:
    return {"height": _HEIGHT, "margin": _MARGIN, "custom_attrs": {"aria-label": label}}


def _grid() -> rx.Component:
    return rx.recharts.cartesian_grid(stroke="var(--gray-a4)", vertical=False)


def _line(key: str, name: Any, colour: str) -> rx.Component:
    # The dots show a minute with none before or after it, of which there would be no line.
    dot = {"r": 2.25, "fill": colour, "strokeWidth": 0}
    return rx.recharts.line(
        data_key=key, name=name, type_="monotone", stroke=colour, stroke_width=2, dot=dot, is_animation_active=False
    )


def _time_axis() -> rx.Component:
    return rx.recharts.x_axis(
        data_key="at", tick_formatter=CLOCK, tick=_TICK, tick_line=False, axis_line=False, min_tick_gap=44, height=24
    )


def _value_axis(**props: Any) -> rx.Component:
    return rx.recharts.y_axis(tick=_TICK, tick_line=False, axis_line=False, tick_count=4, **props)


def _tooltip(**attributes: Any) -> rx.Component:
    return rx.recharts.graphing_tooltip(
        is_animation_active=False,
        separator=" ",
        content_style={
            "background": "var(--color-panel-solid)",
            "borderColor": "var(--gray-a5)",
            "borderRadius": "8px",
            "fontSize": "13px",
        },
        custom_attrs={"labelFormatter": CLOCK, **attributes},
    )
