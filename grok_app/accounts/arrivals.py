"""Accounts that arrive as text: a token per line, or the JSON of grok2api's token.json and of our own exports."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from grok_app.accounts.credential import mask
from grok_app.accounts.listing import Fault, read_items
from grok_app.accounts.roster import Roster
from grok_app.catalog import Pool
from grok_app.errors import InvalidRequestError

_POOLS: Final = {pool.value: pool for pool in Pool}
_NAME_LIMIT_CHARS: Final = 20
"""What is longer, where a pool is expected, may be a token."""


@dataclass(frozen=True, slots=True, repr=False)
class Arrivals:
    """Accounts as a text has them. No repr: there are tokens in it."""

    items: Mapping[Pool, Sequence[Any]]
    """As `Roster.add` takes them."""
    lines: Sequence[int] | None = None
    """Of a token per line: the line of each item, from 1."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What would come of adding what has arrived."""

    new: Mapping[Pool, int]
    known: int
    """Accounts that are there already; they stay as they are."""
    repeated: int
    """Items whose token stands further up."""
    faults: Sequence[Fault]
    """Items that are no account. Their places are lines of the text where `is_by_line`, else places in their pool."""
    is_by_line: bool


def read_text(text: str, pool: Pool) -> Arrivals:
    """Read JSON, if it begins like that, else a token per line.

    Args:
        text: What was pasted, or is in a file.
        pool: Where accounts belong that stand in no pool.

    Raises:
        InvalidRequestError: It is not what was expected; the message says where and quotes nothing.
    """
    bare = text.removeprefix("\ufeff")
    return (read_json if bare.lstrip()[:1] in ("{", "[") else read_lines)(bare, pool)


def read_lines(text: str, pool: Pool) -> Arrivals:
    """Read a token per line; blank lines and those that begin with `#` are passed over."""
    lines = ((number, line.strip()) for number, line in enumerate(text.splitlines(), 1))
    taken = [(number, line) for number, line in lines if line and not line.startswith("#")]
    return Arrivals({pool: [line for _, line in taken]}, [number for number, _ in taken])


def read_json(text: str, pool: Pool) -> Arrivals:
    """Read lists of tokens, or of objects with a token, by the names of their pools; or one list without a name.

    Raises:
        InvalidRequestError: It is something else; the message says where and quotes nothing.
    """
    try:
        body = orjson.loads(text)
    except orjson.JSONDecodeError as error:  # it holds the whole text: the message alone goes on
        raise InvalidRequestError(
            f"It is no JSON: {error.msg} at line {error.lineno}, column {error.colno}", code="json_invalid"
        ) from None
    if isinstance(body, list):
        return Arrivals({pool: body})
    if not isinstance(body, dict):
        raise InvalidRequestError(f"expected a list of tokens, or an object with {' and '.join(_POOLS)}")
    return Arrivals({_pool(name): _checked(name, items) for name, items in body.items() if items})


async def preview(arrivals: Arrivals, roster: Roster) -> Preview:
    """What would come of adding these; nothing is stored."""
    listing = await asyncio.to_thread(read_items, arrivals.items)
    new = Counter(item.pool for token, item in listing.wanted.items() if not roster.knows(token))
    lines = arrivals.lines
    return Preview(
        new=new,
        known=len(listing.wanted) - new.total(),
        repeated=listing.result.duplicates,
        faults=[replace(fault, place=lines[fault.place - 1]) for fault in listing.faults] if lines else listing.faults,
        is_by_line=lines is not None,
    )


def _pool(name: str) -> Pool:
    if name not in _POOLS:
        shown = name if len(name) <= _NAME_LIMIT_CHARS and name.isprintable() else mask(name)
        raise InvalidRequestError(f"{shown} is not a pool: expected {' or '.join(_POOLS)}")
    return _POOLS[name]


def _checked(name: str, items: Any) -> list[Any]:
    if not isinstance(items, list):
        raise InvalidRequestError(f"{name} is no list of tokens")
    return items
