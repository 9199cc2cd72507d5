"""Pictures and videos from the cache. Source: API contract, section 8; RFC 9110, sections 13 and 14."""

import os
import socket
import struct
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final
from uuid import uuid4

import httpx
import pytest

from tests.conftest import KEYS, GatewayFactory
from tests.contract.wire import error_of
from tests.servers import Gateway, eventually

CONTENT: Final = bytes(range(256)) * 4000
"""More than one chunk of the server's."""
SIZE: Final = len(CONTENT)
MADE_AT_S: Final = 1_700_000_000
RESET: Final = struct.pack("ii", 1, 0)


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the gateway's files, which we write to as another process would."""
    return tmp_path_factory.mktemp("files") / "media"


@pytest.fixture(scope="module")
def serving(make_gateway: GatewayFactory, media: Path) -> Gateway:
    """A gateway whose data folder we know."""
    return make_gateway({}, {**KEYS, "data_dir": str(media.parent)})


@pytest.fixture(scope="module")
def http(serving: Gateway) -> httpx.Client:
    """Someone who has no key."""
    return serving.stranger


@pytest.fixture
def image(media: Path) -> str:
    """The path of a picture that no other test knows."""
    return put(media, "image", f"{uuid4().hex}.png")


@pytest.fixture
def held(http: httpx.Client, media: Path, image: str) -> str:
    """The path of a picture that is in the server's memory: small, old, and asked for before."""
    make_old(media / "image" / image.rpartition("/")[2], CONTENT, MADE_AT_S)
    assert http.get(image).status_code == 200
    return image


def make_old(path: Path, content: bytes, written_at_s: int) -> None:
    """Put a file in this one's place that was written at that time."""
    part = path.with_name(".new")
    part.write_bytes(content)
    os.utime(part, (written_at_s, written_at_s))
    part.replace(path)


def put(media: Path, kind: str, name: str, content: bytes = CONTENT) -> str:
    """Put a file into the cache; its path."""
    (media / kind).mkdir(parents=True, exist_ok=True)
    (media / kind / name).write_bytes(content)
    return f"/v1/files/{kind}/{name}"


@pytest.mark.parametrize("prefix", ["", "/grok"])
@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("type.png", "image/png"),
        ("type.jpg", "image/jpeg"),
        ("type.JPEG", "image/jpeg"),
        ("type.webp", "image/webp"),
        ("type.gif", "image/gif"),
        ("type.mp4", "video/mp4"),
        ("type.webm", "video/webm"),
    ],
)
def test_a_file_is_served_to_whoever_knows_its_name(
    http: httpx.Client, media: Path, prefix: str, name: str, content_type: str
) -> None:
    """Whole, without a key, with its type, kept by browsers for ever and never taken for anything else."""
    kind = content_type.partition("/")[0]
    answer = http.get(prefix + put(media, kind, name))

    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["content-type"] == content_type
    assert answer.headers["content-length"] == str(SIZE)
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"] == "inline"
    assert answer.headers["etag"].startswith('"')


def test_slashes_in_a_name_are_dashes(http: httpx.Client, media: Path) -> None:
    """A path of Grok's finds the file that was made from it, with a slash at its end too."""
    name = uuid4().hex
    put(media, "image", f"users-{name}-a.png")

    for path in (f"users/{name}/a.png", f"users%2F{name}%2Fa.png", f"users-{name}/a.png/"):
        assert http.get(f"/v1/files/image/{path}").content == CONTENT


@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=5-9"}], ids=["plain", "range"])
def test_head_tells_what_get_would(http: httpx.Client, image: str, headers: dict[str, str]) -> None:
    """The same headers, no body; a range is for GET alone."""
    head, got = http.head(image, headers=headers), http.get(image)

    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-type", "content-length", "etag", "last-modified", "cache-control"):
        assert head.headers[name] == got.headers[name]


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"], ids=["same", "weak", "one of many", "any"])
def test_a_known_file_is_not_sent_again(http: httpx.Client, image: str, form: str) -> None:
    """304 without a body to the caller who has this version."""
    etag = http.get(image).headers["etag"]
    answer = http.get(image, headers={"If-None-Match": form.format(etag)})

    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == etag
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_a_date_serves_where_there_is_no_etag(http: httpx.Client, image: str) -> None:
    """`If-Modified-Since` counts, unless `If-None-Match` says otherwise."""
    date = http.get(image).headers["last-modified"]

    assert http.get(image, headers={"If-Modified-Since": date}).status_code == 304
    assert http.get(image, headers={"If-Modified-Since": date, "If-None-Match": '"other"'}).status_code == 200


def test_a_changed_file_has_another_etag(http: httpx.Client, media: Path) -> None:
    """What is under the name now is what is sent."""
    name = f"{uuid4().hex}.png"
    before = http.get(put(media, "image", name)).headers["etag"]
    answer = http.get(put(media, "image", name, b"other"), headers={"If-None-Match": before})

    assert (answer.status_code, answer.content) == (200, b"other")
    assert answer.headers["etag"] != before


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-", 0, SIZE - 1),
        ("bytes=0-0", 0, 0),
        ("bytes=5-9", 5, 9),
        ("bytes=1000-700000", 1000, 700_000),
        ("bytes=1000-", 1000, SIZE - 1),
        ("bytes=-7", SIZE - 7, SIZE - 1),
        ("bytes=-99999999", 0, SIZE - 1),
        ("bytes=9-99999999", 9, SIZE - 1),
        ("Bytes= 5-9", 5, 9),
    ],
)
def test_a_part_is_sent(http: httpx.Client, media: Path, asked: str, first: int, last: int) -> None:
    """206 with just the bytes that were asked for: a video can be sought in."""
    answer = http.get(put(media, "video", f"{uuid4().hex}.mp4"), headers={"Range": asked})

    assert answer.status_code == 206
    assert answer.content == CONTENT[first : last + 1]
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{SIZE}"
    assert answer.headers["content-length"] == str(last + 1 - first)
    assert answer.headers["content-type"] == "video/mp4"


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", "bytes=99999999-", "bytes=-0", f"bytes={SIZE}-{SIZE + 5}"])
def test_a_part_that_is_not_there(http: httpx.Client, image: str, asked: str) -> None:
    """416 with the size, as JSON."""
    answer = http.get(image, headers={"Range": asked})

    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{SIZE}"
    assert error_of(answer)["code"] == "range_not_satisfiable"


@pytest.mark.parametrize(
    "asked",
    ["bytes=9-5", "bytes=-", "bytes=a-b", "lines=1-2", "bytes=0-1,5-6", "", f"bytes=0-{'9' * 5000}", "bytes=١-٢"],
)
def test_other_ranges_are_ignored(http: httpx.Client, image: str, asked: str) -> None:
    """What isn't one range of bytes gets the whole file, as RFC 9110 allows."""
    answer = http.get(image, headers=[(b"range", asked.encode())])

    assert (answer.status_code, answer.content) == (200, CONTENT)


def test_a_part_of_another_version_is_not_sent(http: httpx.Client, image: str) -> None:
    """`If-Range` with the version in force gets the part, with another one the whole file."""
    got = http.get(image).headers
    statuses = [
        http.get(image, headers={"Range": "bytes=5-9", "If-Range": version}).status_code
        for version in (got["etag"], got["last-modified"], '"other"', f"W/{got['etag']}")
    ]
    assert statuses == [206, 206, 200, 200]


@pytest.mark.parametrize(
    "path",
    [
        "image/no-such.png",
        "image/",
        "image/../../grok_app.db",
        "image/..%2f..%2fgrok_app.db",
        "image/%2e%2e/%2e%2e/grok_app.db",
        "image/..%5c..%5cgrok_app.db",
        "image//etc/passwd",
        "image/%00.png",
        "image/.hidden.png",
        "image/page.html",
        "image/drawing.svg",
        "image/clip.mp4",
        f"image/{'a' * 5000}.png",
    ],
)
def test_what_is_no_picture_is_not_found(http: httpx.Client, media: Path, path: str) -> None:
    """Missing, outside the cache, hidden or of another type: all the same 404."""
    for name in ("page.html", "drawing.svg", ".hidden.png", "clip.mp4"):
        put(media, "image", name)
    answer = http.get(f"/v1/files/{path}")

    assert answer.status_code == 404
    assert error_of(answer)["code"] == "not_found"


@pytest.mark.parametrize(("kind", "message"), [("image", "Image not found"), ("video", "Video not found")])
def test_a_missing_file_is_named(http: httpx.Client, kind: str, message: str) -> None:
    """Letter by letter as in the contract, for each kind and for HEAD."""
    path = f"/v1/files/{kind}/no-such.{'png' if kind == 'image' else 'mp4'}"

    assert error_of(http.get(path))["message"] == message
    assert http.head(path).status_code == 404


def test_a_removed_file_is_gone(http: httpx.Client, media: Path, image: str) -> None:
    """What another process has removed is a 404, not a failure."""
    assert http.get(image).status_code == 200
    (media / "image" / image.rpartition("/")[2]).unlink()

    assert http.get(image).status_code == 404


@pytest.mark.parametrize("prefix", ["", "/grok"])
def test_a_file_asked_for_again_is_the_same(http: httpx.Client, held: str, prefix: str) -> None:
    """From memory as from the disk: content and headers, with a slash at its end, and each answer with its own id."""
    first, again = http.get(prefix + held), http.get(f"{prefix}{held}/", headers={"X-Request-ID": "again"})

    assert (again.status_code, again.content) == (200, CONTENT)
    assert again.headers.pop("x-request-id") == "again"
    assert len(first.headers.pop("x-request-id")) == 32
    for headers in (first.headers, again.headers):
        headers.pop("date")
    assert again.headers == first.headers


def test_what_is_in_memory_is_answered_as_asked(http: httpx.Client, held: str) -> None:
    """HEAD without a body, a part as a part, a known version not at all."""
    etag = http.get(held).headers["etag"]
    head = http.head(held)

    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(SIZE))
    assert http.get(held, headers={"Range": "bytes=5-9"}).content == CONTENT[5:10]
    assert http.get(held, headers={"If-None-Match": etag}).status_code == 304
    assert http.get(held, headers={"If-Modified-Since": head.headers["last-modified"]}).status_code == 304
    assert http.post(held).status_code == 405


def test_what_is_in_memory_is_never_older_than_the_disk(http: httpx.Client, media: Path, held: str) -> None:
    """Another process replaces it, then removes it: the next answer knows."""
    path = media / "image" / held.rpartition("/")[2]
    assert http.get(held).content == CONTENT
    make_old(path, CONTENT[::-1], MADE_AT_S + 1)
    assert http.get(held).content == CONTENT[::-1]
    assert http.get(held).content == CONTENT[::-1]
    path.unlink()
    assert http.get(held).status_code == 404


def test_a_crowd_gets_whole_files(http: httpx.Client, held: str) -> None:
    """Many at once, while it is read for the first time and after."""
    with ThreadPoolExecutor(16) as callers:
        answers = list(callers.map(lambda _: http.get(held), range(64)))

    assert {(answer.status_code, answer.content) for answer in answers} == {(200, CONTENT)}


def test_callers_who_leave_leave_nothing_open(serving: Gateway, http: httpx.Client, media: Path) -> None:
    """Twenty who reset the connection in the middle of a part are no trouble, and no file stays open."""
    name = f"{uuid4().hex}.mp4"
    with (media / "video" / name).open("wb") as file:
        file.truncate(200 << 20)
    host, port = serving.url.removeprefix("http://").split(":")
    for _ in range(20):
        with socket.create_connection((host, int(port))) as caller:
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            caller.sendall(f"GET /v1/files/video/{name} HTTP/1.1\r\nHost: a\r\nRange: bytes=1-\r\n\r\n".encode())
            assert caller.recv(1000).startswith(b"HTTP/1.1 206")

    eventually(lambda: not readers(name))
    assert http.get(f"/v1/files/video/{name}", headers={"Range": "bytes=5-9"}).content == bytes(5)
    assert "request crashed" not in serving.process.news()


def readers(name: str) -> list[Path]:
    """The open file descriptors of any process that stand for this file."""
    found = []
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):  # closed meanwhile, or someone else's
            if link.readlink().name == name:
                found.append(link)
    return found
