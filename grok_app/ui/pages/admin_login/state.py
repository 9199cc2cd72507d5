"""Who has a session already needs no form."""

import reflex as rx
from reflex.event import EventSpec

from grok_app.errors import AuthenticationError
from grok_app.ui.console import check_operator
from grok_app.ui.routes import OVERVIEW
from grok_app.ui.session import Session


class AdminLoginState(Session):
    """The sign-in. The form itself is between the browser and the server, see `components/operator.js`."""

    @rx.event
    async def enter(self) -> EventSpec | None:
        """Go on to the console when the browser has a session."""
        try:
            await check_operator(self)
        except AuthenticationError:
            return None
        return rx.redirect(OVERVIEW, replace=True)
