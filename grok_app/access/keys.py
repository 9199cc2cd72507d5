"""Keys compared in constant time. Source: API contract, section 2."""

import hmac
from collections.abc import Iterable

from pydantic import SecretStr

from grok_app.errors import AuthenticationError
from grok_app.settings import SettingsService


class Access:
    """Checks what a caller shows against the settings in force."""

    def __init__(self, settings: SettingsService) -> None:
        self._settings = settings

    def check_api(self, shown: str | None) -> None:
        """Let a program in that shows one of the API keys; anyone where none is set.

        Raises:
            AuthenticationError: The key is missing or wrong.
        """
        _check(shown, _split(self._settings.snapshot.app.api_key))

    def check_admin(self, shown: str | None) -> None:
        """Let the operator in.

        Raises:
            AuthenticationError: The key is missing or wrong, or no operator's key is set.
        """
        keys = _keys(self._settings.snapshot.app.app_key)
        if not keys:
            raise AuthenticationError("App key is not configured")
        _check(shown, keys)

    def check_public(self, shown: str | None) -> None:
        """Let a visitor of the studio in; anyone where no public key is set.

        Raises:
            AuthenticationError: The key is missing or wrong.
        """
        _check(shown, _keys(self._settings.snapshot.app.public_key))


def _keys(setting: SecretStr) -> list[str]:
    key = setting.get_secret_value()
    return [key] if key else []


def _split(setting: SecretStr) -> list[str]:
    return [key.strip() for key in setting.get_secret_value().split(",") if key.strip()]


def _check(shown: str | None, keys: Iterable[str]) -> None:
    wanted = [key.encode() for key in keys]
    if not wanted:
        return
    if not shown:
        raise AuthenticationError("Missing authentication token")
    given = shown.encode()
    # Every key is compared, so that the time says nothing about which one was near.
    if not any([hmac.compare_digest(given, key) for key in wanted]):  # noqa: C419 - a generator would stop early
        raise AuthenticationError("Invalid authentication token")
