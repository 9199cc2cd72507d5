"""Small disks of their own for a gateway's folders, which can be full or read-only."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest

_SIZE: Final = "24m"
_BLOCK: Final = bytes(4096)


@contextmanager
def disk(folder: Path) -> Iterator[None]:
    """A disk in memory at this folder while the block runs. Where none may be mounted the test is skipped."""
    folder.mkdir()
    mounting = ["/bin/mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", str(folder)]
    mounted = subprocess.run(mounting, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["/bin/umount", "--lazy", str(folder)], check=True)


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """Leave no room on this disk while the block runs."""
    filler = folder / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(_BLOCK)
    try:
        yield
    finally:
        filler.unlink()


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Let nothing be written to this disk while the block runs."""
    _remount(folder, "ro")
    try:
        yield
    finally:
        _remount(folder, "rw")


def used_bytes(folder: Path) -> int:
    """How much of this disk is taken, by files without a name too."""
    status = os.statvfs(folder)
    return (status.f_blocks - status.f_bfree) * status.f_frsize


def _remount(folder: Path, how: str) -> None:
    subprocess.run(["/bin/mount", "-o", f"remount,{how}", str(folder)], check=True)
