"""The controls that the studio's pages are made of. Their looks are in `assets/studio.css`."""

# mypy: disable-error-code="no-any-return"
# Reflex makes its element functions at run time, without types.

from collections.abc import Mapping
from typing import Any

import reflex as rx

from grok_app.ui.studio.choices import Choices, choosing, switching


def segmented(label: Any, state: type[Choices], name: str, options: Mapping[str, Any]) -> rx.Component:
    """A few choices side by side, of which one holds.

    Args:
        label: What is chosen.
        state: Has the choice.
        name: Of its variable, and of the group; `{name}-{option}` is the id of each.
        options: What each is called.
    """
    value, choose = getattr(state, name), choosing(state, name)
    return rx.el.fieldset(
        rx.el.legend(label, class_name="visually-hidden"),
        *(
            rx.el.label(
                rx.el.input(
                    type="radio",
                    name=name,
                    id=f"{name}-{option}",
                    checked=value == option,
                    on_change=choose(option),
                ),
                rx.el.span(shown),
            )
            for option, shown in options.items()
        ),
        title=label,
        class_name="segmented",
    )


def choice_list(label: Any, state: type[Choices], name: str, options: Mapping[str, Any]) -> rx.Component:
    """Many choices in a list that opens. Arguments as of `segmented`; its id is the name."""
    return rx.el.select(
        *(rx.el.option(shown, value=option) for option, shown in options.items()),
        id=name,
        value=getattr(state, name),
        on_change=choosing(state, name),
        aria_label=label,
        title=label,
        class_name="select",
    )


def switch(label: Any, state: type[Choices], name: str, *, is_on: Any = None) -> rx.Component:
    """Yes or no, with its name beside it. `is_on` where the variable alone doesn't say it."""
    return rx.el.label(
        rx.el.input(
            type="checkbox",
            role="switch",
            id=name,
            checked=getattr(state, name) == "on" if is_on is None else is_on,
            on_change=switching(state, name),
        ),
        rx.el.span(label),
        class_name="toggle",
    )
