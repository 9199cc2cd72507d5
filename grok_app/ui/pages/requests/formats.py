"""How the page writes moments. The browser does it, see `console.formats`: only it knows the visitor's clock."""

from typing import Any, Final

from reflex.vars import FunctionStringVar

STAMP: Final[Any] = FunctionStringVar.create(
    "((at) => { const time = new Date(at), two = (n) => String(n).padStart(2, '0');"
    " const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':');"
    " return time.toDateString() === new Date().toDateString()"
    " ? clock : `${two(time.getMonth() + 1)}-${two(time.getDate())} ${clock}` })"
)
"""14:05:09 today, else 11-28 14:05:09: of the same digits in both languages."""
