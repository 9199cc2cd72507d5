"""How much memory large files take: what the gateway holds at its peak while it is given files of almost 50 MiB.

The peak is that of the resident memory of the gateway's processes, as the kernel keeps it; what it was just before is
taken off. Files on the disk, temporary ones too, are not in it, though the kernel keeps parts of them in free memory.
"""

import base64
import http.client
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image

from benchmarks.processes import API_KEY, Served, forget_peaks, memory, peak_mib

AT_ONCE: Final = (1, 4)
BAR_RATIO: Final = 2.0
"""Most memory that a file may take, as a multiple of its size."""
SIDE: Final = 4170
"""Of a square picture that is as large as a file may be: three bytes a pixel and nothing to compress."""
OWN_SIDE: Final = 3900
"""Of a picture of ours, of more than 40 MB."""
_OWN_NAME: Final = "bench-0123456789abcdef.png"
_BOUNDARY: Final = "bench-0123456789abcdef"
_FORM: Final = (
    '--{0}\r\ncontent-disposition: form-data; name="prompt"\r\n\r\n{1}\r\n'
    '--{0}\r\ncontent-disposition: form-data; name="image"; filename="noise.png"\r\ncontent-type: image/png\r\n\r\n'
)
_TIMEOUT_S: Final = 300.0
_PIECE_BYTES: Final = 1 << 20
_MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Upload:
    """One way of giving files, so many at the same time."""

    name: str
    at_once: int
    file_mib: float
    peaks_mib: list[float]
    """Above what the gateway held just before, round by round."""

    @property
    def ratio(self) -> float:
        """What a file takes, as a multiple of its size, in the worst round."""
        return max(self.peaks_mib) / (self.file_mib * self.at_once)

    @property
    def meets_bar(self) -> bool:
        """Whether it is little enough."""
        return self.ratio <= BAR_RATIO


@dataclass(frozen=True, slots=True)
class _Request:
    path: str
    content_type: str
    pieces: tuple[bytes, ...]
    """Of the body."""


def keep_own_picture(data_dir: Path, side: int = OWN_SIDE) -> None:
    """Put a large picture into the cache of a gateway that doesn't run yet."""
    images = data_dir / "media" / "image"
    images.mkdir(parents=True)
    (images / _OWN_NAME).write_bytes(noise(side))


def measure_uploads(gateway: Served, data_dir: Path, rounds: int, side: int = SIDE) -> list[Upload]:
    """Give a gateway large files in every way, alone and several at once. See `keep_own_picture`.

    Raises:
        RuntimeError: An answer was not what it should be.
    """
    content = noise(side)
    own_mib = (data_dir / "media" / "image" / _OWN_NAME).stat().st_size / _MIB
    uploads = []
    for name, ask, size_mib in (
        ("edit, form", _form_edit, len(content) / _MIB),
        ("edit, JSON", _json_edit, len(content) / _MIB),
        ("chat, data URI", _chat, len(content) / _MIB),
        ("chat, our URL", lambda _: _chat_of_own(gateway), own_mib),
    ):
        request = ask(content)
        for at_once in AT_ONCE:
            peaks_mib = [_peak_mib(gateway, request, at_once) for _ in range(rounds)]
            uploads.append(Upload(name, at_once, size_mib, peaks_mib))
    return uploads


def print_uploads(uploads: list[Upload]) -> None:
    """Print a line for each way."""
    print("\nMemory at its peak above the level before, MiB, while large files are given")
    for row in uploads:
        verdict = "met" if row.meets_bar else "MISSED"
        peaks = " ".join(f"{peak:.0f}" for peak in row.peaks_mib)
        print(
            f"  {row.name:<15} {row.at_once} at once of {row.file_mib:.1f}   peaks {peaks:<20} "
            f"{row.ratio:.2f} of the size   bar {BAR_RATIO:g} {verdict}"
        )


def noise(side: int) -> bytes:
    """A square PNG that can't be compressed."""
    target = BytesIO()
    Image.frombytes("RGB", (side, side), os.urandom(side * side * 3)).save(target, "PNG", compress_level=0)
    return target.getvalue()


def _form_edit(content: bytes) -> _Request:
    head = _FORM.format(_BOUNDARY, "Make it a winter scene")
    body = (head.encode(), content, f"\r\n--{_BOUNDARY}--\r\n".encode())
    return _Request("/v1/images/edits", f"multipart/form-data; boundary={_BOUNDARY}", body)


def _json_edit(content: bytes) -> _Request:
    return _json("/v1/images/edits", b'{"prompt":"Make it a winter scene","image":"', _data_uri(content), b'"}')


def _chat(content: bytes) -> _Request:
    return _chat_about(_data_uri(content))


def _chat_of_own(gateway: Served) -> _Request:
    return _chat_about(f"http://127.0.0.1:{gateway.port}/v1/files/image/{_OWN_NAME}".encode())


def _chat_about(url: bytes) -> _Request:
    head = (
        b'{"model":"grok-4","stream":false,"messages":[{"role":"user","content":[{"type":"text","text":"Describe it"}'
    )
    return _json("/v1/chat/completions", head + b',{"type":"image_url","image_url":{"url":"', url, b'"}}]}]}')


def _json(path: str, *pieces: bytes) -> _Request:
    return _Request(path, "application/json", pieces)


def _data_uri(content: bytes) -> bytes:
    return b"data:image/png;base64," + base64.b64encode(content)


def _peak_mib(gateway: Served, request: _Request, at_once: int) -> float:
    before_mib = memory(gateway.pid).rss_mib
    forget_peaks(gateway.pid)
    with ThreadPoolExecutor(at_once) as senders:
        for sending in [senders.submit(_send, gateway, request) for _ in range(at_once)]:
            sending.result()
    return peak_mib(gateway.pid) - before_mib


def _send(gateway: Served, request: _Request) -> None:
    headers = {
        "authorization": f"Bearer {API_KEY}",
        "content-type": request.content_type,
        "content-length": str(sum(map(len, request.pieces))),
    }
    with closing(http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=_TIMEOUT_S)) as connection:
        connection.request("POST", request.path, _cut(request.pieces), headers)
        response = connection.getresponse()
        answer = response.read()
    if response.status != http.HTTPStatus.OK:
        raise RuntimeError(f"a large file was refused: {answer[:300].decode(errors='replace')}")


def _cut(pieces: tuple[bytes, ...]) -> Iterator[bytes]:
    for piece in pieces:
        for start in range(0, len(piece), _PIECE_BYTES):
            yield piece[start : start + _PIECE_BYTES]
