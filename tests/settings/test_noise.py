"""Settings with values that nobody expects: all are taken, or the first wrong one is named."""

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from grok_app.accounts import read_parcel
from grok_app.catalog import Pool
from grok_app.errors import ConfigurationError
from grok_app.settings import DEFINITIONS, Settings, flatten
from grok_app.settings.validation import WrongValueError, validate

NAMES = st.sampled_from(sorted(DEFINITIONS))
TEXTS = st.text(max_size=20) | st.sampled_from(
    (
        "true",
        "1e999",
        "-1",
        "0x10",
        "nan",
        "http://",
        "http://[",
        "socks5://u:p@h:99999",
        "a,b,,",
        '{"A": 1}',
        "\x00",
        "٣",
    )
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
FILES = st.one_of(
    st.binary(max_size=200),
    st.lists(
        st.sampled_from(
            ("[app]", "app.stream", "[[a]]", "=", "true", '"""', "'", "{", "[", "1979-05-27", "\n", "\ufeff", "\\u")
        ),
        max_size=30,
    ).map(lambda parts: "".join(parts).encode()),
)


@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=4))
def test_no_value_is_a_crash(values: dict[str, Any]) -> None:
    """Whatever JSON or TOML holds under a setting's name, it is taken or refused."""
    with suppress(WrongValueError):
        assert isinstance(validate(values), Settings)


@given(FILES, st.sampled_from(("toml", "json", "txt")))
def test_no_file_is_a_crash(content: bytes, ending: str) -> None:
    """Whatever is in a file that is to be imported, it is read or refused."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"import.{ending}"
        path.write_bytes(content)
        with suppress(ConfigurationError):
            parcel = read_parcel(path, Pool.BASIC)
            assert parcel.accounts.keys() <= set(Pool)
            flatten(parcel.settings)
