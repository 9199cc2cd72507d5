"""The WebSocket `/ws/imagine/listen`: admitted like a call, then pictures for each prompt, one prompt after the other.

Source: protocol notes, sections 4.1, 11.8 to 11.10. The codes of errors other than `rate_limit_exceeded` are INFERRED.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from starlette.types import Message, Receive, Scope, Send

from grok_app.catalog import Cost
from grok_app.sandbox.accounts import Account
from grok_app.sandbox.exchange import barrier_of, identify, read_json
from grok_app.sandbox.faults import ACTING
from grok_app.sandbox.journal import AbandonedError, Entry
from grok_app.sandbox.media.series import LIMITED, Series, error, picture_series
from grok_app.sandbox.replies import RefusedError, Reply
from grok_app.sandbox.state import Sandbox
from grok_app.sandbox.steps import Step, carry_out, stall
from grok_app.sandbox.words import Call, Feature, Silence, Trouble, Word, spaced, without_words

MAX_MESSAGE: Final = 64 * 1024
"""Characters; the longest prompt is far below."""
MAX_WAITING: Final = 8
"""Prompts that wait on one socket while another is drawn."""
CLOSE_EARLY: Final = {"type": "websocket.close", "code": 1011}
"""To be sent when the reader is gone: granian 2.8 doesn't close a socket that is being read (2026-11)."""
_CODES: Final = {401: "unauthenticated", 402: "permission_denied", 403: "permission_denied", 429: "rate_limit_exceeded"}


@dataclass(slots=True)
class Socket:
    """A socket under way."""

    account: Account
    words: list[Word]
    """Those of the account's name."""
    prompts: asyncio.Queue[Any]
    """The client's messages that wait for their turn, as JSON values."""
    entry: Entry


class Imagine:
    """An ASGI application for the socket."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket."""
        with self._sandbox.journal.record(scope) as entry:
            if (await receive())["type"] != "websocket.connect":
                raise AbandonedError
            socket = self._admit(entry)
            if isinstance(socket, Silence):
                await self._sandbox.while_wanted(stall(), _reader(receive, lambda _: None))
            elif isinstance(socket, Reply):
                entry.status = socket.status
                await socket.deny(send)
            else:
                entry.status = 101
                await send({"type": "websocket.accept"})
                await self._sandbox.while_wanted(self._serve(socket, send), _reader(receive, _inbox(socket)))
                await send(CLOSE_EARLY)

    def _admit(self, entry: Entry) -> Socket | Reply | Silence:
        try:
            account = identify(self._sandbox, entry)
        except RefusedError as refused:
            return refused.reply
        words = self._sandbox.words_of(spaced(account.token), Call.IMAGINE)
        return barrier_of(words) or Socket(account, words, asyncio.Queue(MAX_WAITING + 1), entry)

    async def _serve(self, socket: Socket, send: Send) -> None:
        """Answer one message after the other until the socket shall be closed."""

        async def say(piece: bytes) -> None:
            await send({"type": "websocket.send", "text": piece.decode()})

        while await carry_out(self._answer(socket, await socket.prompts.get()), say):
            pass

    def _answer(self, socket: Socket, message: Any) -> Iterator[Step]:
        content = _content(message)
        if content is None:
            return iter((error("invalid_argument", "The message is not understood"),))
        if content.get("type") == "reset":
            return iter(())
        return self._prompted(socket, content)

    def _prompted(self, socket: Socket, content: dict[str, Any]) -> Iterator[Step]:
        text = content.get("text")
        if not isinstance(text, str):
            return iter((error("invalid_argument", "text must be a string"),))
        words = socket.words + self._sandbox.words_of(text, Call.IMAGINE)
        match barrier_of(words):
            case Reply() as reply:
                return iter((error(_CODES.get(reply.status, "internal_error"), f"Refused with {reply.status}"),))
            case Silence():
                words = [*words, *(word for word in ACTING[Call.IMAGINE].values() if word.effect is Trouble.WS_SILENT)]
        series = self._series(socket.account, text, content, words)
        if isinstance(series, bytes):
            return iter((series,))
        if self._sandbox.accounts.spend(socket.account, Cost.HIGH) is not None:
            return iter((LIMITED,))
        return picture_series(series, self._sandbox.library)

    def _series(self, account: Account, text: str, content: dict[str, Any], words: list[Word]) -> Series | bytes:
        effects = {word.effect for word in words if isinstance(word.effect, Feature | Trouble)}
        pacing = self._sandbox.pacing.slowed() if Feature.SLOW in effects else self._sandbox.pacing
        troubles = {effect for effect in effects if isinstance(effect, Trouble)}
        return Series.read(account, without_words(text, ACTING[Call.IMAGINE]), content, troubles, pacing)


def _inbox(socket: Socket) -> Callable[[Message], None]:
    """Queues what arrives; beyond `MAX_WAITING` it is dropped, as a client that floods deserves no memory."""

    def keep(message: Message) -> None:
        text = message.get("text") or ""
        value = read_json(text.encode()) if len(text) <= MAX_MESSAGE else None
        socket.entry.note_message(value, len(text))
        if not socket.prompts.full():
            socket.prompts.put_nowait(value)

    return keep


def _reader(receive: Receive, keep: Callable[[Message], None]) -> Callable[[], Any]:
    """Reads on until the client has left."""

    async def read() -> None:
        while (message := await receive())["type"] != "websocket.disconnect":
            keep(message)

    return read


def _content(message: Any) -> dict[str, Any] | None:
    """The one part of a `conversation.item.create`, None if the message is anything else."""
    item = message.get("item") if isinstance(message, dict) else None
    parts = item.get("content") if isinstance(item, dict) else None
    is_known = isinstance(message, dict) and message.get("type") == "conversation.item.create"
    if not is_known or not isinstance(parts, list) or len(parts) != 1 or not isinstance(parts[0], dict):
        return None
    return parts[0]
