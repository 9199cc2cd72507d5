"""Everything that speaks to Grok. Takes a credential and options as arguments; knows no database and no pool."""

from grok_app.upstream.base import (
    CardFrame,
    ChatPrompt,
    EndFrame,
    ErrorKind,
    Frame,
    GrpcStatus,
    Quota,
    SetupReply,
    StartFrame,
    TokenFrame,
    Upstream,
    UpstreamError,
)
from grok_app.upstream.grokweb import GrokWeb, GrokWebOptions, open_grokweb

__all__ = [
    "CardFrame",
    "ChatPrompt",
    "EndFrame",
    "ErrorKind",
    "Frame",
    "GrokWeb",
    "GrokWebOptions",
    "GrpcStatus",
    "Quota",
    "SetupReply",
    "StartFrame",
    "TokenFrame",
    "Upstream",
    "UpstreamError",
    "open_grokweb",
]
