"""The time within scripts, which is Redis' own, so that all machines agree on it; and how long leases are."""

from collections.abc import Callable
from typing import Final

LEASE_S: Final = 60.0
"""A place or a stream that isn't renewed is over then: its process has died, or can't reach Redis."""
RENEW_S: Final = 20.0
BATCH: Final = 200
"""So many leases are renewed in one script, which holds Redis up for 2 to 3 ms (2026-11-29)."""
NOW: Final = """
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
"""
"""How a script begins whose first argument is a `moment`: `now` is in microseconds."""


def moment(clock_s: Callable[[], float] | None) -> int | str:
    """A script's first argument: what this clock says; without one, that Redis shall look at its own."""
    return "" if clock_s is None else microseconds(clock_s())


def microseconds(seconds: float) -> int:
    """As scripts count."""
    return round(seconds * 1_000_000)
