"""The plain relay, what a good first version does: `python -m benchmarks.baselines.plain --port N --grok-port M`.

Starlette under granian with the gateway's own settings of it, one shared `AsyncSession` of curl_cffi, every line parsed
by orjson, every token sent on its own.
"""

import multiprocessing
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

import orjson
from curl_cffi import AsyncSession
from curl_cffi.requests import Response as Reply
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from benchmarks.baselines.words import BROWSER, DONE, HEADERS, PATH, chunk, completion, question, token_of
from benchmarks.serving import relay_options

_CONNECTIONS: Final = 8192


def create_app(grok_url: str) -> Starlette:
    """The relay to a Grok at this address."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None, None]:
        # Its own limit is ten requests at a time.
        async with AsyncSession(impersonate=BROWSER, max_clients=_CONNECTIONS) as session:
            app.state.session = session
            yield

    async def answer(request: Request) -> Response:
        body = orjson.loads(await request.body())
        tokens = _tokens(request.app.state.session, grok_url + PATH, question(body))
        if body["stream"]:
            return StreamingResponse(_chunks(tokens), media_type="text/event-stream")
        return Response(completion([token async for token in tokens]), media_type="application/json")

    return Starlette(routes=[Route("/v1/chat/completions", answer, methods=["POST"])], lifespan=lifespan)


async def _tokens(session: "AsyncSession[Reply]", url: str, asked: bytes) -> AsyncGenerator[str, None]:
    response = await session.post(url, data=asked, headers=HEADERS, stream=True)
    try:
        async for line in response.aiter_lines():  # type: ignore[no-untyped-call] # curl_cffi leaves it untyped
            if token := token_of(line):
                yield token
    finally:
        await response.aclose()  # type: ignore[no-untyped-call] # curl_cffi leaves it untyped


async def _chunks(tokens: AsyncGenerator[str, None]) -> AsyncGenerator[bytes, None]:
    yield chunk({"role": "assistant", "content": ""})
    async for token in tokens:
        yield chunk({"content": token})
    yield chunk({}, "stop")
    yield DONE


def main() -> None:
    """Serve until interrupted."""
    options = relay_options("python -m benchmarks.baselines.plain", __doc__)
    multiprocessing.set_start_method("fork", force=True)
    server = Server(
        "plain",
        address="127.0.0.1",
        port=options.port,
        interface=Interfaces.ASGI,
        workers=1,
        backlog=2048,
        backpressure=_CONNECTIONS,
        log_level=LogLevels.warning,
    )
    server.serve(target_loader=lambda *_: create_app(f"http://127.0.0.1:{options.grok_port}"), wrap_loader=False)


if __name__ == "__main__":
    main()
