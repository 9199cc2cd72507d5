"""What arrives together is given together, and nothing waits for more."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager

import orjson
import pytest

from grok_app.upstream import (
    Burst,
    ChatPrompt,
    EndFrame,
    ErrorKind,
    GrokWebOptions,
    TokenFrame,
    UpstreamError,
    open_grokweb,
)
from tests.upstream.wire import Wire, chunk, read_request

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
PROMPT = ChatPrompt("Hi", "grok-4", "MODEL_MODE_GROK_4", 0.8, 0.95, None)
LAST = b"0\r\n\r\n"
WAIT_S = 20


class Speaker:
    """A Grok that says each part when the test gives it."""

    def __init__(self) -> None:
        self.parts: asyncio.Queue[bytes] = asyncio.Queue()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        await read_request(reader)
        writer.write(HEAD)
        while True:
            writer.write(await self.parts.get())

    def say(self, *lines: bytes, end: bytes = b"") -> None:
        """Send these lines in one write, each as a chunk of its own."""
        self.parts.put_nowait(b"".join(map(chunk, lines)) + end)


def token(text: str) -> bytes:
    """A line of the answer."""
    return orjson.dumps({"result": {"response": {"token": text, "responseId": "r"}}}) + b"\n"


def texts(burst: Burst) -> list[str]:
    """The tokens of a burst."""
    return [text for frame in burst if isinstance(frame, TokenFrame) for text in frame.texts]


END = orjson.dumps({"result": {"response": {"modelResponse": {"message": "abc"}}}}) + b"\n"
FAILURE = b'{"error":{"message":"Too many requests","code":8}}\n'


@asynccontextmanager
async def listened(speaker: Speaker) -> AsyncGenerator[AsyncGenerator[Burst, None], None]:
    """One answer of this Grok, as a client gets it."""
    async with (
        Wire(speaker.serve).listen() as wire,
        open_grokweb(lambda: GrokWebOptions(base_url=wire.url)) as client,
        aclosing(client.chat("T", PROMPT)) as bursts,
    ):
        yield bursts


async def test_what_arrives_in_one_read_is_one_burst() -> None:
    """Every chunk of the network has its own line, and all of them are given at once; the end is the last frame."""
    speaker = Speaker()
    speaker.say(token("a"), token("b"), token("c"), END, end=LAST)
    bursts = await _all(speaker)
    assert [texts(burst) for burst in bursts] == [["a", "b", "c"], []]
    assert bursts[-1] == [EndFrame("abc")]


async def test_no_word_waits_for_the_next() -> None:
    """Each is given while Grok is still silent about what follows."""
    speaker = Speaker()
    async with listened(speaker) as bursts:
        for text in ("a", "b"):
            speaker.say(token(text))
            assert texts(await asyncio.wait_for(anext(bursts), WAIT_S)) == [text]


async def test_words_before_an_error_in_the_same_read_are_given_first() -> None:
    """They were said; then the error ends the answer, and what follows it has no meaning."""
    speaker, given = Speaker(), list[Burst]()
    speaker.say(token("a"), token("b"), FAILURE, token("c"), end=LAST)
    with pytest.raises(UpstreamError) as raised:
        await _all(speaker, given)
    assert [texts(burst) for burst in given] == [["a", "b"]]
    assert raised.value.kind is ErrorKind.RATE_LIMITED


async def _all(speaker: Speaker, given: list[Burst] | None = None) -> list[Burst]:
    given = [] if given is None else given
    async with asyncio.timeout(WAIT_S), listened(speaker) as bursts:
        async for burst in bursts:
            given.append(burst)
    return given
