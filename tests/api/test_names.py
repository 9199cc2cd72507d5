"""What a request is called. Source: W3C Trace Context, section 3.2."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grok_app.api.names import names_of, read_traceparent

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
VALID = f"00-{TRACE}-{PARENT}-01".encode()
HEX = re.compile(r"[0-9a-f]{32}")


def scope(*headers: tuple[bytes, bytes]) -> dict[str, Any]:
    """A request with these headers."""
    return {"type": "http", "headers": list(headers)}


def test_a_new_request_begins_a_trace_of_the_same_name() -> None:
    """Whoever has the id of an answer finds its trace."""
    names = names_of(scope((b"host", b"here")))
    assert HEX.fullmatch(names.request_id)
    assert (names.trace_id, names.context) == (names.request_id, None)
    assert names.headers == ((b"x-request-id", names.request_id.encode()),)


def test_an_id_of_the_callers_begins_a_trace_of_another_name() -> None:
    """Two callers may choose the same id; their traces are two."""
    first, second = (names_of(scope((b"x-request-id", b"mine"))) for _ in range(2))
    assert first.request_id == second.request_id == "mine"
    assert HEX.fullmatch(first.trace_id)
    assert first.trace_id != second.trace_id


@pytest.mark.parametrize("wanted", [b"", b"a b", b"a\nforged", "é".encode(), b"x" * 129], ids=repr)
def test_an_odd_id_is_replaced(wanted: bytes) -> None:
    """It would stand in logs and in headers."""
    assert HEX.fullmatch(names_of(scope((b"x-request-id", wanted))).request_id)


@pytest.mark.parametrize(("flags", "is_sampled"), [("00", False), ("01", True), ("03", True), ("02", False)])
def test_a_callers_trace_goes_on(flags: str, is_sampled: bool) -> None:
    """Under its id, with a part of our own, sampled as the caller samples; the answer says so."""
    names = names_of(scope((b"x-request-id", b"mine"), (b"traceparent", f"00-{TRACE}-{PARENT}-{flags}".encode())))
    context = names.context
    assert context
    assert (names.trace_id, context.trace_id, context.parent_id) == (TRACE, TRACE, PARENT)
    assert context.is_sampled is is_sampled
    assert context.span_id != PARENT
    told = f"00-{TRACE}-{context.span_id}-{'01' if is_sampled else '00'}".encode()
    assert names.headers == ((b"x-request-id", b"mine"), (b"traceparent", told))


@pytest.mark.parametrize(
    "header",
    [
        b"",
        VALID.upper(),
        VALID[:-1],
        VALID + b"-more",
        VALID + b"\n",
        VALID.replace(b"-", b"_"),
        VALID.replace(b"00-", b"ff-", 1),
        f"00-{'0' * 32}-{PARENT}-01".encode(),
        f"00-{TRACE}-{'0' * 16}-01".encode(),
        f"00-{TRACE}-{PARENT}-zz".encode(),
        b"x" * 10_000,
    ],
    ids=["empty", "capitals", "short", "more", "line", "blanks", "ff", "no trace", "no parent", "flags", "long"],
)
def test_what_is_not_valid_counts_as_nothing(header: bytes) -> None:
    """A new trace begins, and the answer names none."""
    names = names_of(scope((b"traceparent", header)))
    assert names.context is None
    assert names.trace_id == names.request_id
    assert [name for name, _ in names.headers] == [b"x-request-id"]


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    """As the standard asks."""
    context = read_traceparent(f"01-{TRACE}-{PARENT}-01-what-comes-later".encode())
    assert context
    assert context.trace_id == TRACE


def test_two_headers_are_none() -> None:
    """Nobody can tell which one is meant."""
    assert names_of(scope((b"traceparent", VALID), (b"traceparent", VALID))).context is None


@given(st.binary(max_size=80))
def test_no_header_breaks_a_request(header: bytes) -> None:
    """Whatever stands in it."""
    names = names_of(scope((b"traceparent", header), (b"x-request-id", header)))
    assert names.request_id.isprintable()
    assert HEX.fullmatch(names.trace_id)
