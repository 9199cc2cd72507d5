"""Moving in and out as an operator does it: real processes, grok2api's files, once beside a running gateway."""

import json
import os
import stat
import subprocess
import sys
import tomllib
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from grok_app.catalog import Pool
from tests.servers import Gateway, Sandbox, eventually, start_gateway
from tests.storage import database_url

__all__ = ["database_url"]

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzZXNzaW9uX2lkIjoi{}In0.c2lnbmF0dXJl"
CLEARANCE = "fixture-clearance-value"
OPERATORS_KEY = "fixture-operators-key"


def item(name: str, **fields: Any) -> dict[str, Any]:
    """An account as grok2api stores it."""
    return {
        "token": JWT.format(name), "status": "active", "quota": 80, "created_at": 1_767_225_600_000,
        "last_used_at": None, "use_count": 0, "fail_count": 0, "last_fail_at": None, "last_fail_reason": None,
        "last_sync_at": None, "tags": [], "note": "", "last_asset_clear_at": None, **fields,
    }  # fmt: skip


TOKENS = {
    "ssoBasic": [
        item("fresh"),
        item("used", quota=31, use_count=12, last_used_at=1_769_000_000_000, last_sync_at=1_769_000_100_000),
        item("resting", status="cooling", quota=0),
        item("refused", status="expired", fail_count=5, last_fail_at=1_769_100_000_000, last_fail_reason="401"),
    ],
    "ssoSuper": [
        item("heavy", quota=140, tags=["nsfw", "team"], note="für Anna", last_asset_clear_at=1_769_200_000_000),
        item("off", status="disabled", quota=3),
    ],
}
CONFIG = f"""
[app]
app_url = "https://grok.example.com"
app_key = "{OPERATORS_KEY}"
api_key = ""
public_key = "fixture-public-key"
public_enabled = true
image_format = "url"
video_format = "html"
temporary = true
disable_memory = true
stream = false
thinking = true
dynamic_statsig = true
custom_instruction = ""
filter_tags = ["xaiartifact", "xai:tool_usage_card", "grok:render"]

[proxy]
base_proxy_url = "socks5://127.0.0.1:1080"
asset_proxy_url = ""
enabled = false
flaresolverr_url = ""
refresh_interval = 3600
timeout = 60
cf_clearance = "{CLEARANCE}"
browser = "chrome136"
user_agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/136.0.0.0 Safari/537.36"

[retry]
max_retry = 4
retry_status_codes = [401, 429, 403]
reset_session_status_codes = [403]
retry_backoff_base = 0.5
retry_backoff_factor = 2.0
retry_backoff_max = 20.0
retry_budget = 60.0

[token]
auto_refresh = true
refresh_interval_hours = 8
super_refresh_interval_hours = 2
fail_threshold = 5
save_delay_ms = 500
usage_flush_interval_sec = 5
reload_interval_sec = 30

[cache]
enable_auto_clean = true
limit_mb = 512

[chat]
concurrent = 50
timeout = 60
stream_timeout = 60

[image]
timeout = 60
stream_timeout = 60
final_timeout = 15
nsfw = true
medium_min_bytes = 30000
final_min_bytes = 100000

[video]
concurrent = 100
timeout = 60
stream_timeout = 60
upscale_timing = "complete"

[voice]
timeout = 60

[asset]
upload_concurrent = 100
upload_timeout = 60
download_concurrent = 100
download_timeout = 60
list_concurrent = 100
list_timeout = 60
list_batch_size = 50
delete_concurrent = 100
delete_timeout = 60
delete_batch_size = 50

[nsfw]
concurrent = 60
batch_size = 30
timeout = 60

[usage]
concurrent = 100
batch_size = 50
timeout = 60
"""
RETIRED = {
    "app.custom_instruction", "proxy.enabled", "proxy.flaresolverr_url", "proxy.refresh_interval", "proxy.timeout",
    "retry.reset_session_status_codes", "token.reload_interval_sec", "token.usage_flush_interval_sec",
    "video.upscale_timing",
}  # fmt: skip
OLDER_CONFIG = f"""
[app]
app_key = "grok2api"

[grok]
temporary = false
thinking = false
max_retry = 2
cf_clearance = "{CLEARANCE}"
timeout = 90
something = 1

[network]
timeout = 45
base_proxy_url = "http://127.0.0.1:8118"

[timeout]
stream_idle_timeout = 33

[performance]
media_max_concurrent = 7
usage_max_concurrent = 9
"""


def grok_app(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a command from this folder, with a clean environment and these variables."""
    command = [sys.executable, "-m", "grok_app.cli", *arguments]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("GROK_APP_", "REDIS_URL"))}
    return subprocess.run(command, cwd=folder, env=clean | environ, capture_output=True, text=True, check=False)


def done(answer: subprocess.CompletedProcess[str]) -> str:
    """What a command has said that went well."""
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def refused(answer: subprocess.CompletedProcess[str]) -> str:
    """The message of a command that could not do it: one, with exit code 2, without a traceback."""
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.startswith("grok-app: ")
    assert "Traceback" not in answer.stderr
    return answer.stderr


def exported(folder: Path, data: str) -> tuple[dict[str, list[dict[str, Any]]], dict[str, dict[str, Any]]]:
    """Accounts and settings of an installation, by way of its export."""
    done(grok_app(folder, "export", f"out-{data}", "--data-dir", data, "--force"))
    out = folder / f"out-{data}"
    return json.loads((out / "token.json").read_bytes()), tomllib.loads((out / "config.toml").read_text())


def exported_or_nothing(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is stored; where there is no database, nothing."""
    return exported(folder, "data") if (folder / "data").exists() else ({"ssoBasic": [], "ssoSuper": []}, {})


def contents(folder: Path) -> dict[str, str]:
    """Every file of a folder and what is in it."""
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The data folder of a grok2api."""
    folder = tmp_path / "grok2api"
    folder.mkdir()
    (folder / "token.json").write_text(json.dumps(TOKENS))
    (folder / "config.toml").write_text(CONFIG)
    return folder


def test_a_grok2api_moves_in_and_out_again(tmp_path: Path, old: Path) -> None:
    """As it is, from where the user stands; what the export of the new home holds makes another one just like it."""
    said = done(grok_app(tmp_path, "import", old.name, "--data-dir", "data"))
    assert "Accounts: 6 added, 0 there already or given twice, 0 skipped" in said
    for name in RETIRED:
        assert f"passed over: {name} has no effect here" in said
    assert f"{len(RETIRED)} passed over" in said
    assert "Warning: app.api_key is empty: anyone may call /v1." in said
    for secret in ("eyJ", CLEARANCE, OPERATORS_KEY):
        assert secret not in said

    tokens, config = exported(tmp_path, "data")
    assert {pool: [row["token"] for row in rows] for pool, rows in tokens.items()} == {
        pool: [row["token"] for row in rows] for pool, rows in TOKENS.items()
    }
    resting = tokens["ssoBasic"].pop(2)
    assert resting["status"] == "cooling"
    assert tokens == {**TOKENS, "ssoBasic": [row for row in TOKENS["ssoBasic"] if row["status"] != "cooling"]}
    expected = tomllib.loads(CONFIG)
    for name in RETIRED:
        section, _, key = name.partition(".")
        del expected[section][key]
    assert config == expected

    assert "6 added" in done(grok_app(tmp_path, "import", "out-data", "--data-dir", "second"))
    exported(tmp_path, "second")
    assert contents(tmp_path / "out-second") == contents(tmp_path / "out-data")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "out-data").iterdir()}
    assert modes == {0o600}


def test_an_older_configuration_moves_in(tmp_path: Path) -> None:
    """Deprecated sections go where their settings are now; the key that everyone knows does not."""
    (tmp_path / "old.toml").write_text(OLDER_CONFIG)
    said = done(grok_app(tmp_path, "import", "old.toml", "--data-dir", "data"))
    assert "passed over: grok.something has no effect here" in said
    assert "passed over: app.app_key is grok2api's default" in said
    config = exported(tmp_path, "data")[1]
    assert config["app"] == {"temporary": False, "thinking": False}
    assert config["proxy"] == {"base_proxy_url": "http://127.0.0.1:8118", "cf_clearance": CLEARANCE}
    assert config["voice"] == {"timeout": 90}
    assert config["chat"] == {"timeout": 45, "stream_timeout": 33, "concurrent": 7}
    assert config["usage"] == {"concurrent": 9}
    assert config["retry"] == {"max_retry": 2}


def test_pasted_tokens_move_in_twice(tmp_path: Path) -> None:
    """One a line, into the pool that is asked for; again, they are there already and stay as they are."""
    lines = ["# mine", "", "sso=first-token", "second-token", *(f"wrong token number {n}" for n in range(23))]
    (tmp_path / "tokens.txt").write_text("\n".join(lines))
    said = done(grok_app(tmp_path, "import", "tokens.txt", "--pool", "ssoSuper", "--data-dir", "data"))
    assert "2 added, 0 there already or given twice, 23 skipped" in said
    assert said.count("skipped: ssoSuper wron…") == 20
    assert "and 3 more" in said
    (tmp_path / "tokens.json").write_text('["second-token", {"token": "first-token", "note": "other"}]')
    assert "0 added, 2 there already" in done(grok_app(tmp_path, "import", "tokens.json", "--data-dir", "data"))
    tokens = exported(tmp_path, "data")[0]
    assert [(row["token"], row["note"]) for row in tokens["ssoSuper"]] == [("first-token", ""), ("second-token", "")]
    assert tokens["ssoBasic"] == []


def test_a_dry_run_changes_nothing(tmp_path: Path, old: Path) -> None:
    """It says just what the import says, and leaves no trace: in no data folder, in none that was not there."""
    rehearsed = done(grok_app(tmp_path, "import", str(old), "--dry-run", "--data-dir", "data"))
    assert not (tmp_path / "data").exists()
    note, _, told = rehearsed.partition("\n\n")
    assert "Nothing has changed" in note
    assert told == done(grok_app(tmp_path, "import", str(old), "--data-dir", "data"))

    (old / "token.json").write_text('["eyJhbGciOiJIUzI1NiJ9.new"]')
    (old / "config.toml").write_text("[app]\nstream = true\n")
    before = contents(tmp_path / "data")
    assert "1 added" in done(grok_app(tmp_path, "import", str(old), "--dry-run", "--data-dir", "data"))
    assert contents(tmp_path / "data") == before


def test_every_kind_of_database_can_be_moved_into(tmp_path: Path, database_url: str) -> None:
    """Made by the import; the rehearsal of another one is taken back."""
    (tmp_path / "one.txt").write_text("first-token")
    (tmp_path / "two.txt").write_text("first-token\nsecond-token")
    at = {"GROK_APP_DATABASE_URL": database_url}
    assert "1 added" in done(grok_app(tmp_path, "import", "one.txt", "--data-dir", "data", **at))
    assert "1 added, 1 there" in done(grok_app(tmp_path, "import", "two.txt", "--data-dir", "data", "--dry-run", **at))
    assert "with 1 accounts" in done(grok_app(tmp_path, "export", "--data-dir", "data", **at))


def test_a_dry_run_needs_an_up_to_date_database(tmp_path: Path) -> None:
    """It would have to change one that isn't, and says what does."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "grok_app.db").touch()
    (tmp_path / "tokens.txt").write_text("first-token")
    message = refused(grok_app(tmp_path, "import", "tokens.txt", "--dry-run", "--data-dir", "data"))
    assert "no such table" in message
    assert "grok-app db upgrade" in message


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("token.json", '{"ssoNormal": ["a-token"]}', "ssoNormal is not a pool"),
        ("token.json", '{"ssoBasic":\n ["a-token"', "line 2, column 12"),
        ("config.toml", "[app]\nstream = perhaps\n", "line 2, column 10"),
        ("config.toml", "[app]\nstream = 'perhaps'\n", "app.stream = 'perhaps': expected a valid boolean"),
        ("config.toml", "[app]\napp_key = ['fixture-operators-key']\n", "app.app_key = (hidden): expected"),
    ],
    ids=["pool", "JSON", "TOML", "value", "secret value"],
)
def test_a_wrong_file_changes_nothing(tmp_path: Path, old: Path, name: str, text: str, said: str) -> None:
    """Neither by itself nor through what is right beside it."""
    (old / name).write_text(text)
    message = refused(grok_app(tmp_path, "import", "grok2api", "--data-dir", "data"))
    assert said in message
    assert OPERATORS_KEY not in message
    assert exported_or_nothing(tmp_path) == ({"ssoBasic": [], "ssoSuper": []}, {})


def test_names_in_a_file_do_nothing_to_a_terminal(tmp_path: Path) -> None:
    """A name that was passed over is shown without its control characters, and not at any length."""
    (tmp_path / "odd.toml").write_text(f'"\\u001b[2J" = 1\n"{"x" * 5000}" = 1\n')
    said = done(grok_app(tmp_path, "import", "odd.toml", "--data-dir", "data"))
    assert "passed over:  [2J is not a setting" in said
    assert "\x1b" not in said
    assert len(said) < 1000


def test_an_export_overwrites_only_when_told(tmp_path: Path) -> None:
    """Into ./grok-export unless another folder is named."""
    (tmp_path / "tokens.txt").write_text("first-token")
    done(grok_app(tmp_path, "import", "tokens.txt", "--data-dir", "data"))
    said = done(grok_app(tmp_path, "export", "--data-dir", "data"))
    assert f"{tmp_path / 'grok-export'}: token.json with 1 accounts, config.toml with 0 settings" in said
    assert "plain text" in said
    assert "--force" in refused(grok_app(tmp_path, "export", "--data-dir", "data"))
    done(grok_app(tmp_path, "export", "--data-dir", "data", "--force"))


def test_an_export_needs_a_database(tmp_path: Path) -> None:
    """A mistyped folder is not made, and gives no empty export."""
    assert "There is no database in " in refused(grok_app(tmp_path, "export", "--data-dir", "dta"))
    assert list(tmp_path.iterdir()) == []


def test_a_broken_database_is_explained(tmp_path: Path) -> None:
    """In a sentence, without the statement."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "grok_app.db").write_text("this is no database" * 100)
    (tmp_path / "tokens.txt").write_text("first-token")
    for arguments in (["import", "tokens.txt"], ["import", "tokens.txt", "--dry-run"], ["export"]):
        message = refused(grok_app(tmp_path, *arguments, "--data-dir", "data"))
        assert "file is not a database" in message
        assert "SQL" not in message


def test_a_running_gateway_takes_over_what_moves_in(tmp_path: Path, sandbox: Sandbox) -> None:
    """Settings with the next request, accounts within seconds; an export beside it has them too."""
    data = tmp_path / "data"
    data.mkdir()
    (tmp_path / "token.json").write_text('{"ssoSuper": ["sandbox-super-moved-in"]}')
    (tmp_path / "config.toml").write_text("[chat]\ntimeout = 77\n")
    gateway = start_gateway(data, sandbox, {Pool.BASIC: ("sandbox-basic-there",)}, {"app.app_key": OPERATORS_KEY})
    try:
        done(grok_app(tmp_path, "import", ".", "--data-dir", "data"))
        assert ask(gateway, "config")["chat"]["timeout"] == 77
        rows = eventually(lambda: ask(gateway, "tokens")["ssoSuper"])
        assert [row["token"] for row in rows] == ["sandbox-super-moved-in"]
        assert exported(tmp_path, "data")[0] == ask(gateway, "tokens")
    finally:
        gateway.stop()


def ask(gateway: Gateway, what: str) -> Any:
    """Read from the admin API."""
    headers = {"Authorization": f"Bearer {OPERATORS_KEY}"}
    return httpx.get(f"{gateway.url}/v1/admin/{what}", headers=headers).raise_for_status().json()
