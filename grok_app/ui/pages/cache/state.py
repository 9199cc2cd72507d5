"""What the cache page shows in all its parts."""

from typing import Any

from grok_app.ui.console import ConsoleState


class CacheState(ConsoleState):
    """Which list is shown. Has no event of its own."""

    tab: str = "image"
    """A kind of media, or `online`."""

    def _show(self, **values: Any) -> None:
        """Set the variables that have changed; only what is set is sent to the browser."""
        for name, value in values.items():
            if getattr(self, name) != value:
                setattr(self, name, value)
