"""The frame reader, on the transcripts of the protocol notes."""

from contextlib import suppress

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grok_app.upstream import CardFrame, EndFrame, ErrorKind, Frame, StartFrame, TokenFrame, UpstreamError
from grok_app.upstream.grokweb import frames
from grok_app.upstream.grokweb.frames import FrameReader


def line(**response: object) -> bytes:
    """One `result.response` line."""
    return orjson.dumps({"result": {"response": response}}) + b"\n"


CARD = orjson.dumps({"id": "c1", "image": {"original": "https://example.com/a.jpg", "title": "A picture"}}).decode()
CHAT = b"".join(
    [
        b'{"result":{"conversation":{"conversationId":"3f0c","title":"New conversation"}}}\n',
        line(userResponse={"responseId": "user-1"}, isThinking=False, isSoftStop=False, responseId="user-1"),
        line(llmInfo={"modelHash": "c9d1"}, isThinking=False, isSoftStop=False, responseId="r-1"),
        line(token="Thinking", isThinking=True, messageTag="header", rolloutId="Grok", responseId="r-1"),
        line(token="17 × 23", isThinking=False, messageTag="final", responseId="r-1"),
        line(cardAttachment={"jsonData": CARD}, responseId="r-1"),
        line(token=" = 391", isThinking=False, messageTag="final", responseId="r-1"),
        line(token="", isThinking=False, isSoftStop=True, messageTag="final", responseId="r-1"),
        line(finalMetadata={"followUpSuggestions": []}, isThinking=False, responseId="r-1"),
        line(modelResponse={"responseId": "r-1", "message": "17 × 23 = 391", "cardAttachmentsJson": [CARD]}),
    ]
)
FRAMES = [
    StartFrame("r-1", "c9d1"),
    TokenFrame(["Thinking"], is_thinking=True, rollout_id="Grok"),
    TokenFrame(["17 × 23"], is_thinking=False, rollout_id=None),
    CardFrame("c1", "A picture", "https://example.com/a.jpg"),
    TokenFrame([" = 391"], is_thinking=False, rollout_id=None),
    EndFrame("17 × 23 = 391"),
]


def read(*pieces: bytes) -> list[Frame]:
    """The frames of an answer that arrives in these pieces."""
    reader, frames = FrameReader(), list[Frame]()
    for piece in pieces:
        reader.feed(piece, frames)
    reader.finish(frames)
    return frames


@given(st.lists(st.integers(0, len(CHAT)), max_size=12).map(sorted))
def test_the_network_may_cut_anywhere(cuts: list[int]) -> None:
    """Any cutting of the bytes, through a character as well, gives the same frames."""
    pieces = [CHAT[a:b] for a, b in zip([0, *cuts], [*cuts, len(CHAT)], strict=True)]
    assert read(*pieces) == FRAMES


def test_sse_prefixes_blank_lines_and_strangers_are_passed_over() -> None:
    """`data:`, `event:`, comments, garbage and unknown frames change nothing."""
    noisy = [b"data: " + part + b"\r\n\n: hi\nevent: x\nnot json\n[1]\n{broken\n" for part in CHAT.splitlines()]
    assert read(*noisy, b'{"result":{"response":{"brandNew":1}}}\n', b"data: [DONE]\n") == FRAMES


def test_an_answer_that_breaks_off_is_an_error() -> None:
    """Half an answer is never taken for a whole one."""
    with pytest.raises(UpstreamError, match="broke off") as broken:
        read(*CHAT.splitlines(keepends=True)[:5])
    assert broken.value.kind is ErrorKind.PROTOCOL


@pytest.mark.parametrize(
    "end", [line(isSoftStop=True, token="", responseId="r"), b"data: [DONE]\n"], ids=["stop", "done"]
)
def test_other_ways_to_say_the_end(end: bytes) -> None:
    """An answer that says it is complete needs no summary."""
    assert read(line(token="Hi", responseId="r"), end)[-1] == EndFrame("")


FIELDS = [
    "result",
    "response",
    "token",
    "isThinking",
    "responseId",
    "rolloutId",
    "llmInfo",
    "modelHash",
    "error",
    "modelResponse",
    "message",
    "streamErrors",
    "cardAttachment",
    "jsonData",
    "image",
    "id",
    "event",
    "cardAttachmentsJson",
    "isSoftStop",
    "type",
    "code",
    "status",
    "streamingImageGenerationResponse",
    "imageIndex",
    "progress",
    "moderated",
    "imageUrl",
    "image_chunk",
    "generatedImageUrls",
]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(
                st.sampled_from(FIELDS),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_wrong_types_in_any_field_never_crash(value: object) -> None:
    """Whatever JSON arrives, the outcome is frames or an UpstreamError."""
    try:
        read(orjson.dumps({"result": {"response": value}}) + b"\n", orjson.dumps(value) + b"\n")
    except UpstreamError:
        return


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        ('{"error":{"message":"rate limited","code":8}}', ErrorKind.RATE_LIMITED),
        ('{"error":{"message":"Request rejected by anti-bot rules.","code":7,"details":[]}}', ErrorKind.ANTI_BOT),
        ('{"error":{"message":"User is blocked","code":7}}', ErrorKind.BLOCKED_ACCOUNT),
        (
            '{"result":{"response":{"error":{"message":"You\'ve reached your usage limit. Please try again later."},'
            '"cardAttachment":{"jsonData":"{}"}}}}',
            ErrorKind.RATE_LIMITED,
        ),
        (
            '{"result":{"response":{"modelResponse":{"streamErrors":[{"message":"upstream stream failed"}]}}}}',
            ErrorKind.UNAVAILABLE,
        ),
        ('{"event":{"type":"error","error":{"code":"anti_bot","message":"anti-bot rejected"}}}', ErrorKind.ANTI_BOT),
        (
            '{"session_id":"c","event":{"type":"response.done","response":{"id":"r","status":"failed"}}}',
            ErrorKind.UNAVAILABLE,
        ),
        ('{"session_id":"c","event":{"type":"session.ended"}}', ErrorKind.UNAVAILABLE),
    ],
    ids=["code 8", "anti-bot", "blocked", "usage limit", "stream errors", "event", "failed", "ended"],
)
def test_errors_within_a_stream_are_recognised(frame: str, kind: ErrorKind) -> None:
    """Each form of section 11.14 is an error of its kind, not an empty answer."""
    with pytest.raises(UpstreamError) as raised:
        read(frame.encode() + b"\n")
    assert raised.value.kind is kind


@pytest.mark.parametrize("cut", [True, False], ids=["apart", "together"])
def test_nothing_follows_the_end(cut: bool) -> None:
    """What comes after the final envelope is not part of the answer, in one piece with it or not."""
    late = line(token="late", responseId="r-1")
    assert read(*([CHAT, late] if cut else [CHAT + late])) == FRAMES


def test_an_envelope_alone_says_who_answers() -> None:
    """An answer without tokens still has Grok's id and fingerprint."""
    envelope = {"responseId": "r", "message": "Hi", "metadata": {"llm_info": {"modelHash": "h"}}}
    assert read(line(modelResponse=envelope)) == [StartFrame("r", "h"), EndFrame("Hi")]


def test_half_a_character_is_no_reason_to_lose_a_token() -> None:
    """A token that ends within an emoji keeps the rest of its text."""
    cut = b'{"result":{"response":{"token":"Hi \\ud83d","responseId":"r"}}}\n'
    assert read(cut, line(isSoftStop=True))[1] == TokenFrame(["Hi ?"], is_thinking=False, rollout_id=None)


TOKEN = {"token": "Hi", "isThinking": False, "responseId": "r", "messageTag": "final"}
ODD: st.SearchStrategy[object] = st.sampled_from(
    [None, True, False, 0, 1.5, "", "r", "x", [], {}, {"jsonData": "{}"}, {"modelHash": "h"}]
)


@given(st.lists(st.integers(0, len(CHAT)).map(lambda end: CHAT[:end]) | st.binary(max_size=80), max_size=6))
def test_no_bytes_are_a_crash(pieces: list[bytes]) -> None:
    """Whatever arrives in place of lines, or cuts them off, the outcome is frames or an UpstreamError."""
    with suppress(UpstreamError):
        assert all(isinstance(frame, Frame) for frame in read(*pieces))


@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), ODD, max_size=3), max_size=5))
def test_mere_tokens_are_only_read_faster(changes: list[dict[str, object]]) -> None:
    """Whatever stands in a token's line beside it, or in its place, means what it means to the reader of all lines."""
    said = [line(**TOKEN), *(line(**{**TOKEN, **change}) for change in changes), line(**TOKEN)]
    with pytest.MonkeyPatch.context() as patch:
        quick = read_as_far(said)
        patch.setattr(frames, "_read", refuse)
        assert read_as_far(said) == quick


def refuse(_line: bytes) -> None:
    """Read no line quickly."""
    raise msgspec.DecodeError


def read_as_far(said: list[bytes]) -> tuple[list[Frame], str]:
    """The frames, and what ended them."""
    reader, found = FrameReader(), list[Frame]()
    try:
        reader.feed(b"".join(said), found)
        reader.finish(found)
    except UpstreamError as error:
        return found, str(error)
    return found, ""


def test_frames_before_an_error_are_not_lost() -> None:
    """What was said before the error is given before it is raised."""
    frames: list[Frame] = []
    with pytest.raises(UpstreamError):
        FrameReader().feed(
            line(token="Hi", responseId="r") + b'{"error":{"message":"rate limited","code":8}}\n', frames
        )
    assert frames == [StartFrame("r", None), TokenFrame(["Hi"], is_thinking=False, rollout_id=None)]


def test_a_line_without_an_end_is_refused() -> None:
    """Memory stays bounded whatever Grok sends."""
    reader, frames = FrameReader(), list[Frame]()
    for _ in range(8):
        reader.feed(b"x" * (1 << 20), frames)
    with pytest.raises(UpstreamError, match="8 MiB"):
        reader.feed(b"x", frames)
    assert frames == []


def test_tokens_of_one_kind_that_arrive_together_are_one_frame() -> None:
    """Each stays a piece of its own, and what lies between two of them parts them."""
    said = [line(token=text, responseId="r") for text in ("a", "b")]
    thought = line(token="Hm", responseId="r", isThinking=True)
    other = line(token="So", responseId="r", isThinking=True, rolloutId="Agent 1")
    _, *frames, _ = read(b"".join([*said, thought, other]), *said, line(modelResponse={"message": ""}))
    assert frames == [
        TokenFrame(["a", "b"], is_thinking=False, rollout_id=None),
        TokenFrame(["Hm"], is_thinking=True, rollout_id=None),
        TokenFrame(["So"], is_thinking=True, rollout_id="Agent 1"),
        TokenFrame(["a", "b"], is_thinking=False, rollout_id=None),
    ]
