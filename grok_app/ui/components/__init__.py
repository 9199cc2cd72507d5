"""React components of our own, where Reflex has none that fits."""

from grok_app.ui.components.chat import chat
from grok_app.ui.components.copying import copy_answer, copy_button
from grok_app.ui.components.imagine import imagine
from grok_app.ui.components.moment import Moment
from grok_app.ui.components.notices import Notice, notices
from grok_app.ui.components.operator import console_page_marker, sign_in_form, sign_out_button
from grok_app.ui.components.settings import hand_key, hand_secret, settings_form
from grok_app.ui.components.tab_title import TabTitle
from grok_app.ui.components.texts import fetch_file, file_download, text_intake
from grok_app.ui.components.video import video
from grok_app.ui.components.visitor import (
    studio_page_marker,
    visitor_sign_in_form,
    visitor_sign_out_button,
)
from grok_app.ui.components.voice import speed_range, voice

__all__ = [
    "Moment",
    "Notice",
    "TabTitle",
    "chat",
    "console_page_marker",
    "copy_answer",
    "copy_button",
    "fetch_file",
    "file_download",
    "hand_key",
    "hand_secret",
    "imagine",
    "notices",
    "settings_form",
    "sign_in_form",
    "sign_out_button",
    "speed_range",
    "studio_page_marker",
    "text_intake",
    "video",
    "visitor_sign_in_form",
    "visitor_sign_out_button",
    "voice",
]
