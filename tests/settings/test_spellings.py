"""The names of settings: every spelling ends at the setting that it means."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grok_app.env import ALIASES
from grok_app.settings import DEFINITIONS, Settings, as_nested, flatten
from grok_app.settings.schema import SECTIONS, nest
from grok_app.settings.spellings import FORMER, RETIRED
from grok_app.settings.validation import validate

NAMES = st.sampled_from(sorted(DEFINITIONS))
SPELLED = [(name, (name, *ALIASES.get(name, ()), *FORMER.get(name, ()))) for name in sorted({*ALIASES, *FORMER})]


@given(values=st.dictionaries(NAMES, st.integers()), dotted=st.sets(NAMES))
def test_sections_and_dotted_names_mean_the_same(values: dict[str, int], dotted: set[str]) -> None:
    """Any mixture of both gives each setting its value, and nothing else."""
    body: dict[str, Any] = {name: value for name, value in values.items() if name in dotted}
    body |= nest({name: value for name, value in values.items() if name not in dotted})
    flat = flatten(body)
    assert (flat.values, flat.ignored, flat.unknown) == (values, [], [])


@pytest.mark.parametrize(("name", "spellings"), SPELLED, ids=[name for name, _ in SPELLED])
def test_the_leftmost_spelling_wins(name: str, spellings: tuple[str, ...]) -> None:
    """Of the spellings of one setting the leftmost decides, in whatever order they come."""
    for first in range(len(spellings)):
        rest = spellings[first:]
        for order in (rest, rest[::-1]):
            flat = flatten({spelling: spelling for spelling in order})
            assert flat.values[name] == spellings[first]
            assert (flat.ignored, flat.unknown) == ([], [])


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.dictionaries(st.text() | st.sampled_from([*SECTIONS, "grok", "app.stream"]), inner),
    ).filter(lambda value: isinstance(value, dict))
)
def test_every_name_is_accounted_for(body: dict[str, Any]) -> None:
    """Whatever comes, each name is a setting's, ignored or unknown; none gets lost, and nothing breaks."""
    flat = flatten(body)
    groups = SECTIONS.keys() | {"grok"}
    leaves = sum(len(value) if name in groups and isinstance(value, dict) else 1 for name, value in body.items())
    assert bool(flat.values) + len(flat.ignored) + len(flat.unknown) <= leaves
    assert bool(leaves) == bool(flat.values or flat.ignored or flat.unknown)


def test_what_is_read_can_be_sent_back() -> None:
    """The nested form of any settings reads as the same settings."""
    settings = validate({"app.api_key": "one,two", "app.filter_tags": [], "upstream.extra_headers": {"X-A": "1"}})
    assert validate(flatten(as_nested(settings)).values) == settings != Settings()


@pytest.mark.parametrize(
    ("body", "values"),
    [
        ({"public_key": "c", "app_public_key": "b"}, {"app.public_key": "b"}),
        ({"public_key": "c", "app": {"public_key": "a"}}, {"app.public_key": "a"}),
        ({"stream": "true", "app.stream": False}, {"app.stream": False}),
        ({"image_nsfw": True}, {"image.nsfw": True}),
        ({"grok": {"temporary": False}, "app": {"temporary": True}}, {"app.temporary": True}),
        ({"chat": {"thinking": False, "timeout": 9}}, {"app.thinking": False, "chat.timeout": 9}),
        (
            {"network": {"timeout": 90}, "grok": {"timeout": 30}, "image": {"timeout": 5}},
            {"chat.timeout": 90, "image.timeout": 5, "video.timeout": 90, "voice.timeout": 30},
        ),
        (
            {"timeout": {"stream_idle_timeout": 40, "video_idle_timeout": 50}},
            {"chat.stream_timeout": 40, "image.stream_timeout": 40, "video.stream_timeout": 50},
        ),
        (
            {"performance": {"assets_max_concurrent": 25, "assets_batch_size": 10}},
            {
                "asset.upload_concurrent": 25, "asset.download_concurrent": 25, "asset.list_concurrent": 25,
                "asset.delete_concurrent": 25, "asset.list_batch_size": 10,
            },
        ),
        ({"security": {"cf_clearance": "c"}, "grok.max_retry": 4}, {"proxy.cf_clearance": "c", "retry.max_retry": 4}),
        ({"image": {"image_ws_blocked_seconds": 20}}, {"image.final_timeout": 20}),
        ({"upstream.extra_headers": {"X-A": "1"}}, {"upstream.extra_headers": {"X-A": "1"}}),
    ],
    ids=[
        "alias", "own name", "dotted", "image", "former loses", "former keys of a section", "one for many", "idle",
        "performance", "security", "image ws", "object",
    ],
)  # fmt: skip
def test_other_spellings_and_former_names(body: dict[str, Any], values: dict[str, Any]) -> None:
    """The names of the contract and of older versions of grok2api reach their setting."""
    flat = flatten(body)
    assert (flat.values, flat.ignored, flat.unknown) == (values, [], [])


def test_retired_names_are_ignored_and_told() -> None:
    """What no longer means anything is passed over by name, also what a deprecated section held besides."""
    body = {**dict.fromkeys(RETIRED, 1), "grok": {"nosuch": 1}, "network": {"also_gone": {"a": 1}}}
    flat = flatten(body)
    assert flat.values == {}
    assert set(flat.ignored) == {*RETIRED, "grok.nosuch", "network.also_gone"}
    assert flat.unknown == []


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"app": {"steam": True}}, "app.steam"),
        ({"app.steam": True}, "app.steam"),
        ({"nosuch": {}}, "nosuch"),
        ({"app": 5}, "app"),
        ({"app": {"stream.now": True}}, "app.stream.now"),
        ({"thinking": True}, "thinking"),
        ({"": 1}, ""),
    ],
    ids=["key", "dotted", "section", "no object", "too deep", "not an alias", "empty"],
)
def test_unknown_names_are_told(body: dict[str, Any], name: str) -> None:
    """A name that never meant anything is not passed over in silence."""
    assert flatten(body).unknown == [name]


def test_former_names_hide_no_setting() -> None:
    """No former or retired name is the name of a setting of today, and all lead to one."""
    assert ALIASES.keys() | FORMER.keys() <= DEFINITIONS.keys()
    assert {old for names in [*FORMER.values(), *ALIASES.values(), RETIRED] for old in names}.isdisjoint(DEFINITIONS)
