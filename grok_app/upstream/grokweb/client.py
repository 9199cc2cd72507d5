"""grok.com as an `Upstream`, a `MediaUpstream` and a `VoiceUpstream`."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import date

from grok_app.upstream.base import Burst, ChatPrompt, Quota, SetupReply
from grok_app.upstream.grokweb import assets, download, imagine, limits, posts, setup, upload, voice
from grok_app.upstream.grokweb.chat import chat_conversation
from grok_app.upstream.grokweb.conversation import converse, one_by_one
from grok_app.upstream.grokweb.edit import EditReader, edit_conversation
from grok_app.upstream.grokweb.frames import FrameReader
from grok_app.upstream.grokweb.headers import GrokWebOptions
from grok_app.upstream.grokweb.transport import Transport
from grok_app.upstream.grokweb.video import VideoReader, video_conversation
from grok_app.upstream.media import (
    Asset,
    Download,
    EditPrompt,
    ImagePost,
    ImageProgress,
    ImagesDone,
    ImaginePrompt,
    MediaKind,
    PictureEnd,
    PictureFrame,
    Upload,
    Uploaded,
    VideoDone,
    VideoPost,
    VideoProgress,
    VideoPrompt,
)
from grok_app.upstream.voice import VoicePrompt, VoiceToken


class GrokWeb:
    """Speaks to grok.com with an account's SSO token as the credential."""

    def __init__(self, transport: Transport, options: Callable[[], GrokWebOptions]) -> None:
        self._transport = transport
        self._options = options

    def chat(self, credential: str, prompt: ChatPrompt) -> AsyncGenerator[Burst, None]:
        """See `Upstream.chat`."""
        options = self._options()
        asked = chat_conversation(prompt, options)
        return converse(self._transport, options, credential, asked, FrameReader())

    async def quota(self, credential: str) -> Quota:
        """See `Upstream.quota`."""
        return await limits.ask_quota(self._transport, self._options(), credential)

    async def accept_terms(self, credential: str) -> SetupReply:
        """See `Upstream.accept_terms`."""
        return await setup.accept_terms(self._transport, self._options(), credential)

    async def set_birth_date(self, credential: str, birth_date: date) -> SetupReply:
        """See `Upstream.set_birth_date`."""
        return await setup.set_birth_date(self._transport, self._options(), credential, birth_date)

    async def show_adult_content(self, credential: str) -> SetupReply:
        """See `Upstream.show_adult_content`."""
        return await setup.show_adult_content(self._transport, self._options(), credential)

    async def upload(self, credential: str, file: Upload) -> Uploaded:
        """See `MediaUpstream.upload`."""
        return await upload.upload(self._transport, self._options(), credential, file)

    def download(
        self, credential: str, address: str, *, kind: MediaKind, limit_bytes: int
    ) -> AbstractAsyncContextManager[Download]:
        """See `MediaUpstream.download`."""
        options = self._options()
        return download.download(self._transport, options, credential, address, kind=kind, limit_bytes=limit_bytes)

    def assets(self, credential: str) -> AsyncGenerator[Asset, None]:
        """See `MediaUpstream.assets`."""
        return assets.list_assets(self._transport, self._options(), credential)

    async def delete_asset(self, credential: str, asset_id: str) -> None:
        """See `MediaUpstream.delete_asset`."""
        await assets.delete_asset(self._transport, self._options(), credential, asset_id)

    async def create_post(self, credential: str, post: ImagePost | VideoPost) -> str:
        """See `MediaUpstream.create_post`."""
        return await posts.create_post(self._transport, self._options(), credential, post)

    async def upscale(self, credential: str, video_id: str) -> str:
        """See `MediaUpstream.upscale`."""
        return await posts.upscale(self._transport, self._options(), credential, video_id)

    def edit_images(self, credential: str, prompt: EditPrompt) -> AsyncGenerator[ImageProgress | ImagesDone, None]:
        """See `MediaUpstream.edit_images`."""
        options = self._options()
        asked = edit_conversation(prompt, options)
        return one_by_one(converse(self._transport, options, credential, asked, EditReader()))

    def video(self, credential: str, prompt: VideoPrompt) -> AsyncGenerator[VideoProgress | VideoDone, None]:
        """See `MediaUpstream.video`."""
        options = self._options()
        asked = video_conversation(prompt, options)
        return one_by_one(converse(self._transport, options, credential, asked, VideoReader()))

    def imagine(self, credential: str, prompt: ImaginePrompt) -> AsyncGenerator[PictureFrame | PictureEnd, None]:
        """See `MediaUpstream.imagine`."""
        return imagine.imagine(self._transport, self._options(), credential, prompt)

    async def voice_token(self, credential: str, prompt: VoicePrompt) -> VoiceToken:
        """See `VoiceUpstream.voice_token`."""
        return await voice.voice_token(self._transport, self._options(), credential, prompt)


@asynccontextmanager
async def open_grokweb(options: Callable[[], GrokWebOptions]) -> AsyncGenerator[GrokWeb, None]:
    """A client whose connections are closed when the block ends.

    Args:
        options: Called once per request, so that changed settings are in force at the next one.
    """
    transport = Transport()
    try:
        yield GrokWeb(transport, options)
    finally:
        await transport.close()
