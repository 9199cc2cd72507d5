"""So many at once, as a setting says that may change meanwhile."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from anyio import CapacityLimiter


@asynccontextmanager
async def place_among(most: int, limiter: CapacityLimiter) -> AsyncGenerator[None, None]:
    """Wait until fewer than so many are within such a block of the same limiter; first come, first served."""
    limiter.total_tokens = most
    place = object()  # anyio would count a task once, and generators move between tasks
    await limiter.acquire_on_behalf_of(place)
    try:
        yield
    finally:
        limiter.release_on_behalf_of(place)
