"""The JSON API: what programs call. Translates HTTP into calls of the services and back; loads no page code."""

from grok_app.api.app import create_api, create_refusal

__all__ = ["create_api", "create_refusal"]
