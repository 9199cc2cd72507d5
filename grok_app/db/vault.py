"""Secrets at rest: encrypted with Fernet, found again by a keyed hash."""

import base64
import hmac
import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from grok_app.errors import ConfigurationError

KEY_FILE = "secret.key"


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
        return hmac.digest(self._fingerprint_keys[0], text.encode(), "sha256").hex()


def open_vault(secret_key: str, data_dir: Path) -> Vault:
    """The vault of this installation.

    Args:
        secret_key: One key or several, separated by commas; the first encrypts. Empty: the key file decides.
        data_dir: Where the key file is, or is made with mode 600 at the first start.
    """
    keys = [key.strip() for key in secret_key.split(",") if key.strip()]
    return Vault(keys or [_read_key_file(data_dir / KEY_FILE)])


def _read_key_file(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(key := secrets.token_urlsafe(32))
    return key


def _derive(key: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=b"grok_app", info=purpose).derive(key.encode())
