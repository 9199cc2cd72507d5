"""How much may be asked with one API key, so that no program takes the pool for itself."""

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack, asynccontextmanager

from grok_app.access.shared_visits import SharedVisits, open_visits
from grok_app.access.tally import Tally
from grok_app.db import Vault
from grok_app.settings import SettingsService
from grok_app.shared import Shared


class Callers:
    """Counts what is asked with each API key; where none is wanted, all count as one. See `Tally` for who counts.

    Keys are counted by their keyed hash: what is kept in Redis gives none away.

    Args:
        settings: The limits, in force from the next request on; 0 is none, and costs a comparison.
        vault: Hashes keys.
        clock_s: A clock that never goes back.
        shared: Counts for all processes together.
    """

    def __init__(
        self,
        settings: SettingsService,
        vault: Vault,
        clock_s: Callable[[], float] = time.monotonic,
        shared: SharedVisits | None = None,
    ) -> None:
        self._settings = settings
        self._vault = vault
        self._tally = Tally(clock_s, shared)

    async def count(self, key: str | None) -> None:
        """Let whoever shows this key ask once more; a request that is refused doesn't count.

        Raises:
            RateLimitedError: It was shown as often as it may in a minute; `retry_after_s` says when it may again.
        """
        if most := self._settings.snapshot.app.key_requests_per_minute:
            await self._tally.count(self._name(key), most)

    async def answering(self, key: str | None) -> ExitStack:
        """Let whoever shows this key have an answer under way until what is returned is closed.

        Raises:
            RateLimitedError: They have as many as they may.
        """
        if not (most := self._settings.snapshot.app.key_parallel_streams):
            return ExitStack()
        refusal = f"At most {most} answers at once with one key. Please wait for one to end."
        return await self._tally.take("answers", self._name(key), most, refusal)

    def _name(self, key: str | None) -> str:
        is_wanted = bool(self._settings.snapshot.app.api_key.get_secret_value())
        return f"key-{self._vault.fingerprint(f'api-key:{key}')}" if is_wanted else "key-none"


@asynccontextmanager
async def open_callers(settings: SettingsService, vault: Vault, shared: Shared | None) -> AsyncGenerator[Callers, None]:
    """Callers who are counted by all processes together, if anything is shared, while the block runs."""
    async with open_visits(shared) as visits:
        yield Callers(settings, vault, shared=visits)
