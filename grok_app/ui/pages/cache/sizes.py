"""How sizes are written."""

from typing import Final

_UNITS: Final = ("B", "KB", "MB", "GB", "TB")
_STEP: Final = 1024
_FEW: Final = 10


def size_text(size_bytes: int) -> str:
    """A size for people, `1.5 MB`; a MB has 1,048,576 bytes, as in the settings."""
    size, unit = float(size_bytes), 0
    while round(size) >= _STEP and unit < len(_UNITS) - 1:
        size, unit = size / _STEP, unit + 1
    return f"{size:.1f} {_UNITS[unit]}" if unit and size < _FEW else f"{round(size)} {_UNITS[unit]}"


def in_mb(size_bytes: int) -> float:
    """A size in MB, for bars that are drawn against a limit in MB."""
    return round(size_bytes / (1 << 20), 3)
