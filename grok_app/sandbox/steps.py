"""What a streamed response is made of: bytes, silences, and a cut connection."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Final, Generic, TypeVar

from starlette.types import Send

T = TypeVar("T")


TOKENS_PER_STAGE: Final = 20
TOKENS_PER_PROGRESS: Final = 10
"""Pictures and videos take the time of so many tokens: one figure sets the pace of everything. Chosen numbers."""


@dataclass(frozen=True, slots=True)
class Pacing:
    """How fast the simulated model speaks. Source of the defaults: protocol notes, section 11 (INFERRED there)."""

    first_token_s: float = 0.2
    """Silence between the headers and the first frame."""
    token_s: float = 0.02
    """Silence before each token."""
    slow_s: float = 2.0
    """What `@slow` adds before the first frame."""

    def slowed(self) -> "Pacing":
        """The same, with a longer silence before the first frame."""
        return replace(self, first_token_s=self.first_token_s + self.slow_s)

    @property
    def stage_s(self) -> float:
        """Silence before each stage of a picture."""
        return self.token_s * TOKENS_PER_STAGE

    @property
    def progress_s(self) -> float:
        """Silence before each progress frame of a video."""
        return self.token_s * TOKENS_PER_PROGRESS


@dataclass(frozen=True, slots=True)
class Wait:
    """A silence of so many seconds."""

    seconds: float


@dataclass(slots=True)
class Work(Generic[T]):
    """Something that takes its time, done in a thread; after the step its result is there."""

    do: Callable[[], T]
    result: T = field(init=False)


class Ending(Enum):
    """The ways in which a response stays unfinished."""

    CUT = "the connection is closed without the last chunk"
    STALL = "nothing more comes, the connection stays open"


Step = bytes | Wait | Work[Any] | Ending
NO_MORE: Final = {"type": "http.response.body", "body": b"", "more_body": False}


async def play(steps: Iterable[Step], send: Send) -> None:
    """Send the steps, one ASGI message for each piece of bytes, and end the response unless a step forbids it.

    A server cuts the connection when an application returns without its last message (granian 2.8, 2026-11).
    """

    async def say(piece: bytes) -> None:
        await send({"type": "http.response.body", "body": piece, "more_body": True})

    if await carry_out(steps, say):
        await send(NO_MORE)


async def carry_out(steps: Iterable[Step], say: Callable[[bytes], Awaitable[None]]) -> bool:
    """Take one step after the other and say each piece of bytes; False if the connection must be cut now."""
    for step in steps:
        if isinstance(step, bytes):
            await say(step)
        elif isinstance(step, Wait):
            await asyncio.sleep(step.seconds)
        elif isinstance(step, Work):
            step.result = await asyncio.to_thread(step.do)
        elif step is Ending.CUT:
            return False
        else:
            await stall()
    return True


async def stall() -> None:
    """Wait until somebody cancels."""
    await asyncio.get_running_loop().create_future()
