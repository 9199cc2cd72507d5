"""The conversation of one tab, and the answer that is being written."""

import dataclasses
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Final, cast, get_args

import reflex as rx
import structlog
from reflex.event import EventSpec

from grok_app.catalog import CHAT_MODELS
from grok_app.chat import ChatRequest, Message, ReasoningEffort
from grok_app.errors import GatewayError
from grok_app.runtime import current
from grok_app.ui.pages.chat.answering import Answering
from grok_app.ui.routes import CHAT, LOGIN
from grok_app.ui.session import Session, check_visitor, is_connected

EFFORTS: Final = ("auto", *get_args(ReasoningEffort))
"""What the page offers; `auto` leaves it to the server's setting."""

_DEFAULT_MODEL: Final = "grok-4"
_QUESTION_LIMIT_CHARS: Final = 200_000
_VISITOR: Final = "public"
"""Who asks, in the record of requests."""
_log = structlog.get_logger()
_running: dict[str, Answering] = {}
"""The answers being written, by the token of their tab."""


@dataclasses.dataclass
class Turn:
    """A question and what came of it."""

    question: str
    thinking: str = ""
    answer: str = ""
    error: str = ""
    is_stopped: bool = False


class ChatState(Session):
    """The chat page."""

    public_key: str = rx.LocalStorage("", name="grok_app_public_key", sync=True)
    model: str = rx.LocalStorage(_DEFAULT_MODEL, name="grok_app_chat_model")
    effort: str = rx.LocalStorage("auto", name="grok_app_chat_effort")
    turns: list[Turn] = []  # noqa: RUF012 - Reflex copies defaults for each tab
    question: str = ""
    """The question being answered; empty when none is."""
    thinking: str = ""
    answer: str = ""

    @rx.var
    def is_answering(self) -> bool:
        """Whether an answer is being written."""
        return bool(self.question)

    @rx.var
    def is_empty(self) -> bool:
        """Whether nothing has been asked yet."""
        return not self.turns and not self.question

    @rx.event
    def enter(self) -> EventSpec | None:
        """Ask for the key first when there is one; what another visitor left in this tab is forgotten."""
        try:
            check_visitor(self.public_key)
        except GatewayError:
            self._clear()
            return rx.redirect(LOGIN, replace=True)
        return None

    @rx.event
    def choose_model(self, model: str) -> None:
        """Answer with this model from now on."""
        if model in CHAT_MODELS:
            self.model = model

    @rx.event
    def choose_effort(self, effort: str) -> None:
        """Think this hard from now on."""
        if effort in EFFORTS:
            self.effort = effort

    @rx.event
    def start_over(self) -> None:
        """Begin a new conversation."""
        self._clear()

    @rx.event
    def stop(self) -> None:
        """End the answer here; also when the visitor leaves the page."""
        self._stop()

    @rx.event
    def retry(self) -> Any:
        """Ask the last question again, in place of its answer."""
        if self.question or not self.turns:
            return None
        return ChatState.send(self.turns.pop().question)  # type: ignore[misc] # binds its argument

    @rx.event(background=True)
    async def send(self, question: str) -> None:
        """Ask, and show the answer while it comes. Ignored while another one is being written."""
        async with self:
            answering, token = self._begin(question.strip()), self.router.session.client_token
        if answering is None:
            return
        try:
            async with aclosing(answering.updates()) as updates:
                async for _ in updates:
                    if not is_connected(token):
                        answering.stop()
                        continue
                    async with self:
                        self._show(answering)
        except Exception:  # a bug in one answer must not leave the page waiting for ever
            _log.exception("chat page failed")
            answering.error = self._say("chat.failed")
        finally:
            async with self:
                self._finish(answering)

    def _begin(self, question: str) -> Answering | None:
        """Check the visitor, remember the question and open the stream."""
        if self.question or not question or not self._may_ask(question):
            return None
        self.question, self.thinking, self.answer = question, "", ""
        answering = Answering(_stream(self.public_key, self._request()))
        _running[self.router.session.client_token] = answering
        return answering

    def _may_ask(self, question: str) -> bool:
        try:
            check_visitor(self.public_key)
        except GatewayError as error:
            self._notify("error", error.message)
            return False
        if len(question) > _QUESTION_LIMIT_CHARS:
            self._notify("error", self._say("chat.too_long"))
            return False
        return True

    def _request(self) -> ChatRequest:
        """The whole conversation, without the turns that failed."""
        messages = [
            message
            for turn in self.turns
            if turn.answer
            for message in (Message("user", turn.question), Message("assistant", turn.answer))
        ]
        # The browser keeps both, so they may be of another version, or made up.
        model = self.model if self.model in CHAT_MODELS else _DEFAULT_MODEL
        effort = cast("ReasoningEffort", self.effort) if self.effort in EFFORTS[1:] else None
        return ChatRequest(model, (*messages, Message("user", self.question)), reasoning_effort=effort)

    def _show(self, answering: Answering) -> None:
        if _running.get(self.router.session.client_token) is answering:
            self.thinking, self.answer = answering.thinking, answering.answer

    def _finish(self, answering: Answering) -> None:
        """Make it a turn of the conversation, unless a new one has begun meanwhile."""
        token = self.router.session.client_token
        if _running.get(token) is not answering:
            return
        del _running[token]
        turn = Turn(self.question, answering.thinking, answering.answer, answering.error, answering.is_stopped)
        self.turns, self.question, self.thinking, self.answer = [*self.turns, turn], "", "", ""
        if answering.error:
            self._notify("error", answering.error)

    def _clear(self) -> None:
        self._stop()
        _running.pop(self.router.session.client_token, None)
        self.turns, self.question, self.thinking, self.answer = [], "", "", ""

    def _stop(self) -> None:
        if answering := _running.get(self.router.session.client_token):
            answering.stop()


async def _stream(key: str, request: ChatRequest) -> AsyncGenerator[Any, None]:
    """The events of an answer, for a visitor who may have one."""
    check_visitor(key)
    services = current()
    with services.requests.recording(CHAT, _VISITOR):
        async with aclosing(services.chat.stream(request)) as events:
            async for event in events:
                yield event
