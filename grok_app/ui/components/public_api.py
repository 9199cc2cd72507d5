"""What talks to the public API from within the browser, with the visitor's key, see `public_api.js`."""

from typing import ClassVar

import reflex as rx

from grok_app.ui.components.scripts import script

for _name in ("public_api", "wording", "prompt", "presses", "confirming", "attached_pictures", "downloading"):
    script(f"{_name}.js")


class VisitorComponent(rx.Component):
    """A component that calls the public API. Its script imports `public_api.js` and what else is named above."""

    lib_dependencies: ClassVar[list[str]] = ["eventsource-parser@4.1.3"]  # type: ignore[misc] # Reflex reads it from the class
