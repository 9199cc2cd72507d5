"""The way into every page of the studio."""

import reflex as rx
from reflex.event import EventSpec

from grok_app.runtime import current
from grok_app.ui.session import Session


class StudioState(Session):
    """What a page must know to let a visitor in."""

    asks_for: str = ""
    """`key` or `nothing`; empty until the server has said."""

    @rx.event
    def enter(self) -> EventSpec | None:
        """Let the server answer for a page of a studio that is closed: a link of another page asks only us."""
        settings = current().settings.snapshot.app
        self.asks_for = "key" if settings.public_key else "nothing"
        return None if settings.public_enabled else rx.redirect(self.router.url.path, is_external=True)
