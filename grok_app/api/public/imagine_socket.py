"""`WS /v1/public/imagine/ws`: runs that are begun and ended over one socket. Source: API contract, section 9."""

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack, aclosing, suppress
from typing import Any, Final

import orjson
from fastapi import APIRouter, WebSocket
from pydantic import ValidationError
from starlette.websockets import WebSocketDisconnect

from grok_app.access import Ticket
from grok_app.api.deps import address_of, current_services, refuse_foreign_pages
from grok_app.api.errors import STOPPING, schema_error
from grok_app.api.public.run import Run, problem
from grok_app.api.public.wishes import DrawingWish
from grok_app.api.sse import STALLED_S
from grok_app.api.until import until
from grok_app.errors import (
    AuthenticationError,
    GatewayError,
    InvalidRequestError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    RateLimitedError,
)
from grok_app.imagine import ImagesRequest
from grok_app.logs import get_logger
from grok_app.runtime import Services
from grok_app.stopping import SERVER_STOPS
from grok_app.trace import note_failure

log = get_logger(__name__)
router = APIRouter()
_MOST_CHARS: Final = 64 << 10
IDLE_S: Final = 600.0
"""A socket without a run on which nothing is said is closed then: as long as a task lives."""
_NOT_ALLOWED: Final = 1008
_DONE: Final = 1000
_GOING_AWAY: Final = 1001
_GOODBYE_S: Final = 1.0
_REFUSALS: Final = (AuthenticationError, NotFoundError, OverloadedError, PermissionDeniedError, RateLimitedError)


@router.websocket("/imagine/ws")
async def converse(socket: WebSocket) -> None:
    """Let a visitor in who shows a live task or the key, comes from no other site, and doesn't ask for too much."""
    services = await current_services()
    with ExitStack() as held:
        try:
            ticket = await _admit(socket, services)
            held.enter_context(await services.visitors.connected(address_of(socket, services)))
            if ticket:
                held.enter_context(await services.drawings.use(ticket))
        except _REFUSALS as refused:
            log.info("a socket was refused", reason=refused.message)
            note_failure(refused)
            await socket.close(_NOT_ALLOWED)
            return
        await socket.accept()
        await _Conversation(socket, services, ticket).hold()


async def _admit(socket: WebSocket, services: Services) -> Ticket[ImagesRequest] | None:
    await services.visitors.count(address_of(socket, services))
    refuse_foreign_pages(socket, services)
    try:
        return await services.drawings.find(socket.query_params.get("task_id", ""))
    except (NotFoundError, OverloadedError):
        scheme, _, bearer = socket.headers.get("authorization", "").partition(" ")
        shown = bearer if scheme.lower() == "bearer" else socket.query_params.get("public_key")
        services.access.check_public(shown)
        return None


class _Conversation:
    """One open socket: at most one run at a time."""

    def __init__(self, socket: WebSocket, services: Services, ticket: Ticket[ImagesRequest] | None) -> None:
        self._socket = socket
        self._services = services
        self._ticket = ticket
        self._address = address_of(socket, services)
        self._run: Run | None = None
        self._drawing: asyncio.Task[None] | None = None
        self._saying = asyncio.Lock()
        self._has_gone = asyncio.Event()
        self._has_broken = asyncio.Event()
        self._patience_s = STALLED_S
        """How long a message may take to be sent."""

    async def hold(self) -> None:
        """Listen until the client leaves, its task is stopped, the server stops or a run breaks, and say so."""
        stopping: asyncio.Event | None = self._socket.scope.get(SERVER_STOPS)
        ends = [event.wait() for event in (self._ticket and self._ticket.withdrawn, stopping) if event]
        try:
            await until(self._listen(), self._has_gone.wait(), self._has_broken.wait(), *ends)
        finally:  # a server that doesn't wait at all cancels in the same moment
            await self._hang_up(is_stopping=stopping is not None and stopping.is_set())

    async def _hang_up(self, *, is_stopping: bool) -> None:
        self._patience_s = _GOODBYE_S
        await self._stop()
        if is_stopping:
            await self._say(problem(STOPPING))
        if not self._has_gone.is_set():
            await self._close(_GOING_AWAY if is_stopping else _DONE)

    async def _close(self, code: int) -> None:
        """Hang up, and hear the client do the same: else the connection is cut before it could."""
        with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):  # a client that goes just now has gone
            async with asyncio.timeout(_GOODBYE_S):
                await self._socket.close(code)
                while (await self._socket.receive())["type"] != "websocket.disconnect":
                    pass

    async def _listen(self) -> None:
        """Do what is said. Returns when the client has left, or nothing was wanted for too long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(IDLE_S) as patience:
                while (message := await self._socket.receive())["type"] == "websocket.receive":
                    try:
                        await self._obey(_read(message))
                    except GatewayError as error:
                        await self._say(problem(error))
                    patience.reschedule(None if self._drawing else asyncio.get_running_loop().time() + IDLE_S)
                self._has_gone.set()

    async def _obey(self, order: Mapping[str, Any]) -> None:
        match order.get("type"):
            case "start":
                run = Run(self._wish(order))
                await self._services.visitors.count(self._address)
                await self._stop()
                await self._start(run)
            case "stop":
                await self._stop()
            case _:
                raise InvalidRequestError("Unknown action.", code="invalid_action")

    async def _start(self, run: Run) -> None:
        """Begin a run, and say so; a task that is cancelled at once would not."""
        with ExitStack() as place:
            place.enter_context(await self._services.visitors.running(self._address))
            await self._say(run.running())
            self._run = run
            self._drawing = asyncio.create_task(self._draw(run))
            held = place.pop_all()
            self._drawing.add_done_callback(lambda _: held.close())

    def _wish(self, order: Mapping[str, Any]) -> ImagesRequest:
        """What shall be drawn; where the order is silent, what the task says."""
        asked = self._ticket.asked if self._ticket else None
        left = (
            {"prompt": asked.prompt, "aspect_ratio": asked.aspect_ratio, "nsfw": asked.has_adult_content}
            if asked
            else {}
        )
        said = {name: value for name, value in order.items() if value is not None}
        try:
            return DrawingWish.model_validate({**left, **said}).as_request()
        except ValidationError as error:
            wrong = schema_error(error)
            if wrong.code == "empty_prompt":
                raise InvalidRequestError("Prompt cannot be empty.", code="invalid_prompt") from error
            raise wrong from error

    async def _draw(self, run: Run) -> None:
        try:
            async with aclosing(self._services.imagine.endless(run.wish)) as events:
                async for event in events:
                    await self._say(run.news(event))
        except GatewayError as error:
            note_failure(error)
            await self._say(problem(error))
        except Exception:  # a bug must not end a run without a word
            log.exception("run crashed")
            crash = GatewayError("Internal server error")
            note_failure(crash)
            await self._say(problem(crash))
        self._has_broken.set()  # it has no end of its own

    async def _stop(self) -> None:
        """End the run, if there is one, and say so."""
        if self._drawing is None or self._run is None:
            return
        drawing, run = self._drawing, self._run
        self._drawing = self._run = None
        drawing.cancel()
        await asyncio.gather(drawing, return_exceptions=True)
        await self._say(run.stopped())

    async def _say(self, content: dict[str, Any]) -> None:
        """Send a message. A client that has gone, or takes nothing any more, ends the conversation."""
        if self._has_gone.is_set():
            return
        try:
            async with self._saying, asyncio.timeout(self._patience_s):
                await self._socket.send_text(orjson.dumps(content).decode())
        except TimeoutError:
            log.info("a client that reads no more was left")
            self._has_gone.set()
        except (WebSocketDisconnect, RuntimeError):  # what Starlette says of a socket that is closed already
            self._has_gone.set()


def _read(message: Mapping[str, Any]) -> dict[str, Any]:
    text = message.get("text")
    if isinstance(text, str) and len(text) <= _MOST_CHARS:
        try:
            order = orjson.loads(text)
        except orjson.JSONDecodeError:
            order = None
        if isinstance(order, dict):
            return order
    raise InvalidRequestError("Invalid message format.", code="invalid_payload")
