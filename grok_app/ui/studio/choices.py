"""What visitors choose on a page. It is kept in their browser, so it may be of an older version, or made up."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import reflex as rx

SWITCH: tuple[Literal["on"], Literal["off"]] = ("on", "off")
"""What a choice between yes and no can be."""


class Choices(rx.State, mixin=True):
    """The choices of a page: `LocalStorage` variables, of which only what is offered gets in."""

    OFFERED: ClassVar[Mapping[str, Sequence[str]]] = {}
    """What each variable may be."""

    @rx.event
    def recall(self) -> None:
        """Forget what the browser kept but the page no longer offers."""
        for name, offered in self.OFFERED.items():
            if getattr(self, name) not in offered:
                setattr(self, name, str(type(self).get_fields()[name].default))

    @rx.event
    def choose(self, name: str, value: str) -> None:
        """From now on, this."""
        self._take(name, value)

    @rx.event
    def switch(self, name: str, is_on: bool) -> None:
        """From now on, yes or no."""
        self._take(name, "on" if is_on else "off")

    def _take(self, name: str, value: str) -> None:
        if value in self.OFFERED.get(name, ()):
            setattr(self, name, value)


def choosing(state: type[Choices], name: str) -> Any:
    """An event that takes what is chosen for this variable of the state."""
    return lambda value: state.choose(name, value)  # type: ignore[operator] # an event of a mixin, of which mypy knows too little


def switching(state: type[Choices], name: str) -> Any:
    """An event that takes whether this variable of the state is on."""
    return lambda is_on: state.switch(name, is_on)  # type: ignore[operator] # likewise
