"""Files within requests: data URIs and addresses. Source: API contract, section 5.1."""

import base64
from collections.abc import Sequence
from contextlib import closing, suppress

from hypothesis import given
from hypothesis import strategies as st

from grok_app.api.lifting import Lifter
from grok_app.api.openai.content import is_url, media_fault
from grok_app.api.openai.given import source
from grok_app.errors import InvalidRequestError
from grok_app.media import SourceKind

PARAM = "messages.0.content.0.image_url.url"
MIMES = st.sampled_from(("image/png", "IMAGE/PNG", "audio/mpeg", "a/b; charset=utf-8", "nonsense"))
ODD: Sequence[str] = ("data:", ";base64", ",", "image/png", "http://", "https://", "=", "AAAA", "\x00", "é", " ", "%2C")
VALUES = st.text() | st.lists(st.sampled_from(ODD), max_size=8).map("".join)


@given(st.binary(min_size=1, max_size=300), MIMES)
def test_a_data_uri_is_its_content(content: bytes, mime: str) -> None:
    """Every byte arrives, with the type that it says, in lower case and without parameters."""
    uri = f"data:{mime};base64,{base64.b64encode(content).decode()}"
    assert media_fault(uri, "image_url.url") is None
    with closing(Lifter(file_limit_bytes=1 << 20)) as lifter:
        found = source(uri, SourceKind.IMAGE, PARAM, lifter)
    assert not isinstance(found.content, str)
    assert found.content.read() == content
    assert found.mime_type == mime.partition(";")[0].lower()


@given(VALUES)
def test_no_value_is_a_crash(value: str) -> None:
    """Whatever stands there is an address, a file, or the caller's mistake."""
    assert media_fault(value, "image_url.url") is None or not is_url(value)
    with closing(Lifter(file_limit_bytes=1 << 20)) as lifter, suppress(InvalidRequestError):
        found = source(value, SourceKind.IMAGE, PARAM, lifter)
        assert is_url(value) == isinstance(found.content, str)
