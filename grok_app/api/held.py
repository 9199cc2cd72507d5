"""What is kept until a request has been answered: files that came with it, its place among others."""

from collections.abc import AsyncGenerator
from contextlib import ExitStack
from typing import Annotated

from fastapi import Depends


async def _hold_files() -> AsyncGenerator[ExitStack, None]:
    with ExitStack() as held:
        yield held


Held = Annotated[ExitStack, Depends(_hold_files)]
"""Closes what is put on it once the answer has been sent: FastAPI ends dependencies after the last byte."""
