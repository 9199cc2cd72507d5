"""How numbers are written, and what failures are called, on every page.

The browser does it, so that the state holds numbers; it is part of the bundle, no eval.
A number and its unit stay on one line: what stands between them is a no-break space.
"""

# mypy: disable-error-code="no-any-return"
# Reflex makes its element functions at run time, without types.

from math import floor
from typing import Any, Final

import reflex as rx
from reflex.vars import FunctionStringVar

from grok_app.ui.i18n import texts
from grok_app.ui.session import text

COUNT: Final[Any] = FunctionStringVar.create("((count) => count.toLocaleString('en-US'))")
"""12,345: of the same digits in both languages."""
CLOCK: Final[Any] = FunctionStringVar.create(
    "((at) => new Date(at).toLocaleTimeString([], {hour: '2-digit', minute: '2-digit', hourCycle: 'h23'}))"
)
"""14:05, by the visitor's own clock."""
DURATION: Final[Any] = FunctionStringVar.create(
    "((ms) => ms < 1000 ? `${Math.round(ms)}\u00a0ms` : `${(ms / 1000).toFixed(ms < 10000 ? 1 : 0)}\u00a0s`)"
)
SIZE: Final[Any] = FunctionStringVar.create(
    "((bytes) => { let size = bytes, unit = 0; const units = ['B', 'KB', 'MB', 'GB', 'TB'];"
    " while (Math.floor(size + 0.5) >= 1024 && unit < 4) { size /= 1024; unit += 1 }"
    " const isShort = unit > 0 && size < 10;"
    " const shown = isShort ? (Math.floor(size * 10 + 0.5) / 10).toFixed(1) : Math.floor(size + 0.5);"
    " return `${shown}\u00a0${units[unit]}` })"
)
"""As `size_text`."""
_UNITS: Final = ("B", "KB", "MB", "GB", "TB")
_STEP: Final = 1024
_FEW: Final = 10
_KIND: Final = "overview.kind_"


def size_text(size_bytes: int) -> str:
    """A size for people, `1.5 MB`, in what the server says; a MB has 1,048,576 bytes, as in the settings."""
    size, unit = float(size_bytes), 0
    while floor(size + 0.5) >= _STEP and unit < len(_UNITS) - 1:
        size, unit = size / _STEP, unit + 1
    # Halves go up, as in the browser: Python's own rounding takes the even neighbour.
    shown = f"{floor(size * 10 + 0.5) / 10:.1f}" if unit and size < _FEW else floor(size + 0.5)
    return f"{shown}\u00a0{_UNITS[unit]}"


def kind_name(kind: Any) -> rx.Var[str]:
    """What a kind of Grok's failures is called; the code itself where there is no word for it."""
    return rx.match(kind, *((key.removeprefix(_KIND), text(key)) for key in texts("en") if key.startswith(_KIND)), kind)
