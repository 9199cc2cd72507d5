"""Reading a form with files: limited in size and time, files on the disk."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import ExitStack
from typing import Final

from fastapi import Request
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from grok_app.api.body import storing_parts
from grok_app.errors import InvalidRequestError

_MOST_FIELDS: Final = 64
_FIELD_BYTES: Final = 1 << 20
FORM: Final = "multipart/form-data"


def is_form(request: Request) -> bool:
    """Whether the body is a form."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM


async def read_form(request: Request, held: ExitStack, *, most_files: int, limit_bytes: int) -> FormData:
    """Read a form.

    Args:
        request: Whose body.
        held: Closes the files when they are needed no more.
        most_files: More are refused.
        limit_bytes: Of the whole body.

    Raises:
        InvalidRequestError: It is no such form.
        RequestTooLargeError: It is too large.
    """
    _check_charset(request)
    limits = {"max_files": most_files, "max_fields": _MOST_FIELDS, "max_part_size": _FIELD_BYTES}
    try:
        async with storing_parts(request, limit_bytes) as parts:
            form = await _Parser(request.headers, parts, **limits).parse()
    except MultiPartException as error:
        raise _unreadable(str(error)) from error
    for _, file in form.multi_items():  # `values` has but the last one of each name
        if isinstance(file, UploadFile):
            held.callback(file.file.close)
    return form


def _check_charset(request: Request) -> None:
    """Take UTF-8 only: some of Python's codecs give texts that can't be written, or fail in ways of their own."""
    charset = parse_options_header(request.headers["content-type"])[1].get(b"charset", b"utf-8")
    if charset.lower() not in (b"utf-8", b"utf8"):
        raise _unreadable("It is not in UTF-8.")


def _unreadable(why: str) -> InvalidRequestError:
    return InvalidRequestError(f"The form can't be read: {why}", code="multipart_invalid", param="body")


def files_of(form: FormData, names: Sequence[str]) -> list[UploadFile | str]:
    """What the form has under any of these names, in its order."""
    return [value for name, value in form.multi_items() if name in names]


class _Parser(MultiPartParser):
    """Starlette's, but a form that breaks off is none; it would lack its last part, and nobody would know."""

    def __init__(self, headers: Headers, parts: AsyncGenerator[bytes, None], **limits: int) -> None:
        super().__init__(headers, self._to_the_end(parts), **limits)
        self._has_ended = False

    def on_end(self) -> None:
        """Note that the last boundary has come."""
        self._has_ended = True

    async def _to_the_end(self, parts: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        async for part in parts:
            yield part
        if not self._has_ended:
            raise MultiPartException("It breaks off")  # raised in here, it makes the parser close its files
