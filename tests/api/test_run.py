"""What is recorded of runs that have setbacks."""

from collections.abc import Iterator

import pytest

from grok_app.api.public.run import Run
from grok_app.errors import OverloadedError
from grok_app.imagine import Drawn, ImagesRequest, Picture, Setback, Stage
from grok_app.trace import Trace, current_trace

WISH = ImagesRequest("a cat", 6, "2:3", "b64_json")
SETBACK = Setback(OverloadedError("No account is free"))
DRAWN = Drawn(Picture(0, "id", Stage.FINAL, 0, ""), 0)


@pytest.fixture
def trace() -> Iterator[Trace]:
    """What the runs of one socket gather."""
    gathered = Trace("id", "/v1/public/imagine/ws")
    token = current_trace.set(gathered)
    yield gathered
    current_trace.reset(token)


@pytest.mark.parametrize(
    ("runs", "error"),
    [
        ([[SETBACK]], "overloaded"),
        ([[SETBACK, DRAWN]], None),
        ([[DRAWN, SETBACK]], None),
        ([[SETBACK], [DRAWN]], None),
        ([[DRAWN], [SETBACK]], "overloaded"),
    ],
    ids=["only-setback", "setback-first", "picture-first", "good-after-bad", "bad-after-good"],
)
def test_a_run_that_draws_has_not_failed(trace: Trace, runs: list[list[Drawn | Setback]], error: str | None) -> None:
    """Whatever came before its first picture; on a socket the last run decides."""
    for events in runs:
        run = Run(WISH)
        for event in events:
            run.news(event)
    assert trace.error == error
    assert bool(trace.reason) == bool(error)
