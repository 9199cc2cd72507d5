"""`grok-app key rotate`: another key for everything that is stored, from the environment or from the key file."""

import errno
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from unittest.mock import Mock

import pytest
from click.testing import CliRunner, Result

from grok_app.cli import commands
from grok_app.db import KeyFile, Vault, open_vault
from grok_app.env import current_env
from grok_app.errors import ConfigurationError
from tests.servers import eventually

OLD, NEW = "the old key of this site", "the new key of this site"
GrokApp = Callable[..., Result]


@pytest.fixture
def grok_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, restore_logging: None) -> Generator[GrokApp]:  # noqa: ARG001 - asked for its effect
    """Runs a command on the data of this test, with a secret key or without."""
    monkeypatch.setenv("GROK_APP_DATA_DIR", str(tmp_path / "data"))

    def run(*arguments: str, secret_key: str = "") -> Result:
        monkeypatch.setenv("GROK_APP_SECRET_KEY", secret_key)
        current_env.cache_clear()
        return CliRunner().invoke(commands, arguments)

    yield run
    current_env.cache_clear()


def fill(grok_app: GrokApp, folder: Path, accounts: int = 3, secret_key: str = "") -> None:
    """Store accounts and a secret setting."""
    old = folder / "old"
    old.mkdir()
    (old / "config.toml").write_text('[app]\napi_key = "the-api-key"\n')
    (old / "token.json").write_text(json.dumps([f"token-{number}" for number in range(accounts)]))
    assert grok_app("import", str(old), secret_key=secret_key).exit_code == 0


def sealed(folder: Path) -> list[str]:
    """Every sealed text of accounts and settings, as it is stored."""
    with sqlite3.connect(folder / "data" / "grok_app.db") as connection:
        rows = connection.execute(
            "SELECT credential FROM account UNION ALL SELECT value FROM setting WHERE name = 'app.api_key'"
        )
        return [text for (text,) in rows]


def opened(folder: Path, key: str) -> set[str]:
    """What this key alone opens."""
    return {Vault([key]).open(text) for text in sealed(folder)}


def expected(accounts: int = 3) -> set[str]:
    """What `fill` has stored."""
    return {'"the-api-key"', *(f"token-{number}" for number in range(accounts))}


def test_a_key_file_gets_a_new_key(tmp_path: Path, grok_app: GrokApp) -> None:
    """Everything opens with the new one and nothing with the former one; the file is its owner's alone."""
    fill(grok_app, tmp_path)
    file = tmp_path / "data" / "secret.key"
    former = file.read_text()
    done = grok_app("key", "rotate", "--data-dir", str(tmp_path / "data"))
    assert (done.exit_code, former in done.output, file.read_text() in done.output) == (0, False, False)
    assert "Accounts: 3 sealed anew, 0 were already" in done.output
    assert file.read_text() != former
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert opened(tmp_path, file.read_text()) == expected()
    with pytest.raises(ConfigurationError):
        opened(tmp_path, former)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_root_rotates_for_the_server(tmp_path: Path, grok_app: GrokApp) -> None:
    """The new file, and the lock beside it, are as readable to the server's user as the former one."""
    fill(grok_app, tmp_path)
    files = [tmp_path / "data" / name for name in ("secret.key", "secret.key.lock")]
    os.chown(files[0], 12345, 12345)
    assert grok_app("key", "rotate").exit_code == 0
    assert {(file.stat().st_uid, file.stat().st_gid) for file in files} == {(12345, 12345)}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_root_leaves_the_lock_to_the_server(tmp_path: Path) -> None:
    """A command of root's comes first, and the server's user still can hold the key; what a link names isn't given."""
    KeyFile(tmp_path).make()
    os.chown(tmp_path / "secret.key", 12345, 12345)
    command = open_vault("", tmp_path)
    lock = tmp_path / "secret.key.lock"
    assert (lock.stat().st_uid, lock.stat().st_gid) == (12345, 12345)
    del command
    other = tmp_path / "root's own"
    other.touch()
    lock.unlink()
    lock.symlink_to(other)
    with pytest.raises(ConfigurationError):
        open_vault("", tmp_path)
    assert other.stat().st_uid == 0


def test_nobody_uses_a_key_that_a_rotation_could_drop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock that can't be opened stops the start; that there is none in a folder that is read-only doesn't."""
    KeyFile(tmp_path).make()
    lock = tmp_path / "secret.key.lock"
    lock.mkdir()  # which not even root opens as a file
    with pytest.raises(ConfigurationError, match=r"secret\.key\.lock: .*expected a file of whoever owns"):
        open_vault("", tmp_path)
    lock.rmdir()
    with monkeypatch.context() as read_only:
        read_only.setattr(os, "open", Mock(side_effect=OSError(errno.EROFS, os.strerror(errno.EROFS))))
        assert KeyFile(tmp_path).hold() is None


def test_a_key_file_in_use_stays_as_it_is(tmp_path: Path, grok_app: GrokApp) -> None:
    """A server would go on with the former key, and nobody could read what it writes."""
    fill(grok_app, tmp_path)
    before = (tmp_path / "data" / "secret.key").read_text()
    server = open_vault("", tmp_path / "data")
    refused = grok_app("key", "rotate")
    assert isinstance(refused.exception, ConfigurationError)
    assert "in use: stop all servers" in str(refused.exception)
    assert (tmp_path / "data" / "secret.key").read_text() == before
    assert opened(tmp_path, before) == expected()
    del server
    assert grok_app("key", "rotate").exit_code == 0


def test_a_key_of_the_environment_takes_the_place_of_the_next(tmp_path: Path, grok_app: GrokApp) -> None:
    """With both keys given, the second may go afterwards; with one there is nothing to do, and it says what is."""
    fill(grok_app, tmp_path, secret_key=OLD)
    alone = grok_app("key", "rotate", secret_key=OLD)
    assert "expected a new key, a comma" in str(alone.exception)
    server = open_vault(f"{NEW},{OLD}", tmp_path / "data")
    done = grok_app("key", "rotate", secret_key=f"{NEW},{OLD}")
    assert (done.exit_code, NEW in done.output, OLD in done.output) == (0, False, False)
    assert opened(tmp_path, NEW) == expected()
    assert {server.open(text) for text in sealed(tmp_path)} == expected()
    assert "0 sealed anew, 3 were already" in grok_app("key", "rotate", secret_key=f"{NEW},{OLD}").output


def test_a_key_of_the_environment_takes_the_place_of_the_file(tmp_path: Path, grok_app: GrokApp) -> None:
    """The file is left, and said to be needed no more."""
    fill(grok_app, tmp_path)
    done = grok_app("key", "rotate", secret_key=NEW)
    assert "secret.key is needed no more" in done.output
    assert opened(tmp_path, NEW) == expected()


def test_headers_stored_in_clear_are_sealed(tmp_path: Path, grok_app: GrokApp) -> None:
    """Versions before stored them so, cookies included, in any script."""
    fill(grok_app, tmp_path)
    headers = '{"Cookie": "sso=hunter2", "X-Name": "für Anna"}'
    with sqlite3.connect(tmp_path / "data" / "grok_app.db") as connection:
        connection.execute("INSERT INTO setting VALUES ('upstream.extra_headers', ?, 1)", [headers])
    done = grok_app("key", "rotate")
    assert done.exit_code == 0
    assert "none of the keys opens" not in done.output
    with sqlite3.connect(tmp_path / "data" / "grok_app.db") as connection:
        [stored] = connection.execute("SELECT value FROM setting WHERE name = 'upstream.extra_headers'").fetchone()
    assert Vault([(tmp_path / "data" / "secret.key").read_text()]).open(stored) == headers


def test_a_key_file_that_cannot_be_read_is_named(tmp_path: Path, grok_app: GrokApp) -> None:
    """With the reason, in a sentence."""
    fill(grok_app, tmp_path)
    file = tmp_path / "data" / "secret.key"
    file.unlink()
    file.mkdir()
    refused = grok_app("key", "rotate")
    assert isinstance(refused.exception, ConfigurationError)
    assert str(refused.exception).endswith("data/secret.key: Is a directory")


def test_without_a_database_there_is_nothing_to_do(tmp_path: Path, grok_app: GrokApp) -> None:
    """And no key is made."""
    refused = grok_app("key", "rotate")
    assert "There is no database" in str(refused.exception)
    assert not (tmp_path / "data").exists()


def test_killed_in_the_middle_it_loses_nothing(tmp_path: Path, grok_app: GrokApp) -> None:
    """Both keys are in the file until all is done: everything opens, and the next rotation ends it."""
    fill(grok_app, tmp_path, accounts=2000)
    file = tmp_path / "data" / "secret.key"
    former = file.read_text()
    command = [sys.executable, "-m", "grok_app.cli", "key", "rotate"]
    rotating = subprocess.Popen(command, env={**os.environ, "GROK_APP_SECRET_KEY": ""}, stdout=subprocess.DEVNULL)
    first = sealed(tmp_path)[0]
    eventually(lambda: sealed(tmp_path)[0] != first)
    os.kill(rotating.pid, signal.SIGKILL)
    rotating.wait()
    new, kept = file.read_text().split()
    assert kept == former
    both = Vault([new, former])
    texts = sealed(tmp_path)
    assert {both.open(text) for text in texts} == expected(2000)
    assert 0 < sum(both.is_sealed_by_first(text) for text in texts) < 2000
    done = grok_app("key", "rotate")
    assert "Going on where an earlier rotation was broken off" in done.output
    assert file.read_text() == new
    assert opened(tmp_path, new) == expected(2000)
