"""What one tab sees of the requests: a page of the list, and one of them in full."""

from typing import Final

import reflex as rx

from grok_app.accounts import PAGE_SIZES, Account
from grok_app.catalog import MODELS
from grok_app.errors import AuthenticationError
from grok_app.requests import FoundRequests, RequestQuery
from grok_app.runtime import current
from grok_app.trace import key_hint
from grok_app.ui.console import ConsoleState, operator_event
from grok_app.ui.pages.requests.rows import Detail, Row, detail_of, row_of

SHOWS: Final = ("all", "ok", "errors")
CHOICES: Final = (*MODELS, "voice")
"""What a request can ask for."""
_WORDS_LIMIT_CHARS: Final = 200
_LOOK_BEATS: Final = 5
"""After so many beats the list is looked at though nothing has ended here: other processes write to it too."""


class RequestsState(ConsoleState):
    """The list of requests."""

    is_loaded: bool = False
    rows: list[Row] = []  # noqa: RUF012 - Reflex copies defaults for each tab
    show: str = SHOWS[0]
    model: str = ""
    """Empty: all of them."""
    words: str = ""
    page: int = 1
    pages: int = 1
    page_size: int = PAGE_SIZES[1]
    total: str = "0"
    """Of all that match; with a plus where they are more than can be leafed through."""
    is_open: bool = False
    detail: Detail = Detail()
    _seen: int = -1
    """How many requests there had been at the last look."""

    @rx.var
    def is_narrowed(self) -> bool:
        """Whether some requests are left out."""
        return bool(self.show != SHOWS[0] or self.model or self.words.strip())

    @operator_event(background=True)
    async def watch(self) -> None:
        """Show the requests, the new ones too while the first page is looked at; no request stays open behind it."""
        async with self:
            self._seen = -1
            self._forget()
            page = self.router.url.path
        beats = 0
        try:
            async for _ in self._beats():
                async with self:
                    if self._is_due(beats):
                        await self._look()
                beats += 1
        except AuthenticationError:
            async with self:
                self._forget()
            raise
        async with self:
            if self.router.url.path != page:
                self._forget()

    @operator_event
    async def filter_by(self, show: str) -> None:
        """Show all requests, or those that went well, or those that didn't."""
        self.show, self.page = show if show in SHOWS else SHOWS[0], 1
        await self._look()

    @operator_event
    async def choose_model(self, model: str) -> None:
        """Show the requests for one model, or for all."""
        self.model, self.page = model if model in CHOICES else "", 1
        await self._look()

    @operator_event
    async def search(self, words: str) -> None:
        """Show the requests in which these words are. A whole key becomes its hint: the page keeps none."""
        is_key = current().access.is_key(words.strip())
        self.words, self.page = key_hint(words.strip()) if is_key else words[:_WORDS_LIMIT_CHARS], 1
        await self._look()

    @operator_event
    async def show_all(self) -> None:
        """Filter and search no more."""
        self.show, self.model, self.words, self.page = SHOWS[0], "", "", 1
        await self._look()

    @operator_event
    async def go_to(self, page: int) -> None:
        """Show another page."""
        self.page = page
        await self._look()

    @operator_event
    async def resize(self, size: str) -> None:
        """Show so many on a page."""
        if size.isdecimal() and int(size) in PAGE_SIZES:
            self.page_size, self.page = int(size), 1
        await self._look()

    @operator_event
    async def open(self, request_id: str) -> None:
        """Show all of one request."""
        detail = await current().requests.get(request_id)
        self.detail = detail_of(detail, _known({attempt.account_id for attempt in detail.attempts}))
        self.is_open = True

    @operator_event
    async def close(self) -> None:
        """Show it no more, and keep nothing of what was said in it."""
        self._forget()

    def _forget(self) -> None:
        """Keep nothing of what was said in the request that is open."""
        self._show(is_open=False, detail=Detail())

    def _is_due(self, beats: int) -> bool:
        if self._seen < 0:
            return True
        has_news = self._seen != current().requests.count or beats % _LOOK_BEATS == 0
        return self.page == 1 and has_news

    async def _look(self) -> None:
        """Take over what there is now."""
        requests = current().requests
        seen = requests.count
        found = await requests.find(self._query())
        known = _known({item.account_id for item in found.items if item.account_id is not None})
        pages = max(1, -(-found.total // self.page_size))
        if self.page > pages:  # what it showed was deleted meanwhile, or never there
            self.page = pages
            await self._look()
            return
        rows = [row_of(item, known) for item in found.items]
        self._show(_seen=seen, is_loaded=True, rows=rows, pages=pages, total=_total(found))

    def _query(self) -> RequestQuery:
        self.page = max(1, self.page)
        return RequestQuery(
            show=self.show,  # type: ignore[arg-type] # one of SHOWS
            model=self.model,
            search=self.words,
            page=self.page,
            page_size=self.page_size,
        )


def _known(account_ids: set[int]) -> dict[int, Account]:
    return {account.id: account for account in current().roster.chosen(account_ids)}


def _total(found: FoundRequests) -> str:
    return f"{found.total:,}{'+' if found.has_more else ''}"
