"""JSON in which one value after the other has a type that it must not have, and a body that unpacks to a gigabyte."""

import zlib
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import orjson

from grok_app.sandbox.replies import JSON, Reply

_WRONG: Final[tuple[Any, ...]] = (None, 7, -1.5, "x", [], {}, {"a": 1})
_MIB: Final = 1 << 20
_PACKED_MIB: Final = 1024


def misfits(good: bytes) -> Iterator[bytes]:
    """A JSON object once for each value in it and each wrong type, on whatever level; none of anything else."""
    try:
        whole = orjson.loads(good)
    except orjson.JSONDecodeError:
        return
    for changed in _changed(whole):
        yield orjson.dumps(changed)


def all_wrong(whole: dict[str, Any]) -> dict[str, Any]:
    """The object with each of its own values of a wrong type."""
    return {name: 7 if isinstance(value, str | list | dict) else "x" for name, value in whole.items()}


@cache
def bomb() -> Reply:
    """One line of 1 GiB as a megabyte of gzip, without its end."""
    packer = zlib.compressobj(zlib.Z_BEST_COMPRESSION, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    first, block = ((packer.compress(b"A" * _MIB) + packer.flush(zlib.Z_FULL_FLUSH)) for _ in range(2))
    return Reply(200, first + block * (_PACKED_MIB - 1), JSON, (("content-encoding", "gzip"),))


def _changed(value: Any) -> Iterator[Any]:
    if not isinstance(value, dict):
        return
    for name, inner in value.items():
        for wrong in _WRONG:
            if type(wrong) is not type(inner):
                yield {**value, name: wrong}
        for changed in _changed(inner):
            yield {**value, name: changed}
