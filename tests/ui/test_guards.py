"""The console's events are the operator's alone. Anyone can send any event of any state, whatever page is shown.

States and events are found by themselves: a new one is held to the same, unless its module is named below.
"""

import importlib
import inspect
import pkgutil
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import reflex as rx
from reflex.event import Event, EventSpec
from reflex.istate.data import RouterData

from grok_app import runtime, ui
from grok_app.access import SESSION_COOKIE, Access, Sessions
from grok_app.db import open_database, open_vault, upgrade
from grok_app.settings import open_settings
from grok_app.ui import Arrival
from grok_app.ui.console import GUARDED, ConsoleState, TasksState, operator_event
from grok_app.ui.routes import ADMIN_LOGIN

FOR_VISITORS = {
    "grok_app.ui.session",
    "grok_app.ui.pages.admin_login.state",
    "grok_app.ui.pages.chat.state",
    "grok_app.ui.pages.imagine.state",
    "grok_app.ui.pages.video.state",
    "grok_app.ui.pages.voice.state",
    "grok_app.ui.studio.choices",
    "grok_app.ui.studio.entrance",
}
"""Modules whose states serve people without a session. All others are the console's."""
OF_REFLEX = {"setvar"}
"""Events that every state has; see `test_no_variable_can_be_set`."""
HOUR_MS = 3_600_000
VISITORS = ("nobody", "forged", "expired", "signed out", "former key")


class Careless(rx.State):
    """What must not happen: an event that asks nobody."""

    @rx.event
    def forgotten(self) -> None:
        """Do something."""

    @operator_event
    async def guarded(self) -> EventSpec:
        """Do something for the operator."""
        return rx.redirect("/done")


def states_of(parent: type[rx.State]) -> Iterator[type[rx.State]]:
    """All states below this one."""
    for child in parent.__subclasses__():
        yield child
        yield from states_of(child)


def console_states() -> list[type[rx.State]]:
    """Every state of ours that is not for visitors, in whatever module of the pages it is written."""
    for module in pkgutil.walk_packages(ui.__path__, "grok_app.ui."):
        importlib.import_module(module.name)
    ours = [state for state in states_of(rx.State) if state.__module__.startswith("grok_app.")]
    return [state for state in ours if state.__module__ not in FOR_VISITORS]


def events_of(state: type[rx.State]) -> dict[str, Any]:
    """The events of a state that a browser can send, by name."""
    return {name: handler for name, handler in state.event_handlers.items() if name not in OF_REFLEX}


def unguarded(state: type[rx.State]) -> list[str]:
    """Those of its events that ask nobody."""
    return [name for name, handler in events_of(state).items() if not getattr(handler.fn, GUARDED, False)]


STATES = console_states()
EVENTS = [(state, name) for state in STATES for name in events_of(state)]


class Services:
    """The services of a process, and which of them were asked. The door itself doesn't count."""

    def __init__(self, settings: Any, sessions: Sessions) -> None:
        self.settings, self.sessions = settings, sessions
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.asked.append(name)
        raise AttributeError(name)


class Tab:
    """A state as a background event sees it: to be changed inside `async with` only."""

    def __init__(self, state: rx.State) -> None:
        object.__setattr__(self, "state", state)

    async def __aenter__(self) -> "Tab":
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.state, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self.state, name, value)


class Clock:
    """A clock that a test sets."""

    now_ms = 1_800_000_000_000

    def __call__(self) -> int:
        """What it shows."""
        return self.now_ms


@pytest.fixture
async def door(tmp_path: Path) -> AsyncGenerator[SimpleNamespace, None]:
    """The real sessions, and a clock."""
    url, vault, clock = f"sqlite:///{tmp_path / 'grok_app.db'}", open_vault("", tmp_path), Clock()
    upgrade(url)
    async with open_database(url) as database:
        settings = await open_settings(database, vault, {})
        await settings.store({"app.app_key": "the-operators-key"})
        sessions = Sessions(database, vault, settings, Access(settings), clock_ms=clock)
        yield SimpleNamespace(settings=settings, sessions=sessions, clock=clock)


@pytest.fixture
def services(door: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Services:
    """What the events find."""
    services = Services(door.settings, door.sessions)
    monkeypatch.setattr(runtime.services, "_current", [services])
    return services


async def cookie_of(visitor: str, door: SimpleNamespace) -> str:
    """What the browser of somebody shows who has no session, or no longer one."""
    session = await door.sessions.sign_in("the-operators-key", "127.0.0.1")
    match visitor:
        case "nobody":
            return ""
        case "forged":
            return f"{SESSION_COOKIE}={'A' * 43}.{'0' * 64}"
        case "expired":
            door.clock.now_ms += 12 * HOUR_MS
        case "signed out":
            await door.sessions.sign_out(session.cookie)
        case "former key":
            await door.settings.store({"app.app_key": "another-key"})
    return f"{SESSION_COOKIE}={session.cookie}"


def opened(kind: type[rx.State], cookie: str = "") -> Any:
    """The state of a fresh tab."""
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg] # Reflex's way for tests
    root.router = RouterData.from_router_data({"headers": {"cookie": cookie}})
    state = root.get_substate(kind.get_full_name().split("."))
    root._clean()  # type: ignore[no-untyped-call] # as Reflex has it
    return state


def values_of(state: Any) -> dict[str, Any]:
    """What the state holds, variables that no browser sees included."""
    return {name: getattr(state, name) for name in type(state).__fields__ if not name.startswith("router")}


def target_of(event: Any) -> str:
    """Where an event leads, empty when it leads nowhere."""
    return {str(name): value for name, value in event.args}["path"]._var_value if "_redirect" in str(event) else ""


async def send(state: Any, name: str) -> list[Any]:
    """Send an event as a browser would, with whatever arguments; what comes back for it to do."""
    handler = type(state).event_handlers[name]
    arguments = dict.fromkeys(list(inspect.signature(handler.fn).parameters)[1:])  # Reflex names them
    return [event async for event in handler.fn(Tab(state) if handler.is_background else state, **arguments)]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_every_event_is_guarded(state: type[rx.State]) -> None:
    """Those of every state that is not for visitors, mixed-in ones included."""
    assert unguarded(state) == []
    assert issubclass(state, ConsoleState)
    assert EVENTS, "there is something to look at"


def test_a_forgotten_guard_is_found() -> None:
    """Or else the test above would be worth nothing."""
    assert unguarded(Careless) == ["forgotten"]


@pytest.mark.parametrize("visitor", VISITORS)
async def test_without_a_session_nothing_is_done(services: Services, door: SimpleNamespace, visitor: str) -> None:
    """Whatever event is sent: no service is asked, nothing of the tab changes, and it is led to the sign-in."""
    cookie = await cookie_of(visitor, door)
    for kind, name in EVENTS:
        state, fresh = opened(kind, cookie), opened(kind, cookie)
        answers = await send(state, name)
        assert [target_of(answer) for answer in answers] == [ADMIN_LOGIN], f"{kind.__name__}.{name}"
        assert (services.asked, values_of(state)) == ([], values_of(fresh)), f"{kind.__name__}.{name}"


@pytest.mark.usefixtures("services")
async def test_what_a_tab_has_seen_is_forgotten_with_its_session(door: SimpleNamespace) -> None:
    """At its next event, whichever page that is of; and when it connects anew. What its visitor chose stays."""
    session = await door.sessions.sign_in("the-operators-key", "127.0.0.1")
    for leave in (lambda state: send(state, "guarded"), arrive):
        state = opened(Careless, f"{SESSION_COOKIE}={session.cookie}")
        tray = await state.get_state(TasksState)
        tray.opened, tray.language = "secret", "zh"
        await leave(state)
        assert tray.opened == "secret"
        await door.sessions.sign_out(session.cookie)
        await leave(state)
        assert (tray.opened, tray.language) == ("", "zh")
        session = await door.sessions.sign_in("the-operators-key", "127.0.0.1")


@pytest.mark.usefixtures("services")
async def test_a_toast_is_not_shown_again_by_a_reload() -> None:
    """Its serial stays, so that the next one is told from it."""
    state = opened(TasksState)
    state._notify("error", "Told once")
    await arrive(state)
    assert (state.notice.serial, state.notice.text) == (1, "")


async def arrive(state: Any) -> None:
    """Let the tab connect anew."""
    event = Event(name="reflex___state____state.hydrate_and_load")
    await Arrival().preprocess(app=None, state=state, event=event)  # type: ignore[arg-type] # not used


@pytest.mark.usefixtures("services")
async def test_with_a_session_it_is_done(door: SimpleNamespace) -> None:
    """It is the session that decides."""
    session = await door.sessions.sign_in("the-operators-key", "127.0.0.1")
    state = opened(Careless, f"{SESSION_COOKIE}={session.cookie}")
    assert [target_of(answer) for answer in await send(state, "guarded")] == ["/done"]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_no_variable_can_be_set(state: type[rx.State]) -> None:
    """Reflex's own event for that finds no setter."""
    made = opened(state)
    for name in state.base_vars:
        with pytest.raises(AttributeError):
            state.event_handlers["setvar"].fn(made, name, None)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_opening_a_page_without_a_session_shows_nothing(services: Services, state: type[rx.State]) -> None:
    """Every tab gets the variables of every state before anyone asks who it is: none of them looks anything up."""
    opened(state).dict()
    assert services.asked == []
