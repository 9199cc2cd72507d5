"""The frame reader, on the transcripts of the protocol notes."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grok_app.upstream import CardFrame, EndFrame, ErrorKind, Frame, StartFrame, TokenFrame, UpstreamError
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
    TokenFrame("Thinking", is_thinking=True, rollout_id="Grok"),
    TokenFrame("17 × 23", is_thinking=False, rollout_id=None),
    CardFrame("c1", "A picture", "https://example.com/a.jpg"),
    TokenFrame(" = 391", is_thinking=False, rollout_id=None),
    EndFrame("17 × 23 = 391"),
]


def read(*pieces: bytes) -> list[Frame]:
    """The frames of an answer that arrives in these pieces."""
    reader = FrameReader()
    return [frame for piece in pieces for frame in reader.feed(piece)] + list(reader.finish())


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
    assert read(cut, line(isSoftStop=True))[1] == TokenFrame("Hi ?", is_thinking=False, rollout_id=None)


def test_frames_before_an_error_are_not_lost() -> None:
    """What was said before the error is given before it is raised."""
    reader = FrameReader()
    frames = reader.feed(line(token="Hi", responseId="r") + b'{"error":{"message":"rate limited","code":8}}\n')
    assert [next(frames), next(frames)] == [StartFrame("r", None), TokenFrame("Hi", is_thinking=False, rollout_id=None)]
    with pytest.raises(UpstreamError):
        next(frames)


def test_a_line_without_an_end_is_refused() -> None:
    """Memory stays bounded whatever Grok sends."""
    reader = FrameReader()
    assert [list(reader.feed(b"x" * (1 << 20))) for _ in range(8)] == [[]] * 8
    with pytest.raises(UpstreamError, match="8 MiB"):
        list(reader.feed(b"x"))
