"""A self-hosted, OpenAI-compatible gateway to Grok: a pool of accounts behind one API, a console and a studio."""

__version__ = "0.1.0"
