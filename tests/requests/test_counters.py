"""What is counted since the start."""

from grok_app.errors import InvalidRequestError
from grok_app.requests import Buckets, Counters
from grok_app.requests.counters import OTHER
from grok_app.requests.record import detail_of
from grok_app.trace import Attempt
from tests.requests.traces import CHAT, finished


def test_a_time_lies_under_each_greater_bound() -> None:
    """A bound counts as its own bucket, as Prometheus' `le` says; the last number is of all."""
    buckets = Buckets((0.1, 1.0))
    for time_s in (0.05, 0.1, 0.5, 7.0):
        buckets.add(time_s)
    assert buckets.cumulative() == [2, 3, 4]
    assert buckets.sum_s == 7.65


def test_a_request_is_counted_once_everywhere() -> None:
    """With its times, its attempts by the kind of failure, and its tokens."""
    counters = Counters()
    failed = Attempt(1, error="rate_limited")
    trace = finished(first_chunk_ms=250, prompt_tokens=3, completion_tokens=40, attempts=[failed, Attempt(2)])
    counters.end(CHAT, "grok-4", 200, None)
    counters.add(detail_of(trace))
    assert counters.requests == {(CHAT, "grok-4", 200): 1}
    assert counters.errors == {}
    assert counters.attempts == {"rate_limited": 1, "": 1}
    assert counters.tokens == {("grok-4", "prompt"): 3, ("grok-4", "completion"): 40}
    assert counters.first_chunks["grok-4"].sum_s == 0.25
    assert counters.durations[CHAT].sum_s == 0.01


def test_a_picture_has_no_first_word() -> None:
    """Its time would be taken for a chat's."""
    counters = Counters()
    counters.add(detail_of(finished(model="grok-imagine-1.0", first_chunk_ms=9_000)))
    assert not counters.first_chunks


def test_names_are_few_whatever_is_sent() -> None:
    """Models that nobody knows are one, and so are codes beyond all that there can be."""
    counters = Counters()
    for number in range(1_000):
        counters.end(CHAT, f"model-{number}", 400, InvalidRequestError("no", code=f"code_{number}").code)
    assert counters.requests == {(CHAT, OTHER, 400): 1_000}
    assert len(counters.errors) <= 201
    assert counters.errors.total() == 1_000
