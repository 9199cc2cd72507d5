"""What a visitor chooses on a page of the studio. Anyone can send its events, and a browser keeps what it likes."""

from typing import Any, ClassVar

import pytest
import reflex as rx

from grok_app.ui.studio import SWITCH, Choices


class Menu(Choices, rx.State):
    """A page with two choices."""

    OFFERED: ClassVar = {"colour": ("red", "blue"), "is_loud": SWITCH}

    colour: str = rx.LocalStorage("red")
    is_loud: str = rx.LocalStorage("off")
    secret: str = "kept"


@pytest.fixture
def menu() -> Any:
    """The page in a fresh tab."""
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg] # Reflex's way for tests
    return root.get_substate(Menu.get_full_name().split("."))


def send(menu: Any, event: str, *arguments: object) -> tuple[str, str, str]:
    """Send an event; gives what is chosen then."""
    getattr(Menu, event).fn(menu, *arguments)
    return menu.colour, menu.is_loud, menu.secret


def test_what_is_offered_can_be_chosen(menu: Any) -> None:
    """By its name, or as yes and no."""
    assert send(menu, "choose", "colour", "blue") == ("blue", "off", "kept")
    assert send(menu, "switch", "is_loud", True) == ("blue", "on", "kept")
    assert send(menu, "switch", "is_loud", False) == ("blue", "off", "kept")


@pytest.mark.parametrize(
    ("name", "value"), [("colour", "green"), ("secret", "told"), ("choose", "red"), ("is_loud", ""), ("colour", None)]
)
def test_nothing_else_gets_in(menu: Any, name: str, value: str) -> None:
    """No value that isn't offered, no variable that is no choice."""
    assert send(menu, "choose", name, value) == ("red", "off", "kept")


def test_what_is_no_longer_offered_is_forgotten(menu: Any) -> None:
    """The browser's copy of an older version gives way to the page's own; what still counts stays."""
    menu.colour, menu.is_loud = "green", "on"
    assert send(menu, "recall") == ("red", "on", "kept")
