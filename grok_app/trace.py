"""What one request gathers on its way: begun at the border, filled in by whoever knows, recorded at its end."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from grok_app.errors import GatewayError

MOST_CHARS: Final = 10_000
"""Of a prompt, and of an answer, that is kept."""
LEFT: Final = "client_left"
"""In place of an error: the caller went before the end, which is nobody's fault."""
_NOBODY_ANSWERED: Final = 499
"""nginx's status for a caller who has gone; nobody sees it."""
_MOST_ATTEMPTS: Final = 100
"""Of a run without end; later ones are not kept."""
_MOST_REASON_CHARS: Final = 200
_HINT_CHARS: Final = 4
_SHORTEST_KEY: Final = 12
"""Four characters of a shorter one would say too much."""


@dataclass(slots=True, eq=False)
class Attempt:
    """One account asked once."""

    account_id: int
    error: str | None = None
    """The kind of failure at Grok, or the code of one of ours; None when there was none."""
    reason: str = ""
    duration_ms: int = 0
    """To the first word, or to the failure."""
    began_at: float = field(default_factory=time.perf_counter)

    def succeed(self) -> None:
        """Note the first word."""
        self.duration_ms = _ms_since(self.began_at)

    def fail(self, error: str, reason: str) -> None:
        """Note what went wrong."""
        self.error, self.reason = error, reason[:_MOST_REASON_CHARS]
        self.duration_ms = _ms_since(self.began_at)


class Step(NamedTuple):
    """Something that a request waited for, by this process's clock."""

    name: str
    began_at: float
    ended_at: float


@dataclass(frozen=True, slots=True)
class TraceContext:
    """Where a request stands in a trace that goes over several services. Source: W3C Trace Context, 21 March 2024."""

    trace_id: str
    """Of all services' part in it, 32 hex digits."""
    span_id: str
    """Of our part, 16 hex digits."""
    parent_id: str
    """Of the caller's part, 16 hex digits."""
    is_sampled: bool
    """Whether the caller records its part."""

    @property
    def traceparent(self) -> str:
        """What stands in the header for whoever comes after us."""
        return f"00-{self.trace_id}-{self.span_id}-{self.is_sampled:02x}"


@dataclass(slots=True, eq=False)
class Trace:
    """One request that asks for a model. Costs a microsecond or two, and nothing per chunk."""

    id: str
    route: str
    """The path of its route, the same for all spellings of the prefix."""
    key: str = ""
    """What was shown, masked, or the name of who asks; empty when nothing was shown."""
    is_stream: bool = False
    model: str = ""
    """Empty when the request was refused before the model was known."""
    status: int = 0
    error: str | None = None
    """The code of the error that ended it."""
    reason: str = ""
    is_let_in: bool = False
    """Whether a key was accepted, where one is wanted, and not shown too often. See `was_turned_away`."""
    attempts: list[Attempt] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    """What it waited for beside Grok's answers."""
    first_chunk_ms: int | None = None
    duration_ms: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    bytes_sent: int = 0
    prompt: str | None = None
    """None unless content is kept."""
    answer: list[str] | None = None
    """None unless content is kept. See `say`."""
    trace_id: str = ""
    """32 hex digits; empty where nobody looks for it."""
    context: TraceContext | None = None
    """What the caller said in `traceparent`; None: it is part of no other trace."""
    started_at_ms: int = field(default_factory=lambda: time.time_ns() // 1_000_000)
    began_at: float = field(default_factory=time.perf_counter)
    _answer_chars: int = 0

    def ask(self, model: str, prompt: str, *, keeps_content: bool) -> None:
        """Note what is wanted."""
        self.model = model
        if keeps_content:
            self.prompt, self.answer = prompt[:MOST_CHARS], []

    def begin_answer(self) -> None:
        """Note the first word, if it is the first."""
        if self.first_chunk_ms is None:
            self.first_chunk_ms = _ms_since(self.began_at)

    def say(self, text: str) -> None:
        """Note a piece of the answer, as long as there is room."""
        if self.answer is not None and self._answer_chars < MOST_CHARS:
            self.answer.append(text[: MOST_CHARS - self._answer_chars])
            self._answer_chars += len(text)

    def count(self, prompt_tokens: int, completion_tokens: int) -> None:
        """Note how much it was."""
        self.prompt_tokens, self.completion_tokens = prompt_tokens, completion_tokens

    def fail(self, error: GatewayError) -> None:
        """Note the error that ends it."""
        self.error, self.reason = error.code, error.message[:_MOST_REASON_CHARS]

    def recover(self) -> None:
        """Note that something came after all: what had gone wrong before ends it no more."""
        self.error, self.reason = None, ""

    def add_to_reason(self, words: str) -> None:
        """Note more about the error that ended it."""
        self.reason = f"{self.reason[: _MOST_REASON_CHARS - len(words)]}{words}"

    def was_turned_away(self) -> bool:
        """Whether its caller got no further than the door: was not let in, and nothing was asked for."""
        return not self.is_let_in and not self.model

    def leave(self) -> None:
        """Note that the caller left before the end; an error that came first stays."""
        self.error = self.error or LEFT

    def end(self, status: int, bytes_sent: int = 0) -> "Trace":
        """Note how it ended. Status 0 or 499: nobody was left to be answered."""
        if status in (0, _NOBODY_ANSWERED):
            self.leave()
        self.status, self.bytes_sent = status or _NOBODY_ANSWERED, bytes_sent
        self.duration_ms = _ms_since(self.began_at)
        return self

    @property
    def ended_at(self) -> float:
        """By this process's clock."""
        return self.began_at + self.duration_ms / 1000

    def at_ns(self, moment: float) -> int:
        """A moment of this process's clock as Unix nanoseconds."""
        return self.started_at_ms * 1_000_000 + int((moment - self.began_at) * 1e9)


under_way: Final[Counter[str]] = Counter()
"""How many requests this process serves now, by route."""
current_trace: ContextVar[Trace | None] = ContextVar("current_trace", default=None)
"""What the request gathers that this task serves; None where nobody records."""


def note_attempt(account_id: int) -> Attempt:
    """Note that an account is asked now."""
    attempt = Attempt(account_id)
    if (trace := current_trace.get()) and len(trace.attempts) < _MOST_ATTEMPTS:
        trace.attempts.append(attempt)
    return attempt


def note_step(name: str, began_at: float) -> None:
    """Note something that was waited for until now. What every request does takes this way, which is quicker."""
    if (trace := current_trace.get()) and len(trace.steps) < _MOST_ATTEMPTS:
        trace.steps.append(Step(name, began_at, time.perf_counter()))


@contextmanager
def noting_step(name: str) -> Iterator[None]:
    """Note how long the block takes, also where it fails."""
    began_at = time.perf_counter()
    try:
        yield
    finally:
        note_step(name, began_at)


def note_request(model: str, prompt: str, *, keeps_content: bool) -> None:
    """Note what is wanted."""
    if trace := current_trace.get():
        trace.ask(model, prompt, keeps_content=keeps_content)


def note_first_word() -> None:
    """Note that the answer begins."""
    if trace := current_trace.get():
        trace.begin_answer()


def note_tokens(prompt_tokens: int, completion_tokens: int) -> None:
    """Note how much the request was."""
    if trace := current_trace.get():
        trace.count(prompt_tokens, completion_tokens)


def note_failure(error: GatewayError) -> None:
    """Note what the caller is told in place of an answer."""
    if trace := current_trace.get():
        trace.fail(error)


def note_recovery() -> None:
    """Note that something came after all, be it after a failure."""
    if trace := current_trace.get():
        trace.recover()


def key_hint(key: str) -> str:
    """Enough of a key to tell it from others, too little to guess it."""
    return f"…{key[-_HINT_CHARS:]}" if len(key) >= _SHORTEST_KEY else "…"


def _ms_since(began_at: float) -> int:
    """Rounded up, so that nothing takes no time."""
    return int((time.perf_counter() - began_at) * 1000) + 1
