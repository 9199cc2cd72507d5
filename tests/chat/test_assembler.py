"""Frames in, events out."""

from collections.abc import Iterable

import pytest

from grok_app.chat import Event, Finished, Started, Text, Thought
from grok_app.chat.assembler import AnswerAssembler
from grok_app.upstream import CardFrame, EndFrame, Frame, StartFrame, TokenFrame, UpstreamError

TAGS = ("xaiartifact", "xai:tool_usage_card", "grok:render")
TOOL = (
    "<xai:tool_usage_card><xai:tool_usage_card_id>t-1</xai:tool_usage_card_id>"
    "<xai:tool_name>{name}</xai:tool_name><xai:tool_args><![CDATA[{args}]]></xai:tool_args></xai:tool_usage_card>"
)
RENDER = '<grok:render card_id="c1" card_type="image_card" type="render_searched_image"></grok:render>'


def thought(text: str, rollout: str | None = None) -> TokenFrame:
    """A token of the reasoning."""
    return TokenFrame([text], is_thinking=True, rollout_id=rollout)


def said(text: str) -> TokenFrame:
    """A token of the answer."""
    return TokenFrame([text], is_thinking=False, rollout_id=None)


def assemble(frames: Iterable[Frame], *, shows_thinking: bool = True) -> list[Event]:
    """The events of these frames."""
    assembler = AnswerAssembler("What is 17*23?", TAGS, shows_thinking=shows_thinking)
    events: list[Event] = []
    for frame in frames:
        assembler.feed(frame, events)
    return [*events, assembler.finish()]


def texts(events: Iterable[Event]) -> tuple[str, str]:
    """All thinking and all text of these events."""
    events = list(events)
    return (
        "".join(event.text for event in events if isinstance(event, Thought)),
        "".join(piece for event in events if isinstance(event, Text) for piece in event.pieces),
    )


def test_one_event_per_token_between_start_and_end() -> None:
    """The order is Started, thoughts, texts, Finished, and ids come from Grok."""
    frames: list[Frame] = [
        StartFrame("r-1", "hash"),
        thought("Hm."),
        said("17"),
        said(" × 23"),
        EndFrame("17 × 23"),
    ]
    events = assemble(frames)
    assert events[:-1] == [Started("r-1", "hash"), Thought("Hm."), Text(["17"]), Text([" × 23"])]
    assert isinstance(events[-1], Finished)


def test_markup_is_taken_out_of_tokens_that_came_together() -> None:
    """A token that shows nothing is no piece of the answer."""
    together = TokenFrame(["See", "<xaiarti", "fact>x</xaiartifact", ">", " this"], is_thinking=False, rollout_id=None)
    assert assemble([together, EndFrame("")])[1:-1] == [Text(["See", " this"])]


def test_a_lost_picture_counts_as_the_words_in_its_place() -> None:
    """Nobody pays for a picture that they don't get."""
    assembler = AnswerAssembler("", TAGS, shows_thinking=True)
    assembler.show("12345678", [], is_lost=True)
    assert assembler.finish().usage.completion_tokens == 2


def test_usage_counts_prompt_thinking_and_text() -> None:
    """Four bytes make a token; hidden thinking is counted as well."""
    frames: list[Frame] = [thought("12345678"), said("é" * 4), EndFrame("")]
    for shows_thinking in (True, False):
        finished = assemble(frames, shows_thinking=shows_thinking)[-1]
        assert isinstance(finished, Finished)
        assert (finished.usage.prompt_tokens, finished.usage.reasoning_tokens) == (4, 2)
        assert finished.usage.completion_tokens == 4


def test_hidden_thinking_starts_the_answer_all_the_same() -> None:
    """A caller who hides the thinking sees at once that somebody is at work."""
    events = assemble([thought("Hm."), said("Yes"), EndFrame("Yes")], shows_thinking=False)
    assert isinstance(events[0], Started)
    assert texts(events) == ("", "Yes")


def test_thinking_after_the_first_text_is_dropped() -> None:
    """An answer is never interrupted by reasoning."""
    assert texts(assemble([said("Yes"), thought("or no"), said("!"), EndFrame("Yes!")])) == ("", "Yes!")


@pytest.mark.parametrize(
    ("name", "args", "rollout", "line"),
    [
        ("web_search", '{"query":"grok news"}', "Agent 1", "[Agent 1][WebSearch] grok news"),
        ("web_search", '{"q":"grok news"}', None, "[WebSearch] grok news"),
        ("search_images", '{"image_description":"a cat"}', None, "[SearchImage] a cat"),
        ("chatroom_send", '{"message":"two\\nlines"}', "Agent 2", "[Agent 2][AgentThink] two lines"),
        ("browse_page", '{"url":"https://x.ai"}', None, "[browse_page] https://x.ai"),
        ("web_search", "not json", None, "[WebSearch]"),
    ],
    ids=["rollout", "q", "images", "chatroom", "other tool", "broken args"],
)
def test_a_tool_card_becomes_one_line(name: str, args: str, rollout: str | None, line: str) -> None:
    """A card, cut anywhere, is one readable line of its own."""
    card = TOOL.format(name=name, args=args)
    frames = [thought("So", rollout), *(thought(part, rollout) for part in (card[:30], card[30:])), thought("and")]
    thinking, _ = texts(assemble([*frames, said("Done"), EndFrame("Done")]))
    assert thinking == f"So\n{line}\nand"


def test_agents_think_side_by_side() -> None:
    """A card of one agent never swallows what another says in between."""
    card = TOOL.format(name="web_search", args='{"query":"grok"}')
    thoughts = [thought(card[:60], "A"), thought("I think so. ", "B"), thought(card[60:], "A")]
    assert texts(assemble([*thoughts, said("Yes"), EndFrame("")])) == ("I think so. \n[A][WebSearch] grok\n", "Yes")


def test_an_image_card_stands_where_the_text_refers_to_it() -> None:
    """A found picture is shown at its place, once."""
    card = CardFrame("c1", "A [nice] picture", "https://example.com/a (1).jpg")
    _, text = texts(assemble([card, said("Here it is."), said(RENDER), said(" Nice."), EndFrame("")]))
    assert text == "Here it is.\n![A (nice) picture](https://example.com/a%20%281%29.jpg) Nice."


def test_a_card_without_a_place_comes_last() -> None:
    """A found picture that the text never mentions is not lost."""
    _, text = texts(assemble([said("Look."), CardFrame("c1", "A", "https://e.com/a.jpg"), EndFrame("Look.")]))
    assert text == "Look.\n![A](https://e.com/a.jpg)"


def test_a_card_with_a_dangerous_address_is_not_shown() -> None:
    """Only http and https become pictures."""
    _, text = texts(assemble([said("Look."), CardFrame("c1", "A", "javascript:alert(1)"), EndFrame("Look.")]))
    assert text == "Look."


def test_an_answer_without_tokens_is_its_message() -> None:
    """Grok may send the whole answer at the end only."""
    events = assemble([StartFrame("r-1", None), EndFrame("All at once.<xaiartifact>x</xaiartifact>")])
    assert texts(events) == ("", "All at once.")
    assert events[0] == Started("r-1", None)


def test_an_answer_without_a_word_is_an_error() -> None:
    """Nothing at all is never called an answer."""
    with pytest.raises(UpstreamError, match="without a word"):
        assemble([StartFrame("r-1", None), EndFrame("")])


def test_an_id_of_our_own_where_grok_gave_none() -> None:
    """Clients always get an id."""
    started = assemble([said("Hi"), EndFrame("Hi")])[0]
    assert isinstance(started, Started)
    assert started.id.startswith("chatcmpl-")
