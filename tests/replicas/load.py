"""Callers that ask one thing after the other, and take down what each of them got."""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import Any, Final

import httpx

from tests.conftest import API_KEY
from tests.contract.wire import CHAT, DONE, body, events

LIMIT_S: Final = 30
"""A reply that takes longer hangs."""


@dataclass
class Reply:
    """What came of one streamed chat."""

    way: str
    """By which way the caller asks."""
    began_at: float
    status: int | None = None
    """None: there was no answer at all."""
    text: str = ""
    error: Exception | None = None
    """How the connection failed."""
    ended_at: float = 0.0

    @property
    def is_whole(self) -> bool:
        """Whether it is all that was asked for."""
        return self.status == httpx.codes.OK and self.error is None and self.says_done

    @property
    def says_done(self) -> bool:
        """Whether it claims to be at its end."""
        return self.text.endswith(f"data: {DONE}\n\n")

    @property
    def chunks(self) -> list[Any]:
        """The whole events of its text; what is no event is a failure."""
        *lines, _torn = self.text.split("\n\n")
        return [chunk for chunk in events("\n".join(lines)) if chunk != DONE]

    @property
    def finish_reasons(self) -> list[str]:
        """Those that were told."""
        return [reason for chunk in self.chunks for choice in chunk["choices"] if (reason := choice["finish_reason"])]


@dataclass
class Load:
    """The replies so far, of all callers."""

    replies: list[Reply] = field(default_factory=list)
    stop: Event = field(default_factory=Event)

    def whole(self, way: str = "", *, begun_after: float = 0.0) -> int:
        """How many replies were whole, of this way or of all."""
        return sum(reply.is_whole for reply in self.of(way, begun_after=begun_after))

    def of(self, way: str = "", *, begun_after: float = 0.0) -> list[Reply]:
        """The replies of this way or of all."""
        return [reply for reply in self.replies if way in ("", reply.way) and reply.began_at > begun_after]


@contextmanager
def under_load(ways: Mapping[str, str], prompt: str, *, callers: int) -> Iterator[Load]:
    """Ask by each of these ways, as many at once, while the block runs; then let the last ones be answered.

    Args:
        ways: A server's address by its name. One that can't be reached any more is asked no more.
        prompt: What is asked.
        callers: Of each way.
    """
    load = Load()
    with ThreadPoolExecutor(callers * len(ways)) as threads:
        asking = [threads.submit(_keep_asking, load, way, ways[way], prompt) for way in ways for _ in range(callers)]
        try:
            yield load
        finally:
            load.stop.set()
    for caller in asking:
        caller.result()


def _keep_asking(load: Load, way: str, url: str, prompt: str) -> None:
    headers = {"Authorization": f"Bearer {API_KEY}"}
    with httpx.Client(base_url=url, headers=headers, timeout=LIMIT_S) as http:
        while not load.stop.is_set():
            reply = Reply(way, time.monotonic())
            _ask(http, prompt, reply)
            reply.ended_at = time.monotonic()
            load.replies.append(reply)
            if isinstance(reply.error, httpx.ConnectError):
                return


def _ask(http: httpx.Client, prompt: str, reply: Reply) -> None:
    try:
        with http.stream("POST", CHAT, json=body(prompt, stream=True)) as answer:
            reply.status = answer.status_code
            for part in answer.iter_text():
                reply.text += part
    except httpx.TransportError as error:
        reply.error = error
