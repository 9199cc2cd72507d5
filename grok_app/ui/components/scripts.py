"""The scripts beside this file, which React components are written in. They import each other as neighbours."""

import reflex as rx


def script(name: str) -> str:
    """Where a component's script is in the build. Those that only other scripts import must be named here too."""
    return rx.asset(name, shared=True).importable_path
