"""The magic words: one table, from which behaviour, help text and index page are made.

Sources: protocol notes, sections 2.7, 2.8, 2.10, 11.13 and 11.14. Words for single calls are in `call_faults` and
`media_faults`.
"""

from typing import Final

from grok_app.sandbox import replies, twists
from grok_app.sandbox.call_faults import QUOTA, SETUP, VOICE
from grok_app.sandbox.media_faults import DRAWN, FILES, SOCKET
from grok_app.sandbox.replies import Reply, json_reply, nested, proxy_page, refusal
from grok_app.sandbox.variants import PACKED, always
from grok_app.sandbox.words import Call, Feature, Silence, Word

_BLOCKED: Final = "User is blocked [WKE=unauthorized:blocked-user]"
_BUSY: Final = "You are sending requests too quickly. Please try again later."
_TEAM: Final = (
    "Too many requests for team 00000000-0000-4000-8000-000000000000 and model grok-4. Your team's rate limit is — "
    "Requests per Second (actual/limit): 2/2."
)
_UNSAFE: Final = "Content violates usage guidelines. SAFETY_CHECK_TYPE_VIOLENCE"
_NO_SESSION: Final = "Failed to look up session ID. [WKE=unauthenticated:invalid-credentials]"

CONTENT: Final = (
    Word("think", "thinks first, whatever the model", Feature.THINK),
    Word("search", "a web_search tool card inside the thinking tokens", Feature.SEARCH),
    Word("agents", "cards chatroom_send, search_images and browse_page of two agents", Feature.AGENTS),
    Word("card", "an image search card, and the <grok:render> tag that refers to it", Feature.CARD),
    Word("images", "two generated images: progress frames, paths in modelResponse", Feature.IMAGES),
    Word("artifact", "an <xaiartifact> element inside the answer", Feature.ARTIFACT),
    Word("chinese", "a Chinese answer", Feature.CHINESE),
    Word("long", "an answer of 2000 tokens", Feature.LONG),
    Word("echo", "the answer is the prompt as received, without its magic words", Feature.ECHO),
)
REFUSALS: Final = (
    Word("429", "rate limited, Retry-After: 37", refusal(429, 8, "Too many requests", retry_after_s=37)),
    Word("429-nested", "the same inside {error: …}", nested(429, 8, "Too many requests", retry_after_s=37)),
    Word(
        "429-date",
        "Retry-After as HTTP-date, 37 s from now",
        Reply(429, nested(429, 8, "Too many requests").body, retry_date_s=37),
    ),
    Word("429-plain", "no Retry-After, the error is a text", json_reply({"error": _BUSY}, 429)),
    Word("429-resets", "the wait stands in the text: Resets in: 1m 30s", refusal(429, 8, f"{_BUSY} Resets in: 1m 30s")),
    Word("429-team", "a team's limit per second", json_reply({"code": "resource-exhausted", "error": _TEAM}, 429)),
    Word("401", "invalid credentials", replies.INVALID_CREDENTIALS),
    Word("401-text", "plain text", Reply(401, b"Unauthorized", "text/plain; charset=utf-8")),
    Word("401-empty", "no body", Reply(401, b"")),
    Word("400-session", "400 that means an invalid session", nested(400, 16, _NO_SESSION)),
    Word(
        "402",
        "spending limit reached",
        json_reply({"code": "personal-team-blocked:spending-limit", "error": "Spending limit reached"}, 402),
    ),
    Word("403-blocked", "the account is blocked", refusal(403, 7, _BLOCKED)),
    Word("403-blocked-nested", "the same inside {error: …}", nested(403, 7, _BLOCKED)),
    Word(
        "403-blocked-code",
        "the same with a text as code",
        json_reply({"code": "unauthorized:blocked-user", "error": "User is blocked"}, 403),
    ),
    Word("403-antibot", "anti-bot rules", nested(403, 7, "Request rejected by anti-bot rules.")),
    Word("403-challenge", "a Cloudflare challenge, HTML", replies.CHALLENGE),
    Word("403-empty", "no body", Reply(403, b"")),
    Word(
        "403-moderated",
        "content moderated",
        json_reply({"error": {"code": "content-moderated", "message": "rejected"}}, 403),
    ),
    Word("403-safety", "SAFETY_CHECK_TYPE", json_reply({"code": "permission-denied", "error": _UNSAFE}, 403)),
    Word("403-temporary", "a rejection that says nothing", json_reply({"message": "temporary rejection"}, 403)),
    Word("500", "internal error, JSON", nested(500, 13, "Internal error")),
    Word("502", "bad gateway, HTML of a proxy", proxy_page(502, "Bad Gateway")),
    Word("503", "temporarily unavailable, JSON", nested(503, 14, "temporarily unavailable")),
    Word("504", "gateway time-out, HTML of a proxy", proxy_page(504, "Gateway Time-out")),
)
STREAM_ERRORS: Final = (
    *(
        Word(f"stream-{name}", f"200, then only {does}", twists.fail_at_once(frame))
        for name, (does, frame) in twists.STREAM_ERRORS.items()
    ),
    *(
        Word(f"late-{name}", f"some tokens, then what @stream-{name} sends", twists.fail_late(frame))
        for name, (_, frame) in twists.STREAM_ERRORS.items()
    ),
)
CONNECTION: Final = (
    Word("hang", "the headers never come", Silence.HANG),
    Word("slow", "a silence of two seconds before the first frame", Feature.SLOW),
    Word("stall", "some tokens, then silence", twists.stall),
    Word("cut", "some tokens, then the connection breaks in the middle of a line", twists.cut),
    Word("half", "some tokens, then a clean end without modelResponse", twists.half),
    Word("half-line", "some tokens, then a clean end in the middle of a line", twists.half_line),
    Word("empty", "200 without a single frame", twists.empty),
    Word("garbage", "lines that are not JSON, wrong types in every field", twists.garbage),
    Word("types", "the good answer, and each of its frames with a wrong type in every field", twists.types),
    Word("longline", "some tokens, then 4 MiB without a line end", twists.long_line),
    Word("endless-line", "some tokens, then 100 MiB without a line end", twists.endless_line),
    Word("page", "200 with an HTML page", always(replies.LOST_PAGE), Call.CHAT),
    Word("bomb", "a megabyte of gzip that unpacks to one line of 1 GiB", PACKED, Call.CHAT),
)
FRAMING: Final = (
    Word("unknown", "the good answer between unknown frames, odd fields and empty lines", twists.unknown),
    Word("sse", "each line with the prefix data:, at the end data: [DONE]", twists.as_sse),
    Word("trickle", "the bytes dribble, split inside lines and characters", twists.trickle),
    Word("onechunk", "the whole answer in one piece", twists.one_chunk),
)

GROUPS: Final = {
    "What the answer contains": CONTENT,
    "Refused with an HTTP status": REFUSALS,
    "Errors inside a stream that began with 200": STREAM_ERRORS,
    "Trouble with the connection": CONNECTION,
    "Unusual framing of a good answer": FRAMING,
    "Pictures and videos": DRAWN,
    "The socket that draws pictures": SOCKET,
    "Files, media posts and upscaling": FILES,
    "Account setup": SETUP,
    "Quota": QUOTA,
    "Voice": VOICE,
}
"""The words as people read them, group by group."""

TABLE: Final = {word.name: word for group in GROUPS.values() for word in group}
"""Every word by name. Words that change the stream apply in this order."""

ACTING: Final = {call: {name: word for name, word in TABLE.items() if word.call in (None, call)} for call in Call}
"""The words that each call knows. To another call they are ordinary text."""

RULES: Final = (
    "Put a word anywhere into the message, or at the end of an account's name (sandbox-basic-@429), to see fail-over.",
    "In a name, a refusal and @hang act on every call of the account.",
    "Words for files, account setup, quota and voice (upload-…, terms-…) act in a name only, and on one call only.",
    "On the socket that draws, a word in the prompt is too late for an HTTP status: it gives an error frame.",
    "Written @once-…, it acts on the first of two identical requests only, so that a retry succeeds.",
    "Earlier turns of a conversation don't count.",
    "Several words work together, in a name too (sandbox-basic-1-@limits-zero-@terms-7).",
    "An account has the super tier when its name says super, and a quota of 3 when it says quota3.",
)


def describe_faults() -> str:
    """The magic words with their rules, as text for a terminal."""
    width = max(map(len, TABLE)) + 3
    lines = [*RULES]
    for title, words in GROUPS.items():
        lines += ["", f"{title}:", *(f"  {'@' + word.name:<{width}}{word.does}" for word in words)]
    return "\n".join(lines)
