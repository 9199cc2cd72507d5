"""The settings of what Grok is asked for: chats, pictures, videos, voice, files, account settings, quotas."""

from typing import Any

from grok_app.settings.types import PastDate, Section, SocketUrl, setting


def _seconds(default: float, title: str, text: str) -> Any:
    return setting(default, title, text, unit="s", ge=0.1, le=3600)


def _count(default: int, title: str, text: str) -> Any:
    return setting(default, title, text, ge=1, le=10_000)


def _bytes(default: int, title: str, text: str) -> Any:
    return setting(default, title, text, unit="bytes", ge=0, le=100_000_000)


class ChatSection(Section, title="Chats"):
    """How many chats at once, and how long we wait for them."""

    concurrent: int = _count(
        1000,
        "At once",
        "Most chats and requests of pictures under way at once, in each process. As many again wait a few seconds.",
    )
    timeout: float = _seconds(60.0, "First frame", "Longest wait for Grok's first frame.")
    stream_timeout: float = _seconds(60.0, "Silence", "Longest silence within an answer.")


class ImageSection(Section, title="Pictures"):
    """How long we wait for pictures, and when one counts as final or as blocked."""

    timeout: float = _seconds(60.0, "First frame", "Longest wait for the connection and its first frame.")
    stream_timeout: float = _seconds(60.0, "Silence", "Longest silence between two frames.")
    final_timeout: float = _seconds(
        15.0, "Final picture", "Wait for a final picture after the first medium one; then it was blocked."
    )
    blocked_grace_seconds: float = _seconds(
        10.0, "Grace", "Silence after a medium picture from which it counts as blocked."
    )
    nsfw: bool = setting(False, "Adult content", "Whether adult content is asked for when the request doesn't say.")
    medium_min_bytes: int = _bytes(30_000, "Medium", "A picture larger than this is medium, else a preview.")
    final_min_bytes: int = _bytes(100_000, "Final", "A picture larger than this is final.")
    blocked_parallel_enabled: bool = setting(
        True, "Try again when blocked", "Whether a blocked picture is asked for again, on several accounts at once."
    )
    blocked_parallel_attempts: int = setting(
        5, "Attempts when blocked", "Accounts asked at once for a blocked picture.", ge=1, le=20
    )


class VideoSection(Section, title="Videos"):
    """How many videos at once, and how long we wait for them."""

    concurrent: int = _count(
        100, "At once", "Most videos under way at once, in each process. As many again wait for their turn."
    )
    timeout: float = _seconds(60.0, "First frame", "Longest wait for Grok's first frame.")
    stream_timeout: float = _seconds(60.0, "Silence", "Longest silence while a video is made.")


class VoiceSection(Section, title="Voice"):
    """Sessions by voice, and where they take place."""

    timeout: float = _seconds(60.0, "Token", "Longest wait for the token of a voice session.")
    livekit_url: SocketUrl = setting(
        "wss://livekit.grok.com", "LiveKit", "Address of the voice server that browsers are sent to."
    )


class AssetSection(Section, title="Files at Grok"):
    """Files that Grok keeps for an account."""

    upload_concurrent: int = _count(100, "Uploads at once", "Most uploads at once.")
    upload_timeout: float = _seconds(60.0, "Upload", "Longest time for one upload.")
    download_concurrent: int = _count(100, "Downloads at once", "Most downloads at once.")
    download_timeout: float = _seconds(60.0, "Download", "Longest time for one download.")
    list_concurrent: int = _count(100, "Lists at once", "Most accounts listed at once.")
    list_timeout: float = _seconds(60.0, "List", "Longest time for one page of a list.")
    list_batch_size: int = _count(50, "Lists per batch", "Accounts per batch when files are listed.")
    delete_concurrent: int = _count(100, "Deletions at once", "Most deletions at once.")
    delete_timeout: float = _seconds(60.0, "Deletion", "Longest time for one deletion.")
    delete_batch_size: int = _count(50, "Deletions per batch", "Accounts per batch when files go.")


class CacheSection(Section, title="Cache"):
    """Pictures and videos kept here."""

    enable_auto_clean: bool = setting(True, "Clean by itself", "Whether the least recently used files go at the limit.")
    limit_mb: int = setting(
        512, "Limit", "Size from which the least recently used files go.", unit="MB", ge=1, le=10_000_000
    )


class NsfwSection(Section, title="Adult content"):
    """Switching adult content on for an account."""

    concurrent: int = _count(60, "At once", "Most accounts at once.")
    batch_size: int = _count(30, "Per batch", "Accounts per batch.")
    timeout: float = _seconds(60.0, "Step", "Longest wait for one step.")
    birth_date: PastDate = setting(
        "", "Date of birth", "The date of birth that the accounts' owner states, YYYY-MM-DD. Empty: not stated."
    )


class UsageSection(Section, title="Quotas"):
    """How the quotas of many accounts are asked for."""

    concurrent: int = _count(100, "At once", "Most accounts at once.")
    batch_size: int = _count(50, "Per batch", "Accounts per batch.")
    timeout: float = _seconds(60.0, "Quota", "Longest wait for one quota.")
