"""What a visitor chooses."""

from typing import ClassVar

import reflex as rx

from grok_app.runtime import current
from grok_app.ui.session import Session
from grok_app.ui.studio import SWITCH, Choices

RATIOS = ("2:3", "3:2", "1:1", "9:16", "16:9")
RUNS = ("1", "2", "3")
MODES = ("auto", "ws", "sse")
TOGGLES = ("auto_scroll", "auto_download", "auto_filter", "newest_first")


class ImagineState(Choices, Session):
    """The choices of the page, kept in the browser, and the settings that it goes by."""

    OFFERED: ClassVar = {
        "ratio": RATIOS,
        "runs": RUNS,
        "mode": MODES,
        "nsfw": SWITCH,
        **dict.fromkeys(TOGGLES, SWITCH),
    }

    ratio: str = rx.LocalStorage("2:3", name="grok_app_imagine_ratio")
    runs: str = rx.LocalStorage("1", name="grok_app_imagine_runs")
    """How many draw at once."""
    mode: str = rx.LocalStorage("auto", name="grok_app_imagine_mode")
    nsfw: str = rx.LocalStorage("", name="grok_app_imagine_nsfw")
    """Empty until the visitor chooses, then it is as the setting says."""
    auto_scroll: str = rx.LocalStorage("on", name="grok_app_imagine_auto_scroll")
    auto_download: str = rx.LocalStorage("off", name="grok_app_imagine_auto_download")
    auto_filter: str = rx.LocalStorage("off", name="grok_app_imagine_auto_filter")
    newest_first: str = rx.LocalStorage("off", name="grok_app_imagine_newest_first")

    is_usually_nsfw: bool = False
    final_min_chars: int = 0
    """Finished pictures have as much base64. Both are those of `imagine/config`."""

    @rx.var
    def is_nsfw(self) -> bool:
        """Whether adult content is asked for."""
        return self.nsfw == "on" or (self.nsfw == "" and self.is_usually_nsfw)

    @rx.event
    def look_up(self) -> None:
        """Go by the settings of now."""
        image = current().settings.snapshot.image
        self.is_usually_nsfw, self.final_min_chars = image.nsfw, image.final_min_bytes
