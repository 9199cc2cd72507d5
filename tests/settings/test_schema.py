"""The schema: what each setting takes, and what people are told of it."""

from typing import Any

import pytest

from grok_app.settings import (
    DEFINITIONS,
    SECTION_DEFINITIONS,
    SectionDefinition,
    Settings,
    as_nested,
    as_text,
    make_key,
)
from grok_app.settings.schema import SECTIONS, plain, value_of
from grok_app.settings.validation import WrongValueError, validate


def test_sections_are_grok2apis_and_ours() -> None:
    """Every section that an operator of grok2api knows is there, and ours."""
    grok2api = {
        "app", "proxy", "retry", "token", "cache", "chat", "image", "video", "voice", "asset", "nsfw", "usage",
    }  # fmt: skip
    assert SECTIONS.keys() == grok2api | {"upstream", "public"}


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("app.image_format", "url"),
        ("app.video_format", "html"),
        ("app.public_enabled", False),
        ("token.refresh_interval_hours", 8),
        ("token.super_refresh_interval_hours", 2),
        ("cache.limit_mb", 512),
        ("chat.concurrent", 1000),
        ("image.nsfw", False),
        ("image.medium_min_bytes", 30_000),
        ("image.final_min_bytes", 100_000),
        ("image.blocked_grace_seconds", 10),
        ("voice.livekit_url", "wss://livekit.grok.com"),
        ("asset.list_batch_size", 50),
        ("nsfw.batch_size", 30),
        ("usage.concurrent", 100),
    ],
)
def test_defaults_that_others_rely_on(name: str, default: Any) -> None:
    """The defaults of grok2api, or of the contract where that says otherwise."""
    assert value_of(Settings(), name) == default
    assert DEFINITIONS[name].default == default


@pytest.mark.parametrize("name", DEFINITIONS)
def test_every_setting_explains_itself(name: str) -> None:
    """A title that fits a form, a sentence, a range where there is a number, and a default that is in it."""
    setting = DEFINITIONS[name]
    assert 0 < len(setting.title) <= 25
    assert setting.help.endswith(".")
    assert bool(setting.choices) == (setting.kind == "choice")
    if setting.kind in ("int", "float"):
        assert setting.minimum is not None
        assert setting.maximum is not None
        assert setting.minimum <= setting.default <= setting.maximum
    assert validate({name: setting.default}) == Settings()


def test_secrets_are_the_ones_that_open_something() -> None:
    """Keys, the clearance cookie and proxies with their passwords; a repr shows none of them."""
    secret = {name for name, setting in DEFINITIONS.items() if setting.is_secret}
    assert secret == {
        "app.app_key", "app.api_key", "app.public_key", "proxy.base_proxy_url", "proxy.asset_proxy_url",
        "proxy.cf_clearance",
    }  # fmt: skip
    masked = {name for name, setting in DEFINITIONS.items() if setting.is_masked}
    assert masked == secret | {"upstream.extra_headers"}
    settings = validate({"app.api_key": "hunter2", "proxy.asset_proxy_url": "http://user:hunter2@proxy"})
    assert "hunter2" not in repr(settings)
    assert as_nested(settings)["app"]["api_key"] == "hunter2"


@pytest.mark.parametrize(
    ("name", "given", "read"),
    [
        ("app.stream", "no", False),
        ("app.stream", "TRUE", True),
        ("app.stream", 0, False),
        ("retry.max_retry", "5", 5),
        ("retry.max_retry", 5.0, 5),
        ("chat.timeout", "1.5", 1.5),
        ("chat.timeout", 90, 90.0),
        ("app.image_format", "b64_json", "base64"),
        ("app.app_url", "https://grok.example.com/", "https://grok.example.com"),
        ("app.app_url", "", ""),
        ("nsfw.birth_date", "1990-02-28", "1990-02-28"),
        ("nsfw.birth_date", "", ""),
        ("voice.livekit_url", "ws://127.0.0.1:7880", "ws://127.0.0.1:7880"),
        ("retry.retry_status_codes", [429, "503"], (429, 503)),
        ("upstream.extra_headers", '{"X-A": "1"}', {"X-A": "1"}),
    ],
)
def test_values_are_taken_loosely(name: str, given: Any, read: Any) -> None:
    """What people and other programs write for a value means that value."""
    assert value_of(validate({name: given}), name) == read


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("app.stream", "perhaps"),
        ("app.stream", None),
        ("retry.max_retry", 2.5),
        ("retry.max_retry", True),
        ("chat.timeout", True),
        ("chat.timeout", "nan"),
        ("chat.timeout", float("inf")),
        ("chat.timeout", 3601),
        ("chat.timeout", [60]),
        ("app.image_format", "png"),
        ("app.app_url", "grok.example.com"),
        ("app.app_url", "javascript://x"),
        ("app.language", "fr"),
        ("voice.livekit_url", "https://livekit.grok.com"),
        ("voice.livekit_url", ""),
        ("nsfw.birth_date", "2001-02-30"),
        ("nsfw.birth_date", "20010203"),
        ("nsfw.birth_date", "9999-01-01"),
        ("proxy.user_agent", "two\nlines"),
        ("proxy.user_agent", ""),
        ("app.api_key", "x" * 5000),
        ("app.api_key", 12345678),
        ("app.filter_tags", ["x"] * 101),
        ("app.filter_tags", '["x"'),
        ("app.filter_tags", [""]),
        ("upstream.extra_headers", {"X-A": 1}),
        ("upstream.extra_headers", ["X-A"]),
    ],
)
def test_wrong_values_are_refused(name: str, given: Any) -> None:
    """What makes no sense is refused under its name, in a sentence that stays short whatever was given."""
    with pytest.raises(WrongValueError) as refused:
        validate({name: given})
    [fault] = refused.value.faults
    assert fault.name == name
    assert "Value error" not in fault.expected
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("app.stream", True, "true"),
        ("retry.max_retry", 5, "5"),
        ("image.final_min_bytes", 100_000_000, "100000000"),
        ("chat.timeout", 60.0, "60"),
        ("retry.retry_backoff_base", 0.25, "0.25"),
        ("app.filter_tags", ["a", "b"], "a\nb"),
        ("app.filter_tags", ["[a", "b, c"], '["[a", "b, c"]'),
        ("app.filter_tags", [], ""),
        ("retry.retry_status_codes", [429, 503], "429\n503"),
        ("upstream.extra_headers", {"X-A": "ä"}, '{\n  "X-A": "ä"\n}'),
        ("upstream.extra_headers", {}, "{}"),
        ("nsfw.birth_date", "1990-02-28", "1990-02-28"),
    ],
    ids=str,
)
def test_a_value_comes_back_from_its_text(name: str, value: Any, text: str) -> None:
    """What a form shows is what it may send: numbers without needless zeros, lists one item per line."""
    assert as_text(value) == text
    assert plain(value_of(validate({name: text}), name)) == value


def test_an_emptied_field_is_an_empty_object() -> None:
    """And one with blanks alone, too."""
    for text in ("", " \n"):
        assert validate({"upstream.extra_headers": text}) == Settings()


@pytest.mark.parametrize("name", DEFINITIONS)
def test_every_default_comes_back_from_its_text(name: str) -> None:
    """So a form that is sent as it was shown changes nothing."""
    assert validate({name: as_text(DEFINITIONS[name].default)}) == Settings()


@pytest.mark.parametrize("section", SECTION_DEFINITIONS.values(), ids=lambda section: section.name)
def test_every_section_explains_itself(section: SectionDefinition) -> None:
    """A short title of its own and a sentence; its settings bear its name."""
    assert 0 < len(section.title) <= 20
    assert section.help.endswith(".")
    assert any(name.startswith(f"{section.name}.") for name in DEFINITIONS)


def test_made_keys_are_long_and_never_the_same() -> None:
    """32 random bytes, in letters that a header and a URL take."""
    key, other = make_key(), make_key()
    assert key != other
    assert len(key) == 43
    assert value_of(validate({"app.api_key": key}), "app.api_key").get_secret_value() == key


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("app.app_url", "grok.example.com", "an address like https://host or http://host:port/path, or nothing"),
        ("upstream.grok_url", "", "an address like https://host or http://host:port/path"),
        ("voice.livekit_url", "https://host", "an address like wss://host or ws://host:port/path"),
        ("proxy.user_agent", "", "one line of text, without line breaks"),
        ("proxy.user_agent", "x" * 5000, "at most 4096 characters"),
        ("upstream.extra_headers", {"two words": "1"}, "names of headers, like X-Name"),
        ("upstream.extra_headers", {"X-A": "1\n2"}, "values of one line each, without line breaks"),
        ("retry.max_retry", 99, "less than or equal to 20"),
        ("app.filter_tags", ["x"] * 101, "at most 100 items"),
    ],
)
def test_what_is_expected_is_said_in_words(name: str, given: Any, expected: str) -> None:
    """No pattern, and nothing of the machinery: it stands behind "expected"."""
    with pytest.raises(WrongValueError) as refused:
        validate({name: given})
    assert [fault.expected for fault in refused.value.faults] == [expected]


def test_an_item_of_a_list_is_pointed_at() -> None:
    """The path says which item is wrong."""
    with pytest.raises(WrongValueError) as refused:
        validate({"retry.retry_status_codes": [429, 700]})
    [fault] = refused.value.faults
    assert (fault.name, fault.path) == ("retry.retry_status_codes", "retry.retry_status_codes.1")
