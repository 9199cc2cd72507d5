"""What one tab sees of the accounts: the page of a list, and which accounts are selected."""

from collections.abc import Collection
from typing import Final

import reflex as rx

from grok_app.accounts import (
    PAGE_SIZES,
    Account,
    AccountQuery,
    Column,
    Filter,
    matching_ids,
    search,
    summarize,
    words_for,
)
from grok_app.errors import AuthenticationError, NotFoundError
from grok_app.runtime import current
from grok_app.ui.console import ConsoleState, operator_event
from grok_app.ui.pages.accounts.ids import pack, unpack
from grok_app.ui.pages.accounts.rows import Cards, Row, cards_of, row_of

_BEAT_S: Final = 2.0
"""A look at 10,000 accounts takes 20 ms (2026-11-29)."""
_TEXT_LIMIT_CHARS: Final = 200


class AccountsState(ConsoleState):
    """The list. What it shows is the page of it that is looked at; ids of selected accounts stay on the server."""

    is_loaded: bool = False
    rows: list[Row] = []  # noqa: RUF012 - Reflex copies defaults for each tab
    cards: Cards = Cards()
    counts: dict[str, int] = {name.value: 0 for name in Filter}  # noqa: RUF012 - likewise
    chosen_filter: str = Filter.ALL.value
    words: str = ""
    sort: str = ""
    """A column; empty: as the accounts were added."""
    is_descending: bool = False
    page: int = 1
    pages: int = 1
    page_size: int = PAGE_SIZES[1]
    matches: int = 0
    all_accounts: int = 0
    selected: int = 0
    selected_here: list[int] = []  # noqa: RUF012 - likewise
    """The ids of this page that are selected."""
    _selected: bytes = b""
    """All of them are in the list: what isn't seen there isn't selected. See `ids`."""

    @rx.var
    def is_page_selected(self) -> bool:
        """Whether every account of the page is."""
        return bool(self.rows) and len(self.selected_here) == len(self.rows)

    @operator_event(background=True)
    async def watch(self) -> None:
        """Show the accounts, and what becomes of them, for as long as the tab shows this page."""
        async with self:
            tab = self._tab()
        try:
            async for _ in self._beats(_BEAT_S):
                async with self:
                    self._look()
        except AuthenticationError:
            current().intake.drop(tab)  # what waits to be imported was the operator's
            raise

    @operator_event
    async def filter_by(self, name: str) -> None:
        """Show the accounts of one kind."""
        self._narrow(Filter(name), self.words)

    @operator_event
    async def search(self, words: str) -> None:
        """Show the accounts in which these words are. The page keeps no whole token."""
        account = current().roster.find(words)
        self._narrow(Filter(self.chosen_filter), words_for(account) if account else words[:_TEXT_LIMIT_CHARS])

    @operator_event
    async def sort_by(self, name: str) -> None:
        """Sort by a column; by the same one again, the other way round."""
        self.is_descending = name == self.sort and not self.is_descending
        self.sort, self.page = Column(name).value, 1
        self._look()

    @operator_event
    async def go_to(self, page: int) -> None:
        """Show another page."""
        self.page = page
        self._look()

    @operator_event
    async def resize(self, size: str) -> None:
        """Show so many on a page."""
        if int(size) in PAGE_SIZES:
            self.page_size, self.page = int(size), 1
        self._look()

    @operator_event
    async def show_all(self) -> None:
        """Filter and search no more."""
        self._narrow(Filter.ALL, "")

    @operator_event
    async def toggle(self, account_id: int) -> None:
        """Select an account, or leave it off."""
        self._select(set(unpack(self._selected)) ^ {self._account(account_id).id})

    @operator_event
    async def toggle_page(self) -> None:
        """Select the accounts of this page, or leave all of them off."""
        here, selected = {row.id for row in self.rows}, set(unpack(self._selected))
        self._select(selected - here if here <= selected else selected | here)

    @operator_event
    async def select_all(self) -> None:
        """Select whatever matches, on all pages."""
        self._select(matching_ids(current().roster.all(), self._query()))
        self._look()

    @operator_event
    async def select_none(self) -> None:
        """Select nothing any more."""
        self._select(())

    def _narrow(self, wanted: Filter, words: str) -> None:
        """Show another list. What was selected in the former one is selected no more, which is told."""
        if (wanted.value, words) != (self.chosen_filter, self.words) and self.selected:
            self._notify("warning", self._say("accounts.selected_no_more", count=self.selected))
            self._select(())
        self.chosen_filter, self.words, self.page = wanted.value, words, 1
        self._look()

    def _account(self, account_id: int) -> Account:
        for account in current().roster.chosen([account_id]):
            return account
        raise NotFoundError(self._say("accounts.gone"))

    def _tab(self) -> str:
        return self.router.session.client_token

    def _look(self) -> None:
        """Take over what there is now."""
        accounts = current().roster.all()
        found = search(accounts, self._query())
        self._show(
            is_loaded=True,
            rows=[row_of(account) for account in found.accounts],
            cards=cards_of(summarize(accounts)),
            counts={name.value: count for name, count in found.counts.items()},
            page=found.page,
            pages=found.page_count,
            matches=found.total,
            all_accounts=len(accounts),
        )
        self._select(found.ids.intersection(unpack(self._selected)))

    def _select(self, account_ids: Collection[int]) -> None:
        self._show(
            _selected=pack(account_ids),
            selected=len(account_ids),
            selected_here=[row.id for row in self.rows if row.id in account_ids],
        )

    def _query(self) -> AccountQuery:
        return AccountQuery(
            filter=Filter(self.chosen_filter),
            text=self.words,
            sort=Column(self.sort) if self.sort else None,
            is_ascending=not self.is_descending,
            page=self.page,
            page_size=self.page_size,
        )
