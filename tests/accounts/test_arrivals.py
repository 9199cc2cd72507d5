"""Texts with accounts: read, and compared with what is there before anything is stored.

The shapes that can't be read are tried with files, in `test_transfer.py`.
"""

import json

import pytest

from grok_app.accounts import Fault, Roster, preview, read_text
from grok_app.catalog import Pool
from grok_app.errors import InvalidRequestError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\ufeff# mine\r\n\r\nsso=one\r\n  two  \n", {Pool.SUPER: ["sso=one", "two"]}),
        ('\ufeff \n["one", {"token": "two"}]', {Pool.SUPER: ["one", {"token": "two"}]}),
        ('{"ssoBasic": ["one"], "ssoSuper": []}', {Pool.BASIC: ["one"]}),
        ("", {Pool.SUPER: []}),
    ],
    ids=["lines", "list", "pools", "nothing"],
)
def test_a_text_tells_its_form_itself(text: str, expected: dict[Pool, list[object]]) -> None:
    """Nobody has to say whether it is JSON; the pool is for what stands in none."""
    assert read_text(text, Pool.SUPER).items == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"ssoBasic":\n ["hunter2",}', "line 2, column 13"),
        ('{"hunter2hunter2hunter2": [1]}', "hunt…ter2 is not a pool"),
        ('{"ssoBasic": {"hunter2": {}}}', "ssoBasic is no list of tokens"),
    ],
    ids=["JSON", "pool", "items"],
)
def test_what_can_not_be_read_is_explained(text: str, said: str) -> None:
    """By its place; nothing that may be secret is quoted."""
    with pytest.raises(InvalidRequestError) as refused:
        read_text(text, Pool.BASIC)
    assert said in refused.value.message
    assert "hunter2" not in refused.value.message


async def test_lines_are_counted_before_they_are_stored(roster: Roster) -> None:
    """New ones, ones that are there in whatever pool, repeated ones, and bad ones by their lines."""
    text = "# mine\nsso=first\n\nnew-token\nnew-token\nbad token here\nx\nother-token\n"
    seen = await preview(read_text(text, Pool.SUPER), roster)
    assert (seen.new, seen.known, seen.repeated, seen.is_by_line) == ({Pool.SUPER: 2}, 1, 1, True)
    assert [(fault.place, fault.token) for fault in seen.faults] == [(6, "ba…re"), (7, "…")]
    assert "spaces" in seen.faults[0].reason
    assert len(roster.all()) == 1


async def test_items_of_json_are_counted_by_pool(roster: Roster) -> None:
    """A bad one is found by its place in its pool, token or not."""
    items = {"ssoBasic": ["new-one", {"token": "first"}], "ssoSuper": [7, {"token": "new-two", "quota": -1}, "new-3"]}
    seen = await preview(read_text(json.dumps(items), Pool.BASIC), roster)
    assert (seen.new, seen.known, seen.is_by_line) == ({Pool.BASIC: 1, Pool.SUPER: 1}, 1, False)
    assert seen.faults == [
        Fault(Pool.SUPER, 1, "", "An item is a token, or an object with one"),
        Fault(Pool.SUPER, 2, "…", "quota: Input should be greater than or equal to 0"),
    ]


async def test_the_import_does_what_the_preview_said(roster: Roster) -> None:
    """Number by number."""
    arrivals = read_text("first\nnew-token\nnew-token\nbad token here\n", Pool.BASIC)
    seen = await preview(arrivals, roster)
    changed = await roster.add(arrivals.items)
    assert changed.added == sum(seen.new.values())
    assert changed.duplicates == seen.known + seen.repeated
    assert len(changed.skipped) == len(seen.faults)


def test_what_arrives_shows_nothing() -> None:
    """Its repr may end in a traceback or a log."""
    assert "hunter2" not in repr(read_text("hunter2", Pool.BASIC))
