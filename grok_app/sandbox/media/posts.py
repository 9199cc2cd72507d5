"""Media posts, which edits and videos begin with, and the upscaling of videos.

Source: protocol notes, sections 4.3, 5.1, 5.4 and 11.12. The refusals are INFERRED.
"""

from typing import Final

from grok_app.sandbox.exchange import Asked, Outcome
from grok_app.sandbox.media.files import file_of, path_of
from grok_app.sandbox.media.library import Asset
from grok_app.sandbox.replies import RefusedError, json_reply, refusal
from grok_app.sandbox.state import Sandbox

ASSETS_URL: Final = "https://assets.grok.com/"
_IMAGE: Final = "MEDIA_POST_TYPE_IMAGE"
_VIDEO: Final = "MEDIA_POST_TYPE_VIDEO"


def decide_post(sandbox: Sandbox, asked: Asked) -> Outcome:
    """Create a post: an image post shows a file of the account, a video post has a prompt alone.

    Raises:
        RefusedError: A field is missing or wrong, or the file isn't there.
    """
    kind, url, prompt = (asked.fields.get(name) for name in ("mediaType", "mediaUrl", "prompt"))
    if kind == _IMAGE and isinstance(url, str):
        file_of(sandbox, asked.account, url)
        return _created(sandbox, path_of(url))
    if kind == _VIDEO and isinstance(prompt, str):
        return _created(sandbox, None)
    raise RefusedError(refusal(400, 3, f"A post needs mediaType {_IMAGE} and mediaUrl, or {_VIDEO} and prompt"))


def decide_upscale(sandbox: Sandbox, asked: Asked) -> Outcome:
    """Offer a video of the account in high resolution; the sandbox serves the same bytes.

    Raises:
        RefusedError: `videoId` is none of its videos.
    """
    video_id = asked.fields.get("videoId")
    video = sandbox.library.find(video_id, asked.account) if isinstance(video_id, str) else None
    path = _video_path(video)
    if video is None or path is None:
        raise RefusedError(refusal(404, 5, "Video not found"))
    hd_path = path.replace("generated_video.mp4", "generated_video_hd.mp4")
    sandbox.library.add_file(video, hd_path, video.files[path])
    return json_reply({"hdMediaUrl": ASSETS_URL + hd_path})


def _created(sandbox: Sandbox, media_path: str | None) -> Outcome:
    return json_reply({"post": {"id": sandbox.library.add_post(media_path)}})


def _video_path(asset: Asset | None) -> str | None:
    return next((path for path in asset.files if path.endswith("/generated_video.mp4")), None) if asset else None
