"""A browser's tab as tests play it: its state, the events that it sends, and the door that it passes."""

from collections.abc import Sequence
from typing import Any

import reflex as rx

from grok_app.errors import AuthenticationError


class Door:
    """Lets everybody in, until it is told not to."""

    is_open = True
    may_pass: int | None = None

    def refuse_after(self, count: int) -> None:
        """Shut it when so many have passed."""
        self.may_pass = count

    async def check(self, _cookie: str | None) -> None:
        """Refuse whoever comes when it is shut."""
        if self.may_pass is not None:
            self.is_open, self.may_pass = self.may_pass > 0, self.may_pass - 1
        if not self.is_open:
            raise AuthenticationError("Invalid authentication token")


class Background:
    """What a background event gets in its state's place: the state, held within `async with` alone."""

    def __init__(self, state: Any) -> None:
        object.__setattr__(self, "_state", state)

    async def __aenter__(self) -> "Background":
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "_state"), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(object.__getattribute__(self, "_state"), name, value)


def fresh(kind: type[rx.State]) -> Any:
    """The state of a tab that was just opened."""
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg] # Reflex's way for tests
    return root.get_substate(kind.get_full_name().split("."))


async def send(state: Any, event: str, **arguments: object) -> Sequence[Any]:
    """Let the browser send an event, its arguments by name as Reflex has them; what comes back for it to do."""
    handler = getattr(type(state), event)
    subject = Background(state) if handler.is_background else state
    return [answer async for answer in handler.fn(subject, **arguments)]
