"""What is done with one account or with the selected ones."""

import dataclasses
from collections.abc import AsyncGenerator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from reflex.event import EventSpec

from grok_app.accounts import Account, Form, matching_ids, read_birth_date
from grok_app.errors import InvalidRequestError, NotFoundError
from grok_app.runtime import current
from grok_app.ui.components import fetch_file
from grok_app.ui.console import operator_event
from grok_app.ui.pages.accounts.ids import pack, unpack
from grok_app.ui.pages.accounts.rows import masked
from grok_app.ui.pages.accounts.state import AccountsState

_EXPORT: Final = "/v1/admin/tokens/export"


@dataclasses.dataclass
class Question:
    """What the operator is asked before accounts go."""

    count: int = 0
    """0: nothing is asked."""
    token: str = ""
    """Masked, where it is one."""


class ActionsState(AccountsState):
    """Actions. One of them at a time; while it runs its buttons rest."""

    busy: str = ""
    """What is being done; empty: nothing."""
    busy_rows: list[int] = []  # noqa: RUF012 - Reflex copies defaults for each tab
    """The ids of accounts with which something is being done, each by its own buttons."""
    question: Question = Question()
    adult_count: int = 0
    """How many accounts a date of birth is asked for; 0: none."""
    birth_date: str = ""
    adult_error: str = ""
    is_exporting: bool = False
    """Whether the dialog is open."""
    _asked: bytes = b""
    _exported: int = 0
    """How many accounts are in the file that the browser fetches."""

    @operator_event(background=True)
    async def refresh(self, account_id: int) -> None:
        """Ask Grok for the quota of one account, and say what it told."""
        async with self._doing_with(account_id) as account:
            task = current().jobs.start_refresh(_tokens([account]))
            await task.wait()
        async with self:
            self._tell_refreshed(account_id, [failure.reason for failure in task.failures()])

    @operator_event
    async def refresh_selected(self) -> None:
        """Ask Grok for their quotas; the task is shown below the page."""
        tokens = _tokens(self._chosen())
        current().jobs.start_refresh(tokens)
        self._done("accounts.refresh_started", count=len(tokens))

    @operator_event(background=True)
    async def disable(self, account_id: int) -> None:
        """Let an account serve no more."""
        async with self._doing_with(account_id):
            await current().roster.disable([account_id])
        async with self:
            self._done("accounts.disabled", count=1)

    @operator_event(background=True)
    async def enable(self, account_id: int) -> None:
        """Let an account serve again."""
        async with self._doing_with(account_id):
            await current().roster.enable([account_id])
        async with self:
            self._done("accounts.enabled", count=1)

    @operator_event(background=True)
    async def disable_selected(self) -> None:
        """Let none of them serve."""
        async with self._doing("disable"):
            count = await current().roster.disable(unpack(self._selected))
        async with self:
            self._done("accounts.disabled", count=count)

    @operator_event(background=True)
    async def enable_selected(self) -> None:
        """Let those of them serve again that are disabled."""
        async with self._doing("enable"):
            count = await current().roster.enable(unpack(self._selected))
        async with self:
            self._done("accounts.enabled", count=count)

    @operator_event
    async def ask_delete(self, account_id: int) -> None:
        """Ask whether an account is to be deleted."""
        self._ask([self._account(account_id)], pack([account_id]))

    @operator_event
    async def ask_delete_selected(self) -> None:
        """Ask whether they are to be deleted."""
        self._ask(self._chosen(), self._selected)

    @operator_event
    async def close_question(self) -> None:
        """Delete nothing."""
        self._asked, self.question = b"", Question()

    @operator_event(background=True)
    async def delete(self) -> None:
        """Delete what was asked about."""
        async with self._doing("delete"):
            count = await current().roster.remove(unpack(self._asked))
        async with self:
            self._asked, self.question = b"", Question()
            self._done("accounts.deleted", count=count)

    @operator_event
    async def ask_adult_content(self) -> None:
        """Ask for the owner's date of birth, which Grok wants to know."""
        self.birth_date = current().settings.snapshot.nsfw.birth_date
        self.adult_count, self.adult_error = self.selected, ""

    @operator_event
    async def close_adult_content(self) -> None:
        """Switch nothing on."""
        self.adult_count = 0

    @operator_event
    async def start_adult_content(self, form: dict[str, Any]) -> None:
        """Switch adult content on; the task is shown below the page."""
        try:
            birth_date = read_birth_date(str(form.get("birth_date", "")), "")
        except InvalidRequestError as error:
            self.adult_error = error.message
            return
        tokens = _tokens(self._chosen())
        current().jobs.start_adult_content(tokens, birth_date)
        self.adult_count = 0
        self._done("accounts.adult_started", count=len(tokens))

    @operator_event
    async def open_export(self) -> None:
        """Ask what is to be exported."""
        self.is_exporting = True

    @operator_event
    async def close_export(self) -> None:
        """Export nothing."""
        self.is_exporting = False

    @operator_event
    async def export(self, form: dict[str, Any]) -> EventSpec:
        """Let the browser fetch the file; see `components.texts` for why it doesn't come from here."""
        form_name, ids = Form(form["format"]), self._wanted(form["scope"])
        there = len(current().roster.all())
        body = {"format": form_name.value}
        self._exported, self.busy, self.is_exporting = len(ids), "export", False
        # All of them need no names: there may be more than one request can have.
        return fetch_file(_EXPORT, body if len(ids) == there else {**body, "ids": sorted(ids)}, f"token.{form_name}")

    @operator_event
    async def end_export(self, error: str) -> None:
        """Say how it went."""
        self.busy = ""
        if error:
            self._notify("error", error)
        else:
            self._done("accounts.exported", count=self._exported)

    @operator_event
    async def report(self, error: str) -> None:
        """Say what the browser could not do."""
        self._notify("error", error)

    def _ask(self, accounts: Sequence[Account], packed: bytes) -> None:
        self._asked = packed
        self.question = Question(len(accounts), masked(accounts[0]) if len(accounts) == 1 else "")

    def _chosen(self) -> list[Account]:
        """The selected accounts; that they are gone is told."""
        if accounts := current().roster.chosen(unpack(self._selected)):
            return accounts
        raise NotFoundError(self._say("accounts.gone"))

    def _wanted(self, scope: str) -> Collection[int]:
        if scope == "selected":
            return [account.id for account in self._chosen()]
        return matching_ids(current().roster.all(), self._query())

    @asynccontextmanager
    async def _doing_with(self, account_id: int) -> AsyncGenerator[Account, None]:
        """Let the buttons of one account rest meanwhile, however it ends. For background events."""
        async with self:
            account = self._account(account_id)
            self.busy_rows = [*self.busy_rows, account_id]
        try:
            yield account
        finally:
            async with self:
                self.busy_rows = [it for it in self.busy_rows if it != account_id]

    @asynccontextmanager
    async def _doing(self, action: str) -> AsyncGenerator[None, None]:
        """Let the buttons rest meanwhile. For background events: thousands of accounts take a second to write."""
        async with self:
            self.busy = action
        try:
            yield
        finally:
            async with self:
                self.busy = ""

    def _done(self, key: str, **values: object) -> None:
        """Say what was done, and show it."""
        self._notify("success", self._say(key, **values))
        self._look()

    def _tell_refreshed(self, account_id: int, reasons: list[str | None]) -> None:
        for account in current().roster.chosen([account_id]):  # it may be gone by now
            if reasons:
                self._notify("error", f"{masked(account)}: {reasons[0]}")
            else:
                self._notify("success", self._say("accounts.refreshed", token=masked(account), quota=account.quota))
        self._look()


def _tokens(accounts: Iterable[Account]) -> list[str]:
    return [account.credential.get_secret_value() for account in accounts]
