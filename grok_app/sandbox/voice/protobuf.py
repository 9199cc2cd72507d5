"""The little of protobuf's wire format that signalling needs.

Source: https://protobuf.dev/programming-guides/encoding, read in November 2026.
"""

from collections.abc import Mapping
from typing import Final

Value = int | bytes
Fields = Mapping[int, Value | str]
_VARINT: Final = 0
_BYTES: Final = 2
_FIXED_BYTES: Final = {1: 8, 5: 4}
_MORE: Final = 0x80
_64_BITS: Final = (1 << 64) - 1


def write(fields: Fields) -> bytes:
    """A message of these fields, by number: whole numbers, texts, bytes, or messages written before."""
    return b"".join(_field(number, value) for number, value in fields.items())


def read(message: bytes) -> dict[int, Value]:
    """The fields of a message by number, of a repeated one the last: whole numbers from 0 up, anything else as bytes.

    Raises:
        ValueError: It is no message.
    """
    fields: dict[int, Value] = {}
    at = 0
    while at < len(message):
        key, at = _read_varint(message, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            fields[number], at = _read_varint(message, at)
            continue
        length, at = _read_varint(message, at) if kind == _BYTES else (_FIXED_BYTES.get(kind, len(message)), at)
        if at + length > len(message):
            raise ValueError("the message ends too early")
        fields[number], at = message[at : at + length], at + length
    return fields


def _field(number: int, value: Value | str) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3 | _VARINT) + _varint(value & _64_BITS)
    content = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | _BYTES) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; all bytes but the last have the highest bit set."""
    written = bytearray()
    while value >= _MORE:
        written.append(value & ~_MORE & 0xFF | _MORE)
        value >>= 7
    return bytes((*written, value))


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for count, byte in enumerate(message[at : at + 10]):
        value |= (byte & ~_MORE) << 7 * count
        if byte < _MORE:
            return value & _64_BITS, at + count + 1
    raise ValueError("a number has no end")
