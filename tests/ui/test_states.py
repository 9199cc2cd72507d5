"""What a browser may ask of the pages' states. Every event can be sent by anyone, whatever page is shown."""

from collections.abc import AsyncGenerator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import reflex as rx

from grok_app.access import Access
from grok_app.chat import ChatRequest, Event, Finished, Message, Started, Text, Usage
from grok_app.db import open_database, open_vault, upgrade
from grok_app.requests import RequestQuery, Requests, open_requests
from grok_app.settings import SettingsService, open_settings
from grok_app.ui import session
from grok_app.ui.pages.chat import ChatState, state

KEY = "key-of-the-pages"


class Chat:
    """Says what it was asked, and answers `pong`."""

    def __init__(self) -> None:
        self.requests: list[ChatRequest] = []

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """Answer."""
        self.requests.append(request)
        yield Started("id", None)
        yield Text("pong")
        yield Finished(Usage(1, 1, 0))


class Tab:
    """A state as a background event sees it: to be changed inside `async with` only."""

    def __init__(self, tab_state: Any) -> None:
        object.__setattr__(self, "state", tab_state)

    async def __aenter__(self) -> "Tab":
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.state, name)


@pytest.fixture
async def settings(tmp_path: Path) -> AsyncGenerator[SettingsService, None]:
    """Settings with the studio open and a public key."""
    url = f"sqlite:///{tmp_path / 'grok_app.db'}"
    upgrade(url)
    overrides = {"app.public_enabled": "true", "app.public_key": KEY}
    async with open_database(url) as database:
        yield await open_settings(database, open_vault("", tmp_path), overrides)


@pytest.fixture
async def requests(settings: SettingsService, tmp_path: Path) -> AsyncGenerator[Requests, None]:
    """What is recorded."""
    vault = open_vault("", tmp_path)
    async with (
        open_database(f"sqlite:///{tmp_path / 'grok_app.db'}") as database,
        open_requests(database, vault, settings) as requests,
    ):
        yield requests


@pytest.fixture
def chat(settings: SettingsService, requests: Requests, monkeypatch: pytest.MonkeyPatch) -> Chat:
    """The chat behind the pages, while they are open and their tab is connected."""
    chat = Chat()
    services = SimpleNamespace(settings=settings, access=Access(settings), chat=chat, requests=requests)
    monkeypatch.setattr(session, "current", lambda: services)
    monkeypatch.setattr(state, "current", lambda: services)
    monkeypatch.setattr(state, "is_connected", lambda _token: True)
    return chat


def new(kind: type[rx.State], *, key: str = KEY) -> Any:
    """A fresh state of a tab that shows this key."""
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg] # Reflex's way for tests
    made: Any = root.get_substate(kind.get_full_name().split("."))
    made.public_key = key
    return made


async def ask(tab_state: Any, question: str) -> None:
    """Send a message and wait for the end of the answer."""
    await ChatState.send.fn(Tab(tab_state), question)  # type: ignore[attr-defined] # the handler's function


async def test_an_answer_becomes_a_turn(chat: Chat) -> None:
    """Question and answer are kept, and nothing is under way any more."""
    tab = new(ChatState)
    await ask(tab, "  ping ")
    assert [(turn.question, turn.answer, turn.error) for turn in tab.turns] == [("ping", "pong", "")]
    assert not tab.is_answering
    assert len(chat.requests) == 1


@pytest.mark.usefixtures("chat")
async def test_an_answer_is_recorded(requests: Requests) -> None:
    """As a request of the chat page, by a visitor."""
    await ask(new(ChatState), "ping")
    assert requests.totals() == {("/chat", "", 200): 1}
    [record] = (await requests.find(RequestQuery())).items
    assert (record.route, record.key, record.is_stream, record.outcome) == ("/chat", "public", True, "ok")


async def test_the_conversation_goes_with_each_turn(chat: Chat) -> None:
    """Earlier questions and answers are sent, with model and effort as chosen."""
    tab = new(ChatState)
    await ask(tab, "one")
    ChatState.choose_model.fn(tab, "grok-4.1-fast")  # type: ignore[attr-defined] # Reflex keeps the function there
    ChatState.choose_effort.fn(tab, "high")  # type: ignore[attr-defined] # Reflex keeps the function there
    await ask(tab, "two")
    request = chat.requests[-1]
    assert request.messages == (Message("user", "one"), Message("assistant", "pong"), Message("user", "two"))
    assert (request.model, request.reasoning_effort) == ("grok-4.1-fast", "high")


@pytest.mark.parametrize("key", ["", "wrong"])
async def test_nobody_chats_without_the_key(chat: Chat, key: str) -> None:
    """The server checks the key with every message: a page that was left open or a forged event spends nothing."""
    tab = new(ChatState, key=key)
    await ask(tab, "ping")
    assert chat.requests == []
    assert tab.turns == []
    assert tab.notice.kind == "error"
    assert "authentication token" in tab.notice.text


@pytest.mark.parametrize("settings_change", [{"app.public_enabled": "false", "app.public_key": ""}], ids=["off"])
async def test_nobody_chats_while_the_studio_is_off(
    chat: Chat, monkeypatch: pytest.MonkeyPatch, settings_change: dict[str, str], tmp_path: Path
) -> None:
    """Also in tabs that were opened before."""
    async with open_database(f"sqlite:///{tmp_path / 'grok_app.db'}") as database:
        closed = await open_settings(database, open_vault("", tmp_path), settings_change)
        monkeypatch.setattr(session, "current", lambda: SimpleNamespace(settings=closed, access=Access(closed)))
        tab = new(ChatState)
        await ask(tab, "ping")
    assert chat.requests == []
    assert tab.notice.text == "The public pages are switched off"


@pytest.mark.usefixtures("chat")
@pytest.mark.parametrize("question", ["", "  \n "])
async def test_an_empty_message_is_not_sent(question: str) -> None:
    """Nothing happens."""
    tab = new(ChatState)
    await ask(tab, question)
    assert tab.turns == []


async def test_one_answer_at_a_time(chat: Chat) -> None:
    """A message sent while another is being answered is ignored."""
    tab = new(ChatState)
    tab.question = "the first"
    await ask(tab, "the second")
    assert chat.requests == []


async def test_what_the_browser_remembers_is_not_trusted(chat: Chat) -> None:
    """A model of an older version, or a forged effort, is replaced by the default."""
    tab = new(ChatState)
    tab.model, tab.effort = "grok-2", "as hard as you can"
    await ask(tab, "ping")
    assert (chat.requests[0].model, chat.requests[0].reasoning_effort) == ("grok-4", None)


async def test_an_endless_message_is_refused(chat: Chat) -> None:
    """What one message may hold has a limit, and the visitor is told."""
    tab = new(ChatState)
    await ask(tab, "x" * 200_001)
    assert (chat.requests, tab.turns) == ([], [])
    assert "too long" in tab.notice.text


async def test_a_conversation_does_not_outlive_its_visitor(chat: Chat) -> None:
    """Whoever comes to the page without the key finds nothing of the one before."""
    tab = new(ChatState)
    await ask(tab, "ping")
    assert chat.requests
    tab.public_key = "wrong"
    ChatState.enter.fn(tab)  # type: ignore[attr-defined] # Reflex keeps the function there
    assert tab.turns == []


@pytest.mark.usefixtures("chat")
def test_unknown_choices_are_ignored() -> None:
    """A forged event can't choose what the page doesn't offer."""
    tab = new(ChatState)
    before = (tab.model, tab.effort)
    ChatState.choose_model.fn(tab, "no-such-model")  # type: ignore[attr-defined] # Reflex keeps the function there
    ChatState.choose_effort.fn(tab, "no-such-effort")  # type: ignore[attr-defined] # Reflex keeps the function there
    assert (tab.model, tab.effort) == before


async def test_a_bug_is_not_shown_to_the_visitor(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure that nobody expected ends the turn with a general sentence."""

    async def broken(_request: ChatRequest) -> AsyncGenerator[Event, None]:
        raise ZeroDivisionError
        yield

    monkeypatch.setattr(chat, "stream", broken)
    tab = new(ChatState)
    await ask(tab, "ping")
    assert "logged" in tab.turns[0].error
    assert not tab.is_answering
