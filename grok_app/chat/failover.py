"""Trying again: on the same account after a passing fault, on the next one after a refusal, never after a word.

Source: API contract, section 5.4.
"""

import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from pydantic import SecretStr
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception
from tenacity.stop import stop_base
from tenacity.wait import wait_base, wait_random_exponential

from grok_app.accounts import Accounts, NoAccountError
from grok_app.catalog import Model
from grok_app.settings import Settings
from grok_app.upstream import CardFrame, ChatPrompt, ErrorKind, Frame, StartFrame, Upstream, UpstreamError

_STATUS_OF: Final = {
    ErrorKind.INVALID_CREDENTIAL: 401,
    ErrorKind.BLOCKED_ACCOUNT: 403,
    ErrorKind.RATE_LIMITED: 429,
}
"""What sends us to the next account, and the status in `retry.retry_status_codes` that allows it.

A 500, which is not tried again on the same account, sends us there too: it may be that account's alone.
"""
_SERVER_ERROR: Final = 500
_PASSING: Final = (ErrorKind.ANTI_BOT, ErrorKind.UNAVAILABLE)


@dataclass(frozen=True, slots=True)
class Failover:
    """Asks until one account answers."""

    upstream: Upstream
    accounts: Accounts
    settings: Settings

    async def frames(self, model: Model, prompt: ChatPrompt) -> AsyncGenerator[Frame, None]:
        """The frames of the first attempt that gets as far as a token. The lease is held until the last of them.

        As many accounts are tried as `retry.max_retry` says, for each kind of failure: one account of each kind of bad
        ones must not use up what a good one could have served.

        Raises:
            NoAccountError: No account is left to try, and one will be free again or none was tried.
            UpstreamError: The last attempt's failure, or one after the first token.
        """
        deadline = time.monotonic() + self.settings.retry.retry_budget
        wait_until = time.monotonic() + self.settings.chat.timeout
        tried: set[int] = set()
        failures: Counter[ErrorKind] = Counter()
        last_error: UpstreamError | None = None
        while True:
            has_begun = False
            wait_s = max(0.0, wait_until - time.monotonic())
            try:
                async with self.accounts.lease(model.pools, model.cost, tried, wait_s=wait_s) as lease:
                    tried.add(lease.account_id)
                    async with aclosing(self._on_account(lease.credential, prompt, deadline)) as frames:
                        async for frame in frames:
                            has_begun = True
                            yield frame
            except UpstreamError as error:
                failures[error.kind] += 1
                if has_begun or not self._moves_on(error) or failures[error.kind] >= self.settings.retry.max_retry:
                    raise
                last_error = error
            except NoAccountError as none_left:
                if last_error is None or none_left.retry_after_s is not None:
                    raise
                raise last_error from none_left
            else:
                return

    async def _on_account(
        self, credential: SecretStr, prompt: ChatPrompt, deadline: float
    ) -> AsyncGenerator[Frame, None]:
        stream, head = await self._open(credential, prompt, deadline)
        async with aclosing(stream):
            for frame in head:
                yield frame
            async for frame in stream:
                yield frame

    async def _open(
        self, credential: SecretStr, prompt: ChatPrompt, deadline: float
    ) -> tuple[AsyncGenerator[Frame, None], list[Frame]]:
        """Open the answer and read as far as the first frame that says something."""
        retry = self.settings.retry
        async for attempt in AsyncRetrying(
            retry=retry_if_exception(self._may_pass),
            wait=_Backoff(retry.retry_backoff_base, retry.retry_backoff_factor, retry.retry_backoff_max),
            stop=_Stop(retry.max_retry, deadline),
            reraise=True,
        ):
            with attempt:
                stream = self.upstream.chat(credential.get_secret_value(), prompt)
                return stream, await _read_head(stream)
        raise AssertionError("tenacity raises before it runs out of attempts")

    def _may_pass(self, error: BaseException) -> bool:
        return (
            isinstance(error, UpstreamError)
            and error.kind in _PASSING
            and (error.status is None or error.status in self.settings.retry.retry_status_codes)
        )

    def _moves_on(self, error: UpstreamError) -> bool:
        codes = self.settings.retry.retry_status_codes
        if error.kind is ErrorKind.UNAVAILABLE:
            return error.status == _SERVER_ERROR and error.status not in codes
        return _STATUS_OF.get(error.kind) in codes


async def _read_head(stream: AsyncGenerator[Frame, None]) -> list[Frame]:
    head: list[Frame] = []
    async for frame in stream:
        head.append(frame)
        if not isinstance(frame, StartFrame | CardFrame):
            break
    return head


class _Stop(stop_base):
    """So many attempts, and no wait that ends after the deadline, which all accounts of a request share."""

    def __init__(self, attempts: int, deadline: float) -> None:
        self._attempts = attempts
        self._deadline = deadline

    def __call__(self, retry_state: RetryCallState) -> bool:
        too_late = time.monotonic() + retry_state.upcoming_sleep > self._deadline
        return too_late or retry_state.attempt_number >= self._attempts


class _Backoff(wait_base):
    """Exponential backoff with full jitter, but never less than Grok asked for."""

    def __init__(self, base_s: float, factor: float, max_s: float) -> None:
        self._jittered = wait_random_exponential(multiplier=base_s, exp_base=factor, max=max_s)

    def __call__(self, retry_state: RetryCallState) -> float:
        error = retry_state.outcome.exception() if retry_state.outcome else None
        asked_s = error.retry_after_s if isinstance(error, UpstreamError) else None
        return max(self._jittered(retry_state), asked_s or 0.0)
