"""The settings as a tab of the console sees them: what is shown, what is kept back, and what a save does."""

import re
from collections.abc import AsyncGenerator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from grok_app.access import Access, Sessions
from grok_app.db import Vault, open_database, upgrade
from grok_app.settings import DEFINITIONS, Fault, SettingsService, open_settings
from grok_app.settings.validation import WrongValueError, validate
from grok_app.ui.console import guard
from grok_app.ui.pages.settings import SettingsState, state
from grok_app.ui.pages.settings.faults import expectation
from grok_app.ui.pages.settings.fields import sections
from grok_app.ui.routes import ADMIN_LOGIN
from tests.ui.tabs import fresh, send

OVERRIDES = {"app.stream": "false", "app.public_key": "held"}


class Tab:
    """A state as a background event sees it: to be changed inside `async with` only."""

    def __init__(self, tab_state: Any) -> None:
        self._state = tab_state

    async def __aenter__(self) -> "Tab":
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._state, name)


@pytest.fixture
async def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[SimpleNamespace, None]:
    """Behind the page: settings of which the environment holds two, and sessions."""
    url = f"sqlite:///{tmp_path / 'grok_app.db'}"
    upgrade(url)
    vault = Vault(["a key for tests only"])
    async with open_database(url) as database:
        settings = await open_settings(database, vault, OVERRIDES)
        await settings.store({"app.app_key": "operators", "app.api_key": "hunter2", "chat.timeout": 90})
        sessions = Sessions(database, vault, settings, Access(settings))
        made = SimpleNamespace(settings=settings, sessions=sessions)
        for module in (guard, state):
            monkeypatch.setattr(module, "current", lambda: made)
        yield made


@pytest.fixture
def settings(services: SimpleNamespace) -> SettingsService:
    """The service behind the page."""
    service: SettingsService = services.settings
    return service


@pytest.fixture
async def tab(services: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A tab that was just opened by someone who is signed in."""
    begun = await services.sessions.sign_in("operators", "192.0.2.1")
    monkeypatch.setattr(guard, "session_cookie", lambda _header: begun.cookie)
    opened = fresh(SettingsState)
    opened._look()
    return opened


async def save(tab: Any, changes: dict[str, Any], reset: list[str] | None = None) -> list[Any]:
    """Send what was typed."""
    answers = await send(tab, "save", changes=changes, reset=reset or [])
    return [answer for answer in answers if answer is not None]  # None: what it has so far is pushed


def faults_of(values: dict[str, Any]) -> list[Fault]:
    """What is wrong with these values."""
    try:
        validate(values)
    except WrongValueError as error:
        return error.faults
    return []


def test_the_form_has_every_setting() -> None:
    """In its section, with texts in both languages and what its control needs; values are no part of it."""
    fields = {field["name"]: field for section in sections() for field in section["fields"]}
    assert list(fields) == list(DEFINITIONS)
    for field in fields.values():
        assert field["title"].keys() == field["help"].keys() == field["unit"].keys() == {"en", "zh"}
        assert bool(field["choices"]) == (field["kind"] == "choice")
    assert fields["chat.timeout"]["range"] == "0.1 – 3600"
    assert fields["chat.timeout"]["unit"] == {"en": "s", "zh": "秒"}
    assert fields["app.filter_tags"]["default_text"] == "xaiartifact\nxai:tool_usage_card\ngrok:render"
    assert {name for name, field in fields.items() if field["is_key"]} == {
        "app.app_key",
        "app.api_key",
        "app.public_key",
    }


def test_values_are_shown_as_text_with_their_source(tab: Any) -> None:
    """As a field has them; of the environment's, the variable is named."""
    assert tab.is_loaded
    assert tab.values.keys() == DEFINITIONS.keys()
    assert (tab.values["chat.timeout"].text, tab.values["chat.timeout"].source) == ("90", "stored")
    assert (tab.values["app.temporary"].text, tab.values["app.temporary"].source) == ("true", "default")
    held = tab.values["app.stream"]
    assert (held.text, held.source, held.variable) == ("false", "environment", "GROK_APP_APP__STREAM")
    assert tab.values["chat.timeout"].variable == ""


async def test_no_secret_is_in_the_page(tab: Any, settings: SettingsService) -> None:
    """Only whether there is one. That goes for headers too, where people put cookies."""
    await settings.store({"upstream.extra_headers": {"Cookie": "hunter2"}, "proxy.base_proxy_url": "http://hunter2:1"})
    tab._look()
    for name in ("app.api_key", "app.public_key", "upstream.extra_headers", "proxy.base_proxy_url"):
        assert (tab.values[name].text, tab.values[name].is_set) == ("", True)
    assert not tab.values["proxy.cf_clearance"].is_set
    assert "hunter2" not in str(tab.dict())
    await send(tab, "reveal", name="app.api_key")
    await save(tab, {"app.api_key": "hunter2,hunter2"})
    assert "hunter2" not in str(tab.dict())


@pytest.mark.parametrize(
    ("name", "value"), [("app.api_key", "hunter2"), ("app.public_key", "held"), ("upstream.extra_headers", "{}")]
)
async def test_what_is_masked_is_handed_over_one_at_a_time(tab: Any, name: str, value: str) -> None:
    """To the field that asks for it, beside the state."""
    [event] = await send(tab, "reveal", name=name)
    sent = {key._js_expr: argument._var_value for key, argument in event.args}
    assert event.handler.fn.__qualname__ == "_set_value"
    assert sent == {"ref": f"ref_secret_{name.replace('.', '_')}", "value": value}


@pytest.mark.parametrize("event", ["reveal", "generate"])
@pytest.mark.parametrize("name", ["chat.timeout", "no.such", ""])
async def test_nothing_else_is_handed_over(tab: Any, event: str, name: str) -> None:
    """A forged event gets a word, not a value."""
    assert await send(tab, event, name=name) == []
    assert tab.notice.kind == "error"


async def test_a_new_key_is_not_stored_before_it_is_saved(tab: Any, settings: SettingsService) -> None:
    """It is long, and another each time."""
    before = settings.snapshot
    keys = set()
    for _ in range(2):
        [event] = await send(tab, "generate", name="app.api_key")
        keys |= {argument._var_value for key, argument in event.args if key._js_expr == "value"}
    assert len(keys) == 2
    assert min(map(len, keys)) >= 43
    assert settings.snapshot is before


async def test_what_was_typed_is_saved_together(tab: Any, settings: SettingsService) -> None:
    """Numbers, switches, lists and objects as text; defaults come back; the operator is told."""
    changes = {"app.temporary": "false", "app.filter_tags": "a\nb", "upstream.extra_headers": '{"X-A": "1"}'}
    assert await save(tab, {**changes, "retry.retry_backoff_factor": "1.5"}, ["chat.timeout"]) == []
    snapshot = settings.snapshot
    assert (snapshot.app.temporary, snapshot.app.filter_tags) == (False, ("a", "b"))
    assert (snapshot.upstream.extra_headers, snapshot.retry.retry_backoff_factor) == ({"X-A": "1"}, 1.5)
    assert snapshot.chat.timeout == 60
    assert (tab.answer.serial, tab.answer.is_saved, tab.answer.faults) == (1, True, {})
    assert (tab.values["app.filter_tags"].text, tab.values["chat.timeout"].source) == ("a\nb", "default")
    assert (tab.notice.kind, tab.notice.text) == ("success", "Settings saved: 5.")


async def test_every_wrong_value_is_told_at_its_field(tab: Any, settings: SettingsService) -> None:
    """All at once, an item of a list by its place; nothing of the save is stored."""
    before = settings.snapshot
    wrong = {"chat.timeout": "soon", "retry.retry_status_codes": "429\n700", "app.api_key": "hunter3,,"}
    assert await save(tab, {**wrong, "app.temporary": "false"}, ["cache.limit_mb"]) == []
    assert settings.snapshot is before
    assert not tab.answer.is_saved
    assert tab.answer.faults.keys() == wrong.keys()
    assert tab.answer.faults["retry.retry_status_codes"] == "Entry 2: expected 599 or less."
    assert tab.notice.kind == "error"
    assert "hunter3" not in str(tab.dict())
    await save(tab, {"app.temporary": "false"})
    assert (tab.answer.serial, tab.answer.is_saved, tab.answer.faults) == (2, True, {})


WRONG = {
    "chat.timeout": ("soon", "a number from 0.1 to 3600 s", "数字，范围为 0.1 到 3600 秒"),
    "chat.concurrent": ("1.5", "a whole number from 1 to 10000", "整数，范围为 1 到 10000"),
    "cache.limit_mb": ("-1", "a whole number from 1 to 10000000 MB", "整数，范围为 1 到 10000000 MB"),
    "app.stream": ("perhaps", "on or off", "开或关"),
    "app.language": ("fr", "one of en, zh-CN", "en、zh-CN 之一"),
    "app.app_url": ("x" * 4097, "at most 4096 characters", "最多 4096 个字符"),
    "nsfw.birth_date": (
        "2050-01-01",
        "a date in the past like 1990-01-31, or nothing",
        "过去的日期，如 1990-01-31，或留空",
    ),
    "app.filter_tags": (",".join("a" * 101), "at most 100 entries", "最多 100 项"),
    "image.final_min_bytes": ("1e9999", "a whole number from 0 to 100000000 bytes", "整数，范围为 0 到 100000000 字节"),
    "upstream.extra_headers": ("[]", 'a JSON object like {"X-Name": "value"}', '形如 {"X-Name": "value"} 的 JSON 对象'),
}


@pytest.mark.parametrize(("language", "frame"), [("en", "Expected {}."), ("zh", "应为：{}。")])
async def test_what_is_expected_is_said_in_the_visitors_language(tab: Any, language: str, frame: str) -> None:
    """With the limits and the unit of the setting, in our own words rather than the checking library's."""
    tab.language = language
    await save(tab, {name: value for name, (value, *_) in WRONG.items()})
    said = {name: texts[language == "zh"] for name, (_, *texts) in WRONG.items()}
    assert tab.answer.faults == {name: frame.format(text) for name, text in said.items()}


async def test_an_emptied_key_is_explained_likewise(tab: Any) -> None:
    """What we refuse ourselves is told as what the schema refuses."""
    for language, text in {"en": "a key: without one", "zh": "一个密钥"}.items():
        tab.language = language
        await save(tab, {"app.app_key": ""})
        assert text in tab.answer.faults["app.app_key"]


@pytest.mark.parametrize("name", DEFINITIONS)
def test_every_fault_has_words_of_ours(name: str) -> None:
    """Whatever is wrong with whatever setting."""
    for value in (["x"], [["x"]], {"x": [1]}, None, "", "\n", "[", "x" * 5000, "https://x/?", "9" * 5000):
        for fault in faults_of({name: value}):
            assert not re.search("valid|should|parse|Extra", expectation(fault, "en"))
            assert re.search("[\u4e00-\u9fff]", expectation(fault, "zh"))


@pytest.mark.parametrize(
    ("changes", "reset"),
    [
        ({"app.stream": "true"}, []),
        ({"no.such": "1"}, []),
        ({}, ["no.such"]),
        ([1], []),
    ],
    ids=["environment", "name", "reset", "nonsense"],
)
async def test_a_refused_save_is_answered_too(tab: Any, settings: SettingsService, changes: Any, reset: Any) -> None:
    """The form waits for an answer, whatever went wrong: it keeps what was typed."""
    before = settings.snapshot
    await save(tab, changes, reset)
    assert (tab.answer.serial, tab.answer.is_saved) == (1, False)
    assert tab.notice.kind == "error"
    assert settings.snapshot is before


async def test_a_new_operators_key_leads_to_the_sign_in(tab: Any, services: SimpleNamespace) -> None:
    """With a word why; what was saved with it is in force. The key can't be emptied."""
    assert await save(tab, {"app.app_key": ""}) == []
    assert tab.answer.faults.keys() == {"app.app_key"}
    [event] = await save(tab, {"app.app_key": "another", "app.temporary": "false"})
    assert ADMIN_LOGIN in str(event.args)
    assert "new operator's key" in tab.notice.text
    assert services.settings.snapshot.app.temporary is False
    assert (await services.sessions.sign_in("another", "192.0.2.1")).cookie


async def test_what_others_change_is_followed(
    tab: Any, settings: SettingsService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For as long as the tab is there; nothing is sent while nothing changes."""
    beats: list[set[str]] = []

    async def beat(_s: float) -> None:
        beats.append(set(tab.dirty_vars))
        tab._clean()
        if len(beats) == 2:
            await settings.change({"chat.timeout": 120})

    monkeypatch.setattr(guard, "is_connected", lambda _token: len(beats) < 4)
    monkeypatch.setattr(guard, "asyncio", SimpleNamespace(sleep=beat))
    async for _ in SettingsState.watch.fn(Tab(tab)):
        pass
    assert ["values" in dirty for dirty in beats[1:]] == [False, True, False]
    assert tab.values["chat.timeout"].text == "120"
