"""The title on the browser's tab, in the visitor's language, see `tab_title.js`."""

import reflex as rx

from grok_app.ui.components.scripts import script


class TabTitle(rx.Component):
    """Gives the document its title and language."""

    library = script("tab_title.js")
    tag = "TabTitle"

    title: rx.Var[str]
    language: rx.Var[str]
    """A tag, `zh-CN`."""
