"""The events of endless runs: reading them, and what must be true of each. See API contract, sections 6 and 9."""

import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from tests.contract.pictures import COMPLETED, PARTIAL, RATIOS, STAGES, Event, check_usage, drawn, opened, ratio
from tests.contract.public import LIMIT_S
from tests.servers import Sandbox, eventually

BATCH: Final = 6
"""So many pictures are asked for at once."""
QUIET_S: Final = 0.7
"""Grok isn't asked for so long: then it isn't any more."""
FIELDS: Final = {
    *("type", "b64_json", "index", "created_at", "size", "image_id", "stage"),
    *("run_id", "elapsed_ms"),
}
"""What every event with a picture has."""


def until(events: Iterator[Event], is_last: Callable[[Event], bool]) -> list[Event]:
    """The events up to the first one that is so."""
    seen = []
    for event in events:
        seen.append(event)
        if is_last(event):
            return seen
    raise AssertionError(f"the stream has ended: {[brief(event) for event in seen[-5:]]}")


def finals(events: Iterator[Event], count: int) -> list[Event]:
    """The events up to the one that brings the last of so many finished pictures."""
    return [event for _ in range(count) for event in until(events, is_final)]


def is_final(event: Event) -> bool:
    """Whether it brings a finished picture."""
    kind: str = event["type"]
    return kind == COMPLETED


def completed(events: list[Event]) -> list[Event]:
    """Those that bring finished pictures."""
    return [event for event in events if is_final(event)]


def is_error(event: Event) -> bool:
    """Whether it tells of a failure."""
    kind: str = event["type"]
    return kind == "error"


def is_status(event: Event, status: str) -> bool:
    """Whether a run has just reached this state."""
    return (event["type"], event.get("status")) == ("status", status)


def check_running(event: Event, prompt: str, aspect_ratio: str) -> str:
    """It is the first event of a run of this prompt; the run's id."""
    run_id: str = event["run_id"]
    assert run_id
    expected = {"type": "status", "status": "running", "prompt": prompt, "aspect_ratio": aspect_ratio}
    assert event == {**expected, "run_id": run_id}
    return run_id


def check_picture(event: Event, run_id: str, aspect_ratio: str) -> None:
    """It has all that a picture in some stage has, and the picture is a real one of the right shape."""
    assert event["type"] in (PARTIAL, COMPLETED), brief(event)
    assert event.keys() >= FIELDS | {"usage" if is_final(event) else "partial_image_index"}
    assert event["run_id"] == run_id
    assert event["index"] in range(BATCH)
    assert event["stage"] in (STAGES[-1:] if is_final(event) else STAGES[:-1])
    assert RATIOS[event["size"]] == aspect_ratio
    assert (type(event["created_at"]), type(event["elapsed_ms"])) == (int, int)
    assert event["elapsed_ms"] >= 0
    picture = opened(b64decode(event["b64_json"], validate=True))
    assert picture.width / picture.height == pytest.approx(ratio(aspect_ratio), rel=0.05)
    if is_final(event):
        check_usage(event["usage"])


def check_stages(events: list[Event]) -> None:
    """No picture becomes worse than it was shown before."""
    shown: dict[str, int] = {}
    for event in events:
        if event["type"] in (PARTIAL, COMPLETED):
            rank = STAGES.index(event["stage"])
            assert rank > shown.get(event["image_id"], -1), brief(event)
            shown[event["image_id"]] = rank


def brief(event: Event) -> Event:
    """The event as people read it, without its picture."""
    return {name: value for name, value in event.items() if name != "b64_json"}


def assert_over(sandbox: Sandbox, question: str, open_before: int, left_at: float) -> None:
    """Grok's sockets for this prompt are closed within a second of a moment, and no other is opened.

    Args:
        sandbox: Grok's place.
        question: Part of the prompt.
        open_before: How many sockets were open before the run.
        left_at: The moment, in Unix seconds.
    """
    eventually(when_quiet(sandbox, question, QUIET_S))
    assert sandbox.state()["open_sockets"] <= open_before
    ended_ms = [entry["ended_ms"] for entry in drawn(sandbox, question)]
    assert all(ended_ms)
    assert max(ended_ms) / 1000 - left_at < LIMIT_S


def when_quiet(sandbox: Sandbox, question: str, quiet_s: float) -> Callable[[], bool]:
    """Tells whether Grok has not been asked anything more for so long, about a prompt with these words."""
    known: list[Any] = []
    since = time.monotonic()

    def is_quiet() -> bool:
        nonlocal known, since
        asked = [(entry["id"], entry["body_bytes"], entry["ended_ms"]) for entry in drawn(sandbox, question)]
        if asked != known:
            known, since = asked, time.monotonic()
        return time.monotonic() - since > quiet_s

    return is_quiet
