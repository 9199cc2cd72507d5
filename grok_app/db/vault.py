"""Secrets at rest: encrypted with Fernet, found again by a keyed hash."""

import base64
import hmac
import os
import secrets
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from grok_app.errors import ConfigurationError

KEY_FILE: Final = "secret.key"
_SHORTEST_KEY_CHARS: Final = 16


class Vault:
    """Seals texts with the first key, opens them with any."""

    def __init__(self, keys: list[str]) -> None:
        self._fernet = MultiFernet([Fernet(base64.urlsafe_b64encode(_derive(key, b"seal"))) for key in keys])
        self._fingerprint_keys = [_derive(key, b"fingerprint") for key in keys]

    def seal(self, text: str) -> str:
        """Encrypt a text. The result is ASCII and different each time."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """Decrypt what `seal` made.

        Raises:
            ConfigurationError: None of the keys made it.
        """
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as error:
            raise ConfigurationError(
                "GROK_APP_SECRET_KEY can't decrypt the stored secrets: expected the key that encrypted them, "
                f"or the file {KEY_FILE} that was in the data folder"
            ) from error

    def fingerprint(self, text: str) -> str:
        """A keyed hash of a secret, 64 hex digits: the same text gives the same one, nobody can turn it back."""
        return self.fingerprints(text)[0]

    def fingerprints(self, text: str) -> list[str]:
        """The hashes under which a secret may be stored: by the key in force, then by each earlier one."""
        return [hmac.digest(key, text.encode(), "sha256").hex() for key in self._fingerprint_keys]


def open_vault(secret_key: str, data_dir: Path) -> Vault:
    """The vault of this installation.

    Args:
        secret_key: One key or several, separated by commas; the first encrypts. Empty: the key file decides.
        data_dir: Where the key file is, or is made with mode 600 at the first start. One that is there still
            decrypts when `secret_key` has taken its place.

    Raises:
        ConfigurationError: The key file is damaged.
    """
    keys = [key.strip() for key in secret_key.split(",") if key.strip()]
    path = data_dir / KEY_FILE
    if not keys and not path.exists():
        _make_key_file(path)
    if path.exists():
        keys.append(_read_key_file(path))
    return Vault(keys)


def _make_key_file(path: Path) -> None:
    """Make the file whole or not at all; of several processes at once, one wins and all read its key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", dir=path.parent, prefix=f"{KEY_FILE}.") as file:  # mode 600 by itself
        file.write(secrets.token_urlsafe(32))
        file.flush()
        os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(file.name, path)


def _read_key_file(path: Path) -> str:
    key = path.read_text().strip()
    if len(key) < _SHORTEST_KEY_CHARS:
        raise ConfigurationError(f"{path} is damaged: expected the key that it held, of 43 characters")
    return key


def _derive(key: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=b"grok_app", info=purpose).derive(key.encode())
