"""Accounts and settings to and from files: grok2api's, pasted ones and our own."""

import json
import stat
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from grok_app.accounts import Account, Parcel, Roster, Status, as_record, pack, read_parcel, unpack, write_parcel
from grok_app.accounts import transfer as module
from grok_app.accounts.account import shorten
from grok_app.accounts.listing import read_items
from grok_app.catalog import Pool
from grok_app.db import Database, Vault
from grok_app.errors import ConfigurationError, InvalidRequestError
from grok_app.settings import SettingsService, Skipped, open_settings

NOW = 1_800_000_000_000
SECRET = "hunter2-hunter2-hunter2"


@pytest.fixture
async def held(database: Database, vault: Vault) -> SettingsService:
    """Settings of which the environment holds some."""
    return await open_settings(database, vault, {"chat.timeout": "77", "app.stream": "true"})


def written(folder: Path, name: str, text: str) -> Path:
    """A file with this text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.json", '{"ssoSuper": ["one", {"token": "two"}]}', {Pool.SUPER: ["one", {"token": "two"}]}),
        ("a.json", '["one", {"token": "two"}]', {Pool.BASIC: ["one", {"token": "two"}]}),
        ("a.JSON", '\ufeff{"ssoBasic": ["one"], "ssoSuper": []}', {Pool.BASIC: ["one"]}),
        ("a.json", '{"ssoNormal": [], "ssoHeavy": null, "ssoBasic": ["one"]}', {Pool.BASIC: ["one"]}),
        ("a.txt", "\ufeff# mine\r\n\r\nsso=one\r\n  two  \n#three\n", {Pool.BASIC: ["sso=one", "two"]}),
        ("a.txt", "\n# nobody\n", {Pool.BASIC: []}),
    ],
    ids=["pools", "list", "byte order mark", "empty unknown pools", "lines", "no lines"],
)
def test_shapes_of_account_files(tmp_path: Path, name: str, text: str, expected: dict[Pool, list[Any]]) -> None:
    """Each shape names the pools itself, or its accounts belong to the one that is given."""
    assert read_parcel(written(tmp_path, name, text), Pool.BASIC).accounts == expected


@pytest.mark.parametrize("name", ["a.json", "a.txt"])
def test_the_given_pool_is_for_files_that_name_none(tmp_path: Path, name: str) -> None:
    """`--pool ssoSuper` moves what stands in no pool."""
    path = written(tmp_path, name, '["one"]' if name == "a.json" else "one")
    assert read_parcel(path, Pool.SUPER).accounts == {Pool.SUPER: ["one"]}


def test_a_folder_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    """Either file may be missing; others in the folder don't matter."""
    written(tmp_path, "other.json", "no JSON")
    written(tmp_path, "token.json", '{"ssoBasic": ["one"]}')
    assert read_parcel(tmp_path, Pool.BASIC).settings == {}
    written(tmp_path, "config.toml", "[app]\nstream = false\n")
    parcel = read_parcel(tmp_path, Pool.SUPER)
    assert (parcel.accounts, parcel.settings) == ({Pool.BASIC: ["one"]}, {"app": {"stream": False}})


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.json", '{"ssoBasic":\n ["hunter2",}', "line 2, column 13"),
        ("a.json", '["hunter2', "line 1, column 10"),
        ("a.json", "[" * 5000, "depth"),
        ("a.json", '"hunter2"', "expected a list of tokens"),
        ("a.json", '{"ssoNormal": {"hunter2": {}}}', "ssoNormal is not a pool: expected ssoBasic or ssoSuper"),
        ("a.json", '{"hunter2hunter2hunter2hunter2": [1]}', "hunt…ter2 is not a pool"),
        ("a.json", '{"\\u001b[2J": [1]}', "… is not a pool"),
        ("a.json", '{"ssoBasic": {"hunter2": {}}}', "ssoBasic is no list of tokens"),
        ("a.toml", '[app]\napp_key = "hunter2', "no TOML"),
        ("a.toml", "[app]\n[app]\n", "line 2, column 5"),
        ("a.toml", f"a = {'9' * 5000}", "4300 digits"),
        ("a.toml", f"a = {'[' * 5000}", "nested too deeply"),
        ("a.csv", "hunter2", "expected a folder, or a name that ends in .json, .txt or .toml"),
        ("token", "hunter2", "expected a folder"),
    ],
    ids=[
        "JSON", "JSON's end", "JSON's depth", "a text", "unknown pool", "a token as a name", "an escape as a name",
        "an object as a pool", "TOML's end", "TOML", "a long number", "TOML's depth", "ending", "no ending",
    ],
)  # fmt: skip
def test_what_can_not_be_read_is_explained(tmp_path: Path, name: str, text: str, said: str) -> None:
    """The message names the file and the place, and quotes nothing that may be secret."""
    path = written(tmp_path, name, text)
    with pytest.raises(ConfigurationError) as refused:
        read_parcel(path, Pool.BASIC)
    message = str(refused.value)
    assert str(path) in message
    assert said in message
    assert "hunter2" not in message.removeprefix(str(path))
    assert "\x1b" not in message


def test_what_is_no_file_of_text_is_explained(tmp_path: Path) -> None:
    """Nothing there, nothing in it, a folder in a file's place, bytes that are no text."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "odd" / "token.json").mkdir(parents=True)
    (tmp_path / "latin.txt").write_bytes("token\nt\xf6ken".encode("latin-1"))
    for name, said in (
        ("nothing.json", "There is no "),
        ("empty", "neither token.json nor config.toml"),
        ("odd", "is no file"),
        ("latin.txt", "no UTF-8 text: see byte 8"),
    ):
        with pytest.raises(ConfigurationError, match=said):
            read_parcel(tmp_path / name, Pool.BASIC)


@pytest.mark.parametrize("name", ["a.json", "a.txt", "a.toml"])
def test_a_file_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A file that is too large is refused before it is read to its end."""
    monkeypatch.setattr(module, "_ACCOUNTS_LIMIT_MB", 1)
    path = tmp_path / name
    with path.open("wb") as file:
        file.truncate(2**20 + 1)
    with pytest.raises(ConfigurationError, match="more than 1 MB"):
        read_parcel(path, Pool.BASIC)


def test_a_parcel_shows_nothing() -> None:
    """Its repr may end in a traceback or a log."""
    assert SECRET not in repr(Parcel({Pool.BASIC: [SECRET]}, {"app": {"app_key": SECRET}}))


async def test_a_parcel_is_unpacked(roster: Roster, settings: SettingsService) -> None:
    """New accounts come with their fields, ones that are there stay as they are; each name's fate is told."""
    parcel = Parcel(
        {
            Pool.BASIC: [{"token": "sso=first", "quota": 1, "note": "not mine"}, "sso=second; path=/", "bad one"],
            Pool.SUPER: ["second", {"token": "third", "status": "disabled", "tags": ["a"]}],
        },
        {"app": {"stream": False, "app_key": "grok2api"}, "grok": {"temporary": False, "statsig": 1}, "what": {"a": 1}},
    )
    result = await unpack(parcel, roster, settings)
    assert (result.accounts.added, result.accounts.duplicates, len(result.accounts.skipped)) == (2, 2, 1)
    accounts = {account.credential.get_secret_value(): account for account in roster.all()}
    assert accounts.keys() == {"first", "second", "third"}
    assert (accounts["first"].quota, accounts["first"].note) == (80, "")
    assert (accounts["second"].pool, accounts["third"].status) == (Pool.BASIC, Status.DISABLED)
    assert (settings.snapshot.app.stream, settings.snapshot.app.temporary) == (False, False)
    assert result.settings == ["app.stream", "app.temporary"]
    assert {item.name for item in result.passed_over} == {"grok.statsig", "what", "app.app_key"}
    assert result.opens == []


async def test_a_wrong_setting_stops_everything(roster: Roster, settings: SettingsService) -> None:
    """No account is added beside a configuration that can't be used."""
    before = settings.snapshot
    with pytest.raises(InvalidRequestError, match=r"chat\.timeout = 0: expected"):
        await unpack(Parcel({Pool.BASIC: ["second"]}, {"chat": {"timeout": 0}, "stream": False}), roster, settings)
    assert len(roster.all()) == 1
    assert settings.snapshot is before


@pytest.mark.parametrize(
    ("given", "opens"),
    [
        ({"app": {"api_key": ""}}, ["app.api_key"]),
        ({"app": {"public_key": "", "api_key": "mine"}}, ["app.public_key"]),
        ({"app": {"stream": True}}, []),
    ],
    ids=["api key", "public key", "not given"],
)
async def test_an_empty_key_is_noticed(
    roster: Roster, settings: SettingsService, given: dict[str, Any], opens: list[str]
) -> None:
    """An imported key that lets anyone in is worth a warning; one that isn't in the file is made at the first start."""
    assert (await unpack(Parcel({}, given), roster, settings)).opens == opens


async def test_a_setting_of_the_environment_is_passed_over(roster: Roster, held: SettingsService) -> None:
    """The reason names the variable."""
    result = await unpack(Parcel({}, {"chat": {"timeout": 5, "stream_timeout": 6}}), roster, held)
    assert result.settings == ["chat.stream_timeout"]
    assert result.passed_over == [
        Skipped("chat.timeout", "is set by the environment variable GROK_APP_CHAT__TIMEOUT"),
    ]


async def test_settings_that_are_not_at_their_defaults_are_packed(roster: Roster, held: SettingsService) -> None:
    """What was stored, be it a default or empty, and what the environment holds; nothing else."""
    await held.store({"app.app_key": SECRET, "app.api_key": "", "app.thinking": True})
    assert pack(roster, held).settings == {
        "app": {"app_key": SECRET, "api_key": "", "stream": True, "thinking": True},
        "chat": {"timeout": 77},
    }


async def test_accounts_are_packed_oldest_first(roster: Roster, settings: SettingsService, tmp_path: Path) -> None:
    """In both pools, in the shape of the admin API's list."""
    await roster.add({Pool.BASIC: ["third", "second"], Pool.SUPER: []})
    write_parcel(pack(roster, settings), tmp_path, may_overwrite=False)
    pools = json.loads((tmp_path / "token.json").read_bytes())
    assert [row["token"] for row in pools["ssoBasic"]] == ["first", "third", "second"]
    assert pools["ssoSuper"] == []
    assert pools["ssoBasic"][0] == {**as_record(roster.all()[0]), "tags": []}


async def test_settings_survive_the_way(
    roster: Roster, settings: SettingsService, held: SettingsService, tmp_path: Path
) -> None:
    """Whatever kind they are of and whatever characters they have."""
    values = {
        "app.app_key": "quote\" back\\slash #hash '",
        "app.api_key": "one,two",
        "app.filter_tags": ["a", 'b"'],
        "app.language": "zh-CN",
        "proxy.base_proxy_url": "socks5h://user:p%40ss@host:1080",
        "upstream.extra_headers": {"X-Name": "välue = [1]", "X-Other.Name": ""},
        "retry.retry_status_codes": [429, 503],
        "retry.retry_backoff_base": 0.1,
        "token.save_delay_ms": 10,
    }
    await settings.store(values)
    write_parcel(pack(roster, settings), tmp_path, may_overwrite=False)
    parcel = read_parcel(tmp_path, Pool.BASIC)
    keys = {"app.app_key", "app.api_key"}
    await held.change(dict.fromkeys(keys, "another"), reset=values.keys() - keys)
    result = await unpack(parcel, roster, held)
    assert result.settings == [name for name in result.settings if name in values]
    assert len(result.settings) == len(values)
    assert {name: view.value for view in held.describe() if (name := view.definition.name) in values} == values


TOKENS = st.from_regex(r"t[!-:<-~]{3,40}", fullmatch=True)
"""All that a cookie can hold."""


@st.composite
def accounts(draw: st.DrawFn) -> Account:
    """An account as the pool may hold it, with everything that an operator or Grok may have written into it."""
    moments = st.none() | st.integers(1, NOW)
    counts = st.integers(0, 1_000_000_000)
    status = draw(st.sampled_from(Status))
    return Account(
        id=draw(st.integers(1, 1000)),
        pool=draw(st.sampled_from(Pool)),
        credential=SecretStr(draw(TOKENS)),
        status=status,
        quota=0 if status is Status.COOLING else draw(st.integers(int(status is Status.ACTIVE), 1_000_000)),
        use_count=draw(counts),
        fail_count=draw(counts),
        last_used_at_ms=draw(moments),
        last_fail_at_ms=draw(moments),
        last_fail_reason=draw(st.none() | st.text(min_size=1).map(shorten)),
        created_at_ms=draw(st.integers(1, NOW)),
        last_sync_at_ms=draw(moments),
        last_asset_clear_at_ms=draw(moments),
        tags=tuple(draw(st.lists(st.text(min_size=1, max_size=50), max_size=5))),
        note=draw(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=200)),
    )


@given(st.lists(accounts(), max_size=5, unique_by=lambda account: account.credential.get_secret_value()))
def test_accounts_survive_the_way(before: list[Account]) -> None:
    """Written and read again, every field of every account is what it was."""
    rows = {pool: [as_record(account) for account in before if account.pool is pool] for pool in Pool}
    with tempfile.TemporaryDirectory() as folder:
        write_parcel(Parcel(rows, {}), Path(folder), may_overwrite=False)
        listing = read_items(read_parcel(Path(folder), Pool.BASIC).accounts)
    assert (listing.result.skipped, listing.result.duplicates) == ([], 0)
    after = {token: item.made(token, NOW) for token, item in listing.wanted.items()}
    assert {token: (account.pool, as_record(account)) for token, account in after.items()} == {
        account.credential.get_secret_value(): (account.pool, as_record(account)) for account in before
    }


def test_files_are_the_owners_alone(tmp_path: Path) -> None:
    """The folder too, where it is new; a file that was open to others no longer is."""
    folder = tmp_path / "made" / "here"
    write_parcel(Parcel({}, {}), folder, may_overwrite=False)
    (folder / "token.json").chmod(0o644)
    write_parcel(Parcel({}, {}), folder, may_overwrite=True)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {
        "token.json": 0o600,
        "config.toml": 0o600,
    }


@pytest.mark.parametrize("there", ["token.json", "config.toml"])
def test_nothing_is_overwritten_unasked(tmp_path: Path, there: str) -> None:
    """Neither file is written when one of them is there; with leave, both are."""
    path = written(tmp_path, there, "mine")
    with pytest.raises(ConfigurationError, match=f"{there} is there already.*--force"):
        write_parcel(Parcel({}, {"app": {"stream": True}}), tmp_path, may_overwrite=False)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(there, "mine")]
    write_parcel(Parcel({}, {"app": {"stream": True}}), tmp_path, may_overwrite=True)
    assert tomllib.loads((tmp_path / "config.toml").read_text()) == {"app": {"stream": True}}
    assert path.read_text() != "mine"


def test_a_failed_write_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk costs no earlier export, leaves no half of a new one, and is explained."""

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    path = written(tmp_path, "token.json", "mine")
    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(ConfigurationError, match="can't be written: No space left on device"):
        write_parcel(Parcel({}, {}), tmp_path, may_overwrite=True)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("token.json", "mine")]
    with pytest.raises(ConfigurationError, match="can't be written: "):
        write_parcel(Parcel({}, {}), path, may_overwrite=True)
