"""The settings as one tab shows them. What is typed is the browser's until it is saved; a secret is never in here."""

import dataclasses
from collections.abc import AsyncGenerator

import reflex as rx
from reflex.event import EventSpec

from grok_app.access import change_settings
from grok_app.errors import AuthenticationError, InvalidRequestError
from grok_app.runtime import current
from grok_app.settings import Fault, SettingView, WrongSettingsError, as_text, make_key
from grok_app.ui.components import hand_key, hand_secret
from grok_app.ui.console import ConsoleState, check_operator, operator_event


@dataclasses.dataclass
class Shown:
    """The value of one setting."""

    text: str
    """As a field has it; empty for what is masked."""
    is_set: bool
    """Of what is masked: whether there is anything."""
    source: str
    variable: str
    """The environment variable that holds it, if one does."""


@dataclasses.dataclass
class Answer:
    """What came of the newest save. Each has a higher serial than the one before."""

    serial: int = 0
    is_saved: bool = False
    faults: dict[str, str] = dataclasses.field(default_factory=dict)
    """What is wrong, by the setting's name."""


class SettingsState(ConsoleState):
    """The settings page."""

    values: dict[str, Shown] = {}  # noqa: RUF012 - Reflex copies defaults for each tab
    answer: Answer = Answer()

    @rx.var
    def is_loaded(self) -> bool:
        """Whether there is something to show."""
        return bool(self.values)

    @operator_event(background=True)
    async def watch(self) -> None:
        """Show what is in force, whoever changes it, for as long as the tab shows this page."""
        async for _ in self._beats():
            async with self:
                self._look()

    @operator_event
    async def save(self, changes: dict[str, str], reset: list[str]) -> AsyncGenerator[None, None]:
        """Store what was typed and bring defaults back, all of it or nothing; say what is wrong at its field."""
        answer = Answer(self.answer.serial + 1)
        try:
            await change_settings(current().settings, current().sessions, changes, reset=reset)
            answer.is_saved = True
        except WrongSettingsError as error:
            answer.faults = self._explain(error.faults)
        finally:
            self.answer = answer  # also after a bug: the form waits for it
        yield  # before the tab is led away by a new operator's key
        await self._tell_outcome(len(changes) + len(reset))

    @operator_event
    async def reveal(self, name: str) -> EventSpec:
        """Hand what is masked to the field that asks for it."""
        return hand_secret(name, as_text(_masked(name).value))

    @operator_event
    async def generate(self, name: str) -> EventSpec:
        """Hand a new key to the field that asks for one. It is not stored before it is saved."""
        return hand_key(_masked(name).definition.name, make_key())

    def _look(self) -> None:
        values = {view.definition.name: _show(view) for view in current().settings.describe()}
        if values != self.values:
            self.values = values

    async def _tell_outcome(self, count: int) -> None:
        """Say it in a toast, and leave when the operator's key, and with it the session, is another now."""
        if not self.answer.is_saved:
            self._notify("error", self._say("settings.not_saved"))
            return
        self._look()
        try:
            await check_operator(self)
        except AuthenticationError:
            self._notify("warning", self._say("settings.key_changed"))
            raise
        self._notify("success", self._say("settings.saved", count=count))

    def _explain(self, faults: list[Fault]) -> dict[str, str]:
        sentences: dict[str, str] = {}
        for fault in faults:
            item = fault.path.removeprefix(fault.name).removeprefix(".")
            key = "settings.item_expected" if item else "settings.expected"
            sentence = self._say(key, item=int(item or 0) + 1, expected=fault.expected)
            sentences.setdefault(fault.name, sentence)  # the first of several says enough
        return sentences


def _show(view: SettingView) -> Shown:
    is_masked = view.definition.is_masked
    return Shown(
        text="" if is_masked else as_text(view.value),
        is_set=bool(view.value),
        source=view.source,
        variable=view.variable if view.source == "environment" else "",
    )


def _masked(name: str) -> SettingView:
    views = current().settings.describe()
    found = next((view for view in views if view.definition.name == name and view.definition.is_masked), None)
    if found is None:
        raise InvalidRequestError(f"{name} is not masked")
    return found
