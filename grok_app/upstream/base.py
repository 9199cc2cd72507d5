"""What any way to Grok offers: one method per capability, typed frames, and errors by kind."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol


class ErrorKind(StrEnum):
    """Why Grok did not serve a request; decides what happens to the account and to the request."""

    INVALID_CREDENTIAL = "invalid_credential"
    """The account's sign-in is not accepted."""
    BLOCKED_ACCOUNT = "blocked_account"
    """The account is not welcome any more."""
    ANTI_BOT = "anti_bot"
    """Our way of connecting was refused; the account is innocent."""
    MODERATED = "moderated"
    """The content was refused; neither account nor network is to blame."""
    WITHHELD = "withheld"
    """What was begun never came, and nothing says why: the content was refused, or the account is not welcome."""
    RATE_LIMITED = "rate_limited"
    """The account has had enough for now."""
    UNAVAILABLE = "unavailable"
    """Grok, or the way to it, has a fault that may pass."""
    TIMEOUT = "timeout"
    """No answer, or no more of it, within the time limit."""
    PROTOCOL = "protocol"
    """An answer that we don't understand, or a request that Grok doesn't."""


class UpstreamError(Exception):
    """Grok did not serve a request.

    Attributes:
        kind: What it means.
        status: The HTTP status, or None when there was none or the failure came within a stream.
        retry_after_s: How long Grok asked us to wait, when it said so.
        grpc: What a gRPC-web call answered, when it got that far.
    """

    def __init__(
        self,
        kind: ErrorKind,
        message: str,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
        grpc: "GrpcStatus | None" = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.status = status
        self.retry_after_s = retry_after_s
        self.grpc = grpc


@dataclass(frozen=True, slots=True)
class GrpcStatus:
    """How a gRPC-web call ended."""

    code: int
    """0: it succeeded. Source: gRPC's status codes."""
    message: str


@dataclass(frozen=True, slots=True)
class Quota:
    """What an account has left."""

    remaining: int
    window_s: int | None
    """After so many seconds it is expected to be full again; None when Grok didn't say."""


@dataclass(frozen=True, slots=True)
class SetupReply:
    """Grok's yes to a change of an account's own settings."""

    http_status: int
    """That of Grok's answer; not always 2xx, as with a date of birth that was set before (429)."""
    grpc: GrpcStatus | None
    """None for a call that is not gRPC-web."""


@dataclass(frozen=True, slots=True)
class ChatPrompt:
    """One text for one answer, as Grok takes it."""

    message: str
    model: str
    """`modelName` on the wire."""
    mode: str
    """`modelMode` on the wire."""
    temperature: float
    top_p: float
    reasoning_effort: str | None
    attachments: tuple[str, ...] = ()
    """The ids of uploaded files that belong to the text, in its order."""


@dataclass(slots=True)
class StartFrame:
    """Says who answers. Comes before the tokens, perhaps more than once."""

    response_id: str | None
    fingerprint: str | None


@dataclass(slots=True)
class TokenFrame:
    """Pieces of text as Grok sent them, markup and all: those that arrived together and are of one kind."""

    texts: list[str]
    """At least one, and none of them empty."""
    is_thinking: bool
    rollout_id: str | None
    """Which of several agents speaks."""


@dataclass(slots=True)
class CardFrame:
    """A found image, to be shown where the text refers to the card."""

    card_id: str
    title: str
    url: str


@dataclass(slots=True)
class DrawingFrame:
    """How far a picture is that Grok draws for the answer."""

    index: int
    """Which of the pictures, from 0."""
    percent: int


@dataclass(slots=True)
class EndFrame:
    """The answer is complete."""

    message: str
    """The whole answer with its markup; may be empty."""
    pictures: tuple[str, ...] = ()
    """Where the drawn pictures are, in Grok's order and without refused ones: to be given to `download`."""


Frame = StartFrame | TokenFrame | CardFrame | DrawingFrame | EndFrame
Burst = list[Frame]
"""What arrived together, in its order; never empty."""


class Upstream(Protocol):
    """A way to Grok: grok.com with a browser's session, later the official API."""

    def chat(self, credential: str, prompt: ChatPrompt) -> AsyncGenerator[Burst, None]:
        """Ask, and give the frames as they arrive; the last one is an EndFrame.

        Frames that one read from the network brought come together. None waits for another.

        Closing the generator ends the request at once.

        Raises:
            UpstreamError: At any point; before the first frame or in the middle.
        """
        ...

    async def quota(self, credential: str) -> Quota:
        """Ask what the account has left.

        Raises:
            UpstreamError: There was no answer, or none that makes sense.
        """
        ...

    async def accept_terms(self, credential: str) -> SetupReply:
        """Accept the terms of use in the account owner's name; accepting them again is fine.

        Raises:
            UpstreamError: Grok refused.
        """
        ...

    async def set_birth_date(self, credential: str, birth_date: date) -> SetupReply:
        """State the account owner's date of birth; one that is set already is fine and stays.

        Raises:
            UpstreamError: Grok refused.
        """
        ...

    async def show_adult_content(self, credential: str) -> SetupReply:
        """Switch the account's adult content on; on already is fine.

        Raises:
            UpstreamError: Grok refused.
        """
        ...
