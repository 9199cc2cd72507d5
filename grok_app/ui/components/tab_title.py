"""The title on the browser's tab, in the visitor's language, see `tab_title.js`."""

import reflex as rx


class TabTitle(rx.Component):
    """Gives the document its title and language."""

    library = rx.asset("tab_title.js", shared=True).importable_path
    tag = "TabTitle"

    title: rx.Var[str]
    language: rx.Var[str]
    """A tag, `zh-CN`."""
