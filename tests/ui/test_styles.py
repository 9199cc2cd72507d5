"""The pages' looks. All stylesheets are loaded on every page, so one page's must not reach into another's."""

import re
from itertools import combinations
from pathlib import Path

ASSETS = Path(__file__).parents[2] / "assets"
SHARED = ("theme", "studio")
PAGES = ("imagine", "video", "voice", "chat", "console")
SELECTOR = re.compile(r"([^{}]+)\{")
CLASS = re.compile(r"\.([a-z][\w-]*)")


def classes_of(sheet: str) -> set[str]:
    """Every class that a stylesheet has rules for."""
    text = re.sub(r"/\*.*?\*/", "", (ASSETS / f"{sheet}.css").read_text(), flags=re.DOTALL)
    return {name for selector in SELECTOR.findall(text) for name in CLASS.findall(selector)}


def test_no_page_dresses_what_belongs_to_another() -> None:
    """A class that two pages have rules for is shared, and then it is looked after where all find it."""
    shared = set().union(*map(classes_of, SHARED))
    own = {page: classes_of(page) - shared for page in PAGES}
    assert {pair: own[pair[0]] & own[pair[1]] for pair in combinations(PAGES, 2) if own[pair[0]] & own[pair[1]]} == {}
