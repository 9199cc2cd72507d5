"""The names under which a setting may be given: its own, other spellings, grok2api's former ones, retired ones.

Source: API contract, section 2, and grok2api's settings of early 2026.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from grok_app.env import ALIASES
from grok_app.settings.schema import DEFINITIONS, SECTIONS

_CHAT_KEYS: Final = ("temporary", "disable_memory", "stream", "thinking", "dynamic_statsig", "filter_tags")
_BACKOFF_KEYS: Final = ("retry_backoff_base", "retry_backoff_factor", "retry_backoff_max")

FORMER: Final[Mapping[str, tuple[str, ...]]] = {
    **{f"app.{key}": (f"grok.{key}", f"chat.{key}") for key in _CHAT_KEYS},
    **{f"proxy.{key}": (f"grok.{key}", f"network.{key}") for key in ("base_proxy_url", "asset_proxy_url")},
    **{f"proxy.{key}": (f"grok.{key}", f"security.{key}") for key in ("cf_clearance", "browser", "user_agent")},
    **{f"retry.{key}": (f"grok.{key}",) for key in ("max_retry", "retry_status_codes", "retry_budget", *_BACKOFF_KEYS)},
    "chat.timeout": ("network.timeout",),
    "chat.stream_timeout": ("timeout.stream_idle_timeout",),
    "chat.concurrent": ("performance.media_max_concurrent",),
    "image.timeout": ("network.timeout",),
    "image.stream_timeout": ("timeout.stream_idle_timeout",),
    "image.final_timeout": ("grok.image_ws_blocked_seconds", "image.image_ws_blocked_seconds"),
    "image.nsfw": ("grok.image_ws_nsfw", "image.image_ws_nsfw"),
    "image.medium_min_bytes": ("grok.image_ws_medium_min_bytes", "image.image_ws_medium_min_bytes"),
    "image.final_min_bytes": ("grok.image_ws_final_min_bytes", "image.image_ws_final_min_bytes"),
    "video.timeout": ("network.timeout",),
    "video.stream_timeout": (
        "grok.video_idle_timeout",
        "timeout.video_idle_timeout",
        "timeout.stream_idle_timeout",
    ),
    "video.concurrent": ("performance.media_max_concurrent",),
    "voice.timeout": ("grok.timeout", "network.timeout"),
    **{
        f"asset.{act}_concurrent": ("performance.assets_max_concurrent",)
        for act in ("upload", "download", "list", "delete")
    },
    "asset.list_batch_size": ("performance.assets_batch_size",),
    "asset.delete_batch_size": ("performance.assets_delete_batch_size",),
    "usage.concurrent": ("performance.usage_max_concurrent",),
    "usage.batch_size": ("performance.usage_batch_size",),
    "nsfw.concurrent": ("performance.nsfw_max_concurrent",),
    "nsfw.batch_size": ("performance.nsfw_batch_size",),
}
"""grok2api's deprecated names by the one that took their place; the leftmost wins, a new name wins over all."""

RETIRED: Final = frozenset(
    {
        "app.custom_instruction",
        "proxy.cf_cookies",
        "proxy.enabled",
        "proxy.flaresolverr_url",
        "proxy.refresh_interval",
        "proxy.skip_proxy_ssl_verify",
        "proxy.timeout",
        "retry.reset_session_status_codes",
        "token.reload_interval_sec",
        "token.usage_flush_interval_sec",
        "video.upscale_timing",
    }
)
"""grok2api's names for what doesn't exist here."""

RETIRED_SECTIONS: Final = frozenset({"grok", "network", "performance", "security", "timeout"})
"""grok2api's deprecated sections: what has no new name in them has no effect."""

_SPELLINGS: Final[Mapping[str, tuple[str, ...]]] = {
    name: (name, *ALIASES.get(name, ()), *FORMER.get(name, ())) for name in DEFINITIONS
}
_GROUPS: Final = SECTIONS.keys() | RETIRED_SECTIONS
_KNOWN: Final = frozenset(spelling for spellings in _SPELLINGS.values() for spelling in spellings)


@dataclass(frozen=True, slots=True, repr=False)
class Flat:
    """What a body of settings gives, each by its own name. No repr: there may be secrets in it."""

    values: dict[str, Any]
    """By dotted name, not validated."""
    ignored: list[str]
    """Retired names, as they were given."""
    unknown: list[str]
    """Names that never meant anything, as they were given."""


def flatten(body: Mapping[str, Any]) -> Flat:
    """Bring sections, dotted names, other spellings and former names to one form.

    Of several spellings of one setting, its own name wins, then its aliases, then its former names, each in their
    order; of one spelling given twice, in a section and dotted, the later.
    """
    given = dict(_leaves(body))
    values = {}
    for name, spellings in _SPELLINGS.items():
        if (used := next((spelling for spelling in spellings if spelling in given), None)) is not None:
            values[name] = given[used]
    others = [name for name in given if name not in _KNOWN]
    return Flat(
        values,
        ignored=[name for name in others if _is_retired(name)],
        unknown=[name for name in others if not _is_retired(name)],
    )


def _leaves(body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in body.items():
        if isinstance(value, Mapping) and name in _GROUPS:
            yield from ((f"{name}.{key}", item) for key, item in value.items())
        else:
            yield name, value


def _is_retired(name: str) -> bool:
    section, dot, _ = name.partition(".")
    return name in RETIRED or (bool(dot) and section in RETIRED_SECTIONS)
