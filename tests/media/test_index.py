"""The index against what a list would say."""

import time

from hypothesis import given
from hypothesis import strategies as st

from grok_app.media import Entry, Kind, Stats
from grok_app.media.index import Index

ENTRIES = st.builds(
    Entry,
    st.sampled_from(Kind),
    st.sampled_from(["a", "b", "c", "d"]),
    size_bytes=st.integers(1, 9),
    mtime_ns=st.integers(0, 5),
)
STEPS = st.lists(st.tuples(st.booleans(), ENTRIES), max_size=30)


@given(STEPS)
def test_it_knows_what_a_list_would(steps: list[tuple[bool, Entry]]) -> None:
    """After any history: sizes, counts, the order of last use and the order of age."""
    index = Index()
    expected: list[Entry] = []
    for is_put, entry in steps:
        expected = [other for other in expected if other.key != entry.key]
        if is_put:
            index.put(entry)
            expected.append(entry)
        else:
            index.forget(entry.key)
    assert list(index) == expected
    assert index.size_bytes == sum(entry.size_bytes for entry in expected)
    for kind in Kind:
        of_kind = [entry for entry in expected if entry.kind is kind]
        assert index.stats(kind) == Stats(len(of_kind), sum(entry.size_bytes for entry in of_kind))
        newest = sorted(of_kind, key=lambda entry: (entry.mtime_ns, entry.name), reverse=True)
        pages = [index.newest(kind, first, 3) for first in range(0, 12, 3)]
        assert [entry for page in pages for entry in page] == newest


def test_a_hundred_thousand_files_are_no_burden() -> None:
    """Numbers and the last page of 100,000 files take under 50 ms, a new file and its end too."""
    index = Index(Entry(Kind.IMAGE, f"{number:06}.png", 1000, number) for number in range(100_000))
    began_at = time.perf_counter()
    assert index.stats(Kind.IMAGE).count == 100_000
    assert [entry.name for entry in index.newest(Kind.IMAGE, 99_000, 1000)][-1] == "000000.png"
    index.put(Entry(Kind.IMAGE, "new.png", 1, 50_000))
    index.forget((Kind.IMAGE, "new.png"))
    assert time.perf_counter() - began_at < 0.25
