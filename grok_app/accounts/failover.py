"""Trying again: on the same account after a passing fault, on the next one after a refusal, never after a word.

Source: API contract, section 5.4.
"""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception
from tenacity.stop import stop_base
from tenacity.wait import wait_base, wait_random_exponential

from grok_app.accounts.service import Accounts, Lease, NoAccountError
from grok_app.catalog import Pool
from grok_app.errors import (
    GatewayError,
    PermissionDeniedError,
    RateLimitedError,
    UpstreamFailedError,
    UpstreamTimeoutError,
)
from grok_app.settings import Settings
from grok_app.trace import Attempt, note_attempt, note_first_word
from grok_app.upstream import ErrorKind, UpstreamError

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


ItemT = TypeVar("ItemT")
Ask = Callable[[Lease], AsyncGenerator[ItemT, None]]
"""Asks Grok with this account, and gives what comes of it."""


@dataclass(frozen=True, slots=True)
class Failover:
    """Asks until one account answers."""

    accounts: Accounts
    settings: Settings
    wait_s: float | None = None
    """How long to wait for accounts that are only busy; None: `chat.timeout`."""

    async def run(
        self,
        pools: Sequence[Pool],
        cost: int,
        ask: Ask[ItemT],
        *,
        begins: Callable[[ItemT], bool] = lambda _: True,
        tried: set[int] | None = None,
    ) -> AsyncGenerator[ItemT, None]:
        """Give the items of the first attempt that gets far enough. The lease is held until the last of them.

        Each kind of failure may use up `retry.max_retry` accounts: bad ones of other kinds leave room for a good one.

        Args:
            pools: In order of preference.
            cost: Of one attempt.
            ask: Makes one attempt.
            begins: Whether this item is a word to the caller; nothing is tried again after the first one.
            tried: Accounts to leave out; those that are asked are added.

        Raises:
            NoAccountError: No account is left to try, and one will be free again or none was tried.
            UpstreamError: The last attempt's failure, or one after the first word.
        """
        deadline = time.monotonic() + self.settings.retry.retry_budget
        busy_until = time.monotonic() + (self.settings.chat.timeout if self.wait_s is None else self.wait_s)
        tried = tried if tried is not None else set()
        failures: list[UpstreamError] = []
        while True:
            has_begun = False
            wait_s = max(0.0, busy_until - time.monotonic())
            try:
                async with (
                    self.accounts.lease(pools, cost, tried, wait_s=wait_s) as lease,
                    aclosing(self._on_account(lease, ask, begins, deadline)) as items,
                ):
                    tried.add(lease.account_id)
                    async for item in items:
                        has_begun = True
                        yield item
            except UpstreamError as error:
                failures.append(error)
                if has_begun or not self._moves_on(failures, deadline):
                    raise
            except NoAccountError as none_left:
                if not failures or none_left.retry_after_s is not None:
                    raise
                raise failures[-1] from none_left
            else:
                return

    async def call(
        self,
        pools: Sequence[Pool],
        cost: int,
        work: Callable[[Lease], Awaitable[ItemT]],
        *,
        tried: set[int] | None = None,
    ) -> ItemT:
        """Give what the first attempt that succeeds returns; nothing is a word to the caller before. See `run`."""

        async def ask(lease: Lease) -> AsyncGenerator[ItemT, None]:
            yield await work(lease)

        [result] = [item async for item in self.run(pools, cost, ask, tried=tried)]
        return result

    async def _on_account(
        self, lease: Lease, ask: Ask[ItemT], begins: Callable[[ItemT], bool], deadline: float
    ) -> AsyncGenerator[ItemT, None]:
        stream, head, noted = await self._open(lease, ask, begins, deadline)
        try:
            async with aclosing(stream):
                for item in head:
                    yield item
                async for item in stream:
                    yield item
        except (UpstreamError, GatewayError) as error:
            _note_failure(noted, error)
            raise

    async def _open(
        self, lease: Lease, ask: Ask[ItemT], begins: Callable[[ItemT], bool], deadline: float
    ) -> tuple[AsyncGenerator[ItemT, None], list[ItemT], Attempt]:
        """Open the answer and read as far as the first item that says something."""
        retry = self.settings.retry
        async for attempt in AsyncRetrying(
            retry=retry_if_exception(self._may_pass),
            wait=_Backoff(retry.retry_backoff_base, retry.retry_backoff_factor, retry.retry_backoff_max),
            stop=_Stop(retry.max_retry, deadline),
            reraise=True,
        ):
            noted = note_attempt(lease.account_id)
            with attempt:
                try:
                    stream = ask(lease)
                    head = await _read_head(stream, begins)
                except (UpstreamError, GatewayError) as error:
                    _note_failure(noted, error)
                    raise
                noted.succeed()
                note_first_word()
                return stream, head, noted
        raise AssertionError("tenacity raises before it runs out of attempts")

    def _may_pass(self, error: BaseException) -> bool:
        return (
            isinstance(error, UpstreamError)
            and error.kind in _PASSING
            and (error.status is None or error.status in self.settings.retry.retry_status_codes)
        )

    def _moves_on(self, failures: Sequence[UpstreamError], deadline: float) -> bool:
        """Whether another account is asked after these failures, one of each account."""
        error = failures[-1]
        if sum(failure.kind is error.kind for failure in failures) >= self.settings.retry.max_retry:
            return False
        codes = self.settings.retry.retry_status_codes
        if error.kind is ErrorKind.TIMEOUT:
            return time.monotonic() < deadline
        if error.kind is ErrorKind.UNAVAILABLE:
            return error.status == _SERVER_ERROR and error.status not in codes
        return _STATUS_OF.get(error.kind) in codes


@contextmanager
def as_gateway_errors() -> Iterator[None]:
    """Tell the caller in our words what Grok's failure means.

    Raises:
        GatewayError: In place of an UpstreamError.
    """
    try:
        yield
    except UpstreamError as error:
        raise _as_gateway_error(error) from error


def _as_gateway_error(error: UpstreamError) -> GatewayError:
    """What the caller is told of Grok's failure. Source: API contract, sections 3 and 5.4."""
    message = str(error)
    match error.kind:
        case ErrorKind.RATE_LIMITED:
            return RateLimitedError("No available tokens. Please try again later.", retry_after_s=error.retry_after_s)
        case ErrorKind.MODERATED:
            return PermissionDeniedError(message, code="content_policy_violation")
        case ErrorKind.TIMEOUT:
            return UpstreamTimeoutError(message)
        case _:
            return UpstreamFailedError(message)


def _note_failure(attempt: Attempt, error: UpstreamError | GatewayError) -> None:
    attempt.fail(error.kind if isinstance(error, UpstreamError) else error.code, str(error))


async def _read_head(stream: AsyncGenerator[ItemT, None], begins: Callable[[ItemT], bool]) -> list[ItemT]:
    head: list[ItemT] = []
    async for item in stream:
        head.append(item)
        if begins(item):
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
