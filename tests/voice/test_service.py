"""Passes for voice: who is asked, what it costs, and what the caller is told."""

import asyncio
from contextlib import suppress

import pytest

from grok_app.accounts import Status
from grok_app.catalog import Pool
from grok_app.errors import GatewayError, OverloadedError, UpstreamFailedError, UpstreamTimeoutError
from grok_app.upstream import ErrorKind, UpstreamError, VoicePrompt, VoiceToken
from grok_app.voice import VoicePass, VoiceRequest, VoiceService
from tests.crew import Crew

REQUEST = VoiceRequest("rex", "storyteller", 1.25)
URL = "wss://livekit.grok.com"
GOOD = VoiceToken("J", "user-1", "room-1")
BAD_CREDENTIAL = UpstreamError(ErrorKind.INVALID_CREDENTIAL, "who?", status=401)
LIMITED = UpstreamError(ErrorKind.RATE_LIMITED, "enough", status=429, retry_after_s=37)
LATE = UpstreamError(ErrorKind.TIMEOUT, "late")
NONSENSE = UpstreamError(ErrorKind.PROTOCOL, "Grok's answer about the voice token has no text 'token'", status=200)
NEVER = None


class Voices:
    """Grok, which says what it is told to, once for each call."""

    def __init__(self, *said: VoiceToken | UpstreamError | None) -> None:
        self._said = list(said)
        self.asked: list[str] = []
        self.prompts: list[VoicePrompt] = []
        self.called = asyncio.Event()

    async def voice_token(self, credential: str, prompt: VoicePrompt) -> VoiceToken:
        """The next answer; none ever for NEVER."""
        self.asked.append(credential)
        self.prompts.append(prompt)
        self.called.set()
        said = self._said.pop(0)
        if said is NEVER:
            await asyncio.Event().wait()
        if isinstance(said, UpstreamError):
            raise said
        assert said
        return said


def service(crew: Crew, voices: Voices) -> VoiceService:
    """Under test."""
    return VoiceService(voices, crew.accounts, crew.settings)


async def failure(crew: Crew, voices: Voices) -> GatewayError:
    """What a caller is told who gets no pass."""
    with pytest.raises(GatewayError) as raised:
        await service(crew, voices).token(REQUEST)
    assert crew.is_at_rest()
    return raised.value


async def test_a_pass_has_what_a_client_needs(crew: Crew) -> None:
    """Grok's token and names, and the address of the settings; Grok is asked for what the caller wants."""
    await crew.hire("anna")
    voices = Voices(GOOD)
    assert await service(crew, voices).token(REQUEST) == VoicePass("J", URL, "user-1", "room-1")
    assert (voices.asked, voices.prompts) == (["anna"], [VoicePrompt("rex", "storyteller", 1.25, URL)])


async def test_the_address_is_the_settings(crew: Crew) -> None:
    """For Grok and for the caller alike."""
    await crew.hire("anna")
    await crew.settings.store({"voice.livekit_url": "ws://127.0.0.1:7880"})
    voices = Voices(GOOD)
    given = await service(crew, voices).token(REQUEST)
    assert given.url == voices.prompts[0].livekit_url == "ws://127.0.0.1:7880"


async def test_a_pass_takes_nothing_from_the_quota(crew: Crew) -> None:
    """But it is a use of the account, which is given back at once."""
    await crew.hire("anna")
    await service(crew, Voices(GOOD)).token(REQUEST)
    account = crew.roster.find("anna")
    assert account
    assert (crew.used(), account.use_count) == ({}, 1)
    assert crew.is_at_rest()


async def test_basic_accounts_are_asked_first(crew: Crew) -> None:
    """Super accounts are spared as long as another one can serve."""
    await crew.hire("susan", pool=Pool.SUPER)
    await crew.hire("anna")
    voices = Voices(BAD_CREDENTIAL, GOOD)
    await service(crew, voices).token(REQUEST)
    assert voices.asked == ["anna", "susan"]


@pytest.mark.parametrize("refused", [BAD_CREDENTIAL, LIMITED, LATE], ids=["401", "429", "late"])
async def test_the_next_account_is_asked(crew: Crew, refused: UpstreamError) -> None:
    """After whatever may be that account's alone."""
    await crew.hire("anna", "bert")
    voices = Voices(refused, GOOD)
    assert (await service(crew, voices).token(REQUEST)).token == "J"
    assert sorted(voices.asked) == ["anna", "bert"]


async def test_without_accounts_there_is_no_voice(crew: Crew) -> None:
    """And nobody is asked."""
    voices = Voices()
    error = await failure(crew, voices)
    assert isinstance(error, OverloadedError)
    assert (error.message, error.code) == ("No available tokens for voice mode", "no_token")
    assert error.retry_after_s is None
    assert voices.asked == []


@pytest.mark.parametrize("count", [1, 3, 4])
async def test_limited_accounts_are_as_good_as_none(crew: Crew, count: int) -> None:
    """Whether none is left or enough were tried; the caller learns when one will be free."""
    await crew.hire(*(f"account-{number}" for number in range(count)))
    voices = Voices(*[LIMITED] * count)
    error = await failure(crew, voices)
    assert isinstance(error, OverloadedError)
    assert error.code == "no_token"
    assert error.retry_after_s is not None
    assert 36 < error.retry_after_s <= 37
    assert len(voices.asked) == min(count, 3)


async def test_a_limited_account_rests(crew: Crew) -> None:
    """Passes that follow are asked for by others."""
    await crew.hire("anna", "bert")
    voices = Voices(LIMITED, GOOD, GOOD, GOOD)
    for _ in range(3):
        await service(crew, voices).token(REQUEST)
    limited, *others = voices.asked
    account = crew.roster.find(limited)
    assert account
    assert account.status is Status.COOLING
    assert limited not in others


@pytest.mark.parametrize(
    ("said", "error", "message"),
    [
        (NONSENSE, UpstreamFailedError, "no text 'token'"),
        (BAD_CREDENTIAL, UpstreamFailedError, "who"),
        (LATE, UpstreamTimeoutError, "late"),
    ],
    ids=["no token", "401", "late"],
)
async def test_other_failures_are_told_as_everywhere(
    crew: Crew, said: UpstreamError, error: type[GatewayError], message: str
) -> None:
    """502 or 504, with what Grok said."""
    await crew.hire("anna")
    with pytest.raises(error, match=message):
        await service(crew, Voices(said)).token(REQUEST)


async def test_an_answer_without_a_token_is_not_tried_again(crew: Crew) -> None:
    """Another account would get the same."""
    await crew.hire("anna", "bert")
    voices = Voices(NONSENSE, GOOD)
    assert isinstance(await failure(crew, voices), UpstreamFailedError)
    assert len(voices.asked) == 1


async def test_whoever_goes_away_gives_the_account_back(crew: Crew) -> None:
    """At once, and without a mark on it."""
    await crew.hire("anna")
    voices = Voices(NEVER)
    asking = asyncio.create_task(service(crew, voices).token(REQUEST))
    await voices.called.wait()
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking
    account = crew.roster.find("anna")
    assert account
    assert (account.use_count, account.last_fail_at_ms) == (0, None)
    assert crew.is_at_rest()


def test_a_token_is_shown_nowhere() -> None:
    """Not even where a pass is logged by mistake."""
    assert "secret" not in repr(VoicePass("secret", URL, "a", "b"))
