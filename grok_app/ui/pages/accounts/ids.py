"""Ids of many accounts as a state keeps them: four bytes each. A set of 10,000 takes half a megabyte."""

from array import array
from collections.abc import Iterable, Sequence
from typing import Final

_FOUR_BYTES: Final = "I"


def pack(account_ids: Iterable[int]) -> bytes:
    """Each of them once, in order."""
    return array(_FOUR_BYTES, sorted(set(account_ids))).tobytes()


def unpack(packed: bytes) -> Sequence[int]:
    """What was packed."""
    return array(_FOUR_BYTES, packed)
