"""What happens when a browser's tab connects, before its state is sent to it."""

from typing import TYPE_CHECKING, Any, Final

import reflex as rx
from reflex.middleware.middleware import Middleware
from reflex.state import BaseState, State

from grok_app.errors import GatewayError
from grok_app.ui.components import Notice
from grok_app.ui.console import check_operator, forget
from grok_app.ui.session import Session

if TYPE_CHECKING:
    from reflex.event import Event

_NAMES: Final = ("hydrate", "hydrate_and_load")


class Arrival(Middleware):
    """Reflex keeps a tab's state for an hour and sends all of it to whoever brings the tab's token.

    What the console has shown is forgotten when the browser has no session any more, and a toast isn't shown twice.
    """

    async def preprocess(self, app: rx.App, state: BaseState, event: "Event") -> None:  # noqa: ARG002 - Reflex's way
        """Look at the state before it is sent."""
        if event.name not in _arrivals():
            return
        root: Any = state._get_root_state()
        session = await root.get_state(Session)
        session.notice = Notice(session.notice.serial)
        try:
            await check_operator(root)
        except GatewayError:
            await forget(root)


def _arrivals() -> set[str]:
    return {f"{State.get_full_name()}.{name}" for name in _NAMES}
