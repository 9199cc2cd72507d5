"""Ways in which a good stream goes wrong, or only looks unusual. Source: protocol notes, sections 2.7 and 11.14."""

import re
from collections.abc import Iterable, Iterator
from itertools import cycle, takewhile
from typing import Any, Final

from grok_app.sandbox.frames import line, response_frame
from grok_app.sandbox.misfits import misfits
from grok_app.sandbox.steps import Ending, Step, Wait, Work
from grok_app.sandbox.words import Twist

EARLY_TOKENS: Final = 3
"""So many answer tokens, or signs of progress, come before a late failure."""
LONG_LINE_BYTES: Final = 4 * 1024 * 1024
ENDLESS_LINE_BYTES: Final = 100 * 1024 * 1024

STREAM_ERRORS: Final[dict[str, tuple[str, bytes]]] = {
    "error": ("{error: {code: 13}} as root", line({"error": {"code": 13, "message": "Internal error", "details": []}})),
    "429": ("{error: {code: 8}} as root: rate limited", line({"error": {"message": "rate limited", "code": 8}})),
    "antibot": (
        "{error: {code: 7}} as root: anti-bot rules",
        line({"error": {"message": "Request rejected by anti-bot rules.", "code": 7, "details": []}}),
    ),
    "blocked": (
        "{error: {code: 7}} as root: user is blocked",
        line({"error": {"message": "User is blocked [WKE=unauthorized:blocked-user]", "code": 7, "details": []}}),
    ),
    "limit": (
        "error inside result.response: usage limit reached",
        response_frame(
            {
                "error": {"message": "You've reached your usage limit. Please try again later."},
                "cardAttachment": {"jsonData": '{"image_chunk":{"progress":100,"systemErrCode":"rate_limit"}}'},
            }
        ),
    ),
    "errors": (
        "modelResponse with streamErrors",
        response_frame({"modelResponse": {"streamErrors": [{"message": "upstream stream failed"}]}}),
    ),
    "event": (
        "a gateway event of type error",
        line({"event": {"type": "error", "error": {"code": "anti_bot", "message": "anti-bot rejected"}}}),
    ),
    "failed": (
        "a gateway event: response.done with status failed, then session.ended",
        line(
            {
                "session_id": "conv_1",
                "event": {"type": "response.done", "response": {"id": "response-1", "status": "failed"}},
            }
        )
        + line({"session_id": "conv_1", "event": {"type": "session.ended"}}),
    ),
}
"""In-stream errors by name: what people read, and the frame."""

_WRONG_TYPES: Final[dict[str, Any]] = {
    "token": 42,
    "isThinking": "yes",
    "messageTag": 7,
    "messageStepId": "x",
    "rolloutId": {},
    "responseId": [],
    "llmInfo": "hash",
    "userResponse": 1,
    "cardAttachment": {"jsonData": 5},
    "streamingImageGenerationResponse": "half",
    "modelResponse": "text",
}
_WRONG_MODEL_RESPONSE: Final[dict[str, Any]] = {
    "message": None,
    "generatedImageUrls": "x",
    "cardAttachmentsJson": {"a": 1},
    "streamErrors": 0,
    "metadata": [],
}
_SHAPE: Final = re.compile(r':(?:"(?:[^"\\]|\\.)*"|[-\d.]+|true|false)')
"""The values in a frame: what is left of it are its names."""
GARBAGE: Final = (
    b"this is not JSON\n",
    b'{"result":\n',
    b"\xff\xfe\x00\n",
    b'{"result":{"response":{"token":NaN}}}\n',
    b"[" * 5000 + b"\n",
    b'[]\nnull\n42\n"text"\n{}\n{"result":[]}\n{"result":null}\n',
    line({"result": {"response": "text"}}),
    line({"result": {"conversation": 7}}),
    response_frame(_WRONG_TYPES),
    response_frame({"modelResponse": _WRONG_MODEL_RESPONSE}),
)
UNKNOWN: Final = (
    b"\n",
    line({"ping": 1}),
    line({"result": {"title": {"newTitle": "A better title"}}}),
    line({"result": {"somethingNew": {"nested": [1, 2, {"deep": True}]}}}),
    response_frame({"uiLayout": {"reasoningUiLayout": "FUNCTION_CALL"}, "isThinking": False}),
    response_frame({"webSearchResults": {"results": [{"url": "https://example.com/", "title": "Example"}]}}),
    b"event: message\n",
)


def fail_at_once(frame: bytes) -> Twist:
    """The frame is all that comes."""

    def twist(steps: Iterable[Step]) -> Iterator[Step]:
        yield from _before_first_frame(steps)
        yield frame

    return twist


def fail_late(frame: bytes) -> Twist:
    """The frame comes after `EARLY_TOKENS` answer tokens and is the last."""

    def twist(steps: Iterable[Step]) -> Iterator[Step]:
        yield from _early(steps)
        yield frame

    return twist


def cut(steps: Iterable[Step]) -> Iterator[Step]:
    """The connection breaks in the middle of a line."""
    yield from half_line(steps)
    yield Ending.CUT


def stall(steps: Iterable[Step]) -> Iterator[Step]:
    """Nothing more comes after some tokens."""
    yield from _early(steps)
    yield Ending.STALL


def half(steps: Iterable[Step]) -> Iterator[Step]:
    """The response ends properly, but after some tokens and without modelResponse."""
    return _early(steps)


def half_line(steps: Iterable[Step]) -> Iterator[Step]:
    """The response ends properly in the middle of a line."""
    yield from _early(steps)
    yield b'{"result":{"response":{"token":" unfin'


def empty(steps: Iterable[Step]) -> Iterator[Step]:
    """No frame at all."""
    return _before_first_frame(steps)


def garbage(steps: Iterable[Step]) -> Iterator[Step]:
    """Lines that are not JSON and frames with wrong types, nothing useful between them."""
    yield from _before_first_frame(steps)
    yield from GARBAGE


def long_line(steps: Iterable[Step]) -> Iterator[Step]:
    """After some tokens one line of `LONG_LINE_BYTES` that never ends."""
    return _unended(steps, LONG_LINE_BYTES)


def endless_line(steps: Iterable[Step]) -> Iterator[Step]:
    """The same with `ENDLESS_LINE_BYTES`."""
    return _unended(steps, ENDLESS_LINE_BYTES)


def types(steps: Iterable[Step]) -> Iterator[Step]:
    """Before the first frame of each shape the same one with a wrong type in every field, one after the other."""
    seen: set[str] = set()
    for step in steps:
        if isinstance(step, bytes) and (shape := _SHAPE.sub("", step.decode())) not in seen:
            seen.add(shape)
            yield from (misfit + b"\n" for misfit in misfits(step))
        yield step


def unknown(steps: Iterable[Step]) -> Iterator[Step]:
    """Frames and fields that nobody knows, and empty lines, between the good ones."""
    odd = cycle(UNKNOWN)
    for step in steps:
        if isinstance(step, bytes):
            yield next(odd)
            yield step.replace(b'"isThinking":', b'"sender":"ASSISTANT","odd":null,"isThinking":', 1)
        else:
            yield step


def as_sse(steps: Iterable[Step]) -> Iterator[Step]:
    """Each line with the prefix `data: `, an empty line after it, `data: [DONE]` at the end."""
    for step in steps:
        yield b"data: " + step + b"\n" if isinstance(step, bytes) else step
    yield b"data: [DONE]\n\n"


def one_chunk(steps: Iterable[Step]) -> Iterator[Step]:
    """Everything in one piece."""
    whole: list[bytes] = []
    for step in steps:
        if isinstance(step, bytes):
            whole.append(step)
        elif isinstance(step, Ending):
            yield b"".join(whole)
            yield step
        elif isinstance(step, Work):
            yield step
    yield b"".join(whole)


def trickle(steps: Iterable[Step]) -> Iterator[Step]:
    """The same bytes in pieces of 1 to 17 bytes, regardless of lines and characters."""
    sizes = cycle((1, 1, 2, 17, 1, 3, 5, 11))
    for step in steps:
        if isinstance(step, bytes):
            yield from _pieces(step, sizes)
        else:
            yield step


def _unended(steps: Iterable[Step], length: int) -> Iterator[Step]:
    yield from _early(steps)
    yield b'{"result":{"response":{"token":"'
    for _ in range(length // 65536):
        yield b"x" * 65536


def _pieces(data: bytes, sizes: Iterator[int]) -> Iterator[bytes]:
    start = 0
    while start < len(data):
        end = start + next(sizes)
        yield data[start:end]
        start = end


def _before_first_frame(steps: Iterable[Step]) -> Iterator[Step]:
    return takewhile(lambda step: isinstance(step, Wait), steps)


def _early(steps: Iterable[Step]) -> Iterator[Step]:
    tokens = 0
    for step in steps:
        yield step
        tokens += isinstance(step, bytes) and (b'"messageTag":"final"' in step or b'"progress":' in step)
        if tokens == EARLY_TOKENS:
            return
