"""Grok's sockets, each playing a script."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Final

from grok_app.upstream import ImaginePrompt, PictureEnd, PictureFrame

Step = PictureFrame | PictureEnd | BaseException | float | asyncio.Event
"""A frame, a failure, so many seconds of silence, or silence until something happens."""
SILENCE: Final = 3600.0


class Sockets:
    """Plays one script per socket, in the order in which they are opened; Grok hangs up at its end.

    Attributes:
        asked: Whose they were, in that order.
        open: How many are open.
    """

    def __init__(self, *scripts: Sequence[Step]) -> None:
        self._scripts = list(scripts)
        self.asked: list[str] = []
        self.prompts: list[ImaginePrompt] = []
        self.open = 0
        self._news = asyncio.Event()

    async def until(self, is_so: Callable[["Sockets"], bool]) -> None:
        """Return when this is so; it is looked at whenever a socket is opened or closed."""
        while not is_so(self):
            self._news.clear()
            await self._news.wait()

    async def imagine(self, credential: str, prompt: ImaginePrompt) -> AsyncGenerator[PictureFrame | PictureEnd, None]:
        """Open the next one."""
        self.asked.append(credential)
        self.prompts.append(prompt)
        self.open += 1
        self._news.set()
        try:
            for step in self._scripts.pop(0):
                if isinstance(step, BaseException):
                    raise step
                if isinstance(step, asyncio.Event):
                    await step.wait()
                elif isinstance(step, float):
                    await asyncio.sleep(step)
                else:
                    yield step
        finally:
            self.open -= 1
            self._news.set()
