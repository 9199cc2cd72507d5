"""Changes by operators: all or nothing, nobody's lost, told to every process."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select
from structlog.testing import capture_logs

from grok_app.db import Database, Notice, Vault, open_database
from grok_app.errors import ConfigurationError, ConflictError, InvalidRequestError
from grok_app.settings import (
    DEFINITIONS,
    KEYS,
    SettingRow,
    SettingsService,
    Skipped,
    WrongSettingsError,
    as_nested,
    open_settings,
)
from grok_app.settings.schema import value_of

HELD = {"app.stream": "false", "app.app_key": "hunter2", "retry.retry_status_codes": "429,503"}


@pytest.fixture
async def held(database: Database, vault: Vault) -> SettingsService:
    """Settings of which the environment holds some."""
    return await open_settings(database, vault, HELD)


@pytest.fixture
async def other(database_url: str, vault: Vault, database: Database, path: Path) -> AsyncGenerator[SettingsService]:  # noqa: ARG001 - `database` has made the tables
    """The service of another process on the same database."""
    async with open_database(database_url) as opened:
        yield await open_settings(opened, vault, {}, notice=Notice(path))


@pytest.fixture
async def here(database: Database, vault: Vault, path: Path) -> SettingsService:
    """The service of this process, which shares a notice with the other one."""
    return await open_settings(database, vault, {}, notice=Notice(path))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The notice."""
    return tmp_path / "settings.notice"


async def names_stored(database: Database) -> set[str]:
    """The settings that have a row."""
    async with database.session() as session:
        return set((await session.exec(select(SettingRow.name))).all())


async def test_a_change_is_stored_and_in_force(settings: SettingsService, database: Database, vault: Vault) -> None:
    """What an operator sends in any spelling holds at once and after a restart; retired names are told."""
    ignored = await settings.change({"app": {"thinking": "no"}, "stream": 0, "chat.timeout": 90, "grok": {"gone": 1}})
    assert ignored == ["grok.gone"]
    again = await open_settings(database, vault, {"token.save_delay_ms": "10"})
    assert settings.snapshot == again.snapshot
    assert (again.snapshot.app.thinking, again.snapshot.app.stream, again.snapshot.chat.timeout) == (False, False, 90)
    assert await names_stored(database) == {"app.thinking", "app.stream", "chat.timeout"}


@pytest.mark.parametrize(
    ("body", "param", "code", "said"),
    [
        ({"app": {"steam": 1}}, "app.steam", "unknown_setting", "app.steam is not a setting"),
        ({"chat": {"timeout": 0}}, "chat.timeout", "greater_than_equal", "chat.timeout = 0: expected greater than or"),
        ({"stream": "perhaps"}, "app.stream", "bool_parsing", "app.stream = 'perhaps': expected a valid boolean"),
        ({"app.language": "fr"}, "app.language", "literal_error", "expected 'en' or 'zh-CN'"),
        ({"app.api_key": "hunter2,"}, "app.api_key", "keys", "app.api_key = (hidden): expected printable ASCII"),
        ({"app.api_key": {"hunter2": 1}}, "app.api_key", "string_type", "(hidden): expected a valid string"),
        ({"upstream.extra_headers": {"Cookie": ["hunter2"]}}, "upstream.extra_headers", "string_type", "(hidden)"),
        ({"retry": {"retry_status_codes": [1]}}, "retry.retry_status_codes.0", "greater_than_equal", "400"),
    ],
    ids=["name", "range", "alias", "choice", "secret", "secret's type", "header", "item"],
)
async def test_a_wrong_change_changes_nothing(  # noqa: PLR0913, PLR0917 - a row of the table
    settings: SettingsService, database: Database, body: dict[str, Any], param: str, code: str, said: str
) -> None:
    """The error names the setting and what was expected, never a secret; what came with it is not stored either."""
    before = settings.snapshot
    with pytest.raises(InvalidRequestError) as refused:
        await settings.change({"cache.limit_mb": 7, **body})
    assert (refused.value.param, refused.value.code) == (param, code)
    assert said in refused.value.message
    assert "hunter2" not in refused.value.message
    assert settings.snapshot is before
    assert await names_stored(database) == set()


@pytest.mark.parametrize(
    ("body", "variable"),
    [
        ({"stream": True, "app.thinking": False}, "GROK_APP_APP__STREAM"),
        ({"app": {"app_key": "mine"}, "app.thinking": False}, "GROK_APP_APP__APP_KEY"),
    ],
    ids=["switch", "secret"],
)
async def test_what_the_environment_holds_is_refused(
    held: SettingsService, database: Database, body: dict[str, Any], variable: str
) -> None:
    """Another value is a conflict that names the variable and changes nothing."""
    with pytest.raises(ConflictError, match=variable) as refused:
        await held.change(body)
    assert (refused.value.code, refused.value.param) == ("set_by_environment", variable[9:].lower().replace("__", "."))
    assert "hunter2" not in refused.value.message
    assert await names_stored(database) == set()


async def test_the_whole_configuration_can_be_sent_back(held: SettingsService, database: Database) -> None:
    """The environment's own values are no conflict, however they are written, and are not copied into the database."""
    before = held.snapshot
    await held.change({**as_nested(held.snapshot), "retry": {"retry_status_codes": ["429", 503]}})
    assert held.snapshot == before
    assert not await names_stored(database) & HELD.keys()


async def test_a_file_is_imported_as_far_as_it_goes(held: SettingsService) -> None:
    """Names without effect are passed over with the reason, the rest is in force."""
    skipped = await held.import_file(
        {
            "app": {"stream": True, "nosuch": 1, "custom_instruction": ""},
            "grok": {"temporary": False},
            "chat": {"concurrent": 50},
        }
    )
    assert sorted((item.name, item.reason) for item in skipped) == [
        ("app.custom_instruction", "has no effect here"),
        ("app.nosuch", "is not a setting"),
        ("app.stream", "is set by the environment variable GROK_APP_APP__STREAM"),
    ]
    assert (held.snapshot.app.stream, held.snapshot.app.temporary, held.snapshot.chat.concurrent) == (False, False, 50)
    with pytest.raises(InvalidRequestError, match=r"chat\.concurrent = 0"):
        await held.import_file({"app": {"temporary": True}, "chat": {"concurrent": 0}})
    assert held.snapshot.app.temporary is False


async def test_a_well_known_key_is_not_imported(settings: SettingsService) -> None:
    """grok2api's default key would let anyone in; any other comes along."""
    await settings.ensure_keys()
    before = settings.snapshot.app.app_key
    [skipped] = await settings.import_file({"app": {"app_key": "grok2api", "api_key": "grok2api"}})
    assert isinstance(skipped, Skipped)
    assert skipped.name == "app.app_key"
    assert settings.snapshot.app.app_key == before
    assert settings.snapshot.app.api_key.get_secret_value() == "grok2api"
    assert await settings.import_file({"app": {"app_key": "my own"}}) == []
    assert settings.snapshot.app.app_key.get_secret_value() == "my own"


async def test_a_reset_brings_the_default_back(settings: SettingsService, database: Database) -> None:
    """A setting that was reset has no row; another stays; an unknown one is told and nothing is reset."""
    await settings.change({"app.stream": False, "chat.timeout": 90, "cache.limit_mb": 7})
    with pytest.raises(InvalidRequestError, match="nosuch"):
        await settings.reset(["chat.timeout", "nosuch"])
    await settings.reset(["app.stream", "cache.limit_mb", "app.thinking"])
    assert (settings.snapshot.app.stream, settings.snapshot.cache.limit_mb) == (True, 512)
    assert settings.snapshot.chat.timeout == 90
    assert await names_stored(database) == {"chat.timeout"}


async def test_a_change_and_a_reset_are_one(settings: SettingsService, database: Database) -> None:
    """Both or neither: a wrong value or an unknown name stops the reset as well."""
    await settings.change({"app.stream": False, "chat.timeout": 90})
    for body, reset in [({"cache.limit_mb": 0}, ["app.stream"]), ({"cache.limit_mb": 7}, ["app.stream", "nosuch"])]:
        with pytest.raises(InvalidRequestError):
            await settings.change(body, reset=reset)
    assert (settings.snapshot.app.stream, settings.snapshot.cache.limit_mb) == (False, 512)
    await settings.change({"cache.limit_mb": 7}, reset=["app.stream"])
    assert (settings.snapshot.app.stream, settings.snapshot.cache.limit_mb) == (True, 7)
    assert await names_stored(database) == {"cache.limit_mb", "chat.timeout"}


async def test_all_that_is_wrong_is_told_at_once(settings: SettingsService) -> None:
    """A form shows each message at its field; a caller of the API gets the first."""
    body = {"chat.timeout": "soon", "app.stream": False, "retry.retry_status_codes": "429\n700", "app.api_key": "a,,b"}
    with pytest.raises(WrongSettingsError) as refused:
        await settings.change(body)
    faults = {fault.name: fault for fault in refused.value.faults}
    assert faults.keys() == body.keys() - {"app.stream"}
    assert faults["retry.retry_status_codes"].path == "retry.retry_status_codes.1"
    assert "a,,b" not in str(faults)
    assert refused.value.param == refused.value.faults[0].path
    assert settings.snapshot.app.stream is True


async def test_nobody_locks_themselves_out(settings: SettingsService, database: Database) -> None:
    """Without an operator's key nobody could give one back, so it can't be emptied, only replaced."""
    await settings.ensure_keys()
    before = settings.snapshot
    with pytest.raises(WrongSettingsError) as refused:
        await settings.change({"app.app_key": "", "app.stream": False})
    assert [(fault.name, fault.code) for fault in refused.value.faults] == [("app.app_key", "empty_key")]
    assert settings.snapshot is before
    await settings.change({"app.app_key": "mine", "app.api_key": ""})
    assert settings.snapshot.app.app_key.get_secret_value() == "mine"
    assert "app.api_key" in await names_stored(database)


@pytest.mark.parametrize("key", KEYS)
async def test_no_key_is_reset(settings: SettingsService, database: Database, key: str) -> None:
    """Its default is no key, which would shut the operator out or let everybody in; nothing of such a change holds."""
    await settings.ensure_keys()
    before, stored = settings.snapshot, await names_stored(database)
    with pytest.raises(InvalidRequestError) as refused:
        await settings.change({"app.stream": False}, reset=[f"app.{key}"])
    assert (refused.value.param, refused.value.code) == (f"app.{key}", "no_default")
    assert settings.snapshot is before
    assert await names_stored(database) == stored


async def test_what_the_environment_holds_is_not_reset(
    settings: SettingsService, held: SettingsService, database: Database
) -> None:
    """It is the same conflict as another value, and the stored value waits on for the day the variable is gone."""
    await settings.change({"app.stream": False, "chat.timeout": 90})
    with pytest.raises(ConflictError, match="GROK_APP_APP__STREAM") as refused:
        await held.change({}, reset=["chat.timeout", "app.stream"])
    assert (refused.value.code, refused.value.param) == ("set_by_environment", "app.stream")
    assert await names_stored(database) == {"app.stream", "chat.timeout"}


async def test_each_setting_tells_where_it_comes_from(held: SettingsService) -> None:
    """Default, stored or environment, with the value in force; a secret's value is not in the repr."""
    await held.change({"app.thinking": True, "app.filter_tags": "a,b"})
    views = {item.definition.name: item for item in held.describe()}
    assert (views["app.stream"].source, views["app.stream"].value) == ("environment", False)
    assert (views["app.thinking"].source, views["app.thinking"].value) == ("stored", True)
    assert views["app.filter_tags"].value == ["a", "b"]
    assert (views["chat.timeout"].source, views["chat.timeout"].variable) == ("default", "GROK_APP_CHAT__TIMEOUT")
    assert views["app.app_key"].value == "hunter2"
    assert "hunter2" not in repr(views)


async def test_rows_of_another_version_do_no_harm(database: Database, vault: Vault) -> None:
    """A stored name that this version doesn't know is reported once, kept and not used."""
    async with database.session() as session:
        session.add(SettingRow(name="future.setting", value='"x"'))
    with capture_logs() as lines:
        service = await open_settings(database, vault, {})
        await service.change({"app.stream": False})
    assert [line["names"] for line in lines] == [["future.setting"]]
    assert await names_stored(database) == {"future.setting", "app.stream"}


async def test_an_ordinary_start_has_nothing_to_say(settings: SettingsService) -> None:
    """Where every row is known, nothing is logged."""
    with capture_logs() as lines:
        await settings.change({"app.stream": False})
        await settings.load()
    assert lines == []


@pytest.mark.parametrize(
    ("value", "said"),
    [('"soon"', "The stored setting chat.timeout = 'soon': expected a valid number"), ("{", "chat.timeout is damaged")],
    ids=["wrong", "no JSON"],
)
async def test_a_wrong_row_stops_the_start(database: Database, vault: Vault, value: str, said: str) -> None:
    """A value that this version would refuse is told by its name, not replaced in silence."""
    async with database.session() as session:
        session.add(SettingRow(name="chat.timeout", value=value))
    with pytest.raises(ConfigurationError, match=said):
        await open_settings(database, vault, {})


async def test_two_operators_never_undo_each_other(here: SettingsService, other: SettingsService) -> None:
    """Changes of different settings at once, in two processes, all stay, and both see them all."""
    changes = [("chat.concurrent", here), ("video.concurrent", other), ("nsfw.concurrent", here)]
    for number in range(1, 6):
        await asyncio.gather(*(service.change({name: number}) for name, service in changes))
        for service in (here, other):
            await service.catch_up()
            now = service.snapshot
            assert (now.chat.concurrent, now.video.concurrent, now.nsfw.concurrent) == (number, number, number)


async def test_two_operators_may_set_the_same(here: SettingsService, other: SettingsService) -> None:
    """Of two changes of the same settings at once, in any order, the later holds as a whole; neither fails."""
    names = [name for name in DEFINITIONS if name.endswith(("_timeout", "concurrent", "batch_size"))]
    changes = [(here, names), (other, names[::-1])] * 5
    await asyncio.gather(
        *(service.store(dict.fromkeys(order, number)) for number, (service, order) in enumerate(changes, 1))
    )
    await here.catch_up()
    await other.catch_up()
    assert here.snapshot == other.snapshot
    assert {value_of(here.snapshot, name) for name in names} == {here.snapshot.chat.concurrent}


async def test_a_change_reaches_the_other_process_before_its_next_request(
    here: SettingsService, other: SettingsService
) -> None:
    """A change, a reset and new keys are in force elsewhere as soon as it looks; without a change it reads nothing."""
    before = other.snapshot
    await other.catch_up()
    assert other.snapshot is before
    await here.change({"app.stream": False})
    await other.catch_up()
    assert other.snapshot.app.stream is False
    await here.reset(["app.stream"])
    await other.catch_up()
    assert other.snapshot.app.stream is True
    made = await here.ensure_keys()
    await other.catch_up()
    assert other.snapshot.app.api_key.get_secret_value() == made["api_key"]


async def test_a_lost_database_leaves_the_settings_in_force(
    here: SettingsService, other: SettingsService, database: Database
) -> None:
    """When a change can't be read, requests go on with what is known, and the log says so."""
    await other.change({"app.stream": False})
    before = here.snapshot
    async with database.session() as session:
        await (await session.connection()).exec_driver_sql("ALTER TABLE setting RENAME TO away")
    with capture_logs() as lines:
        await here.catch_up()
    assert here.snapshot is before
    assert [line["event"] for line in lines] == ["a change was announced but can't be read"]


async def test_an_unwritable_notice_is_no_failed_change(database: Database, vault: Vault, tmp_path: Path) -> None:
    """What is stored stays stored and in force here; the log says that others weren't told."""
    service = await open_settings(database, vault, {}, notice=Notice(tmp_path / "nosuch" / "notice"))
    with capture_logs() as lines:
        await service.change({"app.stream": False})
    assert service.snapshot.app.stream is False
    assert [line["log_level"] for line in lines] == ["error"]


@pytest.mark.parametrize("name", ["upstream.grok_url", "upstream.assets_url", "app.app_url", "proxy.base_proxy_url"])
@pytest.mark.parametrize(
    "url",
    ["http://[grok.com", "http://127.0.0.1:99999", "http://host:port", "http://\x00", "http://host:0", "https://:1"],
    ids=ascii,
)
async def test_an_address_that_nobody_can_be_at_is_refused(settings: SettingsService, name: str, url: str) -> None:
    """It would break every request later."""
    with pytest.raises(InvalidRequestError) as refused:
        await settings.change({name: url})
    assert refused.value.param == name


async def test_no_path_can_be_put_behind_a_query(settings: SettingsService) -> None:
    """Nor behind a fragment."""
    for url in ("https://grok.com?x=", "https://grok.com/?", "https://grok.com#a"):
        with pytest.raises(InvalidRequestError):
            await settings.change({"upstream.grok_url": url})


async def test_of_two_first_starts_one_makes_the_keys(
    database: Database, vault: Vault, settings: SettingsService
) -> None:
    """What is printed is what is stored."""
    other = await open_settings(database, vault, {})
    made, also_made = await asyncio.gather(settings.ensure_keys(), other.ensure_keys())
    assert made.keys() ^ also_made.keys() == set(KEYS)
    await settings.load()
    stored = {key: getattr(settings.snapshot.app, key).get_secret_value() for key in KEYS}
    assert made | also_made == stored


async def test_an_import_never_locks_the_operator_out(settings: SettingsService) -> None:
    """An empty operator's key is passed over, as grok2api's well-known one is."""
    await settings.store({"app.app_key": "mine"})
    for key in ("", "grok2api"):
        [skipped] = await settings.import_file({"app": {"app_key": key}})
        assert skipped.name == "app.app_key"
    assert settings.snapshot.app.app_key.get_secret_value() == "mine"
