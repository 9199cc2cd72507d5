"""The forms for one account."""

# mypy: disable-error-code="no-any-return"
# Reflex makes its element functions at run time, without types.

from typing import Any

import reflex as rx

from grok_app.catalog import Pool
from grok_app.ui.console import dialog, dialog_actions
from grok_app.ui.pages.accounts.dialogs import cancel, submit
from grok_app.ui.pages.accounts.editing import EditState
from grok_app.ui.session import text


def add_dialog() -> rx.Component:
    """A new account."""
    token = rx.el.input(
        name="token", id="form-token", type="password", auto_complete="off", required=True, **_input("token")
    )
    return dialog(
        text("accounts.add_title"),
        rx.el.form(
            _field("token", token, hint=text("accounts.token_hint")),
            *_fields(Pool.BASIC.value, "", "", ""),
            dialog_actions(cancel(EditState.close_add), submit(text("accounts.add"))),
            on_submit=EditState.add,
            class_name="form",
        ),
        is_open=EditState.is_adding,
        on_close=EditState.close_add,
    )


def edit_dialog() -> rx.Component:
    """One that is there."""
    draft = EditState.draft
    return dialog(
        text("accounts.edit_title", token=draft.token),
        rx.el.form(
            *_fields(draft.pool, draft.quota, draft.note, draft.tags),
            dialog_actions(cancel(EditState.close_edit), submit(text("console.save"))),
            on_submit=EditState.save,
            class_name="form",
        ),
        is_open=draft.id > 0,
        on_close=EditState.close_edit,
    )


def _fields(pool: Any, quota: Any, note: Any, tags: Any) -> tuple[rx.Component, ...]:
    pools = rx.el.select(
        rx.el.option(text("accounts.pool_basic"), value=Pool.BASIC.value),
        rx.el.option(text("accounts.pool_super"), value=Pool.SUPER.value),
        name="pool",
        id="form-pool",
        default_value=pool,
        class_name="form-input",
    )
    return (
        rx.cond(
            (EditState.form_error != "") & (EditState.error_field == ""),
            rx.el.p(EditState.form_error, role="alert", class_name="form-error"),
        ),
        _field("pool", pools),
        _field(
            "quota",
            rx.el.input(name="quota", id="form-quota", input_mode="numeric", default_value=quota, **_input("quota")),
        ),
        _field(
            "tags",
            rx.el.input(name="tags", id="form-tags", default_value=tags, **_input("tags")),
            hint=text("accounts.tags_hint"),
        ),
        _field("note", rx.el.textarea(name="note", id="form-note", rows="3", default_value=note, **_input("note"))),
    )


def _field(name: str, field: rx.Component, *, hint: Any = None) -> rx.Component:
    error = rx.cond(
        EditState.error_field == name,
        rx.el.p(EditState.form_error, role="alert", id=f"form-{name}-error", class_name="form-error"),
    )
    return rx.el.div(
        rx.el.label(text(f"accounts.column_{name}"), html_for=f"form-{name}", class_name="label"),
        field,
        *([] if hint is None else [rx.el.p(hint, class_name="form-hint")]),
        error,
        class_name="form-field",
    )


def _input(name: str) -> dict[str, Any]:
    return {
        "aria_invalid": EditState.error_field == name,
        "aria_describedby": f"form-{name}-error",
        "class_name": "form-input",
    }
