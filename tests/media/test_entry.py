"""What may be a name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grok_app.errors import InvalidRequestError
from grok_app.media import Entry, Kind, clean_name, content_type, path_of


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("a.png", "a.png"),
        ("users/1/generated/x.JPG", "users-1-generated-x.JPG"),
        ("/users/1.webp", "users-1.webp"),
        ("a\\b.gif", "a-b.gif"),
        ("a/../b.jpeg", "a-..-b.jpeg"),
    ],
)
def test_slashes_become_dashes(name: str, cleaned: str) -> None:
    """A path of Grok's is a name of ours, and a clean name stays as it is."""
    assert clean_name(Kind.IMAGE, name) == cleaned
    assert clean_name(Kind.IMAGE, cleaned) == cleaned


@pytest.mark.parametrize(
    "name",
    ["", "png", ".png", "../a.png", "a.svg", "a.html", "a.png.html", "a.mp4", "a b.png", "a\0.png", "a\n.png", "ä.png",
     "a%2f.png", "a" * 197 + ".png"],
)  # fmt: skip
def test_other_names_are_refused(name: str) -> None:
    """Hidden, too long, not plain, or of a type that is no picture: refused, with the field."""
    with pytest.raises(InvalidRequestError) as caught:
        clean_name(Kind.IMAGE, name)
    assert (caught.value.param, caught.value.code) == ("name", "invalid_name")


@given(st.text(max_size=300) | st.text(alphabet="./\\-a%", max_size=20).map(lambda text: text + ".png"))
def test_no_name_leaves_the_folder(name: str) -> None:
    """Whatever is asked for, it is refused or a plain file name."""
    try:
        cleaned = clean_name(Kind.IMAGE, name)
    except InvalidRequestError:
        return
    assert not {"/", "\\", "\0"} & set(cleaned)
    assert not cleaned.startswith(".")


def test_a_type_follows_from_the_extension() -> None:
    """In whatever case it is written."""
    assert content_type(Entry(Kind.IMAGE, "a.JPG", 1, 1)) == "image/jpeg"
    assert content_type(Entry(Kind.VIDEO, "a.mp4", 1, 1)) == "video/mp4"


def test_a_path_leads_to_the_file() -> None:
    """Links are built where names are cleaned."""
    assert path_of(Kind.VIDEO, "users/1.mp4") == "/v1/files/video/users-1.mp4"
