"""The schema: what each setting takes, and what people are told of it."""

from typing import Any

import pytest

from grok_app.settings import DEFINITIONS, Settings, as_nested
from grok_app.settings.schema import SECTIONS, value_of
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


def test_an_item_of_a_list_is_pointed_at() -> None:
    """The path says which item is wrong."""
    with pytest.raises(WrongValueError) as refused:
        validate({"retry.retry_status_codes": [429, 700]})
    [fault] = refused.value.faults
    assert (fault.name, fault.path) == ("retry.retry_status_codes", "retry.retry_status_codes.1")
