"""Reading a form: its files are kept as long as the request, and no longer."""

from contextlib import ExitStack
from typing import Any

import pytest
from fastapi import Request
from starlette.datastructures import UploadFile

from grok_app.api.form import read_form
from grok_app.errors import InvalidRequestError

PART = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\ncontent\r\n'


def form_of(body: bytes, more: str = "") -> Request:
    """A request with this form as its body."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(b"content-type", f"multipart/form-data; boundary=x{more}".encode())]
    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


async def test_every_file_is_closed_in_the_end() -> None:
    """Those that share a name, too."""
    with ExitStack() as held:
        form = await read_form(form_of(PART * 3 + b"--x--\r\n"), held, most_files=3, limit_bytes=1000)
        files = [file.file for _, file in form.multi_items() if isinstance(file, UploadFile)]
        assert not any(file.closed for file in files)

    assert [file.closed for file in files] == [True] * 3


@pytest.mark.parametrize("charset", ["undefined", "unicode_escape", "utf-16", "idna"])
async def test_only_utf8_is_read(charset: str) -> None:
    """Whoever names another charset could have us read what no text is."""
    with ExitStack() as held, pytest.raises(InvalidRequestError) as raised:
        await read_form(form_of(PART + b"--x--\r\n", f"; charset={charset}"), held, most_files=3, limit_bytes=1000)

    assert raised.value.code == "multipart_invalid"


async def test_utf8_may_be_named() -> None:
    """Some clients say what goes without saying."""
    with ExitStack() as held:
        form = await read_form(form_of(PART + b"--x--\r\n", '; charset="UTF-8"'), held, most_files=3, limit_bytes=1000)
        assert list(form) == ["image"]
