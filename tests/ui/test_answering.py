"""Events become batches for a browser tab, and the stream is closed whatever happens."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from grok_app.chat import Event, Finished, Started, Text, Thought, Usage
from grok_app.errors import RateLimitedError
from grok_app.ui.pages.chat.answering import Answering

DONE = Finished(Usage(1, 1, 0))


class Script:
    """A stream of these events; an error in it is raised, None waits for ever."""

    def __init__(self, *events: Event | Exception | None) -> None:
        self._events = events
        self.is_closed = False

    async def play(self) -> AsyncGenerator[Event, None]:
        """Give the events."""
        try:
            for event in self._events:
                if isinstance(event, Exception):
                    raise event
                if event is None:
                    await asyncio.Event().wait()
                else:
                    yield event
        finally:
            self.is_closed = True


async def read(answering: Answering) -> list[str]:
    """The answer as it stood at each update."""
    async with aclosing(answering.updates()) as updates:
        return [answering.answer async for _ in updates]


async def test_the_last_update_shows_everything() -> None:
    """Whatever was gathered in between, the end is complete."""
    script = Script(Started("id", None), Thought("Let me "), Thought("see."), Text("Hello"), Text(", you"), DONE)
    answering = Answering(script.play())
    seen = await read(answering)
    assert (answering.thinking, seen[-1], answering.error) == ("Let me see.", "Hello, you", "")
    assert script.is_closed


async def test_many_events_are_few_updates() -> None:
    """Tokens that come at once are shown at once."""
    answering = Answering(Script(*[Text("word ")] * 500, DONE).play())
    seen = await read(answering)
    assert len(seen) <= 3
    assert seen[-1] == "word " * 500


async def test_an_error_keeps_what_was_read() -> None:
    """The gateway's sentence is told, the text before it stays."""
    script = Script(Started("id", None), Text("Half"), RateLimitedError("No available tokens."))
    answering = Answering(script.play())
    assert (await read(answering))[-1] == "Half"
    assert answering.error == "No available tokens."
    assert script.is_closed


async def test_stopping_closes_the_stream() -> None:
    """A stopped answer ends at once, also while nothing comes, and keeps its text."""
    script = Script(Started("id", None), Text("So far"), None)
    answering = Answering(script.play())
    async with aclosing(answering.updates()) as updates:
        async for _ in updates:
            answering.stop()
    assert (answering.answer, answering.is_stopped) == ("So far", True)
    assert script.is_closed


async def test_stopping_before_the_first_word_asks_for_none() -> None:
    """Stop pressed right after sending ends the request before it begins."""
    script = Script(Text("So far"), None)
    answering = Answering(script.play())
    answering.stop()
    assert await read(answering) == [""]


async def test_leaving_the_loop_closes_the_stream() -> None:
    """Whoever stops listening leaves no stream behind."""
    script = Script(Text("So far"), None)
    async with aclosing(Answering(script.play()).updates()) as updates:
        await anext(updates)
    assert script.is_closed


async def test_silence_is_reported_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing comes there are updates all the same, so that a lost tab is noticed."""
    monkeypatch.setattr("grok_app.ui.pages.chat.answering._HEARTBEAT_S", 0.01)
    async with aclosing(Answering(Script(None).play()).updates()) as updates:
        await anext(updates)
        await anext(updates)


async def test_a_bug_is_not_taken_for_an_answer() -> None:
    """Only what the gateway expects becomes a message."""
    with pytest.raises(ZeroDivisionError):
        await read(Answering(Script(Text("x"), ZeroDivisionError()).play()))
