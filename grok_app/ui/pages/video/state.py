"""What a visitor chooses."""

from typing import ClassVar, Final

import reflex as rx

from grok_app.ui.session import Session
from grok_app.ui.studio import Choices

RATIOS: Final = ("16:9", "3:2", "1:1", "2:3", "9:16")
LENGTHS_S: Final = ("6", "10", "15")
RESOLUTIONS: Final = ("480p", "720p")
PRESETS: Final = ("normal", "fun", "spicy", "custom")


class VideoState(Choices, Session):
    """The choices of the page, kept in the browser. Source of what there is: API contract, section 9."""

    OFFERED: ClassVar = {"ratio": RATIOS, "length": LENGTHS_S, "resolution": RESOLUTIONS, "preset": PRESETS}

    ratio: str = rx.LocalStorage("3:2", name="grok_app_video_ratio")
    length: str = rx.LocalStorage("6", name="grok_app_video_length")
    """Seconds."""
    resolution: str = rx.LocalStorage("480p", name="grok_app_video_resolution")
    preset: str = rx.LocalStorage("normal", name="grok_app_video_preset")
