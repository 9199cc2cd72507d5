"""Accounts that several processes lend: Redis has the last word on who may, and knows what became of them.

Each process chooses from its own copy of the accounts, which is a tenth of a second old at most, and asks Redis for
the one it has chosen. What becomes of an account is a function of the account: it is applied here at once, and sent
on; where another process was faster, it is applied anew to what that one has made. With Redis away all of it goes on
with what is known here, and is sent when Redis is back.
"""

import asyncio
from collections.abc import Callable, Coroutine
from itertools import count
from secrets import token_hex
from typing import Any, Final

from grok_app.accounts.account import Account, recover
from grok_app.accounts.live_scripts import LEND, LOOK, RENEW, SETTLE
from grok_app.accounts.live_state import Change, Live, Sent, name_of, read_state, with_state_of, write_state
from grok_app.accounts.pool import AccountPool
from grok_app.db import now_ms, unbroken
from grok_app.logs import get_logger
from grok_app.shared import Shared, SharedAwayError

log = get_logger(__name__)
LEASE_MS: Final = 60_000
"""A lease that isn't renewed for so long, its process being dead, ends by itself."""
_RENEW_S: Final = 20.0
_LOOK_S: Final = 0.1
_AT_ONCE: Final = 100
"""Accounts in one call."""
_MOST_CHANGES: Final = 1000
"""Of one account that wait for Redis; then what we know of it counts as a whole."""


class LiveAccounts:
    """The accounts of this process in step with those of all others.

    Args:
        pool: The accounts here.
        shared: Where all of them meet.
        most_inflight: How many requests an account may serve at once, over all processes.
    """

    def __init__(self, pool: AccountPool, shared: Shared, most_inflight: Callable[[], int]) -> None:
        self._pool = pool
        self._shared = shared
        self._most_inflight = most_inflight
        self._lend, self._settle = shared.script(LEND), shared.script(SETTLE)
        self._look, self._renew = shared.script(LOOK), shared.script(RENEW)
        self._prefix = shared.key("")
        self._process = token_hex(8)
        self._serials = count(1)
        self._live: dict[int, Live] = {}
        self._unsent: set[int] = set()
        self._has_unsent = asyncio.Event()
        self._foreign: set[int] = set()
        """Accounts of which others have something reserved."""
        self._seen: int | bytes = 0
        self._sending = asyncio.Lock()

    def knows(self, account_id: int) -> bool:
        """Whether the account was asked lately, by whichever process; its state here is the newest then."""
        return account_id in self._live

    async def claim(self, account: Account, cost: int) -> str | None:
        """Have an account that was reserved in the pool reserved for all processes.

        Returns:
            The lease; None when another process has taken what was left. The pool knows the account as it is then.
        """
        lease = token_hex(8)
        live = self._live.setdefault(account.id, Live())
        live.leases[lease] = int(cost)  # of a model's cost Redis would be told the name
        live.asked.append(cost)
        try:
            is_lent, view = await self._ask(account, live, lease)
            if not is_lent and live.changes:  # what we know of the account may be what Redis doesn't know yet
                await self.flush()
                is_lent, view = await self._ask(account, live, lease)
        except SharedAwayError:
            return lease
        except BaseException:  # cancelled too: Redis may have lent it
            self.end(account.id, lease)
            raise
        finally:
            live.asked.remove(cost)
        if not is_lent:
            del live.leases[lease]
        self._adopt(view)
        return lease if is_lent else None

    def end(self, account_id: int, lease: str) -> None:
        """End a lease: here at once, for the others as soon as Redis knows."""
        live = self._live.setdefault(account_id, Live())  # an account that was deleted is known no more
        live.leases.pop(lease, None)
        live.ended.append(lease)
        if len(live.ended) > _MOST_CHANGES and not live.sent:
            del live.ended[:-_MOST_CHANGES]  # they end by themselves
        self._note_unsent(account_id)

    def change(self, before: Account, change: Change) -> None:
        """Send on what becomes of an account, which is known here already.

        Args:
            before: As it was here.
            change: What has become of it.
        """
        live = self._live.setdefault(before.id, Live())
        live.account = live.account or before
        live.changes.append(change)
        if len(live.changes) > _MOST_CHANGES and not live.sent:
            after = change(before)
            live.changes[:] = [lambda other: with_state_of(after, other)]
        self._note_unsent(before.id)

    async def flush(self) -> None:
        """Send everything that Redis doesn't know yet.

        Raises:
            SharedAwayError: It is away; what it doesn't know is kept.
        """
        async with self._sending:
            while self._unsent:
                await unbroken(self._send([self._unsent.pop() for _ in range(min(_AT_ONCE, len(self._unsent)))]))

    async def join(self) -> set[int]:
        """Learn what the others know; which accounts they know other than they were here."""
        self._shared.on_connect(self.renew)
        try:
            return await self.look()
        except SharedAwayError:
            return set()

    def works(self) -> list[Coroutine[Any, Any, None]]:
        """What goes on in the background until it is cancelled."""
        return [self._keep_sending(), self._keep_looking(), self._keep_renewing()]

    async def leave(self) -> None:
        """Send what is left. What Redis doesn't take is in the database."""
        try:
            await self.flush()
        except SharedAwayError:
            log.warning("other processes can't be told of the last requests")

    async def _keep_sending(self) -> None:
        while True:
            await self._has_unsent.wait()
            self._has_unsent.clear()
            try:
                await self.flush()
            except SharedAwayError:
                await asyncio.sleep(_LOOK_S)
                self._has_unsent.set()

    async def _keep_looking(self) -> None:
        while True:
            try:
                await self.look()
            except SharedAwayError:
                self._forget_foreign()
            await asyncio.sleep(_LOOK_S)

    async def _keep_renewing(self) -> None:
        while True:
            await asyncio.sleep(_RENEW_S)
            try:
                await self.renew()
            except SharedAwayError:
                log.info("leases can't be renewed")

    async def look(self) -> set[int]:
        """Take over what others have changed since the last look; which accounts that were.

        Raises:
            SharedAwayError: Redis is away.
        """
        changed: set[int] = set()
        while True:
            self._seen, views = await self._look([], [self._prefix, self._seen])
            if not views:
                return changed
            changed.update(account_id for view in views if (account_id := self._adopt(view)))

    async def renew(self) -> None:
        """Let our leases go on, and tell a Redis of them that has lost everything.

        Raises:
            SharedAwayError: Redis is away.
        """
        ours = [
            (name_of(account), lease, cost)
            for account_id, live in self._live.items()
            if live.leases and (account := self._pool.get(account_id))
            for lease, cost in live.leases.items()
        ]
        for first in range(0, len(ours), _AT_ONCE):
            members = [part for member in ours[first : first + _AT_ONCE] for part in member]
            await self._renew([], [self._prefix, LEASE_MS, *members])

    async def _ask(self, account: Account, live: Live, lease: str) -> tuple[int, list[Any]]:
        now = now_ms()
        state = write_state(recover(live.account or account, now))
        wanted = lease, live.leases[lease], self._most_inflight(), LEASE_MS
        is_lent, view = await self._lend([], [self._prefix, name_of(account), *wanted, live.version, *state, now])
        return is_lent, view

    async def _send(self, account_ids: list[int]) -> None:
        sent: list[Live] = []
        arguments: list[str | bytes | int] = []
        for account_id in account_ids:
            live, account = self._live[account_id], self._pool.get(account_id)
            if account is None:
                del self._live[account_id]  # deleted: whatever it was is over
                continue
            live.sent = live.sent or Sent(next(self._serials), len(live.changes), len(live.ended))
            sent.append(live)
            arguments += [name_of(account), live.sent.serial, *live.written(live.sent.changes), live.sent.ended]
            arguments += live.ended[: live.sent.ended]
        if not sent:
            return
        try:
            told = await self._settle([], [self._prefix, self._process, *arguments])
        except BaseException:  # cancelled too: what was not sent stays to be sent
            self._unsent.update(self._live.keys() & account_ids)
            raise
        for live, (is_written, view) in zip(sent, told, strict=True):
            if is_written and live.sent:
                del live.changes[: live.sent.changes], live.ended[: live.sent.ended]
            live.sent, missed, live.missed = None, live.missed, None
            self._adopt(view)
            if missed:
                self._adopt(missed)

    def _adopt(self, view: list[Any]) -> int | None:
        """Take over what Redis says of an account; what it doesn't know yet of us is applied to it.

        Returns:
            Its id, if it is another one now.
        """
        name, version, state, costs = view
        account_id = int(name.partition(b":")[0])
        ours = self._pool.get(account_id)
        if ours is None or name_of(ours).encode() != name:
            return None
        live = self._live.setdefault(account_id, Live())
        newest = ours
        if live.sent and version > live.version:
            live.missed = view if live.missed is None or version > live.missed[1] else live.missed
        elif version > live.version:
            live.version, live.account = version, read_state(state, ours)
            newest = recover(live.with_changes(live.account), now_ms())
            if newest != ours:
                self._pool.put(newest)
        if (live.changes or live.ended) and not live.sent:
            self._note_unsent(account_id)
        self._pool.occupy(account_id, [*map(int, costs), *live.asked])
        (self._foreign.add if len(costs) > len(live.leases) else self._foreign.discard)(account_id)
        return account_id if newest is not ours else None

    def _forget_foreign(self) -> None:
        """With Redis away only our own requests count: those of others may be long over."""
        while self._foreign:
            account_id = self._foreign.pop()
            self._pool.occupy(account_id, list(self._live[account_id].leases.values()))

    def _note_unsent(self, account_id: int) -> None:
        self._unsent.add(account_id)
        self._has_unsent.set()
