"""Who gets in."""

from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import ValidationError

from grok_app.access import Access
from grok_app.errors import AuthenticationError
from grok_app.settings import Settings


@dataclass
class FixedSettings:
    """Settings that stay as they are."""

    snapshot: Settings


def access(**app: Any) -> Access:
    """Access with these settings of section `app`."""
    return Access(FixedSettings(Settings.model_validate({"app": app})))  # type: ignore[arg-type] # only the snapshot is read


@pytest.mark.parametrize("shown", ["one", "two"])
def test_any_of_several_api_keys_opens(shown: str) -> None:
    """Keys are separated by commas; blanks around them don't count."""
    access(api_key="one, two").check_api(shown)


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (None, "Missing authentication token"),
        ("", "Missing authentication token"),
        ("no", "Invalid authentication token"),
    ],
    ids=["none", "empty", "wrong"],
)
def test_missing_and_wrong_keys_are_told_apart(shown: str | None, said: str) -> None:
    """The caller learns which of the two it is, on every surface."""
    keys = access(api_key="one", app_key="two", public_key="three")
    for check in (keys.check_api, keys.check_admin, keys.check_public):
        with pytest.raises(AuthenticationError, match=said):
            check(shown)


def test_empty_keys_open_everything_but_the_console() -> None:
    """No API key and no public key mean no check; no operator's key means nobody."""
    keys = access(api_key="", app_key="", public_key="")
    keys.check_api(None)
    keys.check_public(None)
    with pytest.raises(AuthenticationError, match="App key is not configured"):
        keys.check_admin("")


def test_a_comma_opens_nothing() -> None:
    """A list is not one of its keys."""
    with pytest.raises(AuthenticationError):
        access(api_key="one,two").check_api("one,two")


@pytest.mark.parametrize("key", [" ", ",", "one,", "one,,two", "schlüssel", "a\nb"], ids=repr)
def test_a_key_that_nobody_can_send_is_refused(key: str) -> None:
    """A slip of the pen neither opens the gateway nor locks everybody out: it is no valid setting."""
    with pytest.raises(ValidationError):
        Settings.model_validate({"app": {"api_key": key}})
