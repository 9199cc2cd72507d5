"""What the studio's pages are made of: the way in, their frame, what is chosen on them."""

from grok_app.ui.studio.choices import SWITCH, Choices, choosing, switching
from grok_app.ui.studio.entrance import StudioState
from grok_app.ui.studio.frame import studio_page
from grok_app.ui.studio.parts import choice_list, segmented, switch

__all__ = [
    "SWITCH",
    "Choices",
    "StudioState",
    "choice_list",
    "choosing",
    "segmented",
    "studio_page",
    "switch",
    "switching",
]
