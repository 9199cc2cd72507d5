"""What `POST /v1/images/edits` takes for a picture, and what not. Source: API contract, section 6."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contract.pictures import EDIT, EDITS, UPLOAD, Watch, data_uri, edit, edit_json, picture, upload_of
from tests.contract.test_failures import CLOSED_PORT
from tests.contract.wire import error_of
from tests.servers import Gateway

PNG = picture("red")
JPEG = picture("red", "JPEG")
GIF = picture("red", "GIF")
TEXT = b"This is no picture."
LARGEST = 50 << 20
MISSING = ("missing_image", "Image is required")
TOO_MANY = ("invalid_image_count", "Too many images. Maximum is 16.")
EMPTY = ("empty_file", "File content is empty")
TOO_LARGE = ("file_too_large", "Image file too large. Maximum is 50MB.")
WRONG_TYPE = ("invalid_image_type", "Unsupported image type. Supported: png, jpg, webp.")
NOT_PICTURES: dict[str, tuple[bytes, str, str]] = {
    "declared as something else": (PNG, "cat.png", "image/gif"),
    "declared as text": (PNG, "cat.png", "text/plain"),
    "honest text": (TEXT, "cat.txt", "text/plain"),
    "honest GIF": (GIF, "cat.gif", "image/gif"),
    "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "cat.svg", "image/svg+xml"),
    "text, declared as PNG": (TEXT, "cat.png", "image/png"),
    "GIF, declared as PNG": (GIF, "cat.png", "image/png"),
    "text, called PNG": (TEXT, "cat.png", ""),
    "picture, called GIF": (PNG, "cat.gif", ""),
    "RIFF of another kind": (b"RIFF\x24\x00\x00\x00WAVEfmt ", "cat.webp", "image/webp"),
    "one byte": (b"\x89", "cat.png", "image/png"),
}
"""By content type, else (where it is empty) by extension, and by the first bytes."""


def form_of(*parts: tuple[str, bytes]) -> tuple[bytes, dict[str, str]]:
    """A form of parts that have these headers and contents, as body and headers."""
    whole = b"".join(b"--edge\r\n%b\r\n\r\n%b\r\n" % (headers.encode(), content) for headers, content in parts)
    return whole + b"--edge--\r\n", {"Content-Type": "multipart/form-data; boundary=edge"}


def send(gateway: Gateway, prompt: str, content: bytes, name: str, mime: str) -> httpx.Response:
    """Send a file of this name and type; an empty type is left out."""
    disposition = f'Content-Disposition: form-data; name="image"; filename="{name}"'
    body, headers = form_of(
        ('Content-Disposition: form-data; name="model"', EDIT.encode()),
        ('Content-Disposition: form-data; name="prompt"', prompt.encode()),
        (f"{disposition}\r\nContent-Type: {mime}" if mime else disposition, content),
    )
    return gateway.http.post(EDITS, content=body, headers=headers)


def check(answer: httpx.Response, expected: tuple[str, str]) -> None:
    """The answer says with a 400 what is wrong with the pictures."""
    error = error_of(answer)
    assert (answer.status_code, error["type"]) == (400, "invalid_request_error")
    assert (error["code"], error["message"]) == expected
    assert error["param"].startswith("image")


@pytest.mark.parametrize(("content", "name", "mime"), NOT_PICTURES.values(), ids=NOT_PICTURES)
def test_what_is_no_picture_is_refused(gateway: Gateway, watch: Watch, content: bytes, name: str, mime: str) -> None:
    """Only PNG, JPEG and WebP: by what is said of the file and by what it is."""
    check(send(gateway, "A hat", content, name, mime), WRONG_TYPE)
    assert watch.calls(UPLOAD) == []


@pytest.mark.parametrize(
    ("content", "name", "mime"),
    [
        (PNG, "cat.PNG", ""),
        (JPEG, "cat.jpeg", ""),
        (JPEG, "cat.jpg", ""),
        (JPEG, "cat.jpg", "image/jpg"),
        (PNG, "cat", "image/png"),
        (PNG, "cat.txt", "IMAGE/PNG"),
        (JPEG, "cat.png", "image/png"),
        (PNG, "cat", ""),
        (PNG, "upload", "application/octet-stream"),
    ],
    ids=[
        "by capital letters",
        "jpeg",
        "jpg",
        "type jpg",
        "by its type alone",
        "type before name",
        "another of three",
        "by its bytes alone",
        "bytes as the SDK sends them",
    ],
)
def test_a_picture_is_known_by_type_or_name(
    gateway: Gateway, question: str, content: bytes, name: str, mime: str
) -> None:
    """The content type decides, else the extension, else the bytes; which of the three kinds it is needn't agree."""
    assert send(gateway, question, content, name, mime).status_code == 200


@pytest.mark.parametrize("files", [(), (PNG,)], ids=["first", "after a good one"])
def test_an_empty_file_is_refused(gateway: Gateway, files: tuple[bytes, ...]) -> None:
    """Each file must have a content."""
    check(edit(gateway, "A hat", *map(upload_of, files), upload_of(b"")), EMPTY)


def test_a_form_without_files_is_refused(gateway: Gateway) -> None:
    """Multipart, urlencoded or JSON: without a picture there is nothing to change."""
    fields = {"model": EDIT, "prompt": "A hat"}
    body, headers = form_of(
        *((f'Content-Disposition: form-data; name="{name}"', value.encode()) for name, value in fields.items())
    )

    check(gateway.http.post(EDITS, content=body, headers=headers), MISSING)
    check(gateway.http.post(EDITS, json=fields), MISSING)


@pytest.mark.parametrize("image", [None, [], ""], ids=repr)
def test_no_picture_in_json_is_missing(gateway: Gateway, image: Any) -> None:
    """Null, an empty list and an empty text are no picture."""
    check(edit_json(gateway, "A hat", image), MISSING)


@pytest.mark.parametrize("field", ["image", "image[]"])
def test_seventeen_files_are_too_many(gateway: Gateway, watch: Watch, field: str) -> None:
    """One more than the contract allows, and none is uploaded."""
    check(edit(gateway, "A hat", *[upload_of(PNG, field=field)] * 17), TOO_MANY)
    assert watch.calls(UPLOAD) == []


def test_seventeen_data_uris_are_too_many(gateway: Gateway) -> None:
    """The same in JSON."""
    check(edit_json(gateway, "A hat", [data_uri(PNG)] * 17), TOO_MANY)


def test_a_file_above_the_limit_is_refused(gateway: Gateway, watch: Watch, tmp_path: Path) -> None:
    """One byte more than 50 MB, however good it looks at its beginning."""
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.write(PNG)
        file.truncate(LARGEST + 1)
    with path.open("rb") as file:
        check(edit(gateway, "A hat", upload_of(file)), TOO_LARGE)

    assert watch.calls(UPLOAD) == []


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (data_uri(GIF, "image/gif"), WRONG_TYPE),
        (data_uri(TEXT, "text/plain"), WRONG_TYPE),
        (data_uri(TEXT), WRONG_TYPE),
        ("data:image/png;base64,", EMPTY),
    ],
    ids=["GIF", "text", "text, declared as PNG", "empty"],
)
def test_a_data_uri_is_judged_as_a_file(gateway: Gateway, image: str, expected: tuple[str, str]) -> None:
    """The same rules hold for what comes inside JSON."""
    check(edit_json(gateway, "A hat", image), expected)


@pytest.mark.parametrize(
    "image",
    [
        "a cat",
        "data:image/png;base64,%%%",
        "data:image/png,plain",
        "ftp://example.com/cat.png",
        "file:///etc/passwd",
        f"http://127.0.0.1:{CLOSED_PORT}/cat.png",
        "http://[::1]/cat.png",
        "http://169.254.169.254/latest/meta-data",
        "/v1/files/image/no-such.png",
        "/v1/files/image/../../grok_app.db",
        5,
        {"deep": [1]},
        [None],
    ],
    ids=repr,
)
def test_what_can_not_be_fetched_is_refused(gateway: Gateway, watch: Watch, image: Any) -> None:
    """Nonsense, private addresses and files that we don't have are the caller's mistake; nothing is asked for."""
    answer = edit_json(gateway, "A hat", image)

    error = error_of(answer)
    assert (answer.status_code, error["type"]) == (400, "invalid_request_error")
    assert error["param"].startswith("image")
    assert watch.calls(UPLOAD) == []
