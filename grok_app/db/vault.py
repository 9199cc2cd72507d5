"""Secrets at rest: encrypted with Fernet, found again by a keyed hash."""

import base64
import hmac
import os
import weakref
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from grok_app.db.key_file import KEY_FILE, KeyFile
from grok_app.errors import ConfigurationError


class Vault:
    """Seals texts with the first key, opens them with any."""

    def __init__(self, keys: list[str]) -> None:
        fernets = [Fernet(base64.urlsafe_b64encode(_derive(key, b"seal"))) for key in keys]
        self._first, self._fernet = fernets[0], MultiFernet(fernets)
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
        except (InvalidToken, ValueError) as error:  # the latter for a text that isn't ASCII
            raise ConfigurationError(
                "GROK_APP_SECRET_KEY can't decrypt the stored secrets: expected the key that encrypted them, "
                f"or the file {KEY_FILE} that was in the data folder"
            ) from error

    def is_sealed_by_first(self, sealed: str) -> bool:
        """Whether it was sealed with the key in force, and needs none of the earlier ones."""
        try:
            self._first.decrypt(sealed)
        except (InvalidToken, ValueError):
            return False
        return True

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
        ConfigurationError: The key file is damaged, or the lock beside it can't be opened.
    """
    keys, file = split_keys(secret_key), KeyFile(data_dir)
    if not keys and not file.exists():
        file.make()
    if not file.exists():
        return Vault(keys)
    held = file.hold()
    vault = Vault([*keys, *file.read()])
    if held is not None:
        weakref.finalize(vault, os.close, held)
    return vault


def look_into_vault(secret_key: str, data_dir: Path) -> Vault | None:
    """The same for a look that leaves everything as it is: no key is made, and none is held; None where there is none.

    Raises:
        ConfigurationError: The key file is damaged.
    """
    file = KeyFile(data_dir)
    keys = [*split_keys(secret_key), *(file.read() if file.exists() else ())]
    return Vault(keys) if keys else None


def split_keys(secret_key: str) -> list[str]:
    """The keys in the variable of the environment, the one that encrypts first."""
    return [key.strip() for key in secret_key.split(",") if key.strip()]


def _derive(key: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=b"grok_app", info=purpose).derive(key.encode())
