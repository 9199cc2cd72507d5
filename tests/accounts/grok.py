"""Grok as account tests need it: tells quotas and takes set-up steps, or fails as the test says."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import date

from grok_app.upstream import Burst, ChatPrompt, GrpcStatus, Quota, SetupReply, UpstreamError


class ScriptedGrok:
    """Answers by the credential; what isn't scripted is a quota of 50 in two hours, and a yes.

    Attributes:
        quotas: What is left, or why it isn't told.
        refusals: Why a step is refused, by the step's name and the credential.
        answering: Set while it tells quotas; cleared, it lets whoever asks wait.
        was_asked: Set when a quota was asked for.
        asked: Every call, `("quota", "<credential>")` and the like, in order.
    """

    def __init__(self) -> None:
        self.quotas: dict[str, Quota | UpstreamError] = {}
        self.refusals: dict[tuple[str, str], UpstreamError] = {}
        self.asked: list[tuple[str, str]] = []
        self.birth_date: date | None = None
        self.was_asked = asyncio.Event()
        self.answering = asyncio.Event()
        self.answering.set()

    def chat(self, credential: str, prompt: ChatPrompt) -> AsyncGenerator[Burst, None]:
        """No account test chats."""
        raise AssertionError(credential, prompt)

    async def quota(self, credential: str) -> Quota:
        """Tell it."""
        self.asked.append(("quota", credential))
        self.was_asked.set()
        await self.answering.wait()
        told = self.quotas.get(credential, Quota(50, 7200))
        if isinstance(told, UpstreamError):
            raise told
        return told

    async def accept_terms(self, credential: str) -> SetupReply:
        """The first step."""
        return self._step("terms", credential, GrpcStatus(0, ""))

    async def set_birth_date(self, credential: str, birth_date: date) -> SetupReply:
        """The second step."""
        self.birth_date = birth_date
        return self._step("birth date", credential, None)

    async def show_adult_content(self, credential: str) -> SetupReply:
        """The third step."""
        return self._step("adult content", credential, GrpcStatus(0, ""))

    def _step(self, name: str, credential: str, grpc: GrpcStatus | None) -> SetupReply:
        self.asked.append((name, credential))
        if refusal := self.refusals.get((name, credential)):
            raise refusal
        return SetupReply(200, grpc)
