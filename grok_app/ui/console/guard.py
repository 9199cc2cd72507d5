"""The guard of the console's events, and what keeps a page up to date.

Every event of every state can be sent by any browser, whatever page it shows. So each one asks for the session first.
"""

import asyncio
import inspect
from collections.abc import AsyncGenerator, Callable
from functools import wraps
from typing import Any, Final, overload

import reflex as rx

from grok_app.access import session_cookie
from grok_app.errors import AuthenticationError, GatewayError, OverloadedError
from grok_app.logs import get_logger
from grok_app.runtime import current
from grok_app.ui.routes import ADMIN_LOGIN
from grok_app.ui.session import Session, is_connected

log = get_logger(__name__)
GUARDED: Final = "is_guarded"
"""The mark of a handler that asks for the session."""
BEAT_S: Final = 1.0

_newest: dict[tuple[str, str], object] = {}
"""The beats of a state in a tab that count: those that began last."""


class ConsoleState(Session):
    """What the states of the console's pages are made of. Has no event of its own."""

    def _show(self, **values: Any) -> None:
        """Change what differs: what is set goes to the browser, changed or not."""
        for name, value in values.items():
            if getattr(self, name) != value:
                setattr(self, name, value)

    async def _beats(self, every_s: float = BEAT_S) -> AsyncGenerator[None, None]:
        """Beat at once and then every so often, as long as the tab shows this page. For background events.

        The same state's former beats in this tab end. Only what is changed inside `async with self` is pushed. Beats
        are left out while nobody can say whether the session lives.

        Raises:
            AuthenticationError: The session is over; `operator_event` leads to the sign-in.
        """
        async with self:
            token, page = self.router.session.client_token, self.router.url.path
        key, mine = (token, self.get_full_name()), object()
        _newest[key] = mine
        try:
            while is_connected(token):
                async with self:
                    is_here = self.router.url.path == page
                    is_known = await _is_known(self)
                if not is_here or _newest.get(key) is not mine:
                    break
                if is_known:
                    yield
                await asyncio.sleep(every_s)
        finally:
            if _newest.get(key) is mine:
                del _newest[key]


@overload
def operator_event(handler: Callable[..., Any], /) -> Any: ...
@overload
def operator_event(*, background: bool) -> Callable[[Callable[..., Any]], Any]: ...
def operator_event(handler: Callable[..., Any] | None = None, *, background: bool = False) -> Any:
    """Make an event of the console: `rx.event` for operators only.

    Without a live session nothing is done and the tab goes to the sign-in. What the gateway expects to go wrong
    becomes a toast.

    Args:
        handler: A coroutine, which may return an event, or an async generator of events.
        background: As of `rx.event`.
    """

    def make(handler: Callable[..., Any]) -> Any:
        return rx.event(_guard(handler), background=background)

    return make if handler is None else make(handler)


def _guard(handler: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(handler)
    async def guarded(self: Any, *args: Any, **named: Any) -> AsyncGenerator[Any, None]:
        try:
            await _check(self)
            running = handler(self, *args, **named)  # Reflex names them
            if inspect.isasyncgen(running):
                async for event in running:
                    yield event
            elif (event := await running) is not None:
                yield event
        except AuthenticationError:
            await _forget(self)
            yield rx.redirect(ADMIN_LOGIN, replace=True)
        except GatewayError as error:
            await _tell(self, error.message)
        except Exception:  # a bug in one event must not leave the operator without a word
            log.exception("page event failed", handler=handler.__qualname__)
            await _tell(self, self._say("console.failed"))

    setattr(guarded, GUARDED, True)
    return guarded


async def check_operator(state: rx.State) -> None:
    """Let the operator of this tab go on.

    Raises:
        AuthenticationError: The session is over, or there never was one.
        OverloadedError: The database can't say.
    """
    services = current()
    await services.settings.catch_up()
    # The cookie of the socket's handshake: whoever signs in or out loads the page anew.
    await services.sessions.check(session_cookie(state.router.headers.cookie))


async def forget(state: rx.State) -> None:
    """Let go of all that this tab has seen of the console: its state outlives its session."""
    (await state.get_state(ConsoleState)).reset()  # type: ignore[no-untyped-call] # Reflex's


async def _is_known(state: ConsoleState) -> bool:
    """Whether the session lives; not while the database can't say.

    Raises:
        AuthenticationError: It is over.
    """
    try:
        await check_operator(state)
    except OverloadedError:
        return False
    return True


async def _check(state: Any) -> None:
    if _is_background(state):
        async with state:
            await check_operator(state)
    else:
        await check_operator(state)


async def _forget(state: Any) -> None:
    if _is_background(state):
        async with state:
            await forget(state)
    else:
        await forget(state)


async def _tell(state: Any, message: str) -> None:
    if _is_background(state):
        async with state:
            state._notify("error", message)
    else:
        state._notify("error", message)


def _is_background(state: Any) -> bool:
    """Whether it is the proxy that a background event gets, which is changed inside `async with` only."""
    return not issubclass(type(state), rx.State)
