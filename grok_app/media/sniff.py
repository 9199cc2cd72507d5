"""What a file is by its first bytes, whatever its name or its sender says."""

from typing import Final

HEAD_BYTES: Final = 16
"""So many of the first bytes are enough."""
_RIFF: Final = slice(0, 4)
_FORM: Final = slice(8, 12)


def picture_type(head: bytes) -> str | None:
    """The media type of the picture that begins so; None when it is none that we take: png, jpeg, webp or gif."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head[_RIFF] == b"RIFF" and head[_FORM] == b"WEBP":
        return "image/webp"
    return "image/gif" if head.startswith((b"GIF87a", b"GIF89a")) else None
