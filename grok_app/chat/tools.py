"""Tool cards and image cards as something readable. Source: protocol notes, sections 2.8.3 and 2.8.4."""

import html
import re
from typing import Any, Final
from urllib.parse import quote

import orjson

_NAME: Final = re.compile(r"<xai:tool_name>(.*?)</xai:tool_name>", re.DOTALL | re.IGNORECASE)
_ARGS: Final = re.compile(r"<xai:tool_args>(.*?)</xai:tool_args>", re.DOTALL | re.IGNORECASE)
_CDATA: Final = re.compile(r"<!\[CDATA\[(.*)\]\]>", re.DOTALL)
_TOOLS: Final = {
    "web_search": ("WebSearch", ("query", "q")),
    "search_images": ("SearchImage", ("image_description", "description", "query")),
    "chatroom_send": ("AgentThink", ("message",)),
}
_USUAL_ARGS: Final = ("query", "q", "url", "message")


def tool_line(card: str, rollout_id: str | None) -> str:
    """A tool-usage card as one line: `[Agent 1][WebSearch] grok news`; empty when it names no tool.

    Args:
        card: The inside of the element, XML.
        rollout_id: Which agent used the tool, when there are several.
    """
    if (found := _NAME.search(card)) is None:
        return ""
    name = _one_line(found[1])
    label, wanted = _TOOLS.get(name, (name, _USUAL_ARGS))
    args = _args(card)
    said = next((text for key in wanted if isinstance(text := args.get(key), str) and text.strip()), "")
    prefix = f"[{rollout_id}]" if rollout_id else ""
    return f"{prefix}[{label}] {_one_line(said)}".rstrip()


def image_markdown(title: str, url: str) -> str:
    """`![title](url)`, safe against brackets, backslashes and spaces; empty for anything but http and https."""
    if not url.startswith(("http://", "https://")):
        return ""
    shown = _one_line(title).replace("\\", "/").replace("[", "(").replace("]", ")")
    return f"![{shown}]({quote(url, safe=':/?#@!$&*+,;=%~-._')})"


def _args(card: str) -> dict[str, Any]:
    if (found := _ARGS.search(card)) is None:
        return {}
    inside = _CDATA.search(found[1])
    try:
        parsed = orjson.loads(inside[1] if inside else html.unescape(found[1]))
    except orjson.JSONDecodeError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _one_line(text: str) -> str:
    return " ".join(text.split())
