"""The application: its paths, and the pages that show what happens inside."""

from collections.abc import Iterator
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route, WebSocketRoute

from grok_app.sandbox.chat import decide_chat
from grok_app.sandbox.exchange import Exchange
from grok_app.sandbox.limits import decide_limits
from grok_app.sandbox.media.files import (
    PUBLIC_FOLDER,
    decide_delete,
    decide_download,
    decide_list,
    decide_upload,
    find_public,
)
from grok_app.sandbox.media.imagine import Imagine
from grok_app.sandbox.media.posts import decide_post, decide_upscale
from grok_app.sandbox.page import index_page
from grok_app.sandbox.replies import Reply, json_reply, refusal
from grok_app.sandbox.setup import decide_adult_content, decide_birth_date, decide_terms
from grok_app.sandbox.state import Sandbox
from grok_app.sandbox.steps import Pacing
from grok_app.sandbox.voice import Signalling, Validation, decide_voice
from grok_app.sandbox.voice.signalling import PATHS, VALIDATE_PATHS
from grok_app.sandbox.words import Call

ROUTE_ERRORS: Final = {404: refusal(404, 5, "Not Found"), 405: refusal(405, 12, "Method Not Allowed")}


def create_sandbox(pacing: Pacing | None = None) -> Starlette:
    """A simulated grok.com as an ASGI application, with a memory of its own; its `state.sandbox` is a Sandbox."""
    sandbox = Sandbox(pacing or Pacing())
    app = Starlette(
        routes=[
            *(Route(call.path, exchange, methods=[call.method]) for call, exchange in _exchanges(sandbox)),
            WebSocketRoute(Call.IMAGINE.path, Imagine(sandbox)),
            *(WebSocketRoute(path, Signalling(sandbox)) for path in PATHS),
            *(Route(path, Validation(sandbox), methods=["GET"]) for path in VALIDATE_PATHS),
            Route(f"/{PUBLIC_FOLDER}{{name}}", show_public_picture),
            Route("/", show_index),
            Route("/sandbox/requests", show_requests),
            Route("/sandbox/state", show_state),
            Route("/sandbox/reset", reset, methods=["POST"]),
        ],
        exception_handlers=dict.fromkeys(ROUTE_ERRORS, refuse_route),
    )
    app.state.sandbox = sandbox
    return app


def _exchanges(sandbox: Sandbox) -> Iterator[tuple[Call, Exchange]]:
    for call, decide in (
        (Call.CHAT, decide_chat),
        (Call.UPLOAD, decide_upload),
        (Call.ASSETS, decide_list),
        (Call.DELETE, decide_delete),
        (Call.DOWNLOAD, decide_download),
        (Call.POST, decide_post),
        (Call.UPSCALE, decide_upscale),
        (Call.LIMITS, decide_limits),
        (Call.BIRTH, decide_birth_date),
        (Call.VOICE, decide_voice),
    ):
        yield call, Exchange(sandbox, call, decide)
    for call, decide in ((Call.TERMS, decide_terms), (Call.ADULT, decide_adult_content)):
        yield call, Exchange(sandbox, call, decide, bytes.hex)


async def show_index(request: Request) -> Response:
    """What this is and how to use it, for people."""
    return HTMLResponse(index_page(str(request.base_url).rstrip("/")))


async def show_requests(request: Request) -> Response:
    """The requests seen lately, oldest first."""
    return _response(json_reply([entry.as_json() for entry in _sandbox(request).journal.entries]))


async def show_state(request: Request) -> Response:
    """How much is going on, and what is left to each account and set for it."""
    sandbox = _sandbox(request)
    accounts = [account.as_json() for account in sandbox.accounts.all()]
    counts = {
        "open_streams": sandbox.journal.open,
        "open_sockets": sandbox.journal.sockets,
        "total_requests": sandbox.journal.total,
        "assets": sandbox.library.count(),
        "asset_bytes": sandbox.library.size_bytes,
    }
    return _response(json_reply({**counts, "accounts": accounts}))


async def show_public_picture(request: Request) -> Response:
    """A picture that the imagine socket has drawn, for anybody."""
    with _sandbox(request).journal.record(request.scope) as entry:
        reply = find_public(_sandbox(request), request.path_params["name"])
        entry.status = reply.status
    return _response(reply)


async def reset(request: Request) -> Response:
    """Forget everything."""
    _sandbox(request).forget()
    return Response(status_code=204)


async def refuse_route(request: Request, error: Exception) -> Response:
    """A path or method that grok.com's gateway doesn't know, answered in its manner and kept in the journal."""
    reply = ROUTE_ERRORS[error.status_code if isinstance(error, HTTPException) else 404]
    with _sandbox(request).journal.record(request.scope) as entry:
        entry.status = reply.status
    return _response(reply)


def _sandbox(request: Request) -> Sandbox:
    sandbox: Sandbox = request.app.state.sandbox
    return sandbox


def _response(reply: Reply) -> Response:
    return Response(reply.body, reply.status, media_type=reply.content_type)
