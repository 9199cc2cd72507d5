"""Broken uploads to `POST /v1/images/edits`: whatever comes, the answer is the caller's mistake, in JSON, and soon.

Source: API contract, sections 3 and 6.
"""

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.pictures import EDIT, EDITS, edit, picture
from tests.contract.wire import error_of
from tests.servers import Gateway

SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF")
PNG = picture("red", size=(20, 20))
FIELDS = {"model": "grok-3", "n": "99", "size": "7x5"}
"""Wrong in three ways: no change of one place makes a good request of it."""
WHOLE = b"".join(
    (
        *(
            b'--edge\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (name.encode(), value.encode())
            for name, value in FIELDS.items()
        ),
        b'--edge\r\nContent-Disposition: form-data; name="image"; filename="cat.png"\r\n',
        b"Content-Type: image/png\r\n\r\n",
        PNG,
        b"\r\n--edge--\r\n",
    )
)
CONTENT_TYPES = (
    "multipart/form-data; boundary=edge",
    "multipart/form-data; boundary=other",
    'multipart/form-data; boundary=""',
    f"multipart/form-data; boundary={'x' * 300}",
    "multipart/form-data",
    "multipart/mixed; boundary=edge",
    "application/x-www-form-urlencoded",
    "application/json",
    "text/plain",
    "",
)

places = st.integers(0, len(WHOLE))
broken = st.one_of(
    st.binary(max_size=400),
    places.map(lambda end: WHOLE[:end]),
    places.map(lambda start: WHOLE[start:]),
    st.builds(lambda at, junk: WHOLE[:at] + junk + WHOLE[at:], places, st.binary(min_size=1, max_size=60)),
    st.builds(lambda at, junk: WHOLE[:at] + junk + WHOLE[at + len(junk) :], places, st.binary(min_size=1, max_size=60)),
    st.lists(st.sampled_from([b"--edge", b"\r\n", b"\n", b"--", b'name="image"', b"\x00", b": "]), max_size=40).map(
        b"".join
    ),
)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
mimes = st.sampled_from(["image/png", "image/jpeg", "image/webp", "image/gif", "text/html", "nonsense"])
not_pictures = st.binary(max_size=400).filter(lambda content: not content.startswith(SIGNATURES))
fifty = settings(max_examples=50, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture])


def check(answer: httpx.Response) -> None:
    """The answer is an error of the contract's shape, and not ours."""
    assert 400 <= answer.status_code < 500
    error = error_of(answer)
    assert error["type"] == "invalid_request_error"
    assert error["message"]
    assert error["code"]


@fifty
@given(body=broken, content_type=st.sampled_from(CONTENT_TYPES))
def test_a_broken_body_is_the_callers_mistake(gateway: Gateway, body: bytes, content_type: str) -> None:
    """Cut, patched, padded, wrongly declared or plain noise: a 4xx, never a crash and never a hang."""
    check(gateway.http.post(EDITS, content=body, headers={"Content-Type": content_type} if content_type else {}))


@fifty
@given(content=not_pictures, name=names, mime=mimes)
def test_a_file_of_noise_is_the_callers_mistake(gateway: Gateway, content: bytes, name: str, mime: str) -> None:
    """Whatever it is called and declared as, what doesn't begin like a picture is refused."""
    check(edit(gateway, "A hat", ("image", (name, content, mime))))


@fifty
@given(value=st.recursive(st.none() | st.booleans() | st.integers() | names, lambda inner: st.lists(inner, max_size=5)))
def test_nonsense_in_json_is_the_callers_mistake(gateway: Gateway, value: object) -> None:
    """Whatever stands in `image` of a JSON request, if it is no picture it is refused."""
    check(gateway.http.post(EDITS, json={"model": EDIT, "prompt": "A hat", "image": value}))
