"""Reading a form: its files closed in any case, its limits kept."""

import errno
from collections.abc import Sequence
from contextlib import ExitStack
from tempfile import SpooledTemporaryFile
from typing import Any

import pytest
from fastapi import Request
from starlette.datastructures import FormData, UploadFile

from grok_app.api.form import files_of, is_form, read_form
from grok_app.errors import GatewayError, InvalidRequestError, OverloadedError

TYPE = "multipart/form-data; boundary=cut"
END = b"--cut--\r\n"


def part(name: str, content: bytes, filename: str | None = None) -> bytes:
    """A field, or a file."""
    file = "" if filename is None else f'; filename="{filename}"'
    head = f'--cut\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def request_of(*pieces: bytes, content_type: str = TYPE) -> Request:
    """A request whose body comes in these pieces."""
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]

    async def receive() -> dict[str, Any]:
        return messages.pop(0) if messages else {"type": "http.request", "body": b"", "more_body": False}

    return Request({"type": "http", "method": "POST", "headers": [(b"content-type", content_type.encode())]}, receive)


async def read(*pieces: bytes, held: ExitStack, most_files: int = 3, limit_bytes: int = 5000) -> FormData:
    """The form in these pieces."""
    return await read_form(request_of(*pieces), held, most_files=most_files, limit_bytes=limit_bytes)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The files that the parser opens."""
    files: list[Any] = []

    def remembered(max_size: int) -> Any:
        files.append(SpooledTemporaryFile(max_size))  # noqa: SIM115 # whoever asked for it closes it
        return files[-1]

    monkeypatch.setattr("starlette.formparsers.SpooledTemporaryFile", remembered)
    return files


def are_closed(files: Sequence[Any]) -> list[bool]:
    """Of each file."""
    return [file.closed for file in files]


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        (TYPE, True),
        ("Multipart/Form-Data ;boundary=cut", True),
        ("multipart/mixed; boundary=cut", False),
        ("application/json", False),
        ("", False),
    ],
)
def test_a_form_is_known_by_its_content_type(content_type: str, expected: bool) -> None:
    """However it is written."""
    assert is_form(request_of(content_type=content_type)) is expected


async def test_files_are_given_in_the_order_of_the_form(opened: list[Any]) -> None:
    """Whatever their names, and whatever stands between them; a text under such a name too."""
    pieces = [part("image[]", b"1", "a"), part("n", b"2"), part("image", b"3", "b"), part("image[]", b"4"), END]
    with ExitStack() as held:
        form = await read(*pieces, held=held)
        found = files_of(form, ("image", "image[]"))
        assert [file.file.read() if isinstance(file, UploadFile) else file for file in found] == [b"1", b"3", "4"]
        assert form["n"] == "2"
    assert len(opened) == 2


async def test_every_file_is_closed_when_it_is_needed_no_more(opened: list[Any]) -> None:
    """Not before; all of those of one name too, and files that nobody asked for."""
    pieces = [part("image", b"1", "a"), part("image", b"2", "b"), part("mask", b"3", "c"), END]
    with ExitStack() as held:
        await read(*pieces, held=held)
        assert are_closed(opened) == [False] * 3
    assert are_closed(opened) == [True] * 3


@pytest.mark.parametrize("cut", [1, 7, 1000])
async def test_a_form_may_come_in_any_pieces(cut: int) -> None:
    """Also cut within a boundary."""
    body = part("image", bytes(range(256)), "a") + part("prompt", "a hät".encode()) + END
    with ExitStack() as held:
        form = await read(*(body[at : at + cut] for at in range(0, len(body), cut)), held=held)
        assert form["prompt"] == "a hät"
        [file] = files_of(form, ["image"])
        assert isinstance(file, UploadFile)
        assert file.file.read() == bytes(range(256))


@pytest.mark.parametrize(
    ("pieces", "code"),
    [
        ([part("image", b"1", "a"), b"--cut\r\nno header\r\n\r\n"], "multipart_invalid"),
        ([part("image", b"1", str(number)) for number in range(4)], "multipart_invalid"),
        ([part("image", b"1", "a"), *(part("n", b"1") for _ in range(65))], "multipart_invalid"),
        ([part("image", b"1", "a"), part("image", b"2" * 5000, "b")], "request_too_large"),
    ],
    ids=["no form", "too many files", "too many fields", "too large"],
)
async def test_a_bad_form_leaves_no_file_open(opened: list[Any], pieces: list[bytes], code: str) -> None:
    """The caller is told what is wrong with it."""
    with ExitStack() as held, pytest.raises(GatewayError) as raised:
        await read(*pieces, END, held=held)
    assert raised.value.code == code
    assert opened
    assert all(are_closed(opened))


async def test_a_form_that_breaks_off_is_none(opened: list[Any]) -> None:
    """Half a picture is never taken for a whole one."""
    with ExitStack() as held, pytest.raises(InvalidRequestError) as raised:
        await read(part("image", b"1234", "a")[:-4], held=held)
    assert raised.value.code == "multipart_invalid"
    assert are_closed(opened) == [True]


async def test_a_form_without_a_boundary_is_none() -> None:
    """There is no telling where it ends."""
    request = request_of(END, content_type="multipart/form-data")
    with ExitStack() as held, pytest.raises(InvalidRequestError) as raised:
        await read_form(request, held, most_files=1, limit_bytes=100)
    assert (raised.value.code, raised.value.param) == ("multipart_invalid", "body")


async def test_a_full_disk_is_told_as_such(opened: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """It isn't the caller's mistake, and it passes."""

    async def fail(_file: UploadFile, _data: bytes) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(UploadFile, "write", fail)
    with ExitStack() as held, pytest.raises(OverloadedError):
        await read(part("image", b"1", "a"), END, held=held)
    assert are_closed(opened) == [True]


@pytest.mark.parametrize("charset", ["undefined", "unicode_escape", "utf-16", "idna"])
async def test_only_utf8_is_read(charset: str) -> None:
    """Whoever names another charset could have us read what no text is."""
    request = request_of(part("image", b"1", "a"), END, content_type=f"{TYPE}; charset={charset}")
    with ExitStack() as held, pytest.raises(InvalidRequestError) as raised:
        await read_form(request, held, most_files=3, limit_bytes=1000)
    assert raised.value.code == "multipart_invalid"


async def test_utf8_may_be_named() -> None:
    """Some clients say what goes without saying."""
    request = request_of(part("image", b"1", "a"), END, content_type=f'{TYPE}; charset="UTF-8"')
    with ExitStack() as held:
        assert list(await read_form(request, held, most_files=3, limit_bytes=1000)) == ["image"]
