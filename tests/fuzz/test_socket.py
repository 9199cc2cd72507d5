"""Messages to the public WebSocket that no client would send. Source: API contract, section 9."""

import json
from typing import Final
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.websocket import connected
from tests.fuzz.campaign import KEY
from tests.servers import Gateway

PATH: Final = "/v1/public/imagine/ws"
FIELDS: Final = ("type", "prompt", "aspect_ratio", "nsfw", "task_id")
TEXTS: Final = st.text(max_size=10) | st.sampled_from(("start", "stop", "2:3", "1024x1024", "true", "\x00", " "))
VALUES: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=4,
)
ORDERS: Final = st.dictionaries(st.sampled_from(FIELDS) | TEXTS, VALUES, max_size=4) | VALUES
MESSAGES: Final = st.one_of(
    st.text(max_size=30),
    st.binary(max_size=30),
    ORDERS.map(json.dumps),
    st.just("[" * 5000),
    st.just("x" * (65 << 10)),
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(said=st.lists(MESSAGES, min_size=1, max_size=5))
def test_no_message_is_a_crash(callers: Gateway, said: list[str | bytes]) -> None:
    """Each is obeyed or refused with a code, and the socket goes on: what is asked for last begins."""
    last = uuid4().hex
    with connected(callers, PATH, {"public_key": KEY}) as socket:
        for message in said:
            socket.send(message)
        socket.say(type="start", prompt=last)
        told = next(socket)
        while told.get("prompt") != last:
            assert told.get("code") != "internal_error"
            told = next(socket)
