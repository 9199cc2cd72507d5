"""Pictures that Grok draws inside a chat answer. Source: API contract, section 5.3; protocol notes, section 11.6."""

import re
import time
from base64 import b64decode
from uuid import UUID

import openai
import pytest

from grok_app.phrases import lost_picture
from tests.contract.media import DOWNLOAD, DOWNLOAD_LIMIT_S, FILES_URL, SHOWN, Calls, assets, links_of, opened
from tests.contract.test_thinking import parts
from tests.contract.wire import CHAT, DONE, ask, body, events, streamed, text_of
from tests.servers import Gateway, Sandbox

PROGRESS = [(1, 0), (2, 0), (1, 50), (1, 100), (2, 50), (2, 100)]
"""Number and percentage of each frame, in the sandbox's order."""
ENGLISH = [f"Generating image {number}: {percent}%" for number, percent in PROGRESS]
CHINESE = [f"正在生成第{number}张图片中，当前进度{percent}%" for number, percent in PROGRESS]
IMAGE_PATH = "/v1/files/image/"
PLAIN = {"model": "grok-3", "reasoning_effort": "none"}
"""An answer without thinking."""

both_forms = pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])


def lines_of(thinking: str) -> list[str]:
    """The lines that tell how far pictures are."""
    return [line for line in thinking.splitlines() if re.search(r"Generating|正在生成", line)]


@both_forms
def test_pictures_come_after_the_text(gateway: Gateway, question: str, stream: bool) -> None:
    """The text is whole and comes first; each picture follows as Markdown, named after its id, at our own address."""
    asked = f"{question} @images"
    answer = text_of(gateway, asked, stream=stream, **PLAIN)
    shown = SHOWN.findall(answer)

    assert len({link for _, link in shown}) == 2
    for name, link in shown:
        assert str(UUID(name)) == name
        assert link.startswith(gateway.url + IMAGE_PATH)
    words = answer[: answer.index("![")]
    assert words.rstrip() == text_of(gateway, question, stream=stream, **PLAIN).rstrip()
    assert SHOWN.sub("", answer[len(words) :]).strip() == ""


@both_forms
def test_the_links_work_without_a_key(gateway: Gateway, question: str, stream: bool) -> None:
    """Whoever has the answer sees its pictures: real ones, each another."""
    links = links_of(text_of(gateway, f"{question} @images", stream=stream, **PLAIN))
    answers = [gateway.stranger.get(link) for link in links]

    assert {answer.status_code for answer in answers} == {200}
    assert {answer.headers["content-type"] for answer in answers} == {"image/jpeg"}
    assert len({answer.content for answer in answers}) == 2
    for answer in answers:
        assert opened(answer.content).size == (1024, 1024)


@both_forms
def test_pictures_keep_groks_order(gateway: Gateway, sandbox: Sandbox, question: str, stream: bool) -> None:
    """The first one that Grok names is the first in the answer."""
    answer = text_of(gateway, f"{question} @images", stream=stream, **PLAIN)

    [asked] = sandbox.asked(question)
    known = assets(sandbox, asked["account"])
    ids = [name for name, _ in SHOWN.findall(answer)]
    assert len(ids) == 2
    assert ids == sorted(ids, key=lambda image_id: known[image_id]["createdAt"])


def test_pictures_are_downloaded_once(gateway: Gateway, calls: Calls, question: str) -> None:
    """Grok is asked for each picture once, by the account that drew it, whoever looks at it later."""
    for link in links_of(text_of(gateway, f"{question} @images", stream=False, **PLAIN)) * 2:
        gateway.stranger.get(link).raise_for_status()

    [asked] = calls("/rest/app-chat/")
    downloads = calls(DOWNLOAD)
    assert len({entry["path"] for entry in downloads}) == len(downloads) == 2
    assert {entry["account"] for entry in downloads} == {asked["account"]}


def test_links_begin_with_the_callers_address(gateway: Gateway, question: str) -> None:
    """Without `app.app_url` a link leads to where the caller reached us, so that the caller can follow it."""
    answer = gateway.http.post(
        CHAT, json=body(f"{question} @images", stream=False, **PLAIN), headers={"Host": "pictures.example.net:8080"}
    )

    links = links_of(answer.json()["choices"][0]["message"]["content"])
    assert len(links) == 2
    assert all(link.startswith(f"http://pictures.example.net:8080{IMAGE_PATH}") for link in links)


@both_forms
def test_links_begin_with_the_public_address(elsewhere: Gateway, question: str, stream: bool) -> None:
    """With `app.app_url` they lead there, whatever address the caller used."""
    links = links_of(text_of(elsewhere, f"{question} @images", stream=stream, **PLAIN))

    assert len(links) == 2
    for link in links:
        assert link.startswith(FILES_URL + IMAGE_PATH)
        opened(elsewhere.stranger.get(link.removeprefix(FILES_URL)).content)


@both_forms
def test_pictures_may_be_inside_the_answer(abroad: Gateway, question: str, stream: bool) -> None:
    """With `app.image_format = base64` the answer needs no second request."""
    links = links_of(text_of(abroad, f"{question} @images", stream=stream, **PLAIN))

    assert len(links) == 2
    for link in links:
        head, _, encoded = link.partition(",")
        assert head == "data:image/jpeg;base64"
        assert opened(b64decode(encoded, validate=True)).size == (1024, 1024)


@both_forms
@pytest.mark.parametrize(("word", "count"), [("moderated", 0), ("moderated-one", 1)])
def test_a_moderated_picture_is_not_shown(gateway: Gateway, question: str, word: str, count: int, stream: bool) -> None:
    """What Grok withholds leaves no broken link; the text and the other picture are there."""
    answer = text_of(gateway, f"{question} @images @{word}", stream=stream, **PLAIN)

    links = links_of(answer)
    assert len(links) == count
    assert question in answer
    for link in links:
        opened(gateway.stranger.get(link).raise_for_status().content)


@pytest.mark.parametrize("turn", ["first", "second"])
@both_forms
def test_a_picture_that_cannot_be_had_spoils_nothing(
    lossy: Gateway, abroad: Gateway, question: str, turn: str, stream: bool
) -> None:
    """Missing or cut off: the text is whole, the answer ends well, says so and has no broken link."""
    asked = f"{question} {turn}"
    answer = ask(lossy, f"{asked} @images", stream=stream, **PLAIN)

    assert answer.status_code == 200
    if stream:
        *chunks, done = events(answer.text)
        assert done == DONE
        reason, content = chunks[-1]["choices"][0]["finish_reason"], streamed(chunks, "content")
    else:
        [choice] = answer.json()["choices"]
        reason, content = choice["finish_reason"], choice["message"]["content"]
    assert reason == "stop"
    whole, *lost = content.rstrip().split(f"\n\n{lost_picture('en')}")
    assert whole.rstrip() == text_of(abroad, asked, stream=False, **PLAIN).rstrip()
    assert lost == ["", ""]


def test_text_does_not_wait_for_pictures(lossy: Gateway, question: str) -> None:
    """The text is there while the pictures are still to come; here they never do, and are given up in the end."""
    content = body(f"{question} @images", stream=True, model="grok-4-heavy", reasoning_effort="none")
    said, said_at = "", 0.0
    with lossy.http.stream("POST", CHAT, json=content) as answer:
        for line in answer.iter_lines():
            if question not in said:
                said_at = time.monotonic()
            said += streamed([chunk for chunk in events(line) if chunk != DONE], "content")
    waited_s = time.monotonic() - said_at

    assert question in said
    assert links_of(said) == []
    assert waited_s > DOWNLOAD_LIMIT_S / 2


def test_progress_is_thinking(gateway: Gateway, question: str) -> None:
    """While thinking is shown, each step of a picture is a line of it; the answer itself has none."""
    content, reasoning = parts(gateway, f"{question} @images", stream=True, model="grok-3")

    assert reasoning == ""
    assert content.startswith("<think>\n")
    thinking, closing, answer = content.removeprefix("<think>\n").partition("\n</think>\n")
    assert closing
    assert thinking.splitlines() == ENGLISH
    assert lines_of(answer) == []
    assert question in answer
    assert len(links_of(answer)) == 2


def test_a_whole_answer_has_no_progress(gateway: Gateway, question: str) -> None:
    """Progress that is past is no news: where nothing was thought, there is no thinking."""
    content, reasoning = parts(gateway, f"{question} @images", stream=False, model="grok-3")

    assert reasoning == ""
    assert "think>" not in content
    assert len(links_of(content)) == 2


def test_progress_has_lines_of_its_own(gateway: Gateway, question: str) -> None:
    """A model that thinks in words has its steps between them, none on a line with something else."""
    content, _ = parts(gateway, f"{question} @images", stream=True, model="grok-4-thinking")

    thinking = content.partition("</think>")[0]
    assert "Thinking about your request" in thinking
    assert lines_of(thinking) == ENGLISH


def test_progress_speaks_the_language_of_the_operator(abroad: Gateway, question: str) -> None:
    """`app.language` and `app.thinking_format` hold for progress too."""
    content, reasoning = parts(abroad, f"{question} @images", stream=True, model="grok-3", reasoning_effort="low")

    assert lines_of(reasoning) == CHINESE
    assert lines_of(content) == []


@both_forms
@pytest.mark.parametrize("effort", ["none", None], ids=str)
def test_hidden_thinking_hides_progress(
    gateway: Gateway, abroad: Gateway, question: str, effort: str | None, stream: bool
) -> None:
    """`reasoning_effort: none`, or the setting where the request doesn't say: no line, no empty element."""
    content, reasoning = parts(
        gateway if effort else abroad, f"{question} @images", stream=stream, model="grok-3", reasoning_effort=effort
    )

    assert reasoning == ""
    assert lines_of(content) == []
    assert "think>" not in content


@both_forms
def test_an_answer_with_pictures_has_usage(gateway: Gateway, question: str, stream: bool) -> None:
    """It costs tokens like any other."""
    answer = ask(gateway, f"{question} @images", stream=stream, stream_options={"include_usage": True}, **PLAIN)
    usage = events(answer.text)[-2]["usage"] if stream else answer.json()["usage"]

    assert usage["prompt_tokens"] > 0
    assert usage["completion_tokens"] > 0


def test_the_official_client_reads_pictures(client: openai.OpenAI, question: str) -> None:
    """Streamed and whole, an answer with pictures is an ordinary completion."""
    asked = f"{question} @images"
    whole = client.chat.completions.create(model="grok-4", messages=[{"role": "user", "content": asked}], stream=False)
    with client.chat.completions.create(
        model="grok-4", messages=[{"role": "user", "content": asked}], stream=True
    ) as stream:
        chunks = list(stream)

    assert whole.choices[0].finish_reason == chunks[-1].choices[0].finish_reason == "stop"
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    for content in (said, whole.choices[0].message.content or ""):
        assert len(links_of(content)) == 2
