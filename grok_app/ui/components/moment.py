"""A moment in the visitor's words, see `moment.js`: only the browser knows the time zone."""

import reflex as rx

from grok_app.ui.components.scripts import script


class Moment(rx.Component):
    """Date and time; a dash where there is none."""

    library = script("moment.js")
    tag = "Moment"

    at: rx.Var[int]
    """Unix milliseconds; 0 for none."""
    language: rx.Var[str]
    """A tag, `zh-CN`."""
