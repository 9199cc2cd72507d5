"""React components of our own, where Reflex has none that fits."""

from grok_app.ui.components.chat import composer, copy_button, markdown, transcript
from grok_app.ui.components.notices import Notice, notices

__all__ = ["Notice", "composer", "copy_button", "markdown", "notices", "transcript"]
