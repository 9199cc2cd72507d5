"""How Grok is reached: what the settings say, in the words of the way there."""

from grok_app.settings import Settings
from grok_app.upstream import GrokWebOptions


def grokweb_options(settings: Settings) -> GrokWebOptions:
    """What a request to Grok goes by."""
    return GrokWebOptions(
        base_url=settings.upstream.grok_url,
        accounts_url=settings.upstream.accounts_url,
        assets_url=settings.upstream.assets_url,
        proxy=settings.proxy.base_proxy_url.get_secret_value(),
        asset_proxy=settings.proxy.asset_proxy_url.get_secret_value(),
        browser=settings.proxy.browser,
        user_agent=settings.proxy.user_agent,
        cf_clearance=settings.proxy.cf_clearance,
        extra_headers=settings.upstream.extra_headers,
        dynamic_statsig=settings.app.dynamic_statsig,
        is_temporary=settings.app.temporary,
        disable_memory=settings.app.disable_memory,
        first_frame_timeout_s=settings.chat.timeout,
        idle_timeout_s=settings.chat.stream_timeout,
        quota_timeout_s=settings.usage.timeout,
        setup_timeout_s=settings.nsfw.timeout,
        image_first_frame_timeout_s=settings.image.timeout,
        image_idle_timeout_s=settings.image.stream_timeout,
        video_first_frame_timeout_s=settings.video.timeout,
        video_idle_timeout_s=settings.video.stream_timeout,
        upload_timeout_s=settings.asset.upload_timeout,
        download_timeout_s=settings.asset.download_timeout,
        list_timeout_s=settings.asset.list_timeout,
        delete_timeout_s=settings.asset.delete_timeout,
        voice_timeout_s=settings.voice.timeout,
    )
