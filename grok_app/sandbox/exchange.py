"""One request and its answer: read, journalled, admitted, decided and played, for as long as the client stays."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson
from starlette.types import Receive, Scope, Send

from grok_app.sandbox.accounts import Account
from grok_app.sandbox.journal import AbandonedError, Entry
from grok_app.sandbox.replies import INVALID_CREDENTIALS, JSON, TOO_LARGE, RefusedError, Reply, refusal
from grok_app.sandbox.state import Sandbox
from grok_app.sandbox.steps import Step, play, stall
from grok_app.sandbox.words import Call, Silence, Variant, Word, spaced

HEADERS_NOW: Final = {"type": "http.response.body", "body": b"", "more_body": True}
"""granian 2.8 keeps the headers back until the first body message (2026-11)."""
MAX_BODY_BYTES: Final = 72 * 1024 * 1024
"""Room for a file of 50 MiB in base64."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request from a known account."""

    account: Account
    content_type: str
    body: Any
    """What the `Read` of the call made of it."""
    words: list[Word]
    """The magic words of the account's name. None of them refuses: such a request gets no further."""
    params: Mapping[str, str]
    """Those of the query, and those of the path."""

    @property
    def fields(self) -> dict[str, Any]:
        """The body of a call that takes JSON.

        Raises:
            RefusedError: It is no JSON object.
        """
        if not isinstance(self.body, dict):
            raise RefusedError(refusal(400, 3, "The request body must be a JSON object"))
        return self.body


@dataclass(frozen=True, slots=True)
class Stream:
    """A response with status 200, step by step."""

    steps: Iterable[Step]

    async def send(self, send: Send) -> None:
        """Send the headers at once and play the steps over ASGI."""
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", JSON.encode())]})
        await send(HEADERS_NOW)
        await play(self.steps, send)


Outcome = Reply | Stream | Silence
Decide = Callable[[Sandbox, Asked], Outcome]
"""Chooses the answer; raises RefusedError for one that is no success."""
Read = Callable[[bytes], Any]
"""Makes of a request's body what is decided on and what the journal shows: something that JSON can hold."""


def read_json(raw: bytes) -> Any:
    """The JSON value, None if it is none."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None


class Exchange:
    """An ASGI application for one call by a signed-in account."""

    def __init__(self, sandbox: Sandbox, call: Call, decide: Decide, read: Read = read_json) -> None:
        self._sandbox = sandbox
        self._call = call
        self._decide = decide
        self._read = read

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        with self._sandbox.journal.record(scope) as entry:
            outcome = await self._outcome(entry, scope, receive)
            if isinstance(outcome, Silence):
                await self._sandbox.while_wanted(stall(), receive)
                return
            entry.status = outcome.status if isinstance(outcome, Reply) else 200
            await self._sandbox.while_wanted(outcome.send(send), receive)

    async def _outcome(self, entry: Entry, scope: Scope, receive: Receive) -> Outcome:
        try:
            raw = await self._sandbox.while_wanted(_read(receive))
            return self._admit(entry, _params(scope), raw)
        except RefusedError as refused:
            return refused.reply

    def _admit(self, entry: Entry, params: Mapping[str, str], raw: bytes) -> Outcome:
        body = self._read(raw)
        entry.note_body(body, len(raw))
        account = identify(self._sandbox, entry)
        words = self._sandbox.words_of(spaced(account.token), self._call)
        if (barrier := barrier_of(words)) is not None:
            return barrier
        asked = Asked(account, _content_type(entry.headers), body, words, params)
        return _varied(self._decide(self._sandbox, asked), words)


def identify(sandbox: Sandbox, entry: Entry) -> Account:
    """The account of the cookies `sso` and `sso-rw`, which must agree (protocol notes, section 1.1); it is journalled.

    Raises:
        RefusedError: They don't, or name no account.
    """
    cookies = _cookies(entry.headers)
    token = cookies.get("sso", "")
    account = sandbox.accounts.find(token) if token == cookies.get("sso-rw") else None
    if account is None:
        raise RefusedError(INVALID_CREDENTIALS)
    entry.account = account.token
    return account


def barrier_of(words: Iterable[Word]) -> Reply | Silence | None:
    """The effect of the first word after which nothing is served."""
    return next((word.effect for word in words if isinstance(word.effect, Reply | Silence)), None)


def _varied(outcome: Outcome, words: Iterable[Word]) -> Outcome:
    for word in words:
        if isinstance(word.effect, Variant) and isinstance(outcome, Reply):
            outcome = word.effect.of(outcome)
    return outcome


def _params(scope: Scope) -> dict[str, str]:
    return {**dict(parse_qsl(scope["query_string"].decode("latin-1"))), **scope.get("path_params", {})}


def _content_type(headers: list[tuple[str, str]]) -> str:
    """Without its parameters, in lower case; empty when there is none."""
    value = next((value for name, value in headers if name == "content-type"), "")
    return value.partition(";")[0].strip().lower()


def _cookies(headers: list[tuple[str, str]]) -> dict[str, str]:
    """All cookies; the first of a name wins."""
    cookies: dict[str, str] = {}
    for pair in ";".join(value for name, value in headers if name == "cookie").split(";"):
        name, _, value = pair.strip().partition("=")
        cookies.setdefault(name, value)
    return cookies


async def _read(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise AbandonedError
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY_BYTES:
            raise RefusedError(TOO_LARGE)
        if not message.get("more_body"):
            return b"".join(parts)
