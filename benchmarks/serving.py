"""How a server of the benchmarks is run as a process of its own: `python -m benchmarks.… --port N`."""

import argparse
import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

import uvloop


def serve_until_interrupted(
    program: str,
    description: str | None,
    start: Callable[[socket.socket], Awaitable[asyncio.Server]],
    arguments: Iterable[str] | None,
) -> None:
    """Serve on the port that the command line names.

    Args:
        program: The command, for its help.
        description: What it is, for its help.
        start: Answers on a listening socket.
        arguments: The command line; None: that of the process.
    """
    parser = argparse.ArgumentParser(prog=program, description=description)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args(list(arguments) if arguments is not None else None)
    run_server(options.port, start)


def run_server(port: int, start: Callable[[socket.socket], Awaitable[asyncio.Server]]) -> None:
    """Serve on a loopback port until interrupted."""
    with suppress(KeyboardInterrupt):
        uvloop.run(_serve(port, start))


def relay_options(program: str, description: str | None) -> argparse.Namespace:
    """What the command line of a relay says: its own `port`, and the `grok_port` that it asks."""
    parser = argparse.ArgumentParser(prog=program, description=description)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--grok-port", type=int, required=True)
    return parser.parse_args()


async def _serve(port: int, start: Callable[[socket.socket], Awaitable[asyncio.Server]]) -> None:
    server = await start(socket.create_server(("127.0.0.1", port), backlog=2048))
    await server.serve_forever()
