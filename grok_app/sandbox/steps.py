"""What a streamed response is made of: bytes, silences, and a cut connection."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from starlette.types import Send


@dataclass(frozen=True, slots=True)
class Pacing:
    """How fast the simulated model speaks. Source of the defaults: protocol notes, section 11 (INFERRED there)."""

    first_token_s: float = 0.2
    """Silence between the headers and the first frame."""
    token_s: float = 0.02
    """Silence before each token."""
    slow_s: float = 2.0
    """What `@slow` adds before the first frame."""


@dataclass(frozen=True, slots=True)
class Wait:
    """A silence of so many seconds."""

    seconds: float


class Ending(Enum):
    """The ways in which a response stays unfinished."""

    CUT = "the connection is closed without the last chunk"
    STALL = "nothing more comes, the connection stays open"


Step = bytes | Wait | Ending
NO_MORE: Final = {"type": "http.response.body", "body": b"", "more_body": False}


async def play(steps: Iterable[Step], send: Send) -> None:
    """Send the steps, one ASGI message for each piece of bytes, and end the response unless a step forbids it.

    A server cuts the connection when an application returns without its last message (granian 2.8, 2026-11).
    """
    for step in steps:
        if isinstance(step, bytes):
            await send({"type": "http.response.body", "body": step, "more_body": True})
        elif isinstance(step, Wait):
            await asyncio.sleep(step.seconds)
        elif step is Ending.CUT:
            return
        else:
            await stall()
    await send(NO_MORE)


async def stall() -> None:
    """Wait until somebody cancels."""
    await asyncio.get_running_loop().create_future()
