"""The vault: nobody reads what it keeps without the key."""

import stat
from pathlib import Path

import pytest

from grok_app.db import Vault, open_vault
from grok_app.errors import ConfigurationError


def test_sealed_texts_open_again_and_look_different_each_time() -> None:
    """Sealing hides the text, and two seals of it have nothing in common."""
    vault = Vault(["a key for tests only"])
    first, second = vault.seal("héllo"), vault.seal("héllo")
    assert vault.open(first) == vault.open(second) == "héllo"
    assert first != second
    assert "llo" not in first


def test_another_key_opens_nothing_and_says_what_to_do() -> None:
    """A lost key is named, the secret is not."""
    with pytest.raises(ConfigurationError, match="GROK_APP_SECRET_KEY"):
        Vault(["another key, not the first"]).open(Vault(["a key for tests only"]).seal("x"))


def test_what_is_no_sealed_text_is_refused_in_any_script() -> None:
    """Its letters don't matter."""
    vault = Vault(["a key for tests only"])
    for text in ("hello", "héllo"):
        assert not vault.is_sealed_by_first(text)
        with pytest.raises(ConfigurationError):
            vault.open(text)


def test_keys_rotate() -> None:
    """A new first key seals from now on; what the old one sealed still opens."""
    old = Vault(["the old key of this site"])
    both = Vault(["the new key of this site", "the old key of this site"])
    assert both.open(old.seal("x")) == "x"
    assert Vault(["the new key of this site"]).open(both.seal("x")) == "x"


def test_a_fingerprint_is_stable_and_keyed() -> None:
    """The same text is found again, by this key alone."""
    vault = Vault(["a key for tests only"])
    assert vault.fingerprint("x") == vault.fingerprint("x") != vault.fingerprint("y")
    assert vault.fingerprint("x") != Vault(["another key, not the first"]).fingerprint("x")


def test_the_key_file_is_made_once_and_is_private(tmp_path: Path) -> None:
    """Without a key in the environment, one is made for this installation, readable by its owner alone."""
    folder = tmp_path / "new"
    sealed = open_vault("", folder).seal("x")
    assert open_vault("", folder).open(sealed) == "x"
    assert stat.S_IMODE((folder / "secret.key").stat().st_mode) == 0o600


def test_a_fingerprint_is_found_under_every_key() -> None:
    """After a rotation, what is stored under the old key is still recognised."""
    old = Vault(["the old key of this site"])
    both = Vault(["the new key of this site", "the old key of this site"])
    assert old.fingerprint("x") in both.fingerprints("x")
    assert both.fingerprint("x") not in old.fingerprints("x")


def test_the_key_file_still_opens_when_the_environment_has_a_key(tmp_path: Path) -> None:
    """Moving to GROK_APP_SECRET_KEY loses nothing."""
    sealed = open_vault("", tmp_path).seal("x")
    assert open_vault("a key from the environment", tmp_path).open(sealed) == "x"


def test_a_damaged_key_file_stops_the_start(tmp_path: Path) -> None:
    """Nothing is ever sealed with an empty key."""
    (tmp_path / "secret.key").write_text("")
    with pytest.raises(ConfigurationError, match="damaged"):
        open_vault("", tmp_path)
