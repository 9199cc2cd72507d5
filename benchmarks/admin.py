"""How long an operator with many accounts waits: for the list, for another list, for the quotas of all.

Whole requests over HTTP at a gateway of its own, from the first byte sent to the last one received.
"""

import http.client
import json
import statistics
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.processes import APP_KEY, Served

ACCOUNTS: Final = 10_000
_TIMEOUT_S: Final = 120.0
_LIST_BAR_MS: Final = 300.0
_REPLACE_BAR_MS: Final = 2000.0


@dataclass(frozen=True, slots=True)
class Wait:
    """One row: something done with so many accounts or files, again and again."""

    name: str
    items: int
    times_ms: list[float]
    bar_ms: float | None = None
    """Most that the median may be."""

    @property
    def median_ms(self) -> float:
        """The time it takes."""
        return statistics.median(self.times_ms)

    @property
    def items_per_s(self) -> float:
        """How many of them are done in a second."""
        return self.items / self.median_ms * 1000

    @property
    def meets_bar(self) -> bool:
        """Whether it is as fast as it has to be."""
        return self.bar_ms is None or self.median_ms < self.bar_ms


def measure_admin(gateway: Served, accounts: int = ACCOUNTS, repeats: int = 5) -> list[Wait]:
    """Measure at a gateway that has so many accounts already.

    Raises:
        RuntimeError: An answer was not what it should be.
    """
    lists = [[f"bench-list-{number}-{i:06d}" for i in range(accounts)] for number in range(repeats)]
    with closing(http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=_TIMEOUT_S)) as connection:
        operator = _Operator(connection)
        replaced_ms = [operator.replace(tokens, added=accounts) for tokens in lists]
        unchanged_ms = [operator.replace(lists[-1], added=0) for _ in range(repeats)]
        listed_ms = [operator.read_list(accounts) for _ in range(repeats * 2)]
        refreshed_ms = [operator.refresh(lists[-1])]
    return [
        Wait("list", accounts, listed_ms, _LIST_BAR_MS),
        Wait("replace", accounts, replaced_ms, _REPLACE_BAR_MS),
        Wait("the same", accounts, unchanged_ms, _REPLACE_BAR_MS),
        Wait("refresh", accounts, refreshed_ms),
    ]


class _Operator:
    """One keep-alive connection with the operator's key. What is done is checked; its time is in milliseconds."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self._connection = connection

    def read_list(self, accounts: int) -> float:
        """Ask for all accounts."""
        elapsed_ms, answer = self._ask("GET", "/tokens")
        _check(sum(map(len, answer.values())) == accounts, "the list is not complete")
        return elapsed_ms

    def replace(self, tokens: Iterable[str], *, added: int) -> float:
        """Let these be all the accounts."""
        elapsed_ms, answer = self._ask("POST", "/tokens", {"ssoBasic": list(tokens)})
        _check(answer["added"] == added, answer["message"])
        return elapsed_ms

    def refresh(self, tokens: list[str]) -> float:
        """Start asking Grok for all these quotas, and watch to the end."""
        started_ms, task = self._ask("POST", "/tokens/refresh/async", {"tokens": tokens})
        began_at = time.perf_counter()
        events = self._send("GET", f"/batch/{task['task_id']}/stream").split(b"\n\n")
        watched_ms = (time.perf_counter() - began_at) * 1000
        end = json.loads(events[-2].removeprefix(b"data: "))
        _check((end["type"], end["ok"]) == ("done", len(tokens)), "not every quota was told")
        return started_ms + watched_ms

    def _ask(self, method: str, path: str, body: object = None) -> tuple[float, Any]:
        sent = json.dumps(body).encode() if body is not None else None
        began_at = time.perf_counter()
        received = self._send(method, path, sent)
        return (time.perf_counter() - began_at) * 1000, json.loads(received)

    def _send(self, method: str, path: str, body: bytes | None = None) -> bytes:
        headers = {"authorization": f"Bearer {APP_KEY}", "content-type": "application/json"}
        self._connection.request(method, f"/v1/admin{path}", body, headers)
        response = self._connection.getresponse()
        received = response.read()
        _check(response.status == http.HTTPStatus.OK, received[:300].decode(errors="replace"))
        return received


def _check(is_right: bool, what: str) -> None:
    if not is_right:
        raise RuntimeError(f"the admin API did not do what was measured: {what}")
