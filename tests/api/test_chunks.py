"""Events in, the bytes of a stream out."""

from collections.abc import AsyncGenerator, Sequence

import orjson

from grok_app.api.openai.chunks import write_chunks
from grok_app.chat import Event, Finished, Started, Text, Thought, Usage

STARTED = Started("r-1", "hash")
FINISHED = Finished(Usage(1, 2, 1))


async def written(*bursts: Sequence[Event | bytes], has_think_tags: bool = False) -> list[bytes]:
    """What is written for these bursts, piece by piece."""

    async def give() -> AsyncGenerator[Sequence[Event | bytes], None]:
        for burst in bursts:
            yield burst

    chunks = write_chunks(give(), "grok-4", has_think_tags=has_think_tags, with_usage=False)
    return [piece async for piece in chunks]


def deltas(piece: bytes) -> list[object]:
    """The deltas of the chunks in a piece."""
    events = [event.removeprefix("data: ") for event in piece.decode().split("\n\n") if event]
    return [orjson.loads(event)["choices"][0]["delta"] for event in events if event != "[DONE]"]


async def test_a_burst_is_one_piece_with_a_chunk_for_each_event() -> None:
    """What came together leaves together, but nobody's tokens are melted into one."""
    first, second, last = await written([STARTED, Text(["a", "b"])], [Text(["c"])], [FINISHED])
    assert deltas(first) == [{"role": "assistant", "content": ""}, {"content": "a"}, {"content": "b"}]
    assert deltas(second) == [{"content": "c"}]
    assert deltas(last) == [{}]
    assert last.endswith(b"data: [DONE]\n\n")


async def test_thinking_ends_within_a_burst() -> None:
    """The tags stand where the thinking begins and ends, however the tokens came."""
    first, last = await written([STARTED, Thought("Hm"), Thought("."), Text(["a"])], [FINISHED], has_think_tags=True)
    assert deltas(first)[1:] == [{"content": "<think>\nHm"}, {"content": "."}, {"content": "\n</think>\na"}]
    assert deltas(last) == [{}]


async def test_what_is_written_already_keeps_its_place() -> None:
    """Between the chunks of its burst."""
    [first, _] = await written([STARTED, b"event: x\ndata: 1\n\n", Text(["a"])], [FINISHED])
    assert first.index(b'"role"') < first.index(b"event: x") < first.index(b'"a"')
