"""Trying again: on the same account after a passing fault, on the next one after a refusal, never after a word.

Source: API contract, section 5.4.
"""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Final, TypeVar

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
        tried, failures = set() if tried is None else tried, list[UpstreamError]()
        while True:
            has_begun = False
            try:
                async with self.accounts.lease(pools, cost, tried, wait_s=_until(busy_until)) as lease:
                    tried.add(lease.account_id)
                    stream, head, noted = await self._open(lease, ask, begins, deadline)
                    has_begun = True
                    async with aclosing(stream):
                        with _noting_failure(noted):
                            for item in head:
                                yield item
                            async for item in stream:
                                yield item
            except UpstreamError as error:
                failures.append(error)
                if has_begun or not self._moves_on(failures, deadline):
                    raise
            except NoAccountError as none_left:
                if failures and none_left.retry_after_s is None:
                    raise failures[-1] from none_left
                raise
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

    async def _open(
        self, lease: Lease, ask: Ask[ItemT], begins: Callable[[ItemT], bool], deadline: float
    ) -> tuple[AsyncGenerator[ItemT, None], list[ItemT], Attempt]:
        """Open the answer and read as far as the first item that says something."""
        for attempt in count(1):
            noted = note_attempt(lease.account_id)
            stream = ask(lease)
            try:
                with _noting_failure(noted):
                    head = await _read_head(stream, begins)
            except UpstreamError as error:
                wait_s = self._wait_s(attempt, error)
                if wait_s is None or time.monotonic() + wait_s > deadline:
                    raise
            else:
                noted.succeed()
                note_first_word()
                return stream, head, noted
            await asyncio.sleep(wait_s)
        raise AssertionError("the last attempt returns or raises")

    def _wait_s(self, attempt: int, error: UpstreamError) -> float | None:
        """How long to wait before the same account is asked again; None when it isn't.

        Exponential backoff with full jitter, but never less than Grok asked for.
        """
        retry = self.settings.retry
        if attempt >= retry.max_retry or not self._may_pass(error):
            return None
        longest_s = min(retry.retry_backoff_max, retry.retry_backoff_base * retry.retry_backoff_factor ** (attempt - 1))
        jittered_s = random.uniform(0, longest_s)  # noqa: S311 - spreads the load, keeps no secret
        return max(jittered_s, error.retry_after_s or 0.0)

    def _may_pass(self, error: UpstreamError) -> bool:
        codes = self.settings.retry.retry_status_codes
        return error.kind in _PASSING and (error.status is None or error.status in codes)

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


def _until(moment: float) -> float:
    return max(0.0, moment - time.monotonic())


@contextmanager
def _noting_failure(attempt: Attempt) -> Iterator[None]:
    try:
        yield
    except (UpstreamError, GatewayError) as error:
        attempt.fail(error.kind if isinstance(error, UpstreamError) else error.code, str(error))
        raise


async def _read_head(stream: AsyncGenerator[ItemT, None], begins: Callable[[ItemT], bool]) -> list[ItemT]:
    head: list[ItemT] = []
    async for item in stream:
        head.append(item)
        if begins(item):
            break
    return head
