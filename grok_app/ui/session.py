"""Who sits at this browser: the language, kept in the browser, and the notices."""

# mypy: disable-error-code="no-any-return"
# Reflex makes its element functions at run time, without types.

from functools import cache
from typing import Any, Literal

import reflex as rx
from reflex.utils.prerequisites import get_and_validate_app

from grok_app.ui.components import Notice
from grok_app.ui.i18n import prefers_chinese, texts


class Session(rx.State):
    """What all pages share."""

    language: str = rx.LocalStorage("", name="grok_app_language", sync=True)
    """`en` or `zh`; empty until the visitor chooses, then the browser's own language decides."""

    notice: Notice = Notice()

    @rx.var
    def is_chinese(self) -> bool:
        """Whether the texts are Chinese."""
        return self.language == "zh" or (not self.language and prefers_chinese(self.router.headers.accept_language))

    @rx.event
    def switch_language(self) -> None:
        """Show the other language from now on."""
        self.language = "en" if self.is_chinese else "zh"

    def _notify(self, kind: Literal["success", "warning", "error"], message: str) -> None:
        """Show a toast. Not `rx.toast`: that needs eval, see `components.notices`."""
        self.notice = Notice(self.notice.serial + 1, kind, message)

    def _say(self, key: str, **values: object) -> str:
        sentence = texts("zh" if self.is_chinese else "en")[key]
        return sentence.format(**values) if values else sentence


def text(key: str, **values: Any) -> rx.Var[str]:
    """A text in the visitor's language. Both are in the page, so switching asks the server for nothing.

    Args:
        key: Dotted, `accounts.title`.
        values: What stands for `{count}` and the like in it; variables of a state too.
    """
    chinese, english = texts("zh")[key], texts("en")[key]
    if values:
        chinese, english = chinese.format(**values), english.format(**values)
    return rx.cond(Session.is_chinese, chinese, english)


def is_connected(token: str) -> bool:
    """Whether the tab of this token is still there."""
    namespace = _event_namespace()
    return namespace is not None and token in namespace.token_to_sid


@cache
def _event_namespace() -> Any:
    # Once: each look-up adds an entry to sys.path (Reflex 0.10.1).
    return get_and_validate_app().app.event_namespace
