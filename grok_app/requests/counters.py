"""What is counted since the start, for whoever comes by and looks: it only ever grows, and has few names."""

from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from grok_app.catalog import CHAT_MODELS, MODELS
from grok_app.requests.types import RequestDetail

FIRST_CHUNK_S: Final = (0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 60.0)
"""Bounds of the buckets for first chunks."""
DURATION_S: Final = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Bounds of the buckets for whole requests."""
OTHER: Final = "other"
"""In place of a name that nobody has heard of, so that no caller makes more of them."""
_MOST_CODES: Final = 200
"""We have some forty codes of errors, and the validation of bodies some hundred."""


class Buckets:
    """How many times lie under each bound, and their sum.

    Args:
        bounds_s: In seconds, rising.
    """

    def __init__(self, bounds_s: tuple[float, ...]) -> None:
        self.bounds_s = bounds_s
        self.sum_s = 0.0
        self._counts = [0] * (len(bounds_s) + 1)

    def add(self, time_s: float) -> None:
        """Count a time."""
        self._counts[bisect_left(self.bounds_s, time_s)] += 1
        self.sum_s += time_s

    def cumulative(self) -> list[int]:
        """How many there are up to each bound, and all of them last."""
        return list(accumulate(self._counts))


@dataclass(slots=True)
class Counters:
    """What became of the requests of this process."""

    requests: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    """By route, model and status. The model is empty for those that were refused before it was known."""
    errors: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By route and the code of the error that ended it."""
    attempts: Counter[str] = field(default_factory=Counter)
    """Accounts asked, by the kind of failure; empty: they answered."""
    tokens: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By model and `prompt` or `completion`."""
    first_chunks: dict[str, Buckets] = field(default_factory=lambda: defaultdict(lambda: Buckets(FIRST_CHUNK_S)))
    """Of chats, by model: a picture or a video has no first token."""
    durations: dict[str, Buckets] = field(default_factory=lambda: defaultdict(lambda: Buckets(DURATION_S)))
    """By route."""

    def end(self, route: str, model: str, status: int, error: str | None) -> None:
        """Count a request by how it ended."""
        self.requests[route, _known(model), status] += 1
        if error:
            key = (route, error)
            self.errors[key if key in self.errors or len(self.errors) < _MOST_CODES else (route, OTHER)] += 1

    def add(self, detail: RequestDetail) -> None:
        """Count all else that is known of a finished request."""
        record, model = detail.record, _known(detail.record.model)
        self.durations[record.route].add(record.duration_ms / 1000)
        self.attempts.update(attempt.error or "" for attempt in detail.attempts)
        if record.first_chunk_ms is not None and model in CHAT_MODELS:
            self.first_chunks[model].add(record.first_chunk_ms / 1000)
        self.tokens[model, "prompt"] += record.prompt_tokens
        self.tokens[model, "completion"] += record.completion_tokens


def _known(model: str) -> str:
    return model if model in MODELS or not model else OTHER
