"""What the cache page shows in all its parts."""

from grok_app.ui.console import ConsoleState


class CacheState(ConsoleState):
    """Which list is shown. Has no event of its own."""

    tab: str = "image"
    """A kind of media, or `online`."""
