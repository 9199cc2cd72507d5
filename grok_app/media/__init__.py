"""Pictures and videos, kept as files: written whole, downloaded once, served fast, cleaned up by size.

And the files that callers give: fetched where nobody is harmed, checked, and handed on to Grok.
"""

from grok_app.media.cache import MediaCache, open_media
from grok_app.media.entry import Entry, Key, Kind, Stats, clean_name, content_type, is_name, path_of
from grok_app.media.files import Files
from grok_app.media.full import storing
from grok_app.media.remote import RemoteFiles, open_remote_files
from grok_app.media.sniff import picture_type
from grok_app.media.sources import MOST_BYTES, Source, SourceKind, Sources, field_of, too_large
from grok_app.media.together import together
from grok_app.media.transfer import PerAccount, Transfer

__all__ = [
    "MOST_BYTES",
    "Entry",
    "Files",
    "Key",
    "Kind",
    "MediaCache",
    "PerAccount",
    "RemoteFiles",
    "Source",
    "SourceKind",
    "Sources",
    "Stats",
    "Transfer",
    "clean_name",
    "content_type",
    "field_of",
    "is_name",
    "open_media",
    "open_remote_files",
    "path_of",
    "picture_type",
    "storing",
    "together",
    "too_large",
]
