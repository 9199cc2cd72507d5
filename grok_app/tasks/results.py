"""Results on their way from one process to another: sealed, as they may hold credentials, and gone when taken."""

import asyncio
from secrets import token_hex
from typing import Any, Final, Protocol

import orjson

from grok_app.errors import OverloadedError
from grok_app.shared import Shared

_PIECE_CHARS: Final = 1_000_000
"""In one call. The result of 100,000 accounts has 20 MB and more, and no call may take a second."""
_KEPT_S: Final = 30
_PUT: Final = "redis.call('RPUSH', KEYS[1], ARGV[1]); redis.call('EXPIRE', KEYS[1], ARGV[2])"
_TAKE: Final = "return redis.call('LPOP', KEYS[1])"


class Seals(Protocol):
    """What encrypts a text, and decrypts it in another process of the same installation."""

    def seal(self, text: str) -> str:
        """Encrypt."""

    def open(self, sealed: str) -> str:
        """Decrypt."""


class Results:
    """Puts results into Redis for whoever asked, and takes them.

    Args:
        shared: The Redis.
        seals: Keeps others from reading them.
    """

    def __init__(self, shared: Shared, seals: Seals) -> None:
        self._shared = shared
        self._seals = seals
        self._put = shared.script(_PUT)
        self._take = shared.script(_TAKE)

    async def put(self, result: Any) -> str:
        """Leave a result for one who takes it soon.

        Returns:
            What it is taken by.

        Raises:
            SharedAwayError: Redis is away.
        """
        name = token_hex(16)
        sealed = await asyncio.to_thread(lambda: self._seals.seal(orjson.dumps(result).decode()))
        for start in range(0, len(sealed), _PIECE_CHARS):
            await self._put([self._key(name)], [sealed[start : start + _PIECE_CHARS], _KEPT_S])
        return name

    async def take(self, name: str) -> Any:
        """The result that was left under this name.

        Raises:
            OverloadedError: It was not taken in time.
            SharedAwayError: Redis is away.
        """
        pieces: list[bytes] = []
        while piece := await self._take([self._key(name)]):
            pieces.append(piece)
        if not pieces:
            raise OverloadedError("The result was lost on its way. Please try again.")
        sealed = b"".join(pieces).decode()
        return await asyncio.to_thread(lambda: orjson.loads(self._seals.open(sealed)))

    def _key(self, name: str) -> str:
        return self._shared.key("tasks", "result", name)
