"""How numbers are written: by the server in what it says, by the browser in all else, and alike."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from grok_app.ui.console import SIZE, size_text

SIZES = {
    0: "0 B",
    1023: "1023 B",
    1024: "1.0 KB",
    1280: "1.3 KB",
    10_137: "9.9 KB",
    10 * 1024: "10 KB",
    10 * 1024 + 512: "11 KB",
    (1 << 20) - 1: "1.0 MB",
    512 << 20: "512 MB",
    3 << 29: "1.5 GB",
    5 << 50: "5120 TB",
}
NODE = Path(sys.executable).with_name("node")
"""Comes with the package that builds the pages."""


@pytest.mark.parametrize(("size_bytes", "text"), SIZES.items(), ids=SIZES.values())
def test_sizes_are_written_short(size_bytes: int, text: str) -> None:
    """In the largest unit, with a digit behind the point as long as there is one before it, and never broken apart."""
    assert size_text(size_bytes) == text.replace(" ", "\u00a0")


def test_the_browser_writes_the_same_sizes() -> None:
    """So that a toast says what the card says."""
    program = f"console.log(JSON.stringify({json.dumps([*SIZES])}.map({SIZE!s})))"
    done = subprocess.run([NODE, "-e", program], check=True, capture_output=True, timeout=15)
    assert json.loads(done.stdout) == [size_text(size) for size in SIZES]
