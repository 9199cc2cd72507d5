"""What the video page offers."""

import pytest

from grok_app.api.public.wishes import FilmWish
from grok_app.ui.pages.video.state import VideoState

FIELDS = {"ratio": "aspect_ratio", "length": "video_length", "resolution": "resolution_name", "preset": "preset"}
"""Of a wish, by the choice that goes into it."""


@pytest.mark.parametrize("name", FIELDS)
def test_the_public_api_takes_what_the_page_offers(name: str) -> None:
    """Each option by itself, and means it."""
    assert VideoState.OFFERED.keys() == FIELDS.keys()
    for option in VideoState.OFFERED[name]:
        value = int(option) if name == "length" else option
        wish = FilmWish.model_validate({"prompt": "A boat", FIELDS[name]: value})
        assert getattr(wish, FIELDS[name]) == value
