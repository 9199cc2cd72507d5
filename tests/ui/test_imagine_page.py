"""What the imagine page goes by."""

from types import SimpleNamespace
from typing import Any

import pytest

from grok_app import runtime
from grok_app.api.public.wishes import DrawingWish
from grok_app.ui.pages.imagine import ImagineState
from grok_app.ui.pages.imagine.state import RATIOS
from tests.ui.tabs import fresh


def test_the_api_draws_every_ratio_on_offer() -> None:
    """One that it doesn't know would be drawn as another, without a word."""
    assert [DrawingWish(prompt="a", aspect_ratio=ratio).aspect_ratio for ratio in RATIOS] == list(RATIOS)


def page_with(monkeypatch: pytest.MonkeyPatch, *, is_usual: bool, chosen: str) -> Any:
    """The page, opened by somebody who has chosen this about adult content; empty: nothing yet."""
    image = SimpleNamespace(nsfw=is_usual, final_min_bytes=90_000)
    services = SimpleNamespace(settings=SimpleNamespace(snapshot=SimpleNamespace(image=image)))
    monkeypatch.setattr(runtime.services, "_current", [services])
    page = fresh(ImagineState)
    page.nsfw = chosen
    for name in ("recall", "look_up"):
        ImagineState.event_handlers[name].fn(page)
    return page


@pytest.mark.parametrize(
    ("is_usual", "chosen", "is_asked_for"),
    [
        (True, "", True),
        (False, "", False),
        (True, "off", False),
        (False, "on", True),
        (True, "nonsense", True),
    ],
)
def test_adult_content_is_as_the_setting_says_until_somebody_chooses(
    monkeypatch: pytest.MonkeyPatch, is_usual: bool, chosen: str, is_asked_for: bool
) -> None:
    """What the visitor has chosen wins; what nobody could choose doesn't count."""
    assert page_with(monkeypatch, is_usual=is_usual, chosen=chosen).is_nsfw is is_asked_for


def test_the_final_size_is_that_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The auto-filter goes by it."""
    assert page_with(monkeypatch, is_usual=False, chosen="").final_min_chars == 90_000
