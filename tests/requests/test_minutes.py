"""The last hour, minute by minute."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grok_app.requests.minutes import Minutes
from tests.requests.traces import HOUR_MS, MINUTE_MS, NOW_MS, Clock


def add(minutes: Minutes, at_ms: int, *, model: str = "grok-4", first_chunk_ms: int | None = None) -> None:
    """Count a request that went well."""
    minutes.add(at_ms, model, is_error=False, first_chunk_ms=first_chunk_ms, kinds=())


@given(st.lists(st.integers(NOW_MS - 2 * HOUR_MS, NOW_MS)))
def test_there_are_sixty_minutes_and_every_request_of_them_is_counted_once(finished_at_ms: list[int]) -> None:
    """In whatever order they come; older ones are not counted."""
    minutes = Minutes(Clock())
    for at_ms in finished_at_ms:
        add(minutes, at_ms)
    shown = minutes.all()
    begin = NOW_MS // MINUTE_MS - 59
    assert [minute.at_ms // MINUTE_MS for minute in shown] == list(range(begin, begin + 60))
    for minute in shown:
        within = [at_ms for at_ms in finished_at_ms if minute.at_ms <= at_ms < minute.at_ms + MINUTE_MS]
        assert minute.requests == len(within)


def test_what_is_over_for_an_hour_is_forgotten() -> None:
    """The counters and the memory they take."""
    clock = Clock()
    minutes = Minutes(clock)
    for _ in range(1_000):
        add(minutes, clock.now_ms, first_chunk_ms=5)
        clock.now_ms += MINUTE_MS
    assert sum(minute.requests for minute in minutes.all()) == 59
    assert minutes.top_models(5) == [("grok-4", 59)]
    assert len(vars(minutes)["_tallies"]) <= 60
    clock.now_ms += HOUR_MS
    assert {minute.requests for minute in minutes.all()} == {0}
    assert minutes.top_models(5) == []


def test_only_chats_have_a_first_token() -> None:
    """A video's first sign of life says nothing about how fast chats answer."""
    minutes = Minutes(Clock())
    add(minutes, NOW_MS, model="grok-imagine-1.0-video", first_chunk_ms=60_000)
    assert minutes.all()[-1].first_chunk_p95_ms is None
    add(minutes, NOW_MS, first_chunk_ms=100)
    shown = minutes.all()[-1]
    assert shown.first_chunk_p50_ms == shown.first_chunk_p95_ms == pytest.approx(100, rel=0.05)


def test_models_and_failures_are_ranked() -> None:
    """Most frequent first; a request whose model isn't known counts as none."""
    minutes = Minutes(Clock())
    for model, kinds in (("grok-3", ["timeout"]), ("grok-4", ["rate_limited", "timeout"]), ("grok-4", []), ("", [])):
        minutes.add(NOW_MS, model, is_error=bool(kinds), first_chunk_ms=None, kinds=kinds)
    assert minutes.top_models(5) == [("grok-4", 2), ("grok-3", 1)]
    assert minutes.top_models(1) == [("grok-4", 2)]
    assert minutes.kinds() == [("timeout", 2), ("rate_limited", 1)]
    assert minutes.all()[-1].errors == 2
