"""Every visible text in both languages. A test says that no key is missing in either."""

from typing import Final

from grok_app.ui.i18n.en import EN
from grok_app.ui.i18n.zh import ZH

__all__ = ["EN", "LANGUAGES", "ZH", "prefers_chinese"]

LANGUAGES: Final = {"en": "English", "zh": "简体中文"}


def prefers_chinese(accept_language: str) -> bool:
    """Whether a browser's Accept-Language header asks for Chinese before anything else."""
    return accept_language.strip().lower().startswith("zh")
