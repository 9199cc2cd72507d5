"""Giving Grok a file. Source: protocol notes, section 3.1, epoch [F]: one JSON object with the content in base64."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO, Final

import orjson

from grok_app.upstream.grokweb.headers import GrokWebOptions, json_headers
from grok_app.upstream.grokweb.transport import Transport
from grok_app.upstream.grokweb.unary import Question, ask
from grok_app.upstream.media import Upload, Uploaded

UPLOAD_PATH: Final = "/rest/app-chat/upload-file"
_ABOUT: Final = "the upload"
_PIECE_BYTES: Final = 48 << 10
"""A multiple of three, so that the pieces' base64 is the whole's."""


async def upload(transport: Transport, options: GrokWebOptions, credential: str, file: Upload) -> Uploaded:
    """See `MediaUpstream.upload`."""
    headers = json_headers(options, credential)
    with open_body(file) as body:
        url = options.base_url.rstrip("/") + UPLOAD_PATH
        reply = await ask(transport, options, Question(url, headers, body, options.upload_timeout_s))
    told = reply.told(_ABOUT)
    uri = told.get("fileUri")
    name = "fileMetadataId" if told.get("fileMetadataId") else "fileId"
    return Uploaded(reply.told_text(_ABOUT, name), uri if isinstance(uri, str) else "")


class UploadBody:
    """The body of an upload, encoded piece by piece as curl asks for it: never much of it is in memory.

    A local file is read in pieces of 48 KiB on the event loop: less than sending the piece costs.
    """

    def __init__(self, file: Upload, content: IO[bytes]) -> None:
        self._size = content.seek(0, 2)
        named = orjson.dumps({"fileName": file.name, "fileMimeType": file.mime_type, "content": ""})
        self._head = named[:-2]
        self._content = content
        self.length = len(named) + (self._size + 2) // 3 * 4
        """In bytes, of the whole JSON object."""
        self.seek(0, 0)

    def read(self, limit_bytes: int, /) -> bytes:
        """The next bytes; empty at the end, or when the file has become shorter."""
        while len(self._ready) < limit_bytes and (encoded := self._encode()):
            self._ready += encoded
        data = bytes(self._ready[:limit_bytes])
        del self._ready[:limit_bytes]
        return data

    def seek(self, offset: int, origin: int, /) -> None:
        """Begin again; there is no other place to go to.

        Raises:
            OSError: Another place was asked for.
        """
        if (offset, origin) != (0, 0):
            raise OSError("An upload can only begin again")
        self._content.seek(0)
        self._left = self._size
        self._has_tail = True
        self._ready = bytearray(self._head)

    def _encode(self) -> bytes:
        if self._left > 0 and (piece := self._content.read(min(_PIECE_BYTES, self._left))):
            self._left -= len(piece)
            return base64.b64encode(piece)
        if self._left == 0 and self._has_tail:
            self._has_tail = False
            return b'"}'
        return b""


@contextmanager
def open_body(file: Upload) -> Iterator[UploadBody]:
    """The body that sends this file.

    Raises:
        OSError: The local file can't be read.
    """
    match file.content:
        case bytes() as given:
            yield UploadBody(file, BytesIO(given))
        case Path() as path:
            with path.open("rb") as content:
                yield UploadBody(file, content)
        case content:
            yield UploadBody(file, content)
