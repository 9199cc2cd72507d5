"""Adding an account by hand, and editing one."""

import dataclasses
from collections.abc import Awaitable
from typing import Any

from grok_app.accounts import Account, changed_fields
from grok_app.catalog import Pool
from grok_app.errors import InvalidRequestError, NotFoundError
from grok_app.runtime import current
from grok_app.ui.console import operator_event
from grok_app.ui.pages.accounts.actions import ActionsState
from grok_app.ui.pages.accounts.rows import masked


@dataclasses.dataclass
class Draft:
    """What the form began with."""

    id: int = 0
    """0: no account is edited."""
    token: str = ""
    """Masked."""
    pool: str = Pool.BASIC.value
    quota: str = ""
    note: str = ""
    tags: str = ""
    """With commas between them."""


class EditState(ActionsState):
    """The two forms. The token of a new account passes through; it is kept nowhere here."""

    draft: Draft = Draft()
    is_adding: bool = False
    form_error: str = ""
    error_field: str = ""
    """Which field it is about; empty: the whole form."""

    @operator_event
    async def edit(self, account_id: int) -> None:
        """Open the form with what the account is now."""
        self.draft = _draft_of(self._account(account_id))
        self.form_error, self.error_field = "", ""

    @operator_event
    async def close_edit(self) -> None:
        """Change nothing."""
        self.draft = Draft()

    @operator_event(background=True)
    async def save(self, form: dict[str, Any]) -> None:
        """Change what was changed in the form; the rest may have changed meanwhile, and stays."""
        if await self._tried(self._save(form)):
            async with self:
                self.draft = Draft()
                self._done("accounts.saved")

    @operator_event
    async def open_add(self) -> None:
        """Open the empty form."""
        self.is_adding, self.form_error, self.error_field = True, "", ""

    @operator_event
    async def close_add(self) -> None:
        """Add nothing."""
        self.is_adding = False

    @operator_event(background=True)
    async def add(self, form: dict[str, Any]) -> None:
        """Add one account."""
        if await self._tried(self._add(form)):
            async with self:
                self.is_adding = False
                self._done("accounts.added")

    async def _tried(self, work: Awaitable[None]) -> bool:
        """Do this; what is wrong with the form stands in it."""
        async with self._doing("save"):
            try:
                await work
            except (InvalidRequestError, NotFoundError) as error:
                async with self:
                    self.form_error, self.error_field = error.message, (error.param or "").partition(".")[0]
                return False
        return True

    async def _save(self, form: dict[str, Any]) -> None:
        given = changed_fields(dataclasses.asdict(self.draft), form)
        pool = None if form["pool"] == self.draft.pool else Pool(form["pool"])
        await current().roster.edit(self.draft.id, given, pool)

    async def _add(self, form: dict[str, Any]) -> None:
        given = changed_fields(dataclasses.asdict(Draft()), form)
        changed = await current().roster.add({Pool(form["pool"]): [{**given, "token": form["token"]}]})
        if changed.skipped:
            raise InvalidRequestError(changed.skipped[0].reason, param="token")
        if not changed.added:
            raise InvalidRequestError(self._say("accounts.is_there"), param="token")


def _draft_of(account: Account) -> Draft:
    return Draft(account.id, masked(account), account.pool, str(account.quota), account.note, ", ".join(account.tags))
