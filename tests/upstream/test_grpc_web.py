"""gRPC-web, with the bytes of section 11.15 of the protocol notes."""

import base64
from contextlib import suppress
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grok_app.upstream import ErrorKind, GrpcStatus, UpstreamError
from grok_app.upstream.grokweb.grpc_web import frame, read_answer
from grok_app.upstream.grokweb.unary import Reply

BINARY = "application/grpc-web+proto"
TEXT = "application/grpc-web-text"
ANY = st.binary(max_size=64)
OK = GrpcStatus(0, "")
SUCCESS = bytes.fromhex("0000000000800000000f677270632d7374617475733a300d0a")
CREDITS = bytes.fromhex(
    "00000000630a610d0000304112001a00220c089abbccd2061080f2d1fc012a0c089ab0f1d2061080f2d1fc013a07080515000020413a07"
    "0804150000803f3a020802421e0802120c089abbccd2061080f2d1fc011a0c089ab0f1d2061080f2d1fc01580162006801800000000f67"
    "7270632d7374617475733a300d0a"
)


def reply(body: bytes, content_type: str = BINARY, **headers: str) -> Reply:
    """A reply with this body and these headers; an underscore in a name stands for a hyphen."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(200, {"content-type": content_type, **named}, {}, body)


def trailers(block: bytes) -> bytes:
    """A frame of trailers."""
    return b"\x80" + frame(block)[1:]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("0000000000800000000f677270632d7374617475733a300d0a", OK),
        ("800000000f677270632d7374617475733a300d0a", OK),
        ("8000000010677270632d7374617475733a20370d0a", GrpcStatus(7, "")),
        (
            "8000000031677270632d7374617475733a370d0a"
            "677270632d6d6573736167653a7065726d697373696f6e25323064656e6965640d0a",
            GrpcStatus(7, "permission denied"),
        ),
        (
            "800000002e677270632d7374617475733a31360d0a677270632d6d6573736167653a756e61757468656e746963617465640d0a",
            GrpcStatus(16, "unauthenticated"),
        ),
        (
            "8000000033677270632d7374617475733a380d0a"
            "677270632d6d6573736167653a546f6f2532306d616e7925323072657175657374730d0a",
            GrpcStatus(8, "Too many requests"),
        ),
        ("", OK),
        ("0000000000", OK),
        ("8000000000", OK),
    ],
    ids=["success", "trailer only", "7", "7 with words", "16", "8", "nothing", "no trailers", "empty trailers"],
)
@pytest.mark.parametrize("content_type", [BINARY, TEXT], ids=["binary", "text"])
def test_the_status_is_read_from_the_body(body: str, status: GrpcStatus, content_type: str) -> None:
    """Each recorded body has its status, as it is and as base64; no status is success."""
    raw = bytes.fromhex(body)
    assert read_answer(reply(base64.b64encode(raw) if content_type == TEXT else raw, content_type)).status == status


def test_messages_are_read() -> None:
    """What stands before the trailers is the answer."""
    answer = read_answer(reply(CREDITS))
    assert answer.messages == (CREDITS[5:104],)
    assert answer.status == OK


@pytest.mark.parametrize("content_type", [TEXT, f"{TEXT}+proto; charset=utf-8", BINARY, ""])
def test_base64_is_known_by_type_or_by_sight(content_type: str) -> None:
    """The text of section 11.15 is read, and so are segments that were padded one by one."""
    assert read_answer(reply(b"AAAAAACAAAAAD2dycGMtc3RhdHVzOjANCg==", content_type)).status == OK
    failed = trailers(b"grpc-status:7\r\n")
    parts = b"".join(base64.b64encode(part) for part in (frame(b"four"), failed[:2], failed[2:]))
    answer = read_answer(reply(parts + b"\r\n", content_type))
    assert answer.messages == (b"four",)
    assert answer.status == GrpcStatus(7, "")


@pytest.mark.parametrize(
    ("headers", "http_trailers", "body", "code"),
    [
        ({"grpc-status": "0"}, {}, b"", 0),
        ({"grpc-status": "16"}, {}, b"", 16),
        ({"grpc-status": "7"}, {}, SUCCESS, 7),
        ({"grpc-status": "0"}, {}, trailers(b"grpc-status:7\r\n"), 7),
        ({}, {"grpc-status": "8"}, b"", 8),
        ({"grpc-status": "7"}, {"grpc-status": "0"}, b"", 7),
        ({}, {}, trailers(b"grpc-status:0\r\ngrpc-status:5\r\n"), 5),
        ({}, {}, trailers(b"Grpc-Status: 5"), 5),
    ],
    ids=["header 0", "header", "header over body", "body over header", "HTTP trailer", "both", "twice", "upper case"],
)
def test_every_status_must_be_0(headers: dict[str, str], http_trailers: dict[str, str], body: bytes, code: int) -> None:
    """Headers, HTTP's trailers and the body's each may say no."""
    assert read_answer(Reply(200, headers, http_trailers, body)).status.code == code


def test_the_message_is_that_of_its_status() -> None:
    """A header's status has the header's message, with its percent signs decoded, however wrong; never an essay."""
    answer = read_answer(reply(SUCCESS, grpc_status="7", grpc_message="not%20%e4%bd%a0 100%"))
    assert answer.status == GrpcStatus(7, "not 你 100%")
    assert len(read_answer(reply(b"", grpc_status="7", grpc_message="x" * 5000)).status.message) == 200


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"\x00\x00\x00", BINARY),
        (b"\x00\x00\x00\x00\x02\x10", BINARY),
        (b"\x00\xff\xff\xff\xff", BINARY),
        (SUCCESS + b"\x00", BINARY),
        (SUCCESS + frame(b""), BINARY),
        (SUCCESS + SUCCESS[5:], BINARY),
        (b"\x01\x00\x00\x00\x00", BINARY),
        (b"\x81\x00\x00\x00\x00", BINARY),
        (b"\x02\x00\x00\x00\x00", BINARY),
        (b"<!doctype html>", "text/html"),
        (b"{}", "application/json"),
        (b"null", "application/json"),
        (trailers(b"grpc-status:ok\r\n"), BINARY),
        (trailers(b"grpc-status:-1\r\n"), BINARY),
        (trailers(b"grpc-status:\r\n"), BINARY),
        (trailers("grpc-status:²\r\n".encode()), BINARY),
        (trailers(b"grpc-status:0\ngrpc-message:x"), BINARY),
        (trailers(b"grpc-status\r\n"), BINARY),
        (SUCCESS, TEXT),
        (b"AAAAAACAAAAAD2dycGMtc3RhdHVzOjANCg", TEXT),
        (b"AAAAAACAAAAAD2dycGMtc3RhdHVzOjANCg=", TEXT),
        (b"AAAA====", TEXT),
        (b"AA!A", TEXT),
    ],
    ids=[
        "cut head", "cut message", "4 GiB", "a byte more", "message after trailers", "trailers twice", "compressed",
        "compressed trailers", "unknown flag", "html", "json", "short base64", "word as status", "negative status",
        "empty status", "no digit", "bare line feed", "no colon", "binary as text", "unpadded", "half padded",
        "padding alone", "no base64",
    ],
)  # fmt: skip
def test_what_is_malformed_is_an_error(body: bytes, content_type: str) -> None:
    """Half an answer is none; the error keeps the status of HTTP."""
    with pytest.raises(UpstreamError, match="gRPC-web answer is malformed") as raised:
        read_answer(reply(body, content_type))
    assert (raised.value.kind, raised.value.status) == (ErrorKind.PROTOCOL, 200)
    assert raised.value.grpc is None


@pytest.mark.parametrize("status", ["", "ok", "0, 0", "1e3"])
def test_a_status_in_the_headers_is_a_number(status: str) -> None:
    """A header that makes no sense isn't taken for success."""
    with pytest.raises(UpstreamError, match="status is not a number"):
        read_answer(reply(SUCCESS, grpc_status=status))


@given(st.lists(st.binary(max_size=64), max_size=4), st.integers(0, 16), st.text(max_size=40), st.data())
def test_what_is_written_is_read(messages: list[bytes], code: int, message: str, data: st.DataObject) -> None:
    """Messages, code and words come back, in binary and in base64 that was cut and padded anywhere."""
    end = trailers(f"grpc-status:{code}\r\ngrpc-message:{quote(message)}\r\n".encode())
    body = b"".join(map(frame, messages)) + end
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=3)))
    parts = [body[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    for answer in (
        read_answer(reply(body)),
        read_answer(reply(b"".join(map(base64.b64encode, parts)), TEXT)),
    ):
        assert answer.messages == tuple(messages)
        assert answer.status == (GrpcStatus(code, message) if code else OK)


@given(
    st.one_of(ANY, ANY.map(frame), ANY.map(trailers), ANY.map(base64.b64encode)),
    st.sampled_from((BINARY, TEXT, "")),
    st.one_of(st.none(), st.text(max_size=8)),
)
def test_no_answer_is_a_crash(body: bytes, content_type: str, status: str | None) -> None:
    """Whatever comes is an answer or an UpstreamError."""
    headers = {} if status is None else {"grpc_status": status}
    with suppress(UpstreamError):
        assert read_answer(reply(body, content_type, **headers)).status.code >= 0
