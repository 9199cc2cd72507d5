"""Visitors' wishes as other processes read them."""

from io import BytesIO

import pytest
from pydantic import ValidationError

from grok_app.imagine import ImagesRequest
from grok_app.media import Source, SourceKind
from grok_app.runtime.wishes import Drawings, Film, Films
from grok_app.upstream import VideoPreset
from grok_app.video import VideoRequest


@pytest.mark.parametrize("has_adult_content", [None, True, False])
def test_a_drawing_is_read_as_it_was_written(has_adult_content: bool | None) -> None:
    """Every field of it."""
    wish = ImagesRequest("Ein Täßchen 🫖", 6, "2:3", "b64_json", has_adult_content, "https://gateway.example")
    assert Drawings().read(Drawings().write(wish), None) == wish
    assert Drawings().file_of(wish) is None


def film(image: Source | None) -> Film:
    """A video that begins with this."""
    return VideoRequest("A kite", image, "3:2", 6, "480p", VideoPreset.SPICY, "https://gateway.example"), "none"


@pytest.mark.parametrize("image", [None, Source(SourceKind.IMAGE, "image_url", "https://a.example/a.png")], ids=str)
def test_a_film_is_read_as_it_was_written(image: Source | None) -> None:
    """An address is part of the words."""
    assert Films().read(Films().write(film(image)), None) == film(image)
    assert Films().file_of(film(image)) is None


def test_the_picture_of_a_film_goes_beside_it() -> None:
    """Its content isn't written; what is read has the file that is given, and all that is said of it."""
    here, there = BytesIO(b"here"), BytesIO(b"there")
    wish = film(Source(SourceKind.IMAGE, "image_url", here, "a.png", "image/png"))
    assert Films().file_of(wish) is here
    text = Films().write(wish)
    assert Films().read(text, there) == film(Source(SourceKind.IMAGE, "image_url", there, "a.png", "image/png"))
    assert Films().read(text, None) == film(Source(SourceKind.IMAGE, "image_url", "", "a.png", "image/png"))


def test_what_is_no_wish_is_refused() -> None:
    """Another version may want more."""
    with pytest.raises(ValidationError):
        Drawings().read(b'{"prompt": "a cat"}', None)
