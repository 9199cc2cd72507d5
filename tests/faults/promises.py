"""The answers that are promised again and again, by their short names."""

from collections.abc import Mapping
from typing import Final

from tests.faults.table import Seen
from tests.faults.workloads import CLOSED, DONE_END, PICTURES, STOPPED, TOKENS, VIDEO

FAILED: Final = "upstream_error"
LATE: Final = "upstream_timeout"
LIMITED: Final = "rate_limit_exceeded"
REFUSED: Final = "content_policy_violation"
BLOCKED: Final = "blocked"
STATUS: Final = {BLOCKED: 502, FAILED: 502, LATE: 504, LIMITED: 429, REFUSED: 403}
"""Source: API contract, section 3."""


def refused(code: str) -> Seen:
    """An answer with an error in place of what was asked for."""
    return Seen(STATUS[code], code)


def at_once(code: str) -> Mapping[str, Seen]:
    """What a fault before the first token means to all that is asked for over HTTP: the status that fits the code."""
    return dict.fromkeys(("chat-stream", "chat", "edits", "video", "attach", "drawn"), refused(code))


def in_the_middle(code: str) -> Mapping[str, Seen]:
    """The same for one after some tokens: a stream has begun, and ends with the error."""
    return {**at_once(code), "chat-stream": Seen(200, code, TOKENS, DONE_END)}


def on_socket(code: str) -> Mapping[str, Seen]:
    """What a fault before the first picture means: a status, and in an endless run an event; the run goes on."""
    return {
        **dict.fromkeys(("images", "images-stream"), refused(code)),
        "run-sse": Seen(200, code, "", STOPPED),
        "run-ws": Seen(101, code, "", STOPPED),
    }


def but(promised: Mapping[str, Seen], *workloads: str) -> Mapping[str, Seen]:
    """The same without these workloads: there it would be no other test, or none at all."""
    return {name: seen for name, seen in promised.items() if name not in workloads}


def only(promised: Mapping[str, Seen], *workloads: str) -> Mapping[str, Seen]:
    """The same with these workloads alone."""
    return {name: promised[name] for name in workloads}


def after_previews(code: str) -> Mapping[str, Seen]:
    """The same for one after previews: who streams has seen them."""
    return {
        "images": refused(code),
        "images-stream": Seen(200, code, "previews", CLOSED),
        "run-sse": Seen(200, code, "previews", STOPPED),
        "run-ws": Seen(101, code, "previews", STOPPED),
    }


GOOD: Final[Mapping[str, Seen]] = {
    "chat-stream": Seen(200, None, TOKENS, DONE_END),
    **dict.fromkeys(("chat", "attach", "drawn"), Seen(200, None, TOKENS)),
    **dict.fromkeys(("edits", "images"), Seen(200, None, PICTURES)),
    "images-stream": Seen(200, None, PICTURES, CLOSED),
    "run-sse": Seen(200, None, PICTURES, STOPPED),
    "run-ws": Seen(101, None, PICTURES, STOPPED),
    "video": Seen(200, None, VIDEO),
}
"""Nothing is noticed."""
