"""Videos through chat: what the answer is. Source: API contract, sections 5.3 and 7; protocol notes, section 5."""

import re

import openai
import pytest

from grok_app.sandbox.media.videos import STALLED_AT, clip
from tests.contract.film import CHINESE, ENGLISH, MODEL, Player, film, shown, steps
from tests.contract.media import CHATS, DOWNLOAD, FILES_URL, Calls, opened
from tests.contract.wire import CHAT, DONE, body, events
from tests.servers import Gateway

both_forms = pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])


def test_the_model_is_on_offer(client: openai.OpenAI) -> None:
    """It is listed like every other."""
    assert MODEL in [model.id for model in client.models.list()]
    assert client.models.retrieve(MODEL).owned_by == "xai"


@both_forms
def test_a_video_is_a_player_by_default(gateway: Gateway, question: str, stream: bool) -> None:
    """The answer is one `<video>` element with controls, the poster and the source, both at our own address."""
    answer = shown(gateway, question, stream=stream).strip()
    player = Player(answer)

    assert answer.startswith("<video")
    assert answer.endswith("</video>")
    assert player.elements.keys() == {"video", "source"}
    assert "controls" in player.elements["video"]
    assert player.elements["source"]["type"] == "video/mp4"
    assert player.video.startswith(f"{gateway.url}/v1/files/video/")
    assert player.poster.startswith(f"{gateway.url}/v1/files/image/")


def test_the_video_is_kept_here(gateway: Gateway, calls: Calls, question: str) -> None:
    """Whoever has the link gets the film, whole or in part, without a key; Grok was asked for it once."""
    player = Player(shown(gateway, question))
    whole = gateway.stranger.get(player.video)
    part = gateway.stranger.get(player.video, headers={"Range": "bytes=4-7"})

    assert (whole.status_code, whole.headers["content-type"]) == (200, "video/mp4")
    assert whole.content == clip()
    assert (part.status_code, part.content) == (206, b"ftyp")
    assert part.headers["content-range"] == f"bytes 4-7/{len(whole.content)}"
    downloads = calls(DOWNLOAD)
    assert sorted(entry["path"].rpartition("/")[2] for entry in downloads) == [
        "generated_video.mp4",
        "preview_image.jpg",
    ]
    assert {entry["account"] for entry in downloads} == {calls(CHATS)[0]["account"]}


@pytest.mark.parametrize("ratio", ["16:9", "9:16", "1:1"])
def test_the_poster_has_the_shape_of_the_video(gateway: Gateway, question: str, ratio: str) -> None:
    """It is a real picture, of the aspect ratio that was asked for."""
    player = Player(shown(gateway, question, video_config={"aspect_ratio": ratio}))
    answer = gateway.stranger.get(player.poster)
    width, height = opened(answer.content).size
    across, down = map(int, ratio.split(":"))

    assert answer.headers["content-type"] == "image/jpeg"
    assert width * down == height * across


@both_forms
def test_a_video_may_be_a_markdown_link(abroad: Gateway, question: str, stream: bool) -> None:
    """`app.video_format = markdown`."""
    answer = shown(abroad, question, stream=stream)
    found = re.fullmatch(r"\[video\]\((\S+)\)", answer.strip())

    assert found, answer
    assert found[1].startswith(f"{abroad.url}/v1/files/video/")
    assert abroad.stranger.get(found[1]).content == clip()


@both_forms
def test_a_video_may_be_a_bare_address(elsewhere: Gateway, question: str, stream: bool) -> None:
    """`app.video_format = url`; with `app.app_url` it begins with that."""
    answer = shown(elsewhere, question, stream=stream).strip()

    assert re.fullmatch(rf"{re.escape(FILES_URL)}/v1/files/video/\S+", answer)
    assert elsewhere.stranger.get(answer.removeprefix(FILES_URL)).content == clip()


def test_links_begin_with_the_callers_address(gateway: Gateway, question: str) -> None:
    """Without `app.app_url` they lead to where the caller reached us."""
    asked = body(question, model=MODEL, reasoning_effort="none", stream=False)
    answer = gateway.http.post(CHAT, json=asked, headers={"Host": "films.example.net"})
    player = Player(answer.json()["choices"][0]["message"]["content"])

    assert player.video.startswith("http://films.example.net/v1/files/video/")
    assert player.poster.startswith("http://films.example.net/v1/files/image/")


@pytest.mark.parametrize("effort", [None, "high"], ids=str)
def test_progress_is_thinking(gateway: Gateway, question: str, effort: str | None) -> None:
    """While thinking is shown, each step is a line of it, once, in English by default."""
    assert steps(gateway, question, reasoning_effort=effort) == ENGLISH


def test_progress_speaks_the_language_of_the_operator(abroad: Gateway, question: str) -> None:
    """`app.language` and `app.thinking_format` hold for progress too."""
    assert steps(abroad, question, reasoning_effort="low") == CHINESE


def test_a_whole_answer_is_the_video_alone(gateway: Gateway, question: str) -> None:
    """Progress that is past is no news, and a script that takes the content for the video must go on working."""
    answer = film(gateway, question, reasoning_effort="high").raise_for_status().json()
    assert answer["choices"][0]["message"]["content"].startswith("<video controls")


@both_forms
@pytest.mark.parametrize("effort", ["none", None], ids=str)
def test_hidden_thinking_hides_progress(
    gateway: Gateway, abroad: Gateway, question: str, effort: str | None, stream: bool
) -> None:
    """`reasoning_effort: none`, or the setting where the request doesn't say: the video is all there is."""
    answer = shown(gateway if effort else abroad, question, stream=stream, reasoning_effort=effort)

    assert "%" not in answer
    assert "think>" not in answer


def test_progress_comes_as_it_is_made(gateway: Gateway, question: str) -> None:
    """A step leaves at once: here the video never comes."""
    asked = body(f"{question} @video-stall", model=MODEL, stream=True)
    last = f"Generating video: {STALLED_AT}%"
    with gateway.http.stream("POST", CHAT, json=asked) as answer:
        seen = next(line for line in answer.iter_lines() if last in line)

    assert seen.startswith("data: {")


@pytest.mark.parametrize("effort", [None, "none"], ids=str)
def test_a_stream_has_the_shape_of_a_chat(gateway: Gateway, question: str, effort: str | None) -> None:
    """The role first, the finish reason last, every chunk under one id, and usage only when it is asked for."""
    answer = film(gateway, question, stream=True, reasoning_effort=effort)
    *chunks, done = events(answer.text)
    first, *middle, last = chunks

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert (answer.headers["cache-control"], answer.headers["x-accel-buffering"]) == ("no-cache", "no")
    assert done == DONE
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert last["choices"][0]["finish_reason"] == "stop"
    assert all(chunk["choices"][0]["finish_reason"] is None for chunk in (first, *middle))
    assert {(chunk["id"], chunk["object"], chunk["model"]) for chunk in chunks} == {
        (first["id"], "chat.completion.chunk", MODEL)
    }
    assert [chunk for chunk in chunks if chunk.get("usage")] == []


@pytest.mark.parametrize("prefix", ["", "/grok"], ids=["/v1", "/grok/v1"])
def test_the_official_client_gets_a_video(gateway: Gateway, question: str, prefix: str) -> None:
    """Streamed and whole; `video_config` is a field that the SDK doesn't know, and usage is real."""
    config = {"video_config": {"aspect_ratio": "16:9", "preset": "normal"}}
    with openai.OpenAI(base_url=f"{gateway.url}{prefix}/v1", api_key=gateway.key, max_retries=0) as client:
        whole = client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": question}], stream=False, extra_body=config
        )
        with client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": question}],
            stream=True,
            stream_options={"include_usage": True},
            extra_body=config,
        ) as stream:
            *chunks, last = stream

    assert (whole.object, whole.model) == ("chat.completion", MODEL)
    [choice] = whole.choices
    assert (choice.finish_reason, choice.message.role) == ("stop", "assistant")
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    for content in (said, choice.message.content or ""):
        assert gateway.stranger.get(Player(content.rpartition("</think>")[2]).video).content == clip()
    assert last.choices == []
    for usage in (last.usage, whole.usage):
        assert usage is not None
        assert min(usage.prompt_tokens, usage.completion_tokens) > 0
        assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
