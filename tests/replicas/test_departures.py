"""A replica that goes, killed or stopped, while both serve: who notices, and what becomes of its leases."""

import time
from typing import Final
from uuid import uuid4

import httpx
import pytest

from tests.conftest import ENDLESS
from tests.contract.admin import fresh
from tests.contract.wire import ask
from tests.replicas.load import Reply, under_load
from tests.replicas.pair import QUOTA, Pair
from tests.servers import Sandbox, eventually

CALLERS: Final = 3
"""Of each way."""
ENOUGH: Final = 12
"""So many replies of each way show that it works, and have asked every account that can be asked."""
LEASE_S: Final = 60
"""`LEASE_MS` of `grok_app.accounts.live`."""


@pytest.mark.timeout(300)  # leases of the dead are waited for
def test_a_kill_under_load(pair: Pair, paced: Sandbox) -> None:
    """Callers of the other one notice nothing; leases of the killed one return; what was served is counted once."""
    tokens = fresh(*(f"-{number}-{ENDLESS}" for number in range(16)))
    pair.employ(tokens)
    ways = {"a": pair.a.url, "b": pair.b.url, "nginx": pair.front}
    with under_load(ways, "Hello", callers=CALLERS) as load:
        eventually(lambda: all(load.whole(way) > 1 for way in ways), within_s=30)
        killed_at = time.monotonic()
        pair.a.kill()
        asked_before = last_asked(paced)
        gone_at = time.monotonic()
        eventually(lambda: all(load.whole(way, begun_after=gone_at) >= ENOUGH for way in ("b", "nginx")), within_s=60)

    assert all(reply.is_whole for reply in load.of("b"))
    assert all(reply.is_whole for reply in load.of("nginx", begun_after=gone_at))
    broken = [reply for reply in load.replies if not reply.is_whole]
    assert any(reply.text for reply in broken)
    for reply in broken:
        assert reply.ended_at >= killed_at
        check_is_broken_off(reply)

    lent = set(tokens) - asked_since(paced, asked_before)
    assert 0 < len(lent) <= 2 * CALLERS
    polls = 0
    while not lent <= asked_since(paced, asked_before):
        assert time.monotonic() - gone_at < LEASE_S + 20
        assert ask(pair.b, "Hello", stream=False).status_code == 200
        polls += 1
    assert time.monotonic() - killed_at > LEASE_S / 2

    pair.heal()
    accounts = pair.agree()
    counted = sum(account["use_count"] for account in accounts.values())
    assert load.whole() + polls - 2 * CALLERS <= counted <= load.whole() + polls + len(broken)
    assert {account["use_count"] + account["quota"] for account in accounts.values()} == {QUOTA}


@pytest.mark.parametrize("number", [0, 1], ids="ab")
def test_a_stop_under_load(pair: Pair, number: int) -> None:
    """Behind nginx a stop and a new start break nothing off; who asks in that very moment is told to ask again."""
    pair.employ(fresh(*(f"-{number}-{ENDLESS}" for number in range(8))))
    eventually(lambda: are_in_turn(pair), within_s=30)
    with under_load({"nginx": pair.front}, "Hello", callers=2 * CALLERS) as load:
        eventually(lambda: load.whole() >= ENOUGH, within_s=30)
        pair.replicas[number].stop()
        gone_at = time.monotonic()
        eventually(lambda: load.whole(begun_after=gone_at) >= ENOUGH, within_s=30)
        pair.heal()
        back_at = time.monotonic()
        eventually(lambda: load.whole(begun_after=back_at) >= ENOUGH, within_s=30)

    told = [reply for reply in load.replies if reply.status == httpx.codes.SERVICE_UNAVAILABLE]
    assert all('"shutting_down"' in reply.text for reply in told)
    assert [reply for reply in load.replies if not reply.is_whole and reply not in told] == []


def are_in_turn(pair: Pair) -> bool:
    """Whether nginx asks both: one that it couldn't reach is left out for 10 s."""
    path = f"/v1/models/{uuid4().hex}"
    for _ in pair.replicas:
        httpx.get(f"{pair.front}{path}")
    return all(path in replica.process.news() for replica in pair.replicas)


def check_is_broken_off(reply: Reply) -> None:
    """Whoever asked has seen a connection that failed, or from nginx that nobody answered; never an end."""
    assert not reply.says_done
    assert reply.finish_reasons == []
    if reply.way == "nginx" and reply.status == httpx.codes.BAD_GATEWAY:
        assert '"no_server"' in reply.text
    else:
        assert isinstance(reply.error, httpx.TransportError)
        assert reply.status in (None, 200)


def last_asked(sandbox: Sandbox) -> int:
    """The number of the latest request at Grok."""
    return max(int(entry["id"]) for entry in sandbox.journal())


def asked_since(sandbox: Sandbox, number: int) -> set[str]:
    """Accounts with which Grok was asked after this request."""
    return {entry["account"] for entry in sandbox.journal() if entry["id"] > number}
