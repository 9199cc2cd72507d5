"""Work on thousands of accounts that lets the event loop's other work have its turn in between."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from itertools import islice
from typing import Final, TypeVar

ItemT = TypeVar("ItemT")
TURN: Final = 200
"""So many are worked on at once: some milliseconds at 20 µs each."""


async def in_turns(items: Iterable[ItemT]) -> AsyncGenerator[list[ItemT], None]:
    """The items in parts, one part for each turn. Anything may have happened between two of them."""
    rest = iter(items)
    if part := list(islice(rest, TURN)):
        yield part
    while part := list(islice(rest, TURN)):
        await asyncio.sleep(0)
        yield part
