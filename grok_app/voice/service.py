"""Passes for voice sessions. Source: API contract, section 9; protocol notes, section 8.1, [F]."""

from typing import Final

from grok_app.accounts import Accounts, Failover, Lease, as_gateway_errors
from grok_app.catalog import Pool
from grok_app.errors import OverloadedError, RateLimitedError
from grok_app.settings import SettingsService
from grok_app.trace import note_request
from grok_app.upstream import VoicePrompt, VoiceToken, VoiceUpstream
from grok_app.voice.types import VoicePass, VoiceRequest

_POOLS: Final = (Pool.BASIC, Pool.SUPER)
_VOICE: Final = "voice"
"""Stands for a model in the record of requests."""
_COST: Final = 0
"""A session takes nothing from the quota of chats. An account that rests is not asked all the same."""


class VoiceService:
    """Asks for passes.

    Args:
        upstream: Who gives them.
        accounts: Who asks.
        settings: Where sessions are held.
    """

    def __init__(self, upstream: VoiceUpstream, accounts: Accounts, settings: SettingsService) -> None:
        self._upstream = upstream
        self._accounts = accounts
        self._settings = settings

    async def token(self, request: VoiceRequest) -> VoicePass:
        """Get a pass for one session, from the first account that is given one.

        Raises:
            OverloadedError: There is no account, or those that were asked have had enough for now.
            GatewayError: Grok gave none for another reason.
        """
        settings = self._settings.snapshot
        note_request(_VOICE, "", keeps_content=False)
        url = settings.voice.livekit_url
        prompt = VoicePrompt(request.voice, request.personality, request.speed, url)

        async def ask(lease: Lease) -> VoiceToken:
            return await self._upstream.voice_token(lease.credential.get_secret_value(), prompt)

        try:
            with as_gateway_errors():
                given = await Failover(self._accounts, settings).call(_POOLS, _COST, ask)
        except RateLimitedError as error:
            message = "No available tokens for voice mode"
            raise OverloadedError(message, code="no_token", retry_after_s=error.retry_after_s) from error
        return VoicePass(given.token, url, given.participant_name, given.room_name)
