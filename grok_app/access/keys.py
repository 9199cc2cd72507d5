"""Keys compared in constant time. Source: API contract, section 2."""

import hmac
from collections.abc import Callable, Iterable
from typing import Final

from pydantic import SecretStr

from grok_app.access.throttle import Throttle
from grok_app.errors import AuthenticationError
from grok_app.logs import get_logger
from grok_app.settings import Settings, SettingsService
from grok_app.shared import Shared

log = get_logger(__name__)
MISSING: Final = "Missing authentication token"
INVALID: Final = "Invalid authentication token"


class Access:
    """Checks what a caller shows against the settings in force.

    Args:
        settings: Where the keys are.
        clock_s: What measures the waits of those who guess the operator's key, see `Throttle`.
        shared: Where all processes count wrong keys together.

    Attributes:
        shared: The same.
    """

    def __init__(
        self, settings: SettingsService, clock_s: Callable[[], float] | None = None, shared: Shared | None = None
    ) -> None:
        self.shared = shared
        self._settings = settings
        self._throttle = Throttle(clock_s, shared)

    def check_api(self, shown: str | None) -> None:
        """Let a program in that shows one of the API keys; anyone where none is set.

        Raises:
            AuthenticationError: The key is missing or wrong.
        """
        _check(shown, _split(self._settings.snapshot.app.api_key))

    async def check_admin(self, shown: str | None, address: str) -> None:
        """Let the operator in. Wrong keys are counted by the address that they come from.

        Raises:
            AuthenticationError: The key is missing or wrong, or no operator's key is set.
            RateLimitedError: The address showed too many wrong ones and must wait; whatever key it shows.
        """
        wanted = operator_key(self._settings.snapshot)
        if not shown:
            raise AuthenticationError(MISSING)
        await self._throttle.check(address)
        if is_one_of(shown, [wanted]):
            await self._throttle.succeed(address)
            return
        await self._throttle.fail(address)
        log.warning("wrong operator's key", address=address)
        raise AuthenticationError(INVALID)

    def check_public(self, shown: str | None) -> None:
        """Let a visitor of the studio in; anyone where no public key is set.

        Raises:
            AuthenticationError: The key is missing or wrong.
        """
        _check(shown, _keys(self._settings.snapshot.app.public_key))

    def is_key(self, text: str) -> bool:
        """Whether this is one of the keys in force, of whatever kind: a secret that must not be shown."""
        app = self._settings.snapshot.app
        return is_one_of(text, [*_split(app.api_key), *_keys(app.public_key), *_keys(app.app_key)])


def operator_key(settings: Settings) -> str:
    """The key that opens the console.

    Raises:
        AuthenticationError: None is set, so nobody gets in.
    """
    if key := settings.app.app_key.get_secret_value():
        return key
    raise AuthenticationError("App key is not configured")


def is_one_of(shown: str, wanted: Iterable[str]) -> bool:
    """Whether this is one of the wanted texts. All are compared, so the time says nothing about which was near."""
    given = shown.encode()
    return any([hmac.compare_digest(given, text.encode()) for text in wanted])  # noqa: C419 - a generator would stop early


def _keys(setting: SecretStr) -> list[str]:
    key = setting.get_secret_value()
    return [key] if key else []


def _split(setting: SecretStr) -> list[str]:
    return [key.strip() for key in setting.get_secret_value().split(",") if key.strip()]


def _check(shown: str | None, keys: list[str]) -> None:
    if not keys:
        return
    if not shown:
        raise AuthenticationError(MISSING)
    if not is_one_of(shown, keys):
        raise AuthenticationError(INVALID)
