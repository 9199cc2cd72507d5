"""The sandbox as a server: one process, granian embedded, on uvloop."""

import asyncio
import signal
import socket
from typing import Any, Final

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.embed import Server
from starlette.applications import Starlette

from grok_app.errors import ConfigurationError
from grok_app.sandbox.app import create_sandbox
from grok_app.sandbox.steps import Pacing

MAX_OPEN_REQUESTS: Final = 4096


def serve_sandbox(host: str, port: int, pacing: Pacing) -> None:
    """Serve until SIGTERM or SIGINT. Streams still open then are cut.

    Raises:
        ConfigurationError: The address can't be bound.
    """
    _claim(host, port)
    uvloop.run(_serve(create_sandbox(pacing), host, port))


async def _serve(app: Starlette, host: str, port: int) -> None:
    server = _server(app, host, port)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        server.stop()
        app.state.sandbox.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    await server.serve()


def _claim(host: str, port: int) -> None:
    """Refuse an address that is taken: granian would share it (SO_REUSEPORT) and get a part of the requests."""
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as error:
        raise ConfigurationError(f"the sandbox can't listen on {host}:{port}: {error.strerror}") from error


def _server(app: Starlette, host: str, port: int) -> Any:
    """Without lifespan and HTTP/2: the simulated calls use neither."""
    return Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        backlog=1024,
        backpressure=MAX_OPEN_REQUESTS,
        log_level=LogLevels.error,
    )
