"""Everything one sandbox remembers."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from grok_app.sandbox.accounts import Accounts
from grok_app.sandbox.faults import ACTING
from grok_app.sandbox.journal import AbandonedError, Journal
from grok_app.sandbox.media import Library
from grok_app.sandbox.steps import Pacing
from grok_app.sandbox.words import Call, Word, find_words

T = TypeVar("T")
MAX_ONCE: Final = 1000


@dataclass(slots=True)
class Sandbox:
    """The state behind one application: nothing here is shared with another one."""

    pacing: Pacing
    accounts: Accounts = field(default_factory=Accounts)
    journal: Journal = field(default_factory=Journal)
    library: Library = field(default_factory=Library)
    _failed_once: OrderedDict[tuple[str, Call, int], None] = field(default_factory=OrderedDict)
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    def words_of(self, text: str, call: Call) -> list[Word]:
        """The magic words that act now: those written `@once-…` act on every other such call with the same text."""
        spoken = find_words(text, ACTING[call])
        return [found.word for found in spoken if not found.once or self._is_first(found.word, call, text)]

    def forget(self) -> None:
        """Return to the beginning. What is being served goes on."""
        self.accounts.forget()
        self.journal.forget()
        self.library.forget()
        self._failed_once.clear()

    def stop(self) -> None:
        """Abandon all that is being served, so that a server can end at once."""
        for task in self._tasks:
            task.cancel()

    async def while_wanted(
        self, work: Coroutine[Any, Any, T], receive: Callable[[], Awaitable[Any]] | None = None
    ) -> T:
        """Await the work, given up as soon as the client leaves or the sandbox stops.

        Args:
            work: What produces the answer, or reads the request.
            receive: Returns when the client has left, as the ASGI channel does once the body is read. None while
                reading.

        Raises:
            AbandonedError: Given up.
        """
        task = asyncio.create_task(work)
        self._tasks.add(task)
        leaving = asyncio.ensure_future(receive()) if receive else None
        try:
            await asyncio.wait([task, leaving] if leaving else [task], return_when=asyncio.FIRST_COMPLETED)
            if not task.done() or task.cancelled():
                raise AbandonedError
            return task.result()
        finally:
            self._tasks.discard(task)
            _abandon(task, leaving)

    def _is_first(self, word: Word, call: Call, text: str) -> bool:
        key = (word.name, call, hash(text))
        if key in self._failed_once:
            del self._failed_once[key]
            return False
        self._failed_once[key] = None
        if len(self._failed_once) > MAX_ONCE:
            self._failed_once.popitem(last=False)
        return True


def _abandon(*tasks: asyncio.Future[Any] | None) -> None:
    for task in tasks:
        if task:
            task.cancel()
