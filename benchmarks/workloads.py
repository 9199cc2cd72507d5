"""What is asked, and of whom."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from benchmarks.load import Ask, post
from benchmarks.processes import API_KEY, Served
from benchmarks.sandbox import MARK, MARKS_IN_REPLY, TOKENS


@dataclass(frozen=True, slots=True)
class Workload:
    """One row of the table."""

    name: str
    streams: int
    requests: int
    """In one round, over all streams."""
    is_stream: bool = True
    pace_ms: int = 0
    """Wait before each token but the first."""
    prompt_bytes: int = 0
    """Least size of what is asked."""
    is_spread: bool = False
    """Whether the streams begin evenly spread over the time of one reply, as strangers do, or all at once."""

    @property
    def spread_s(self) -> float:
        """The time over which the streams begin."""
        return TOKENS * self.pace_ms / 1000 if self.is_spread else 0.0

    @property
    def prompt(self) -> str:
        """What is asked; tells the sandbox how fast to answer."""
        words = f"Tell me about gateways. pace_ms={self.pace_ms}" if self.pace_ms else "Tell me about gateways."
        return words.ljust(self.prompt_bytes, ".")

    @property
    def ideal_s(self) -> float:
        """How long a reply takes at Grok's pace alone."""
        return (TOKENS - 1) * self.pace_ms / 1000


@dataclass(frozen=True, slots=True)
class Target:
    """One of those that every workload is run against."""

    name: str
    served: Served
    ask: Callable[[Workload], Ask]


ONE: Final = Workload("1 stream", streams=1, requests=150)
SIXTEEN: Final = Workload("16 streams", streams=16, requests=480)
SIXTEEN_PACED: Final = Workload("16 paced", streams=16, requests=32, pace_ms=10, is_spread=True)
CROWD_PACED: Final = Workload("256 paced", streams=256, requests=768, pace_ms=10, is_spread=True)
WORKLOADS: Final = (
    ONE,
    SIXTEEN,
    Workload("64 streams", streams=64, requests=640),
    Workload("256 streams", streams=256, requests=1024),
    SIXTEEN_PACED,
    Workload("16 paced, in step", streams=16, requests=16, pace_ms=10),
    CROWD_PACED,
    Workload("16 not streamed", streams=16, requests=480, is_stream=False),
    Workload("16 long prompts", streams=16, requests=480, prompt_bytes=50_000),
)
"""100-token replies, the ones of the table."""


def ask_sandbox(workload: Workload) -> Ask:
    """The request as grok.com takes it, answered in Grok's frames."""
    body = {
        "message": workload.prompt,
        "modelName": "grok-4",
        "modelMode": "MODEL_MODE_GROK_4",
        "temporary": True,
        "toolOverrides": {},
    }
    request = post("/rest/app-chat/conversations/new", json.dumps(body).encode(), cookie="sso=bench; sso-rw=bench")
    return Ask(request, event=b'{"result"', mark=MARK.encode(), marks=MARKS_IN_REPLY)


def ask_gateway(workload: Workload) -> Ask:
    """The request as OpenAI takes it, answered in chunks or whole."""
    body = {
        "model": "grok-4",
        "stream": workload.is_stream,
        "messages": [{"role": "user", "content": workload.prompt}],
    }
    request = post("/v1/chat/completions", json.dumps(body).encode(), authorization=f"Bearer {API_KEY}")
    return Ask(request, event=b"data: {" if workload.is_stream else b'{"id"', mark=MARK.encode(), marks=TOKENS)
