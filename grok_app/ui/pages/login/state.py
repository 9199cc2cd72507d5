"""Checks the public key and keeps it in the browser."""

from typing import Any

import reflex as rx
from reflex.event import EventSpec

from grok_app.errors import GatewayError
from grok_app.ui.routes import STUDIO
from grok_app.ui.session import Session, check_visitor


class LoginState(Session):
    """The form of the sign-in."""

    error: str = ""
    is_key_shown: bool = False

    @rx.event
    def enter(self) -> EventSpec | None:
        """Skip the form when no key is asked for, or the browser still has the right one."""
        self.error = ""
        try:
            check_visitor(self.public_key)
        except GatewayError:
            return None
        return rx.redirect(STUDIO, replace=True)

    @rx.event
    def sign_in(self, form: dict[str, Any]) -> EventSpec | None:
        """Keep the key and go on, or say what is wrong with it."""
        key = str(form.get("key", "")).strip()
        try:
            check_visitor(key)
        except GatewayError as error:
            self.error = error.message
            return None
        self.error, self.public_key = "", key
        return rx.redirect(STUDIO, replace=True)

    @rx.event
    def toggle_key(self) -> None:
        """Show or hide what is typed."""
        self.is_key_shown = not self.is_key_shown
