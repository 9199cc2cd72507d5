"""Pictures, videos and files of the sandbox: how they are drawn, kept, listed and served."""

from grok_app.sandbox.media.library import Asset, File, Library

__all__ = ["Asset", "File", "Library"]
