"""Everything that a request does with files, in one object."""

from dataclasses import dataclass

from grok_app.media.cache import MediaCache
from grok_app.media.sources import Sources
from grok_app.media.transfer import Transfer


@dataclass(frozen=True, slots=True)
class Files:
    """The files of requests."""

    cache: MediaCache
    """Those that are kept here."""
    sources: Sources
    """Those that callers give."""
    transfer: Transfer
    """The way to Grok and back."""
