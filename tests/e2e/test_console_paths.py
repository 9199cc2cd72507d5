"""Which paths of the console the server opens to whom. Source: API contract, section 11."""

import httpx
import pytest

from .conftest import Demo
from .console import PAGES, SIGN_IN, signed_in

SPELLINGS = ("/admin/", "/admin/index.html", "/admin/x", "/admin/x/y", "/admin/token/", "/admin/token.html", "/ADMIN")


@pytest.mark.parametrize("path", [*PAGES, *SPELLINGS])
def test_strangers_are_led_to_the_door(demo: Demo, path: str) -> None:
    """By the server, before any code of a page is sent, in whatever way the path is written."""
    answer = httpx.get(demo.url + path)
    assert (answer.status_code, answer.headers["location"], answer.text) == (307, SIGN_IN, "")


@pytest.mark.parametrize("path", [*PAGES, "/admin/", "/admin/token/"])
def test_operators_get_the_page(demo: Demo, path: str) -> None:
    """At once, with the policy that keeps foreign scripts out."""
    with signed_in(demo) as operator:
        answer = operator.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "script-src 'self' 'sha256-" in answer.headers["content-security-policy"]
    assert "unsafe-eval" not in answer.headers["content-security-policy"]


def test_an_unknown_page_of_the_console_is_not_found(demo: Demo) -> None:
    """For operators, as a page."""
    with signed_in(demo) as operator:
        answer = operator.get("/admin/x")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
