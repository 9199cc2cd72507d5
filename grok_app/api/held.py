"""Files that came with a request and are kept until it has been answered."""

from collections.abc import AsyncGenerator
from contextlib import ExitStack
from typing import Annotated

from fastapi import Depends


async def _hold_files() -> AsyncGenerator[ExitStack, None]:
    with ExitStack() as held:
        yield held


HeldFiles = Annotated[ExitStack, Depends(_hold_files)]
"""Closes what is put on it once the answer has been sent: FastAPI ends dependencies after the last byte."""
