"""The console's pages are measured in a browser, and held against their bars; how fast anything is is not tested."""

from dataclasses import replace

import pytest

from benchmarks.admin import Wait
from benchmarks.pages import PAGES, Pages, measure_pages, print_pages

FOUND = Pages([Wait("/admin", 1, [10.0], 1000)], [Wait("sort", 1, [10.0], 200)], {"/admin": 1000}, {"": 100.0})


@pytest.mark.timeout(300)  # a server, a browser, and some forty pages
def test_every_page_and_click_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    """A few more accounts than a page holds are enough to see that each thing was there; the table shows it."""
    pages = measure_pages(accounts=60, rounds=1)
    print_pages(pages)

    assert [wait.name for wait in pages.opened[1:]] == list(PAGES)
    assert all(wait.median_ms > 0 for wait in (*pages.opened, *pages.events))
    assert all(size > 1000 for size in pages.state_bytes.values())
    assert "60 accounts" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("found", "is_met"),
    [
        (FOUND, True),
        (replace(FOUND, opened=[Wait("/admin", 1, [1001.0], 1000)]), False),
        (replace(FOUND, events=[Wait("sort", 1, [201.0], 200)]), False),
        (replace(FOUND, state_bytes={"/admin": 200_001}), False),
    ],
    ids=["met", "slow page", "slow click", "large state"],
)
def test_each_bar_counts(found: Pages, is_met: bool) -> None:
    """One that is missed spoils the run."""
    assert found.meets_bar is is_met
