"""React components of our own, where Reflex has none that fits."""

from grok_app.ui.components.chat import composer, markdown, transcript
from grok_app.ui.components.copying import copy_button
from grok_app.ui.components.notices import Notice, notices
from grok_app.ui.components.operator import console_page_marker, sign_in_form, sign_out_button
from grok_app.ui.components.settings import hand_secret, settings_form

__all__ = [
    "Notice",
    "composer",
    "console_page_marker",
    "copy_button",
    "hand_secret",
    "markdown",
    "notices",
    "settings_form",
    "sign_in_form",
    "sign_out_button",
    "transcript",
]
