"""Asking for videos, and reading the answers."""

from html.parser import HTMLParser
from typing import Any, Final

import httpx

from grok_app.sandbox.media.videos import PROGRESS
from tests.contract.test_thinking import parts
from tests.contract.wire import ask
from tests.servers import Gateway

MODEL: Final = "grok-imagine-1.0-video"
STEPS: Final = (*PROGRESS, 100)
"""The percentages that the sandbox tells."""
ENGLISH: Final = [f"Generating video: {percent}%" for percent in STEPS]
CHINESE: Final = [f"正在生成视频中，当前进度{percent}%" for percent in STEPS]
HD: Final = {"resolution_name": "720p"}


class Player(HTMLParser):
    """The elements of an HTML fragment: the attributes of each by its name."""

    def __init__(self, fragment: str) -> None:
        super().__init__()
        self.elements: dict[str, dict[str, str | None]] = {}
        self.feed(fragment)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember it; two of a kind would be a mistake."""
        assert tag not in self.elements
        self.elements[tag] = dict(attrs)

    @property
    def video(self) -> str:
        """The address of the video."""
        return self.elements["source"]["src"] or ""

    @property
    def poster(self) -> str:
        """The address of the picture that is shown before it plays."""
        return self.elements["video"]["poster"] or ""


def film(gateway: Gateway, content: Any, *, stream: bool = False, **fields: Any) -> httpx.Response:
    """Ask for a video and wait for all of the answer; thinking is hidden unless asked for."""
    return ask(gateway, content, stream=stream, **{"model": MODEL, "reasoning_effort": "none", **fields})


def shown(gateway: Gateway, content: Any, *, stream: bool = False, **fields: Any) -> str:
    """The answer to a request for a video, without thinking."""
    answer, reasoning = parts(gateway, content, stream=stream, **{"model": MODEL, "reasoning_effort": "none", **fields})
    assert reasoning == ""
    return answer


def steps(gateway: Gateway, content: Any, **fields: Any) -> list[str]:
    """The lines of the thinking of a stream, which must be all that the element or the field of it has."""
    answer, reasoning = parts(gateway, content, stream=True, model=MODEL, **fields)
    if reasoning:
        assert "think>" not in answer + reasoning
        return reasoning.splitlines()
    assert answer.startswith("<think>\n")
    thinking, closing, rest = answer.removeprefix("<think>\n").partition("\n</think>\n")
    assert closing
    assert "think>" not in rest
    return thinking.splitlines()
