"""The scripts beside this file, which React components are written in. They import each other as neighbours."""

from pathlib import Path

import reflex as rx


def script(name: str) -> str:
    """Where a component's script is in the build, and its parts: `chat.js` brings every `chat_….js`.

    Those that others import, and that are parts of none, must be named here too.
    """
    for part in Path(__file__).parent.glob(f"{Path(name).stem}_*.js"):
        rx.asset(part.name, shared=True)
    return rx.asset(name, shared=True).importable_path
