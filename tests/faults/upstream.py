"""What clients get when Grok fails: in its answers, on its socket, with its files, and in a task over accounts."""

from collections.abc import Iterable
from typing import Final

from tests.faults import relay
from tests.faults.promises import (
    BLOCKED,
    FAILED,
    GOOD,
    LATE,
    LIMITED,
    REFUSED,
    after_previews,
    at_once,
    but,
    in_the_middle,
    on_socket,
    only,
)
from tests.faults.switches import BROKEN, SILENT, breaking, connection_faults
from tests.faults.table import Fault, Seen, Table
from tests.faults.workloads import (
    ATTACH,
    BATCH,
    CHAT_STREAM,
    CHAT_WHOLE,
    DRAW_STREAM,
    DRAW_WHOLE,
    DRAWN,
    EDITED,
    FILM,
    RUN_SSE,
    RUN_WS,
)

CHATS: Final = "/rest/app-chat/conversations/new"
SOCKET: Final = "/ws/imagine/listen"
UPLOAD: Final = "/rest/app-chat/upload-file"
DOWNLOAD: Final = "/users/"
QUOTA: Final = "/rest/rate-limits"
STORM: Final = 8
"""So many clients at once in a storm, and so many accounts."""

BAD_CHUNK: Final = relay.HEAD + b"Transfer-Encoding: chunked\r\n\r\nlong\r\n{}\n\r\n0\r\n\r\n"


def denied(status: bytes, *, body: bytes = b"{}") -> relay.Behaviour:
    """An HTTP answer in place of what was asked for."""
    return relay.answering(b"HTTP/1.1 " + status + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


ANSWERS: Final = Table(
    "answer",
    "Grok's answer",
    "What fails is the call that chats, edits and videos are made with.",
    (CHAT_STREAM, CHAT_WHOLE, EDITED, FILM),
    (
        *connection_faults(CHATS),
        Fault("late-reset", "the connection is reset in the middle", switch=breaking(relay.late_reset, CHATS)),
        Fault("heralds", "provisional answers (103) for ever", switch=breaking(relay.heralds, CHATS), is_silence=True),
        Fault("redirect", "status 302", switch=breaking(denied(b"302 Found\r\nLocation: /elsewhere"), CHATS)),
        Fault("bad-chunk", "a chunk that has no length", switch=breaking(relay.answering(BAD_CHUNK), CHATS)),
        Fault("hang", "no answer begins", "hang", is_silence=True),
        Fault("stall", "silence in the middle", "stall", is_silence=True),
        Fault("cut", "the connection is closed in the middle of a line", "cut"),
        Fault("half", "the answer ends without its last frame", "half"),
        Fault("half-line", "the answer ends in the middle of a line", "half-line"),
        Fault("empty", "the answer is empty", "empty"),
        Fault("page", "status 200 and an HTML page", "page"),
        Fault("garbage", "lines that are no JSON, and nothing else", "garbage"),
        Fault("types", "every frame comes also with a wrong type in every field", "types"),
        Fault("endless-line", "100 MiB without a line end", "endless-line"),
        Fault("bomb", "a megabyte of gzip that unpacks to 1 GiB", "bomb"),
        Fault("429", "status 429", "429"),
        Fault("late-429", "the frame of a rate limit in the middle", "late-429"),
        Fault("401", "status 401", "401"),
        Fault("403-blocked", "status 403, the account is blocked", "403-blocked"),
        Fault("403-challenge", "status 403, Cloudflare's challenge", "403-challenge"),
        Fault("403-moderated", "status 403, the content is refused", "403-moderated"),
        Fault("500", "status 500", "500"),
        Fault("502", "status 502, HTML of a proxy", "502"),
        Fault("503", "status 503", "503"),
        Fault(
            "storm-429",
            f"{STORM} clients at once, and status 429 for all accounts",
            "429",
            accounts=STORM,
            callers=STORM,
        ),
        Fault("storm-401", "the same with 401", "401", accounts=STORM, callers=STORM),
        Fault("storm-403", "the same with a challenge", "403-challenge", accounts=STORM, callers=STORM),
        Fault("storm-503", "the same with 503", "503", accounts=STORM, callers=STORM),
    ),
    {
        **dict.fromkeys(BROKEN, at_once(FAILED)),
        **dict.fromkeys((*SILENT, "heralds", "hang"), at_once(LATE)),
        **dict.fromkeys(("redirect", "bad-chunk"), at_once(FAILED)),
        "late-reset": but(in_the_middle(FAILED), "edits"),
        **dict.fromkeys(("cut", "half", "half-line", "endless-line"), in_the_middle(FAILED)),
        "stall": in_the_middle(LATE),
        "types": GOOD,
        **dict.fromkeys(("empty", "page", "garbage", "bomb"), at_once(FAILED)),
        **dict.fromkeys(("401", "403-blocked", "403-challenge", "500", "502", "503"), at_once(FAILED)),
        "429": at_once(LIMITED),
        "late-429": in_the_middle(LIMITED),
        "403-moderated": at_once(REFUSED),
        "storm-429": only(at_once(LIMITED), "chat-stream", "video"),
        **dict.fromkeys(("storm-401", "storm-403", "storm-503"), only(at_once(FAILED), "chat-stream", "video")),
    },
)


DRAWING: Final = Table(
    "socket",
    "Grok's socket",
    "What fails is the WebSocket that pictures are drawn on.",
    (DRAW_WHOLE, DRAW_STREAM, RUN_SSE, RUN_WS),
    (
        *connection_faults(SOCKET),
        Fault("denied-429", "the socket is refused with 429", switch=breaking(denied(b"429 No"), SOCKET)),
        Fault("denied-401", "the same with 401", switch=breaking(denied(b"401 No"), SOCKET)),
        Fault("denied-403", "the same with 403", switch=breaking(denied(b"403 No"), SOCKET)),
        Fault("denied-503", "the same with 503", switch=breaking(denied(b"503 No"), SOCKET)),
        Fault("no-socket", "status 200 and an HTML page", switch=breaking(denied(b"200 OK", body=b"<html>"), SOCKET)),
        Fault("silent", "nothing comes", "ws-silent", is_silence=True),
        Fault("blocked", "previews, then silence", "blocked", is_silence=True),
        Fault("closed", "the socket is closed after the previews", "ws-close"),
        Fault(
            "late-reset",
            "the connection is reset in the middle of a picture",
            switch=breaking(relay.late_reset, SOCKET),
        ),
        Fault("error", "an error frame", "ws-error"),
        Fault("limited", "the frame of a rate limit", "ws-429"),
        Fault("garbage", "messages that are no JSON, then the socket is closed", "ws-garbage"),
        Fault("types", "the good messages, each also with a wrong type in every field", "ws-types"),
        Fault("huge", "a message of 40 MiB", "ws-huge"),
        Fault("moderated", "all pictures are refused", "moderated"),
        Fault(
            "storm-429", f"{STORM} clients at once, and no account may draw", "ws-429", accounts=STORM, callers=STORM
        ),
    ),
    {
        **dict.fromkeys((*BROKEN, "denied-401", "denied-403", "denied-503", "no-socket"), on_socket(FAILED)),
        **dict.fromkeys((*SILENT, "silent"), on_socket(LATE)),
        **dict.fromkeys(("error", "garbage", "huge"), on_socket(FAILED)),
        **dict.fromkeys(("denied-429", "limited", "storm-429"), on_socket(LIMITED)),
        "late-reset": on_socket(FAILED),
        "closed": after_previews(FAILED),
        "blocked": after_previews(BLOCKED),
        "moderated": after_previews(REFUSED),
        "types": only(GOOD, "images", "images-stream", "run-sse", "run-ws"),
    },
)


def _file_faults(call: str, path: str) -> Iterable[Fault]:
    yield from connection_faults(path)
    yield Fault("hang", "no answer begins", in_name=f"{call}-hang", is_silence=True)
    yield Fault("page", "status 200 and an HTML page", in_name=f"{call}-page")
    yield Fault("bomb", "a megabyte of gzip that unpacks to 1 GiB", in_name=f"{call}-bomb")
    yield Fault("429", "status 429", in_name=f"{call}-429")
    yield Fault("401", "status 401", in_name=f"{call}-401")
    yield Fault("500", "status 500", in_name=f"{call}-500")


UPLOADS: Final = Table(
    "upload",
    "Files on their way to Grok",
    "What fails is the upload of the picture that the client gives.",
    (ATTACH, EDITED),
    (
        *_file_faults("upload", UPLOAD),
        Fault("413", "status 413", in_name="upload-413"),
        Fault("empty", "an empty JSON object", in_name="upload-empty"),
        Fault("types", "a wrong type in every field", in_name="upload-types"),
    ),
    {
        **dict.fromkeys((*BROKEN, "page", "bomb", "401", "500", "413", "empty", "types"), at_once(FAILED)),
        **dict.fromkeys((*SILENT, "hang"), at_once(LATE)),
        "429": at_once(LIMITED),
    },
)


def lost(code: str) -> dict[str, Seen]:
    """What was made can't be had: an error, but where there is a text beside it."""
    return {**at_once(code), DRAWN.name: GOOD[DRAWN.name]}


DOWNLOADS: Final = Table(
    "download",
    "Files on their way from Grok",
    "What fails is the download of what Grok has made. Where the answer has a text of its own, that is not lost.",
    (DRAWN, EDITED, FILM),
    (
        *_file_faults("download", DOWNLOAD),
        Fault("404", "status 404", in_name="download-404"),
        Fault("cut", "the connection is closed in the middle of the file", in_name="download-cut"),
    ),
    {
        **dict.fromkeys(BROKEN, only(lost(FAILED), "edits")),
        **dict.fromkeys(SILENT, only(lost(LATE), "edits")),
        **dict.fromkeys(("page", "401", "500", "404", "cut"), lost(FAILED)),
        "bomb": but(lost(FAILED), "video"),
        "hang": lost(LATE),
        "429": lost(LIMITED),
    },
)


def refreshed(ok: int) -> dict[str, Seen]:
    """The task comes to its end, with so many of three."""
    return {BATCH.name: Seen(200, None, f"{ok} refreshed, {3 - ok} failed", "done")}


QUOTAS: Final = Table(
    "quota",
    "A task over many accounts",
    "What fails is the call that asks for an account's quota.",
    (BATCH,),
    tuple(
        Fault(
            fault.name, fault.does, in_name=fault.in_name, switch=fault.switch, is_silence=fault.is_silence, accounts=3
        )
        for fault in (
            *connection_faults(QUOTA),
            Fault("hang", "no answer begins", in_name="limits-hang", is_silence=True),
            Fault("garbage", "status 200 and an HTML page", in_name="limits-garbage"),
            Fault("empty", "an empty JSON object", in_name="limits-empty"),
            Fault("types", "a wrong type in every field", in_name="limits-types"),
            Fault("bomb", "a megabyte of gzip that unpacks to 1 GiB", in_name="limits-bomb"),
            Fault("429", "status 429", in_name="limits-429"),
            Fault("401", "status 401", in_name="limits-401"),
            Fault("500", "status 500", in_name="limits-500"),
        )
    ),
    dict.fromkeys(
        (*BROKEN, *SILENT, "hang", "garbage", "empty", "types", "bomb", "429", "401", "500"),
        refreshed(0),
    ),
)
TABLES: Final = (ANSWERS, DRAWING, UPLOADS, DOWNLOADS, QUOTAS)
