"""Pictures and videos, kept as files: written whole, downloaded once, served fast, cleaned up by size."""

from grok_app.media.cache import MediaCache, open_media
from grok_app.media.entry import Entry, Kind, Stats, clean_name, content_type, path_of

__all__ = ["Entry", "Kind", "MediaCache", "Stats", "clean_name", "content_type", "open_media", "path_of"]
