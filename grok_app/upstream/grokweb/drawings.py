"""The pictures that Grok draws within an answer. Source: protocol notes, sections 2.8.2, 2.8.4, 2.8.5 and 11.6."""

from collections.abc import Iterator
from typing import Any, Final

from grok_app.upstream.base import DrawingFrame

_ADDRESS_FIELDS: Final = ("generatedImageUrls", "imageUrls", "imageURLs")
_FINISHED: Final = 100
_MOST: Final = 64
"""More pictures than that belong to no answer; what comes after them is passed over."""
_DEEPEST: Final = 8


class Drawings:
    """What is known about the pictures of one answer."""

    def __init__(self) -> None:
        self._percents: dict[int, int] = {}
        self._chunks: dict[str, None] = {}
        self._listed: dict[str, None] = {}
        self._refused: set[str] = set()
        self.moderated = 0
        """How many were drawn and refused."""

    def take(self, drawing: dict[str, Any]) -> DrawingFrame | None:
        """Note a progress frame; it is worth a frame of ours when the picture has got further."""
        index, percent = _whole(drawing.get("imageIndex")) or 0, _whole(drawing.get("progress"))
        if drawing.get("moderated") is True:
            self._refuse(drawing.get("imageUrl"))
        if percent is None or index >= _MOST or percent <= self._percents.get(index, -1):
            return None
        self._percents[index] = percent
        return DrawingFrame(index, min(percent, _FINISHED))

    def take_chunk(self, chunk: dict[str, Any]) -> None:
        """Note the picture of a card, of which only the finished state counts."""
        if chunk.get("moderated") is True:
            self._refuse(chunk.get("imageUrl"))
        elif _whole(chunk.get("progress")) == _FINISHED:
            _note(self._chunks, chunk.get("imageUrl"))

    def close(self, model_response: dict[str, Any]) -> None:
        """Note the addresses of the final envelope, wherever in it they stand."""
        for address in _found(model_response, _DEEPEST):
            _note(self._listed, address)

    def addresses(self) -> tuple[str, ...]:
        """Where the pictures are, each once and without the refused ones: listed ones first, then those of cards."""
        return tuple(address for address in {**self._listed, **self._chunks} if address not in self._refused)

    def _refuse(self, address: object) -> None:
        if not isinstance(address, str) or not address:
            self.moderated += 1
        elif address not in self._refused and len(self._refused) < _MOST:
            self.moderated += 1
            self._refused.add(address)


def _note(addresses: dict[str, None], address: object) -> None:
    if isinstance(address, str) and address and len(addresses) < _MOST:
        addresses[address] = None


def _found(value: object, depth: int) -> Iterator[object]:
    """The addresses within a value, as a list or one text under one of the known names."""
    if depth == 0:
        return
    if isinstance(value, list):
        for item in value:
            yield from _found(item, depth - 1)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name in _ADDRESS_FIELDS:
                yield from item if isinstance(item, list) else (item,)
            else:
                yield from _found(item, depth - 1)


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
