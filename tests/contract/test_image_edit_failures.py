"""What a caller gets when Grok doesn't change a picture. Source: API contract, sections 3, 5.4 and 6."""

from typing import Any

import httpx
import pytest

from tests.contract.pictures import (
    POST,
    UPLOAD,
    Watch,
    content_of,
    edit,
    edit_config,
    opened,
    pictures_of,
    staff,
)
from tests.contract.test_failures import FAILED, LATE, LIMITED, MAX_RETRY, NO_TOKENS, REFUSED
from tests.contract.wire import error_of
from tests.servers import Gateway, Sandbox

IN_CHAT = {
    "429": LIMITED,
    "401": FAILED,
    "500": FAILED,
    "503": FAILED,
    "403-moderated": REFUSED,
    "stream-error": FAILED,
    "empty": FAILED,
    "garbage": FAILED,
    "moderated": REFUSED,
    "no-images": FAILED,
}
"""What may happen to the edit itself."""
UPLOADS = {"upload-429": LIMITED, "upload-401": FAILED, "upload-500": FAILED, "upload-empty": FAILED}
"""What may happen to the upload before it."""
DOWNLOADS = {"download-404": FAILED, "download-cut": FAILED, "download-page": FAILED}
"""What may happen to the finished picture."""

both_forms = pytest.mark.parametrize("stream", ["true", "false"], ids=["stream", "whole"])


@pytest.mark.parametrize(("word", "expected"), IN_CHAT.items(), ids=IN_CHAT)
def test_a_failure_is_an_http_error(gateway: Gateway, question: str, word: str, expected: tuple[int, str, str]) -> None:
    """Each failure has its own status and code; no picture at all is one of them, never an empty list."""
    answer = edit(gateway, f"{question} @{word}")

    error = error_of(answer)
    assert (answer.status_code, error["type"], error["code"]) == expected
    assert error["message"] == NO_TOKENS if expected == LIMITED else error["message"]


@both_forms
@pytest.mark.parametrize("word", DOWNLOADS)
def test_a_finished_picture_is_not_drawn_again(
    hasty: Gateway, watch: Watch, question: str, word: str, stream: str
) -> None:
    """A download that fails costs the caller the picture, but the account no second one."""
    staff(hasty, word, word)
    edit(hasty, question, stream=stream)

    assert len(watch.calls(POST)) == 1


@both_forms
@pytest.mark.parametrize(("word", "expected"), UPLOADS.items(), ids=UPLOADS)
def test_a_failing_upload_is_an_http_error(
    hasty: Gateway, question: str, word: str, expected: tuple[int, str, str], stream: str
) -> None:
    """When no account takes the picture, the caller is told so before anything is shown."""
    staff(hasty, word, word)
    answer = edit(hasty, question, stream=stream)

    error = error_of(answer)
    assert (answer.status_code, error["type"], error["code"]) == expected


@pytest.mark.parametrize("word", ["upload-429", "upload-401"])
def test_another_account_takes_the_upload(hasty: Gateway, watch: Watch, question: str, word: str) -> None:
    """What one account can't do another does, and nobody notices."""
    bad, _ = staff(hasty, word, "")
    for number in range(4):
        pictures_of(edit(hasty, f"{question} {number}"))

    assert bad in {entry["account"] for entry in watch.calls(UPLOAD)}


@pytest.mark.parametrize("word", ["429", "401"])
def test_another_account_uploads_again(
    gateway: Gateway, sandbox: Sandbox, watch: Watch, question: str, word: str
) -> None:
    """A picture belongs to the account that uploaded it, so the next account uploads it anew."""
    pictures_of(edit(gateway, f"{question} @once-{word}"))

    first, second = (entry["account"] for entry in sandbox.asked(question))
    assert first != second
    assert [entry["account"] for entry in watch.calls(UPLOAD)] == [first, second]


def test_only_so_many_accounts_are_tried(gateway: Gateway, sandbox: Sandbox, question: str) -> None:
    """After `retry.max_retry` accounts the caller is told, each was asked once."""
    edit(gateway, f"{question} @429")

    accounts = [entry["account"] for entry in sandbox.asked(question)]
    assert len(accounts) == len(set(accounts)) == MAX_RETRY


@pytest.mark.parametrize("word", ["post-500", "post-empty", "post-page"])
def test_without_a_post_the_upload_stands_for_it(
    hasty: Gateway, sandbox: Sandbox, watch: Watch, question: str, word: str
) -> None:
    """When Grok makes no post, the id in the address of the first upload takes its place."""
    staff(hasty, word)
    pictures_of(edit(hasty, question))

    assert watch.calls(POST)
    [asked] = sandbox.asked(question)
    config = edit_config(asked)
    asset_id = httpx.URL(config["imageReferences"][0]).path.split("/")[-2]
    assert config["parentPostId"] == asset_id


@pytest.mark.parametrize(("word", "expected"), DOWNLOADS.items(), ids=DOWNLOADS)
def test_a_picture_that_can_not_be_fetched_is_an_error(
    hasty: Gateway, question: str, word: str, expected: tuple[int, str, str]
) -> None:
    """A link is given out only for what is there."""
    staff(hasty, word)
    answer = edit(hasty, question)

    error = error_of(answer)
    assert (answer.status_code, error["type"], error["code"]) == expected


@both_forms
def test_silence_is_a_timeout(hasty: Gateway, question: str, stream: str) -> None:
    """When Grok doesn't begin within `image.timeout`, the caller is told with a 504."""
    staff(hasty, "", "")
    answer = edit(hasty, f"{question} @hang", stream=stream)

    error = error_of(answer)
    assert (answer.status_code, error["type"], error["code"]) == LATE


@pytest.mark.parametrize("word", ["one-image", "moderated-one"])
def test_a_shorter_list_says_so(gateway: Gateway, question: str, word: str) -> None:
    """One good picture of two is given, with a warning beside it."""
    answer = edit(gateway, f"{question} @{word}", n="2").raise_for_status().json()

    assert answer.keys() == {"created", "data", "usage", "warning"}
    assert answer["warning"]
    assert isinstance(answer["warning"], str)
    [item] = answer["data"]
    assert opened(content_of(gateway, item)).format == "JPEG"


@pytest.mark.parametrize("word", ["one-image", "moderated-one"])
def test_one_good_picture_is_enough_for_who_wants_one(gateway: Gateway, question: str, word: str) -> None:
    """What wasn't asked for isn't missed."""
    items: list[dict[str, Any]] = pictures_of(edit(gateway, f"{question} @{word}"))

    assert len(items) == 1


def test_a_broken_upload_is_no_crash(gateway: Gateway, question: str) -> None:
    """Bytes that only begin like a picture are Grok's to refuse; the caller gets an error, not a picture."""
    answer = edit(gateway, question, ("image", ("cat.png", b"\x89PNG\r\n\x1a\n" + bytes(500), "image/png")))

    assert error_of(answer)["code"] in {"invalid_image_type", "upstream_error"}
