"""Which pictures get the places of a request."""

from base64 import b64decode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grok_app.imagine.selection import _MOST_SEEN, Chosen, Selection
from grok_app.imagine.types import Stage
from grok_app.upstream import PictureEnd, PictureFrame
from tests.imagine.frames import LENGTHS, NO_PICTURE, SIZES, blob, end, frame, frames, id_of, refusal

PREVIEW, MEDIUM, FINAL = Stage
Step = PictureFrame | PictureEnd


def selection(count: int, *, shows_partial: bool = True) -> Selection:
    """One whose first socket has just been opened."""
    made = Selection(count, SIZES, shows_partial=shows_partial)
    made.begin()
    return made


def feed(chooser: Selection, *steps: Step) -> list[Chosen]:
    """What these bring to the caller."""
    return [
        chosen
        for step in steps
        for chosen in (chooser.take(step) if isinstance(step, PictureFrame) else chooser.refuse(step))
    ]


def shown(chosen: Iterable[Chosen]) -> list[tuple[int, str, Stage]]:
    """The place, the picture and its stage."""
    return [(picture.index, picture.id, picture.stage) for picture in chosen]


@pytest.mark.parametrize(
    ("url", "length", "stage"),
    [
        ("", 40, PREVIEW),
        ("", 44, MEDIUM),
        ("", 80, MEDIUM),
        ("", 84, FINAL),
        ("https://x/images/a.png", 84, FINAL),
        ("https://x/images/a.jpg", 12, FINAL),
        ("https://x/images/a.JPEG?v=1", 12, FINAL),
        ("https://x/images/a.jpg#1", 12, FINAL),
        ("https://x/images/a.jpg.png", 12, PREVIEW),
    ],
    ids=["at medium", "over medium", "at final", "over final", "png", "jpg", "jpeg", "hash", "no ending"],
)
def test_the_end_of_the_address_comes_before_the_size(url: str, length: int, stage: Stage) -> None:
    """A JPEG is final whatever its size; anything else by its size, of which a limit itself is not over it."""
    assert SIZES.stage_of(PictureFrame(None, url, blob(length), None)) is stage


def test_only_a_better_stage_is_shown() -> None:
    """The same stage again, or an earlier one, brings nothing."""
    steps = [frame(1, stage) for stage in (PREVIEW, PREVIEW, MEDIUM, PREVIEW, FINAL, FINAL, MEDIUM)]
    assert shown(feed(selection(1), *steps)) == [(0, id_of(1), stage) for stage in Stage]


def test_a_stage_may_be_left_out() -> None:
    """What begins as a finished picture is one."""
    assert shown(feed(selection(1), frame(1))) == [(0, id_of(1), FINAL)]


@pytest.mark.parametrize(
    "content", [NO_PICTURE, "abc", blob(84)[:-1] + "ä", "PGh0bWw+" * 12], ids=lambda text: text[:8]
)
@pytest.mark.parametrize("shows_partial", [True, False])
def test_what_is_no_picture_never_counts(content: str, shows_partial: bool) -> None:
    """Garbage takes no place, and doesn't stand in the way of the picture itself."""
    chooser = selection(1, shows_partial=shows_partial)
    garbage = PictureFrame(id_of(1), "a.jpg", content, None)
    assert feed(chooser, garbage) == []
    assert (chooser.missing, chooser.is_over) == (1, False)
    assert shown(feed(chooser, frame(1))) == [(0, id_of(1), FINAL)]


def test_a_place_belongs_to_the_picture_that_was_shown_first() -> None:
    """Another one that is finished sooner doesn't push it out."""
    chooser = selection(1)
    assert shown(feed(chooser, frame(1, PREVIEW), *frames(2))) == [(0, id_of(1), PREVIEW)]
    assert shown(feed(chooser, frame(1))) == [(0, id_of(1), FINAL)]


def test_where_nothing_else_is_shown_the_first_to_be_finished_have_the_places() -> None:
    """Whichever was begun first."""
    chooser = selection(2, shows_partial=False)
    early = [frame(picture, stage) for stage in (PREVIEW, MEDIUM) for picture in range(4)]
    assert feed(chooser, *early) == []
    assert shown(feed(chooser, *(frame(picture) for picture in (3, 1, 0)))) == [
        (0, id_of(3), FINAL),
        (1, id_of(1), FINAL),
    ]
    assert chooser.missing == 0


def test_a_refused_pictures_place_goes_to_one_that_is_finished_already() -> None:
    """It was held back for want of a place."""
    chooser = selection(1)
    feed(chooser, frame(1, PREVIEW), frame(2))
    assert shown(feed(chooser, refusal(1))) == [(0, id_of(2), FINAL)]
    assert (chooser.missing, chooser.moderated) == (0, 1)


def test_a_refused_pictures_place_goes_to_the_next_one_else() -> None:
    """Its next stage is shown there."""
    chooser = selection(1)
    feed(chooser, frame(1, MEDIUM), frame(2, PREVIEW))
    assert feed(chooser, refusal(1)) == []
    assert shown(feed(chooser, frame(2, MEDIUM), frame(2))) == [(0, id_of(2), MEDIUM), (0, id_of(2), FINAL)]


def test_what_grok_has_refused_is_not_shown_any_more() -> None:
    """Neither what still comes of it, nor what was held back."""
    chooser = selection(1)
    feed(chooser, frame(1, PREVIEW), frame(2), refusal(2), refusal(1))
    assert feed(chooser, frame(1), frame(2)) == []
    assert list(chooser.give_up()) == []
    assert (chooser.missing, chooser.moderated) == (1, 2)


def test_what_was_finished_stays_finished() -> None:
    """A refusal that comes too late takes nothing back, and counts for one picture only."""
    chooser = selection(2)
    feed(chooser, frame(1), refusal(1), refusal(1))
    assert (chooser.missing, chooser.moderated, chooser.is_over) == (1, 1, False)


def test_giving_up_shows_what_was_held_back() -> None:
    """A picture that doesn't get finished any more gives its place to one that is."""
    chooser = selection(2)
    feed(chooser, frame(1), frame(2, MEDIUM), frame(3), frame(4))
    [given] = chooser.give_up()
    assert (given.index, given.stage) == (1, FINAL)
    assert given.id in (id_of(3), id_of(4))
    assert (chooser.missing, list(chooser.give_up())) == (0, [])


def test_it_is_over_when_nothing_more_will_come() -> None:
    """Every picture that was begun is finished or refused, and there are as many as were wanted."""
    chooser = selection(2)
    states = []
    for step in (frame(1, PREVIEW), refusal(1), frame(2, PREVIEW), frame(3, PREVIEW), end(2), refusal(2), refusal(3)):
        feed(chooser, step)
        states.append(chooser.is_over)
    assert states == [False, False, False, False, False, False, True]


def test_pictures_that_are_refused_unseen_do_not_end_the_others() -> None:
    """As long as one is under way, more is to be expected."""
    chooser = selection(1)
    feed(chooser, frame(1, PREVIEW), refusal(2), refusal(3))
    assert not chooser.is_over
    feed(chooser, frame(1))
    assert chooser.is_over


def test_it_has_begun_with_the_first_medium_picture() -> None:
    """Previews are no sign of life; the next socket begins anew."""
    chooser = selection(2, shows_partial=False)
    feed(chooser, frame(1, PREVIEW), frame(2, PREVIEW))
    assert not chooser.has_begun
    feed(chooser, frame(2, MEDIUM))
    assert chooser.has_begun
    chooser.begin()
    assert not chooser.has_begun


def test_another_socket_goes_on_with_what_is_missing() -> None:
    """What is finished stays; what was left unfinished is forgotten, and the place it had is free."""
    chooser = selection(3)
    feed(chooser, frame(1, PREVIEW), frame(2), frame(3, MEDIUM))
    chooser.begin()
    assert (chooser.missing, chooser.is_over) == (2, False)
    assert shown(feed(chooser, frame(4), frame(5))) == [(0, id_of(4), FINAL), (2, id_of(5), FINAL)]
    assert (chooser.missing, chooser.is_over) == (0, True)


def test_pictures_of_two_sockets_are_never_taken_for_each_other() -> None:
    """Where Grok names none, the first one of each socket has the same place among its own."""
    chooser = selection(2)
    nameless = PictureFrame(None, "", blob(84), 0)
    first = feed(chooser, nameless)
    chooser.begin()
    second = feed(chooser, nameless)
    assert [chosen.index for chosen in (*first, *second)] == [0, 1]
    assert first[0].id != second[0].id


@pytest.mark.parametrize("name", [None, "1", "image-a", "../" * 12, "A" * 36], ids=["none", "1", "a", "path", "other"])
def test_an_id_that_can_be_guessed_is_replaced(name: str | None) -> None:
    """Files are named by it, and whoever knows the name can read the file. It is the same in all stages."""
    chooser = selection(1)
    ids = {chosen.id for chosen in feed(chooser, *(PictureFrame(name, "", blob(LENGTHS[s]), 1) for s in Stage))}
    assert len(ids) == 1
    assert name not in ids
    assert len(ids.pop()) == 36


def test_no_more_pictures_are_remembered_than_a_prompt_can_have() -> None:
    """A socket that never ends costs no memory without end."""
    chooser = selection(1, shows_partial=False)
    feed(chooser, *(frame(picture, PREVIEW) for picture in range(_MOST_SEEN)))
    assert feed(chooser, frame(_MOST_SEEN)) == []
    assert shown(feed(chooser, frame(0))) == [(0, id_of(0), FINAL)]


@dataclass
class Case:
    """What a request sees: sockets, each with what it sends."""

    count: int
    shows_partial: bool
    sockets: list[list[Step]]

    def play(self) -> tuple[Selection, list[Chosen]]:
        """The selection at the end, and all that it chose."""
        chooser = Selection(self.count, SIZES, shows_partial=self.shows_partial)
        chosen: list[Chosen] = []
        for steps in self.sockets:
            chooser.begin()
            chosen += feed(chooser, *steps)
            chosen += chooser.give_up()
        return chooser, chosen

    def finished(self, socket: int, *, is_kept: bool) -> set[str | None]:
        """The pictures that a socket finished; only those that Grok did not refuse later, or these too."""
        found: set[str | None] = set()
        refused: set[str | None] = set()
        for step in self.sockets[socket]:
            if isinstance(step, PictureEnd):
                refused |= {step.image_id} if step.is_moderated else set()
            elif step.blob != NO_PICTURE and SIZES.stage_of(step) is FINAL and step.image_id not in refused:
                found.add(step.image_id)
        return found - refused if is_kept else found


def steps_of(socket: int) -> st.SearchStrategy[list[Step]]:
    """What a socket may send of up to six pictures, in any order."""
    picture = st.integers(socket * 6 + 1, socket * 6 + 6)
    step = st.one_of(
        st.builds(frame, picture, st.sampled_from(Stage)),
        st.builds(frame, picture, st.sampled_from(Stage), content=st.just(NO_PICTURE)),
        st.builds(refusal, picture),
        st.builds(end, picture),
    )
    return st.lists(step, max_size=20)


CASES = st.builds(Case, st.integers(1, 6), st.booleans(), st.tuples(steps_of(0), steps_of(1)).map(list))


def of_place(chosen: Sequence[Chosen], place: int) -> list[Chosen]:
    """What was shown at a place."""
    return [picture for picture in chosen if picture.index == place]


@given(CASES)
def test_a_place_is_finished_once_and_then_left_alone(case: Case) -> None:
    """Whatever comes: no place out of range, one final at most and nothing after it, and the rest is missing."""
    chooser, chosen = case.play()
    assert {picture.index for picture in chosen} <= set(range(case.count))
    finals = [picture for picture in chosen if picture.stage is FINAL]
    assert chooser.missing == case.count - len(finals)
    assert len({picture.id for picture in finals}) == len({picture.index for picture in finals}) == len(finals)
    for place in range(case.count):
        assert FINAL not in [picture.stage for picture in of_place(chosen, place)[:-1]]


@given(CASES)
def test_a_picture_only_gets_better_and_never_moves(case: Case) -> None:
    """Its stages rise, it stays where it is, and what is shown is what was sent."""
    _, chosen = case.play()
    for picture_id in {picture.id for picture in chosen}:
        stages = [picture.stage for picture in chosen if picture.id == picture_id]
        assert stages == sorted(set(stages))
        assert len({picture.index for picture in chosen if picture.id == picture_id}) == 1
    assert all(picture.content == b64decode(picture.blob) for picture in chosen)
    assert case.shows_partial or all(picture.stage is FINAL for picture in chosen)


@given(CASES)
def test_no_finished_picture_is_withheld_while_one_is_missing(case: Case) -> None:
    """At the end there are as many finals as were wanted, or all that Grok finished and didn't refuse."""
    chooser, _ = case.play()
    most = sum(len(case.finished(socket, is_kept=False)) for socket in range(2))
    least = sum(len(case.finished(socket, is_kept=True)) for socket in range(2))
    assert min(case.count, least) <= case.count - chooser.missing <= min(case.count, most)
