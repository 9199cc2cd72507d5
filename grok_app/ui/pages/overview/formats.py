"""How numbers are written. The browser does it, so that the state holds numbers; it is part of the bundle, no eval.

A number and its unit stay on one line: what stands between them is a no-break space.
"""

from typing import Any, Final

from reflex.vars import FunctionStringVar

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
    "((bytes) => bytes < 1048576 ? `${Math.ceil(bytes / 1024)}\u00a0KB`"
    " : bytes < 1073741824 ? `${(bytes / 1048576).toFixed(bytes < 10485760 ? 1 : 0)}\u00a0MB`"
    " : `${(bytes / 1073741824).toFixed(1)}\u00a0GB`)"
)
"""By 1024, as the setting of the limit counts."""
