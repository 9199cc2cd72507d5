"""Taking Grok's own markup out of a stream of text, wherever the stream is cut.

An element begins with `<name` and a space, `/` or `>`; it ends with `/>` at the end of that tag or with the first
`</name>`. Upper and lower case are alike. An element that never ends swallows the rest.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_CONTENT_LIMIT_CHARS: Final = 64 << 10
"""More than this of one element is not kept; its replacement is made from the beginning."""

_FLAGS: Final = re.IGNORECASE | re.ASCII
_NEVER: Final = r"(?!)"

Replace = Callable[[str, str], str]
"""From an element's name (lower case) and its whole text to what takes its place: it begins a line, or is nothing."""


@dataclass(frozen=True, slots=True)
class _Tags:
    """How the elements to take out begin and end."""

    openings: tuple[str, ...]
    longest: int
    opening: re.Pattern[str]
    bare_opening: re.Pattern[str]
    closings: Mapping[str, re.Pattern[str]]


@lru_cache(maxsize=16)
def _tags(names: tuple[str, ...]) -> _Tags:
    alternatives = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)) or _NEVER
    return _Tags(
        openings=tuple(f"<{name.lower()}" for name in names),
        longest=max((len(name) + 1 for name in names), default=0),
        opening=re.compile(rf"<({alternatives})(?=[\s/>])", _FLAGS),
        bare_opening=re.compile(rf"<({alternatives})", _FLAGS),
        closings={name.lower(): re.compile(f"</{re.escape(name)}>", _FLAGS) for name in names},
    )


@dataclass(slots=True)
class Cursor:
    """Where the output stands."""

    last: str = "\n"
    """The last text that was shown."""


class MarkupFilter:
    """Filters one text that arrives in pieces. Any cutting of the text gives the same output.

    Args:
        names: The elements to take out.
        replace: What takes their place; called once per element, when it is complete.
        cursor: Shared by filters whose texts are shown one after the other.
    """

    def __init__(self, names: Sequence[str], replace: Replace, cursor: Cursor | None = None) -> None:
        self._replace = replace
        self._tags = _tags(tuple(names))
        self._held = ""
        self._name: str | None = None
        self._element: list[str] = []
        self._element_chars = 0
        self._is_tag_open = False
        self._before = ""
        self._cursor = cursor or Cursor()

    def feed(self, text: str) -> str:
        """What may be shown now, given this next piece of the text."""
        if self._name is None and not self._held and "<" not in text:
            self._cursor.last = text or self._cursor.last
            return text
        shown: list[str] = []
        rest = self._held + text
        self._held = ""
        while rest:
            rest = self._show(rest, shown) if self._name is None else self._swallow(rest, shown)
        return "".join(shown)

    def feed_all(self, texts: list[str]) -> list[str]:
        """What may be shown now of each of these pieces, empty where that is nothing."""
        if self._name is None and not self._held and "<" not in "".join(texts):
            self._cursor.last = texts[-1]
            return texts
        return [self.feed(text) for text in texts]

    def close(self) -> str:
        """What was held back and is shown after all, now that the text has ended."""
        held, self._held = self._held, ""
        if self._name is not None or self._tags.bare_opening.fullmatch(held):
            self._name = None
            return ""
        return held

    def _show(self, text: str, shown: list[str]) -> str:
        """Show text up to the next element; returns what is left to look at."""
        start = text.find("<")
        while start >= 0:
            if match := self._tags.opening.match(text, start):
                self._emit(text[:start], shown)
                self._begin(match[1].lower())
                return text[start:]
            if len(text) - start <= self._tags.longest and self._may_open(text[start:]):
                self._emit(text[:start], shown)
                self._held = text[start:]
                return ""
            start = text.find("<", start + 1)
        self._emit(text, shown)
        return ""

    def _swallow(self, text: str, shown: list[str]) -> str:
        """Take text into the open element; returns what follows it."""
        return self._swallow_tag(text, shown) if self._is_tag_open else self._swallow_content(text, shown)

    def _swallow_tag(self, text: str, shown: list[str]) -> str:
        end = text.find(">") + 1
        before = text[end - 2] if end > 1 else self._before
        self._keep(text[:end] if end else text)
        if not end:
            self._before = text[-1]
            return ""
        self._is_tag_open = False
        if before == "/":
            self._finish(shown)
        return text[end:]

    def _swallow_content(self, text: str, shown: list[str]) -> str:
        if found := self._tags.closings[self._name or ""].search(text):
            self._keep(text[: found.end()])
            self._finish(shown)
            return text[found.end() :]
        # The closing tag may be cut: so much of the end is looked at again with the next piece.
        looked_at = max(0, len(text) - len(f"</{self._name}>") + 1)
        self._keep(text[:looked_at])
        self._held = text[looked_at:]
        return ""

    def _begin(self, name: str) -> None:
        self._name = name
        self._is_tag_open = True
        self._before = ""
        self._element.clear()
        self._element_chars = 0

    def _keep(self, text: str) -> None:
        if text and self._element_chars < _CONTENT_LIMIT_CHARS:
            self._element.append(text)
            self._element_chars += len(text)

    def _finish(self, shown: list[str]) -> None:
        replacement = self._replace(self._name or "", "".join(self._element))
        self._name = None
        self._element.clear()
        if replacement:
            self._emit(replacement if self._cursor.last.endswith("\n") else f"\n{replacement}", shown)

    def _emit(self, text: str, shown: list[str]) -> None:
        if text:
            shown.append(text)
            self._cursor.last = text

    def _may_open(self, text: str) -> bool:
        """Whether more text could make this the beginning of an element."""
        lowered = text.lower()
        return any(opening.startswith(lowered) for opening in self._tags.openings)
