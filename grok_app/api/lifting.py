"""Taking large files out of a JSON body while it arrives, so that they never stand in memory.

A body may carry files as data URIs: `{"url": "data:image/png;base64,…"}`. A `Lifter` writes the payload of each large
one to a file and puts a short mark in its place; whoever reads the parsed body finds the file by the mark.

Strings are found without parsing. Within a JSON string every quote has a backslash before it, so that `"url": "data:`
with bare quotes is a key and the beginning of its value, wherever it stands in a valid body. An invalid body may be
changed elsewhere, too.
"""

import binascii
import re
from dataclasses import dataclass
from enum import StrEnum
from secrets import token_hex
from tempfile import SpooledTemporaryFile
from typing import IO, Final

LEAST_BYTES: Final = 64 << 10
"""A payload that is written shorter stays in the body."""
MOST_FILES: Final = 100
"""Further ones stay in the body. Each may be an open file."""
_MOST_IN_MEMORY: Final = 4
_SPOOL_BYTES: Final = 1 << 20
_STEP_BYTES: Final = 64 << 10
_HEAD_CHARS: Final = 255
_OPENING: Final = re.compile(rb'"data:((?:[^",\\]|\\/){0,%d}+),(?=[^"]{%d})' % (_HEAD_CHARS, LEAST_BYTES))
_OPENING_BYTES: Final = LEAST_BYTES + 2 * _HEAD_CHARS + 16
"""No match is longer."""
_SCAN_BYTES: Final = 3 * _OPENING_BYTES
"""What is searched at a time: much against what must be searched again, because an opening may begin in it."""
_LOOK_BACK_BYTES: Final = 256 << 10
"""A value further from its key stays in the body."""
_SPACE: Final = b" \t\r\n"
_KEY: Final = re.compile(rb'[^\\]"(?:url|data|file_data|image|image\[\]|image_url)"\Z')
_LONGEST_KEY_BYTES: Final = 16
_ELEMENTS: Final = re.compile(rb'(?:[ \t\r\n]*+"[^"\\]*+(?:\\.[^"\\]*+)*+"[ \t\r\n]*+,)*+[ \t\r\n]*+', re.DOTALL)
_IN_STRING: Final = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_QUOTE: Final = b'"'


class Fault(StrEnum):
    """Why a file can't be used; reads after "The file"."""

    NOT_BASE64 = "is not valid base64"
    TOO_LARGE = "is too large"


@dataclass(slots=True)
class Lifted:
    """A file that was taken out of a body."""

    mime_type: str
    """As the data URI says, in lower case, without parameters; may be empty."""
    content: IO[bytes]
    """Stands at its beginning once its payload has ended; empty after a fault. Belongs to the lifter."""
    error: Fault | None = None


class Lifter:
    """Lifts the files of one body. Feed it all parts, finish, parse, find; and close it in any case.

    The keys whose values are looked at are `url`, `data`, `file_data`, `image`, `image[]` and `image_url`; a value is
    a string, or strings of an array. Everything else stays as it is, and so do a few that nobody writes: behind a key
    that is spelled with escapes, or in an array behind anything but strings, or behind a string with a `[`.

    In memory are at most four files of 1 MiB, some 300 KiB of what was fed last, and the text that is kept.

    Args:
        file_limit_bytes: A larger file is read to its end, but not written.
    """

    def __init__(self, *, file_limit_bytes: int) -> None:
        self._file_limit_bytes = file_limit_bytes
        self._secret = token_hex(16)
        self._files: dict[str, Lifted] = {}
        self._kept = bytearray()
        self._pending = bytearray()
        self._payload: _Payload | None = None

    @property
    def kept_bytes(self) -> int:
        """How much of the body stays text so far; what was fed last may be missing. For whoever limits it."""
        return len(self._kept)

    def feed(self, part: bytes) -> None:
        """Take the next part of the body, however it was cut."""
        for start in range(0, len(part), _STEP_BYTES):
            self._pending += part[start : start + _STEP_BYTES]
            if len(self._pending) >= _SCAN_BYTES:
                self._work(is_last=False)

    def finish(self) -> bytes:
        """The body, with a mark in place of each lifted payload. Where it breaks off, the end is missing."""
        self._work(is_last=True)
        self._keep(len(self._pending))
        return bytes(self._kept)

    def find(self, value: str) -> Lifted | None:
        """The file of a data URI of the parsed body; None if its payload wasn't lifted."""
        return self._files.get(value[value.rfind(",") + 1 :])

    def close(self) -> None:
        """Close all files."""
        for lifted in self._files.values():
            lifted.content.close()

    def _work(self, *, is_last: bool) -> None:
        while self._read_text(is_last=is_last) if self._payload is None else self._read_payload(self._payload):
            pass

    def _read_text(self, *, is_last: bool) -> bool:
        """Keep what is text; whether a payload comes next."""
        while (opening := _OPENING.search(self._pending)) is not None:
            head, start, end = opening[1], opening.start(), opening.end()
            self._keep(start)
            is_file = len(self._files) < MOST_FILES and head.endswith(b";base64") and self._is_after_key()
            self._keep(end - start)
            if is_file:
                self._payload = self._open(_mime_type(head))
                return True
        self._keep(len(self._pending) if is_last else max(0, len(self._pending) - _OPENING_BYTES))
        return False

    def _read_payload(self, payload: "_Payload") -> bool:
        """Write what is payload; whether text comes next."""
        end = _string_end(self._pending)
        payload.write(bytes(self._pending[:end]))
        del self._pending[:end]
        if not self._pending.startswith(_QUOTE):
            return False  # nothing is left, or the first half of an escape
        payload.finish()
        self._kept += self._mark(len(self._files) - 1).encode()
        self._payload = None
        return True

    def _keep(self, size: int) -> None:
        self._kept += self._pending[:size]
        del self._pending[:size]

    def _is_after_key(self) -> bool:
        """Whether what is kept ends where a value of one of our keys begins."""
        before = bytes(self._kept[-_LOOK_BACK_BYTES:])
        if _ends_with_key(before):
            return True
        start = before.rfind(b"[")  # one inside a string has no key before it
        return start >= 0 and _ends_with_key(before[:start]) and _ELEMENTS.fullmatch(before, start + 1) is not None

    def _open(self, mime_type: str) -> "_Payload":
        spool_bytes = _SPOOL_BYTES if len(self._files) < _MOST_IN_MEMORY else 1
        lifted = Lifted(mime_type, SpooledTemporaryFile(max_size=spool_bytes))  # noqa: SIM115 - see `close`
        self._files[self._mark(len(self._files))] = lifted
        return _Payload(lifted, self._file_limit_bytes)

    def _mark(self, number: int) -> str:
        """What stands for a file: nobody can guess it, and no base64 has a colon."""
        return f"lifted:{self._secret}:{number}"


class _Payload:
    """Decodes base64 into a file, piece by piece. JSON's escape of a slash is understood, no other one."""

    def __init__(self, lifted: Lifted, limit_bytes: int) -> None:
        self._lifted = lifted
        self._limit_bytes = limit_bytes
        self._size = 0
        self._rest = b""
        self._is_padded = False

    def write(self, piece: bytes) -> None:
        """Take the next piece; an escape is not cut."""
        if self._lifted.error or not piece:
            return
        if b"\\" in piece:
            piece = piece.replace(b"\\/", b"/")
        text = self._rest + piece
        end = len(text) - len(text) % 4
        self._rest = text[end:]
        try:
            content = binascii.a2b_base64(text[:end], strict_mode=True)
        except binascii.Error:
            self._fail(Fault.NOT_BASE64)
        else:
            self._add(content, is_padded=text.endswith(b"=", 0, end))

    def finish(self) -> None:
        """All pieces are there."""
        if self._rest:
            self._fail(Fault.NOT_BASE64)
        self._lifted.content.seek(0)

    def _add(self, content: bytes, *, is_padded: bool) -> None:
        self._size += len(content)
        if self._is_padded and content:
            self._fail(Fault.NOT_BASE64)
        elif self._size > self._limit_bytes:
            self._fail(Fault.TOO_LARGE)
        else:
            self._is_padded = self._is_padded or is_padded
            self._lifted.content.write(content)

    def _fail(self, fault: Fault) -> None:
        self._lifted.error = self._lifted.error or fault
        self._rest = b""
        self._lifted.content.seek(0)
        self._lifted.content.truncate()


def _ends_with_key(text: bytes) -> bool:
    text = text.rstrip(_SPACE)
    return text.endswith(b":") and _KEY.search(text[:-1].rstrip(_SPACE)[-_LONGEST_KEY_BYTES:]) is not None


def _string_end(text: bytearray) -> int:
    """Where a string ends that goes on in this text: its closing quote, or what isn't there yet."""
    quote = text.find(_QUOTE)
    end = len(text) if quote < 0 else quote
    if text.find(b"\\", 0, end) < 0:  # the rule; eight times as fast as the pattern
        return end
    found = _IN_STRING.match(text)
    return found.end() if found else 0


def _mime_type(head: bytes) -> str:
    name = head.partition(b";")[0].replace(b"\\/", b"/")
    return name.decode("utf-8", "replace").strip().lower()
