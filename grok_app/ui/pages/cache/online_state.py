"""What Grok keeps for the accounts: how many files that was when it was last asked, and tasks that count and delete."""

import dataclasses
from collections.abc import Collection
from typing import Final

import reflex as rx

from grok_app.accounts import (
    PAGE_SIZES,
    Account,
    AccountQuery,
    OnlineColumn,
    OnlineCount,
    mask,
    matching_ids,
    search_online,
    words_for,
)
from grok_app.runtime import current
from grok_app.ui.console import operator_event, size_text
from grok_app.ui.pages.cache.state import CacheState

_TEXT_LIMIT_CHARS: Final = 200


@dataclasses.dataclass
class OnlineRow:
    """An account as the table shows it."""

    id: int
    token: str
    """Masked."""
    pool: str
    status: str
    is_counted: bool
    count: int
    size: str
    error: str
    """Why it could not be counted."""
    counted_at_ms: int
    cleared_at_ms: int
    is_selected: bool


@dataclasses.dataclass
class OnlineQuestion:
    """What the operator is asked before files at Grok go."""

    accounts: int = 0
    """0: nothing is asked."""
    files: int = 0
    uncounted: int = 0
    """How many of the accounts have no count, so that nobody knows what is there."""


class OnlineState(CacheState):
    """The files at Grok in one tab of the browser."""

    rows: list[OnlineRow] = []  # noqa: RUF012 - Reflex copies defaults for each tab
    files: int = 0
    files_size: str = ""
    counted: int = 0
    """Of how many accounts that is known."""
    all_accounts: int = 0
    total: int = 0
    """How many accounts match the search."""
    text: str = ""
    sort: str = ""
    is_descending: bool = False
    page: int = 1
    pages: int = 1
    size: int = PAGE_SIZES[0]
    selected: int = 0
    """How many accounts are, on whatever page."""
    is_loaded: bool = False
    is_counting: bool = False
    is_clearing: bool = False
    question: OnlineQuestion = OnlineQuestion()
    _selected: set[int] = set()  # noqa: RUF012 - likewise
    _asked: list[int] = []  # noqa: RUF012 - likewise

    @rx.var
    def is_page_selected(self) -> bool:
        """Whether every account of the page is."""
        return bool(self.rows) and all(row.is_selected for row in self.rows)

    @operator_event(background=True)
    async def watch(self) -> None:
        """Show what is known, and what becomes known, for as long as the tab shows this page."""
        async with self:
            self.question = OnlineQuestion()  # asked before the page was left
        async for _ in self._beats():
            async with self:
                self._look()

    @operator_event
    async def choose(self) -> None:
        """Show the accounts."""
        self.tab = "online"
        self._look()

    @operator_event
    async def search(self, text: str) -> None:
        """Show the accounts in which this text is. The page keeps no whole token."""
        account = current().roster.find(text)
        self.text, self.page = words_for(account) if account else text[:_TEXT_LIMIT_CHARS], 1
        self._look()

    @operator_event
    async def show_all(self) -> None:
        """Search no more."""
        self.text, self.page = "", 1
        self._look()

    @operator_event
    async def sort_by(self, column: str) -> None:
        """Sort by a column; by the same one again, the other way round."""
        self.is_descending = column == self.sort and not self.is_descending
        self.sort, self.page = OnlineColumn(column).value, 1
        self._look()

    @operator_event
    async def go_to(self, page: int) -> None:
        """Show another page."""
        self.page = page
        self._look()

    @operator_event
    async def resize(self, size: str) -> None:
        """Show so many accounts a page."""
        self.size = max(PAGE_SIZES[0], min(int(size), PAGE_SIZES[-1]))
        self._look()

    @operator_event
    async def toggle(self, account_id: int) -> None:
        """Select an account, or not any more."""
        self._selected = self._selected ^ {account_id}
        self._look()

    @operator_event
    async def toggle_page(self) -> None:
        """Select every account of this page, or none of them any more."""
        ids = {row.id for row in self.rows}
        self._selected = self._selected - ids if self.is_page_selected else self._selected | ids
        self._look()

    @operator_event
    async def select_all(self) -> None:
        """Select every account that matches, on all pages."""
        self._selected = set(matching_ids(current().roster.all(), self._query()))
        self._look()

    @operator_event
    async def select_none(self) -> None:
        """Select nothing any more."""
        self._selected = set()
        self._look()

    @operator_event
    async def count(self, account_id: int) -> None:
        """Ask Grok how many files it keeps for this account."""
        self._start_count([account_id])

    @operator_event
    async def count_selected(self) -> None:
        """The same for the selected accounts."""
        self._start_count(self._selected)

    @operator_event
    async def count_all(self) -> None:
        """The same for every account."""
        self._start_count([account.id for account in current().roster.all()])

    @operator_event
    async def ask_to_clear(self, account_id: int) -> None:
        """Ask whether all files of this account are to go."""
        self._ask({account_id})

    @operator_event
    async def ask_to_clear_selected(self) -> None:
        """The same for the selected accounts."""
        self._ask(self._selected)

    @operator_event
    async def ask_to_clear_counted(self) -> None:
        """The same for every account that had files when they were counted."""
        self._ask(current().online.counts.with_files())

    @operator_event
    async def close(self) -> None:
        """Delete nothing."""
        self.question = OnlineQuestion()

    @operator_event
    async def confirm(self) -> None:
        """Delete what was asked about, as a task."""
        is_asked, self.question = self.question.accounts > 0, OnlineQuestion()
        if is_asked:
            task = current().online.start_clear_of(self._asked)
            self._notify("success", self._say("cache.clearing", count=task.progress().total))
        self._look()

    def _start_count(self, account_ids: Collection[int]) -> None:
        task = current().online.start_count_of(account_ids)
        self._notify("success", self._say("cache.counting", count=task.progress().total))
        self._look()

    def _ask(self, account_ids: Collection[int]) -> None:
        """Ask about those of these accounts that are still there."""
        services = current()
        self._asked = [account.id for account in services.roster.chosen(account_ids)]
        counts = [services.online.counts.get(account_id) for account_id in self._asked]
        known = [count.count for count in counts if count and count.error is None]
        self.question = OnlineQuestion(len(counts), sum(known), len(counts) - len(known))

    def _look(self) -> None:
        services = current()
        total, running = services.online.counts.total(), {task.kind for task in services.tasks.running()}
        self._show(
            files=total.count,
            files_size=size_text(total.size_bytes),
            counted=total.accounts,
            all_accounts=len(services.roster.pool),
            is_counting="online_load" in running,
            is_clearing="online_clear" in running,
            is_loaded=True,
        )
        if self.tab == "online":
            self._look_at_accounts()

    def _look_at_accounts(self) -> None:
        roster, counts = current().roster, current().online.counts
        found = search_online(roster.all(), counts, self._query())
        selected = {account.id for account in roster.chosen(self._selected)}
        self._show(
            _selected=selected,
            selected=len(selected),
            rows=[_row(it, counts.get(it.id), is_selected=it.id in selected) for it in found.accounts],
            page=found.page,
            pages=found.page_count,
            total=found.total,
        )

    def _query(self) -> AccountQuery:
        return AccountQuery(
            text=self.text,
            sort=self.sort or None,
            is_ascending=not self.is_descending,
            page=self.page,
            page_size=self.size,
        )


def _masked(account: Account) -> str:
    return mask(account.credential.get_secret_value())


def _row(account: Account, count: OnlineCount | None, *, is_selected: bool) -> OnlineRow:
    return OnlineRow(
        id=account.id,
        token=_masked(account),
        pool=account.pool,
        status=account.status,
        is_counted=count is not None and count.error is None,
        count=count.count if count else 0,
        size=size_text(count.size_bytes) if count else "",
        error=(count.error or "") if count else "",
        counted_at_ms=count.at_ms if count else 0,
        cleared_at_ms=account.last_asset_clear_at_ms or 0,
        is_selected=is_selected,
    )
