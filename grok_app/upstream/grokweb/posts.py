"""Posts, which edits and videos belong to, and upscaling. Source: protocol notes, sections 4.3, 5.1 and 5.4."""

from typing import Final

import orjson

from grok_app.upstream.grokweb.addresses import absolute
from grok_app.upstream.grokweb.headers import GrokWebOptions, json_headers
from grok_app.upstream.grokweb.transport import Transport
from grok_app.upstream.grokweb.unary import Question, Reply, ask
from grok_app.upstream.media import ImagePost, VideoPost

POST_PATH: Final = "/rest/media/post/create"
UPSCALE_PATH: Final = "/rest/media/video/upscale"


async def create_post(
    transport: Transport, options: GrokWebOptions, credential: str, post: ImagePost | VideoPost
) -> str:
    """See `MediaUpstream.create_post`."""
    if isinstance(post, ImagePost):
        body = {"mediaType": "MEDIA_POST_TYPE_IMAGE", "mediaUrl": absolute(post.address)}
    else:
        body = {"mediaType": "MEDIA_POST_TYPE_VIDEO", "prompt": post.prompt}
    reply = await _ask(transport, options, credential, POST_PATH, body)
    return reply.told_text("the post", "post", "id")


async def upscale(transport: Transport, options: GrokWebOptions, credential: str, video_id: str) -> str:
    """See `MediaUpstream.upscale`."""
    reply = await _ask(transport, options, credential, UPSCALE_PATH, {"videoId": video_id})
    return reply.told_text("the larger video", "hdMediaUrl")


async def _ask(
    transport: Transport, options: GrokWebOptions, credential: str, path: str, body: dict[str, str]
) -> Reply:
    headers = json_headers(options, credential, referer_path="")
    url = options.base_url.rstrip("/") + path
    return await ask(
        transport, options, Question(url, headers, orjson.dumps(body), options.video_first_frame_timeout_s)
    )
