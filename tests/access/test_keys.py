"""Who gets in."""

from typing import Any

import pytest
from pydantic import ValidationError

from grok_app.access import Access
from grok_app.errors import AuthenticationError, RateLimitedError
from grok_app.settings import Settings
from tests.access.fixed import Clock, access_to, fixed

ADDRESS = "192.0.2.1"


def access(clock: Clock | None = None, **app: Any) -> Access:
    """Access with these settings of section `app`."""
    return access_to(fixed(**app), clock)


async def fail(keys: Access, times: int, address: str = ADDRESS) -> None:
    """Show as many wrong operator's keys."""
    for _ in range(times):
        with pytest.raises(AuthenticationError, match="Invalid"):
            await keys.check_admin("no", address)


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
        ("ключ", "Invalid authentication token"),
    ],
    ids=["none", "empty", "wrong", "not ASCII"],
)
async def test_missing_and_wrong_keys_are_told_apart(shown: str | None, said: str) -> None:
    """The caller learns which of the two it is, on every surface."""
    keys = access(api_key="one", app_key="two", public_key="three")
    for check in (keys.check_api, keys.check_public):
        with pytest.raises(AuthenticationError, match=said):
            check(shown)
    with pytest.raises(AuthenticationError, match=said):
        await keys.check_admin(shown, ADDRESS)


async def test_empty_keys_open_everything_but_the_console() -> None:
    """No API key and no public key mean no check; no operator's key means nobody."""
    keys = access(api_key="", app_key="", public_key="")
    keys.check_api(None)
    keys.check_public(None)
    for shown in (None, "", "any"):
        with pytest.raises(AuthenticationError, match="App key is not configured"):
            await keys.check_admin(shown, ADDRESS)


def test_a_comma_opens_nothing() -> None:
    """A list is not one of its keys."""
    with pytest.raises(AuthenticationError):
        access(api_key="one,two").check_api("one,two")


@pytest.mark.parametrize("key", [" ", ",", "one,", "one,,two", "schlüssel", "a\nb"], ids=repr)
def test_a_key_that_nobody_can_send_is_refused(key: str) -> None:
    """A slip of the pen neither opens the gateway nor locks everybody out: it is no valid setting."""
    with pytest.raises(ValidationError):
        Settings.model_validate({"app": {"api_key": key}})


async def test_while_it_waits_an_address_can_try_no_key() -> None:
    """After five wrong keys even the right one is refused, until the wait is over; other addresses are not held up."""
    clock = Clock()
    keys = access(clock, app_key="right")
    await fail(keys, 5)
    with pytest.raises(RateLimitedError):
        await keys.check_admin("right", ADDRESS)
    await keys.check_admin("right", "192.0.2.2")
    clock.now_s += 2
    await keys.check_admin("right", ADDRESS)


async def test_the_right_key_clears_the_count() -> None:
    """Who gets in has as many free attempts as at first."""
    keys = access(app_key="right")
    for _ in range(3):
        await fail(keys, 4)
        await keys.check_admin("right", ADDRESS)


async def test_a_missing_key_is_no_guess() -> None:
    """A page that asks without a key holds up nobody, and is told so even during a wait."""
    keys = access(app_key="right")
    for _ in range(20):
        with pytest.raises(AuthenticationError, match="Missing"):
            await keys.check_admin(None, ADDRESS)
    await fail(keys, 5)
    with pytest.raises(AuthenticationError, match="Missing"):
        await keys.check_admin(None, ADDRESS)


async def test_programs_and_visitors_are_not_held_up() -> None:
    """Many programs share one address; the keys of some being wrong stops no others."""
    keys = access(api_key="one", public_key="two", app_key="three")
    for _ in range(20):
        for check in (keys.check_api, keys.check_public):
            with pytest.raises(AuthenticationError):
                check("no")
    keys.check_api("one")
    keys.check_public("two")
    await keys.check_admin("three", ADDRESS)


@pytest.mark.parametrize("text", ["first-key", "second-key", "operators-key", "the-public-key"])
def test_every_key_in_force_is_known_as_one(text: str) -> None:
    """Whatever it opens; nothing else is, not even nothing."""
    keys = access_to(fixed(api_key="first-key, second-key", app_key="operators-key", public_key="the-public-key"))
    assert keys.is_key(text)
    assert not keys.is_key(text[:-1])
    assert not keys.is_key("")
    assert not access_to(fixed(api_key="", app_key="", public_key="")).is_key("")
