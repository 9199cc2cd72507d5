"""Importing accounts: a text comes piece by piece, is previewed, and then added.

The text and what is read of it stay out of the state, which is sent and kept with every event; see `accounts.Intake`.
"""

import dataclasses
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import reflex as rx

from grok_app.accounts import Fault, Preview, preview
from grok_app.catalog import Pool
from grok_app.errors import GatewayError
from grok_app.runtime import current
from grok_app.ui.console import operator_event
from grok_app.ui.pages.accounts.actions import ActionsState, Question

_SHOWN_FAULTS: Final = 50


@dataclasses.dataclass
class FaultView:
    """Something in the text that is no account."""

    place: int
    pool: str
    """Empty where the place is a line."""
    token: str
    """Masked."""
    reason: str


@dataclasses.dataclass
class PreviewView:
    """What would come of the import."""

    is_ready: bool = False
    new: int = 0
    basic: int = 0
    super: int = 0
    known: int = 0
    repeated: int = 0
    malformed: int = 0
    faults: list[FaultView] = dataclasses.field(default_factory=list)
    """The first of them."""


class ImportState(ActionsState):
    """The import dialog of one tab."""

    is_importing: bool = False
    import_pool: str = Pool.BASIC.value
    wanted_piece: int = 0
    """From 1; 0: no text is on its way."""
    size_chars: int = 0
    received_chars: int = 0
    import_error: str = ""
    preview: PreviewView = PreviewView()
    _text: str = ""
    """The serial of the text on its way, or in the preview."""

    @rx.var
    def is_receiving(self) -> bool:
        """Whether a text is on its way, or being read."""
        return self.wanted_piece > 0

    @operator_event
    async def open_import(self) -> None:
        """Open the dialog, empty."""
        self._start_over()
        self.is_importing = True

    @operator_event
    async def close_import(self) -> None:
        """Import nothing, and forget the text."""
        self._start_over()
        self.is_importing = False

    @operator_event
    async def start_anew(self) -> None:
        """Let nothing wait for a page that was left or loaded anew: no text, no download, no question."""
        self._start_over()
        self.is_importing, self.is_exporting, self.busy, self.busy_rows = False, False, "", []
        self._asked, self.question, self.adult_count = b"", Question(), 0

    @operator_event
    async def choose_pool(self, pool: str) -> None:
        """Where accounts belong that stand in no pool."""
        self.import_pool = Pool(pool).value

    @operator_event
    async def begin_text(self, size_chars: int) -> None:
        """Ask for the first piece."""
        self.import_error = ""
        with self._explained():
            self._text = current().intake.begin(self._tab(), size_chars)
            self.size_chars, self.received_chars, self.wanted_piece = size_chars, 0, 1

    @operator_event
    async def take_piece(self, piece: str) -> None:
        """Keep a piece, and ask for the next one."""
        with self._explained():
            current().intake.add(self._tab(), self._text, piece)
            self.received_chars += len(piece)
            self.wanted_piece += 1

    @operator_event(background=True)
    async def end_text(self) -> None:
        """Read the text, and show what would come of it. Nothing is stored yet."""
        async with self:
            text, tab, pool = self._text, self._tab(), Pool(self.import_pool)
        seen, wrong = PreviewView(), None
        try:
            seen = _view(await preview(await current().intake.read(tab, text, pool), current().roster))
        except GatewayError as error:
            wrong = error
        finally:
            async with self:
                if self._text == text:  # or else the operator has begun with another one
                    self.preview, self.wanted_piece = seen, 0
                    if wrong:
                        self._refuse(wrong)

    @operator_event
    async def refuse_text(self) -> None:
        """Say that the browser didn't even send it."""
        self.import_error = self._say("accounts.too_large")

    @operator_event
    async def back(self) -> None:
        """Have another look at the text."""
        self._start_over()

    @operator_event(background=True)
    async def import_text(self) -> None:
        """Add what was previewed, no more and no less."""
        async with self:
            text, tab = self._text, self._tab()
        arrivals = current().intake.arrived(tab, text)
        async with self._doing("import"):
            changed = await current().roster.add(arrivals.items)
        async with self:
            if self._text == text:
                self._start_over()
                self.is_importing = False
            counts = {"new": changed.added, "known": changed.duplicates, "malformed": len(changed.skipped)}
            self._done("accounts.imported", **counts)

    def _start_over(self) -> None:
        current().intake.drop(self._tab())
        self._text, self.wanted_piece, self.import_error, self.preview = "", 0, "", PreviewView()

    @contextmanager
    def _explained(self) -> Generator[None, None, None]:
        """Let what goes wrong stand in the dialog, where the text can be corrected."""
        try:
            yield
        except GatewayError as error:
            self._refuse(error)

    def _refuse(self, error: GatewayError) -> None:
        self._start_over()
        self.import_error = error.message


def _view(seen: Preview) -> PreviewView:
    return PreviewView(
        is_ready=True,
        new=sum(seen.new.values()),
        basic=seen.new.get(Pool.BASIC, 0),
        super=seen.new.get(Pool.SUPER, 0),
        known=seen.known,
        repeated=seen.repeated,
        malformed=len(seen.faults),
        faults=[_fault(fault, seen.is_by_line) for fault in seen.faults[:_SHOWN_FAULTS]],
    )


def _fault(fault: Fault, is_by_line: bool) -> FaultView:
    return FaultView(fault.place, "" if is_by_line else fault.pool, fault.token, fault.reason)
