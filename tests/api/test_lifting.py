"""Taking large files out of a JSON body."""

import base64
import binascii
import json
import tracemalloc
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grok_app.api.lifting import LEAST_BYTES, MOST_FILES, Fault, Lifter

KEYS = ("url", "data", "file_data", "image", "image[]", "image_url")
LIMIT = 1 << 20
LARGE = base64.b64encode(bytes(range(256)) * 201).decode()
"""A payload with every character of base64, and without padding."""
HEAD = "data:image/png;base64,"
STEPS = (1 << 30, 65536, 4093)


def parts(body: bytes, step: int) -> Iterable[bytes]:
    """The body in pieces of this size."""
    return (body[start : start + step] for start in range(0, len(body), step))


def outcome(lifter: Lifter, node: Any) -> Any:
    """A parsed body, with a tuple of head, content and fault for each file that was lifted."""
    if isinstance(node, dict):
        return {key: outcome(lifter, value) for key, value in node.items()}
    if isinstance(node, list):
        return [outcome(lifter, value) for value in node]
    if not isinstance(node, str) or (lifted := lifter.find(node)) is None:
        return node
    lifted.content.seek(0)
    return node.partition(",")[0], lifted.mime_type, lifted.content.read(), lifted.error


def lift(body: str | bytes, step: int = 65536) -> Any:
    """What becomes of a body that arrives in such pieces."""
    raw = body.encode() if isinstance(body, str) else body
    with closing(Lifter(file_limit_bytes=LIMIT)) as lifter:
        for part in parts(raw, step):
            lifter.feed(part)
        return outcome(lifter, json.loads(lifter.finish()))


def png(payload: str = LARGE) -> Any:
    """The outcome for a lifted picture."""
    return "data:image/png;base64", "image/png", base64.b64decode(payload), None


@pytest.mark.parametrize("key", KEYS)
def test_a_large_file_is_lifted(key: str) -> None:
    """Behind each of the keys, alone or in an array, and in whatever pieces it arrives."""
    body = {"a": [{key: HEAD + LARGE}, 1, {key: [HEAD + LARGE, "http://x/", HEAD + "AAAA", HEAD + LARGE]}], "b": "é"}
    expected = {"a": [{key: png()}, 1, {key: [png(), "http://x/", HEAD + "AAAA", png()]}], "b": "é"}
    for step in STEPS:
        assert lift(json.dumps(body), step) == expected


def test_the_place_of_a_cut_does_not_matter() -> None:
    """Byte by byte is as good as at once."""
    body = json.dumps({"url": HEAD + LARGE, "x": [{"data": HEAD + LARGE}]}).replace("/", "\\/")
    assert lift(body, 1) == {"url": png(), "x": [{"data": png()}]}


@pytest.mark.parametrize("steps", range(1, 6))
def test_the_place_of_a_file_does_not_matter(steps: int) -> None:
    """It may begin anywhere in what is searched at a time."""
    for place in range(steps * LEAST_BYTES - 300, steps * LEAST_BYTES + 300, 9):
        document = {"text": "a" * place, "url": HEAD + LARGE, "more": "a" * LEAST_BYTES}
        assert lift(json.dumps(document), 1 << 30) == {**document, "url": png()}


def test_white_space_and_escaped_slashes_are_json() -> None:
    """As other languages write it."""
    body = json.dumps({"image": [HEAD + LARGE, HEAD + LARGE]}, indent=4).replace(": ", " \n\t\r: \n")
    assert lift(body) == {"image": [png(), png()]}
    assert lift(body.replace("/", "\\/")) == {"image": [png(), png()]}


@pytest.mark.parametrize(
    ("head", "mime_type"),
    [
        ("data:;base64,", ""),
        ("data:IMAGE/Png;base64,", "image/png"),
        ("data:text/plain;charset=utf-8;name=a.txt;base64,", "text/plain"),
    ],
)
def test_a_file_has_the_type_that_its_head_says(head: str, mime_type: str) -> None:
    """Without what else stands there."""
    assert lift(json.dumps({"url": head + LARGE}))["url"][1] == mime_type


@pytest.mark.parametrize(
    "document",
    [
        {"text": HEAD + LARGE},
        {"url": " " + HEAD + LARGE},
        {"url": "data:image/png," + LARGE},
        {"url": "data:" + "a" * 300 + ";base64," + LARGE},
        {"url": LARGE},
        {"url": HEAD + LARGE[: LEAST_BYTES - 1]},
        {"url": HEAD + '"' + LARGE},
        {"url": {HEAD + LARGE: 1}},
        {"url": ["a"], HEAD + LARGE: 1},
        {"url": [["a", HEAD + LARGE], {"x": HEAD + LARGE}]},
        {"x": ["url", HEAD + LARGE]},
        {"x": "url", HEAD + LARGE: ["url"]},
        {'x"url': HEAD + LARGE, "x\\": HEAD + LARGE, '"url': HEAD + LARGE, "\\url": HEAD + LARGE},
        {"x": f'"url":"{HEAD}{LARGE}"'},
        {"x": f'\\"url": "{HEAD}{LARGE}"'},
        {"x": f'"image":["{HEAD}{LARGE}"]'},
        {"x": '"image":[', "y": ['"image":["a"', HEAD + LARGE]},
        {"x": ['"url":', HEAD + LARGE]},
        {"x": ['"image":["', HEAD + LARGE]},
        [HEAD + LARGE],
        HEAD + LARGE,
    ],
)
def test_everything_else_stays_as_it_is(document: Any) -> None:
    """Other keys, other values, short ones, and texts that look like JSON."""
    for step in STEPS:
        assert lift(json.dumps(document), step) == document


@pytest.mark.parametrize("place", [0, 1, 70_000, -1], ids=["begin", "near", "far", "end"])
@pytest.mark.parametrize("bad", ["!", "-", "=", "é", " ", "\n", "\\", "\\n", '\\"', "A"])
def test_what_is_not_base64_is_a_fault(bad: str, place: int) -> None:
    """Found where it is looked up; what stands behind it isn't touched."""
    payload = LARGE + LARGE
    place = place % len(payload) + (place < 0)
    value = HEAD + payload[:place] + bad + payload[place:]
    for body in ({"url": value, "next": HEAD + LARGE}, {"url": [value, HEAD + LARGE]}):
        for step in STEPS:
            first, *others = lift(json.dumps(body), step).values()
            found, *elements = first if isinstance(first, list) else [first]
            if found == value:  # a quote so early is not looked behind
                assert '"' in bad
                assert place < LEAST_BYTES
            else:
                assert found == ("data:image/png;base64", "image/png", b"", Fault.NOT_BASE64)
            assert others == [HEAD + LARGE] or elements in ([png()], [HEAD + LARGE])


def test_padding_is_checked() -> None:
    """It ends a payload, and isn't left out."""
    for tail, is_good in {"AA==": True, "AAA=": True, "AA=": False, "AA": False, "A": False, "AA==AAAA": False}.items():
        for step in (*STEPS, 1):
            fault = lift(json.dumps({"url": HEAD + LARGE + tail}), step)["url"][3]
            assert (fault is None) == is_good


def test_padding_ends_a_payload_also_where_a_piece_ends() -> None:
    """Each piece on its own would be right."""
    with closing(Lifter(file_limit_bytes=LIMIT)) as lifter:
        lifter.feed(f'{{"url":"{HEAD}{LARGE * 3}AA=='.encode())
        lifter.feed(f'{LARGE * 3}"}}'.encode())
        assert outcome(lifter, json.loads(lifter.finish()))["url"][3] == Fault.NOT_BASE64


def test_a_file_may_be_as_large_as_the_limit() -> None:
    """One byte more is a fault, and nothing of it is kept."""
    largest = base64.b64encode(bytes(LIMIT)).decode()
    larger = base64.b64encode(bytes(LIMIT + 1)).decode()
    found = lift(json.dumps({"url": HEAD + largest, "data": HEAD + larger, "image": HEAD + LARGE}))
    assert found == {
        "url": png(largest),
        "data": ("data:image/png;base64", "image/png", b"", Fault.TOO_LARGE),
        "image": png(),
    }


def test_no_caller_can_name_a_file() -> None:
    """Marks differ from body to body, and stand for a file only where it was."""
    body = json.dumps({"url": HEAD + LARGE}).encode()
    with closing(Lifter(file_limit_bytes=LIMIT)) as one, closing(Lifter(file_limit_bytes=LIMIT)) as other:
        for lifter in (one, other):
            lifter.feed(body)
        mark, strange = (json.loads(lifter.finish())["url"] for lifter in (one, other))
        assert one.find(mark) is not None
        assert one.find(strange) is None
        assert one.find("") is None
        with pytest.raises(binascii.Error):
            base64.b64decode(mark.partition(",")[2], validate=True)


def test_a_body_that_breaks_off_is_no_json() -> None:
    """Wherever it does; and what was lifted is closed all the same."""
    body = json.dumps({"url": HEAD + LARGE + LARGE})
    for end in (5, 40, LEAST_BYTES, len(body) - 30, len(body) - 2):
        with pytest.raises(json.JSONDecodeError):
            lift(body[:end])


def test_only_so_many_files_are_open() -> None:
    """What comes after them is text, for whoever limits that."""
    document = [{"url": HEAD + LARGE}] * (MOST_FILES + 1)
    with closing(Lifter(file_limit_bytes=LIMIT)) as lifter:
        for part in parts(json.dumps(document).encode(), 65536):
            lifter.feed(part)
        found = outcome(lifter, json.loads(lifter.finish()))
        assert found == [{"url": png()}] * MOST_FILES + [{"url": HEAD + LARGE}]
        assert lifter.kept_bytes > len(LARGE)


def test_closing_closes_the_files() -> None:
    """They are gone from the disk."""
    lifter = Lifter(file_limit_bytes=LIMIT)
    lifter.feed(json.dumps({"url": HEAD + LARGE}).encode())
    lifted = lifter.find(json.loads(lifter.finish())["url"])
    assert lifted is not None
    assert lifted.content.tell() == 0
    lifter.close()
    assert lifted.content.closed


def repeated(unit: bytes) -> Callable[[], Generator[bytes, None, None]]:
    """A body of 24 MB, part by part."""
    part = unit * ((64 << 10) // len(unit))

    def body() -> Generator[bytes, None, None]:
        for _ in range((24 << 20) // len(part)):
            yield part

    return body


def test_a_file_never_stands_in_memory() -> None:
    """However large it is."""
    lifter = Lifter(file_limit_bytes=24 << 20)
    tracemalloc.start()
    with closing(lifter):
        lifter.feed(b'{"url":"data:;base64,')
        for part in repeated(LARGE[:65536].encode())():
            lifter.feed(part)
        lifter.feed(b'"}')
        lifted = lifter.find(json.loads(lifter.finish())["url"])
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert lifted is not None
        assert lifted.error is None
        assert lifter.kept_bytes < 100
    assert peak < 3 << 20


def test_many_files_do_not_stand_in_memory_together() -> None:
    """A few small ones may, the others are on disk."""
    tracemalloc.start()
    with closing(Lifter(file_limit_bytes=LIMIT)) as lifter:
        for _ in range(24):
            lifter.feed(b'{"url":"data:;base64,' + base64.b64encode(bytes(1_000_000)) + b'"},')
        lifter.finish()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 10 << 20


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("begin", "unit"),
    [
        (b"", b'"url":"data:'),
        (b"", b'"url":"data:;base64,"'),
        (b"", b'"url":"data:' + b"a" * 255),
        (b'"url":"data:', b"a"),
        (b'"url":', b" "),
        (b'"url":"data:;base64,' + LARGE.encode(), b'\\"'),
        (b'"url":["' + b"a" * 100_000, b'",' + b'"",' * 20_000 + b'[1,"data:;base64,'),
        (b"", b'"x":"data:;base64,' + LARGE[:65517].encode()),
    ],
    ids=["openings", "empty", "heads", "head", "spaces", "quotes", "elements", "strangers"],
)
def test_no_body_takes_long(begin: bytes, unit: bytes) -> None:
    """Effort grows with the size; with its square it would take minutes."""
    with closing(Lifter(file_limit_bytes=LIMIT)) as lifter:
        lifter.feed(begin)
        for part in repeated(unit)():
            lifter.feed(part)
        lifter.finish()


TEXTS = st.sampled_from(["", "a", "http://x/", '"url":"data:', 'x\\"url":"' + HEAD, "[", "]", "\\", '"', "data:", "😀"])
PAYLOADS = {
    "none": "",
    "short": "AAAA",
    "almost": LARGE[: LEAST_BYTES - 1],
    "least": LARGE[:LEAST_BYTES],
    "padded": LARGE + "AA==",
    "odd": LARGE + "A",
    "quote": LARGE + '"' + LARGE,
    "end": LARGE + '\\",' + LARGE,
    "backslash": LARGE + "\\",
}


def written(node: Any) -> Any:
    """A document with its data URIs. Hypothesis writes documents out, so that they must not hold large texts."""
    if isinstance(node, dict):
        return {key: written(value) for key, value in node.items()}
    if isinstance(node, list):
        return [written(value) for value in node]
    return node[0] + PAYLOADS[node[1]] if isinstance(node, tuple) else node


URIS = st.tuples(st.sampled_from(["data:", HEAD, "data:a/b;c=d;base64,"]), st.sampled_from(sorted(PAYLOADS)))
NAMES = st.sampled_from([*KEYS, "text", 'x"url', "\\", "", "é"])
DOCUMENTS = st.recursive(
    TEXTS | URIS | st.none() | st.integers(),
    lambda nodes: st.lists(nodes, max_size=4) | st.dictionaries(NAMES, nodes, max_size=4),
    max_leaves=8,
)


def check(original: Any, found: Any, key: str | None = None) -> None:
    """Every file is under one of the keys, with the content that it had; every one right behind its key is lifted."""
    if isinstance(original, dict):
        assert original.keys() == found.keys()
        for name, value in original.items():
            check(value, found[name], name)
    elif isinstance(original, list):
        assert len(original) == len(found)
        for before, after in zip(original, found, strict=True):
            check(before, after, None if isinstance(before, list) else key and f"{key} of many")
    elif isinstance(found, tuple):
        assert (key or "").removesuffix(" of many") in KEYS
        check_file(original, *found)
    else:
        assert original == found
        is_large = isinstance(original, str) and len(original) > LEAST_BYTES + 30 and ";base64," in original
        assert not (is_large and key in KEYS)


def check_file(original: str, head: str, mime_type: str, content: bytes, fault: Fault | None) -> None:
    """The file is what a decoder of the whole value gets."""
    expected_head, _, payload = original.partition(",")
    assert (head, mime_type) == (expected_head, expected_head[5:].partition(";")[0])
    assert len(payload.replace("/", "\\/")) >= LEAST_BYTES
    try:
        expected = binascii.a2b_base64(payload, strict_mode=True)
    except binascii.Error:
        assert (content, fault) == (b"", Fault.NOT_BASE64)
    else:
        assert (content, fault) == (expected, None)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    st.dictionaries(NAMES, DOCUMENTS, min_size=1, max_size=4),
    st.booleans(),
    st.sampled_from([None, 1]),
    st.lists(st.floats(0, 1), max_size=12),
)
def test_nothing_is_lost_and_nothing_else_is_touched(
    document: dict[str, Any], is_escaped: bool, indent: int | None, cuts: list[float]
) -> None:
    """Any document, in any spelling and in any pieces, is itself again when the files are put back."""
    original = written(document)
    text = json.dumps(original, indent=indent)
    raw = (text.replace("/", "\\/") if is_escaped else text).encode()
    places = sorted({0, len(raw), *(int(cut * len(raw)) for cut in cuts)})
    with closing(Lifter(file_limit_bytes=LIMIT)) as lifter:
        for start, end in pairwise(places):
            lifter.feed(raw[start:end])
        found = outcome(lifter, json.loads(lifter.finish()))
    check(original, found)
    assert found == lift(raw, len(raw))
