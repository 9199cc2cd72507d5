"""The XML and the cards that Grok mixes into its tokens. Source: protocol notes, sections 2.8.3, 2.8.4 and 11.3."""

from typing import Any, Final

import orjson

PIECE: Final = 17
"""Characters per token of a tag: names, attributes and CDATA marks get split. A chosen number, prime to look random."""


def in_pieces(markup: str) -> list[str]:
    """Split markup without regard to what it says."""
    return [markup[start : start + PIECE] for start in range(0, len(markup), PIECE)]


def search_card(question: str) -> str:
    """The tool usage card of a web search."""
    return _tool_card("t-1", "web_search", query=question)


def chatroom_card(question: str) -> str:
    """The tool usage card of one agent that speaks to the others."""
    return _tool_card("t-2", "chatroom_send", message=f"I look at the facts first: {question}", to="Agent 2")


def picture_search_card(question: str) -> str:
    """The tool usage card of a picture search."""
    return _tool_card("t-3", "search_images", image_description=question)


def browse_card() -> str:
    """The tool usage card of a page visit: a tool that clients have no special words for."""
    return _tool_card("t-4", "browse_page", url="https://example.com/")


def picture_card(seed: int) -> str:
    """An image search hit, as JSON text."""
    image = {"original": "https://example.com/a.jpg", "title": "A picture"}
    return orjson.dumps({"id": card_id(seed), "image": image}).decode()


def picture_tag(seed: int) -> str:
    """The tag by which answer tokens refer to `picture_card`."""
    return f'<grok:render card_id="{card_id(seed)}" card_type="image_card" type="render_searched_image"></grok:render>'


def artifact(question: str) -> str:
    """A document inside the answer."""
    title = question.replace('"', "'").replace("<", "‹")
    return f'\n\n<xaiartifact artifact_id="a-1" title="{title}" contentType="text/markdown">\n# Notes\n</xaiartifact>'


def card_id(seed: int) -> str:
    """The id of the one card of an answer."""
    return f"c{seed:08x}"


def _tool_card(card_id: str, tool: str, **args: Any) -> str:
    return (
        f"<xai:tool_usage_card><xai:tool_usage_card_id>{card_id}</xai:tool_usage_card_id>"
        f"<xai:tool_name>{tool}</xai:tool_name>"
        f"<xai:tool_args><![CDATA[{orjson.dumps(args).decode()}]]></xai:tool_args></xai:tool_usage_card>"
    )
