"""What a browser may do with an HTML page of ours: its Content-Security-Policy."""

import base64
import hashlib
import re
from typing import Final

CONNECT: Final = "connect-src 'self'"
_INLINE_SCRIPT: Final = re.compile(r"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)


def content_security_policy(page: str) -> str:
    """The policy for one HTML page: nothing from elsewhere, and no script but its own, inline ones by their hash.

    Styles may be inline: Radix and Sonner write `<style>` elements while they run.
    """
    scripts = " ".join(dict.fromkeys(_hash(script) for script in _INLINE_SCRIPT.findall(page)))
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' {scripts}".rstrip(),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "media-src 'self' blob:",
            "font-src 'self' data:",
            CONNECT,
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
