"""Settings: where values come from, and what is refused."""

import traceback

import pytest
from sqlmodel import select

from grok_app.db import Database, Vault
from grok_app.errors import ConfigurationError
from grok_app.settings import SettingRow, SettingsService, open_settings


async def test_defaults_then_stored_then_environment(database: Database, vault: Vault) -> None:
    """The environment wins over what is stored, which wins over the default."""
    service = await open_settings(database, vault, {"app.stream": "false"})
    await service.store({"app.thinking": False, "app.stream": True})
    again = await open_settings(database, vault, {"app.stream": "false"})
    for snapshot in (service.snapshot, again.snapshot):
        assert (snapshot.app.thinking, snapshot.app.stream) == (False, False)
        assert snapshot.app.thinking_format == "think_tags"


async def test_keys_are_made_once_and_kept_sealed(database: Database, vault: Vault) -> None:
    """A fresh installation is closed: three keys are made, told once, and unreadable in the database."""
    service = await open_settings(database, vault, {})
    made = await service.ensure_keys()
    assert sorted(made) == ["api_key", "app_key", "public_key"]
    assert len(set(made.values())) == 3
    assert await service.ensure_keys() == {}
    assert service.snapshot.app.api_key.get_secret_value() == made["api_key"]
    async with database.session() as session:
        stored = " ".join(row.value for row in (await session.exec(select(SettingRow))).all())
    assert all(key not in stored for key in made.values())
    assert made["api_key"] not in repr(service.snapshot)


async def test_what_may_hold_a_secret_is_sealed(database: Database, vault: Vault) -> None:
    """Headers for Grok, where people put cookies, as well; those that were stored in clear before are still read."""
    headers = {"X-A": "hunter2"}
    await (await open_settings(database, vault, {})).change({"upstream.extra_headers": headers})
    async with database.session() as session:
        row = (await session.exec(select(SettingRow).where(SettingRow.name == "upstream.extra_headers"))).one()
        assert "hunter2" not in row.value
        row.value = '{"X-A": "hunter2"}'
        session.add(row)
    assert (await open_settings(database, vault, {})).snapshot.upstream.extra_headers == headers


async def test_an_empty_key_is_a_choice(database: Database, vault: Vault) -> None:
    """A key that was set to nothing, in the environment or the database, stays nothing."""
    service = await open_settings(database, vault, {"app.public_key": ""})
    await service.store({"app.api_key": ""})
    assert sorted(await service.ensure_keys()) == ["app_key"]
    assert service.snapshot.app.api_key.get_secret_value() == ""


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"retry.max_retry": "many"}, "GROK_APP_RETRY__MAX_RETRY = 'many': expected a valid integer"),
        ({"chat.timeout": "0"}, "GROK_APP_CHAT__TIMEOUT = '0': expected greater than or equal to 0.1"),
        ({"app.thinking_format": "xml"}, "expected 'think_tags' or 'reasoning_content'"),
        ({"proxy.browser": "netscape"}, "GROK_APP_PROXY__BROWSER = 'netscape': expected a profile of curl_cffi"),
        ({"upstream.grok_url": "grok.com"}, "GROK_APP_UPSTREAM__GROK_URL"),
        ({"app.apikey": "x"}, "GROK_APP_APP__APIKEY is not a setting"),
        ({"nosuch.key": "x"}, "GROK_APP_NOSUCH__KEY is not a setting"),
        ({"upstream.extra_headers": "{broken"}, "GROK_APP_UPSTREAM__EXTRA_HEADERS"),
        ({"upstream.extra_headers": '{"X-A": "1\\r\\nX-B: 2"}'}, "GROK_APP_UPSTREAM__EXTRA_HEADERS"),
        ({"upstream.extra_headers": "Cookie: hunter2"}, "(hidden): expected a JSON object like"),
        ({"proxy.cf_clearance": "a; b=hunter2"}, "GROK_APP_PROXY__CF_CLEARANCE = (hidden): expected the value of one"),
        ({"app.api_key": ","}, "GROK_APP_APP__API_KEY = (hidden): expected printable ASCII"),
        ({"proxy.base_proxy_url": "user:hunter2@proxy"}, "GROK_APP_PROXY__BASE_PROXY_URL = (hidden)"),
    ],
    ids=[
        "int",
        "bound",
        "choice",
        "profile",
        "url",
        "key",
        "section",
        "json",
        "header injection",
        "secret header",
        "cookie",
        "key",
        "proxy",
    ],
)
async def test_a_wrong_value_says_name_value_and_expectation(
    database: Database, vault: Vault, overrides: dict[str, str], said: str
) -> None:
    """The start is refused with the variable's name, its value and what would be right."""
    with pytest.raises(ConfigurationError) as refused:
        await open_settings(database, vault, overrides)
    assert said in str(refused.value)
    assert "hunter2" not in "".join(traceback.format_exception(refused.value))


async def test_a_wrong_value_changes_nothing(settings: SettingsService) -> None:
    """A value that is not valid is neither stored nor in force, nor is any that came with it."""
    before = settings.snapshot
    with pytest.raises(ConfigurationError):
        await settings.store({"app.stream": False, "retry.max_retry": 0})
    assert settings.snapshot is before
    await settings.load()
    assert settings.snapshot == before


async def test_lists_are_written_with_commas_or_as_json(database: Database, vault: Vault) -> None:
    """`a,b` and `["a","b"]` mean the same."""
    for text in ("a, b", '["a", "b"]'):
        service = await open_settings(database, vault, {"app.filter_tags": text, "retry.retry_status_codes": "429,503"})
        assert service.snapshot.app.filter_tags == ("a", "b")
        assert service.snapshot.retry.retry_status_codes == (429, 503)
