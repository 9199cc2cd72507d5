"""Changed pictures: what is asked at once, what is asked again, and what is left when a part of it fails."""

import asyncio
from base64 import b64decode
from collections.abc import AsyncGenerator
from contextlib import aclosing
from io import BytesIO
from typing import Any, cast

import pytest

from grok_app.catalog import EDITS
from grok_app.errors import GatewayError, InvalidRequestError, UpstreamFailedError
from grok_app.imagine import EditRequest, EditService, Form, Picture, Progress, Stage
from grok_app.media import Files, RemoteFiles, Source, SourceKind, Sources, Transfer
from grok_app.upstream import EditPrompt, ErrorKind, ImagePost, ImageProgress, ImagesDone, UpstreamError
from tests.crew import Crew
from tests.media.grok import PNG, MediaGrok, Script, address_of, file_id

BROKEN = UpstreamError(ErrorKind.PROTOCOL, "what?")
LIMITED = UpstreamError(ErrorKind.RATE_LIMITED, "enough", status=429)


def service(crew: Crew, grok: MediaGrok) -> EditService:
    """Under test; nothing is fetched from elsewhere."""
    sources = Sources(crew.cache, cast("RemoteFiles", None), crew.settings)
    files = Files(crew.cache, sources, Transfer(grok.face, crew.cache, crew.settings))
    return EditService(grok.face, crew.accounts, files, crew.settings)


def request(n: int, *, form: Form = "b64_json", images: int = 1) -> EditRequest:
    """For so many pictures, of so many."""
    given = tuple(Source(SourceKind.EDITABLE, "image", BytesIO(PNG + b"%d" % number)) for number in range(images))
    return EditRequest("add a hat", n, given, form)


def done(*pictures: int, moderated: int = 0) -> ImagesDone:
    """The end of a call."""
    return ImagesDone(tuple(address_of(picture) for picture in pictures), moderated)


def whole(first: int) -> Script:
    """A call that makes two pictures."""
    return [ImageProgress(0, 50), ImageProgress(1, 50), done(first, first + 1)]


async def watch(steps: AsyncGenerator[Picture | Progress, None], shown: list[Any]) -> None:
    """Add what is shown until it ends, or fails."""
    async with aclosing(steps):
        async for step in steps:
            shown.append(step)


def assert_at_rest(crew: Crew, grok: MediaGrok) -> None:
    """Nothing is open, no account is kept."""
    assert not any(grok.open.values())
    assert crew.is_at_rest()


@pytest.mark.parametrize(("n", "calls"), [(1, 1), (2, 1), (3, 2), (10, 5)])
async def test_two_pictures_a_call_all_calls_at_once(crew: Crew, n: int, calls: int) -> None:
    """As many as it takes; what is too much is not downloaded. Each call costs."""
    await crew.hire("anna", "bert")
    may_end = asyncio.Event()
    grok = MediaGrok(*([may_end, done(2 * call, 2 * call + 1)] for call in range(calls)))
    editing = asyncio.create_task(service(crew, grok).edit(request(n)))
    await grok.until(lambda grok: grok.open["edit"] == calls)
    may_end.set()
    edited = await editing
    assert [picture.index for picture in edited.pictures] == list(range(n))
    assert [b64decode(picture.content) for picture in edited.pictures] == [PNG] * n
    assert {picture.stage for picture in edited.pictures} == {Stage.FINAL}
    assert edited.warning is None
    assert (grok.count("download"), grok.count("upload"), grok.count("post")) == (n, 1, 1)
    assert list(crew.used().values()) == [calls * EDITS.cost]
    assert_at_rest(crew, grok)


async def test_the_call_names_all_pictures_in_their_order(crew: Crew) -> None:
    """The post belongs to the first one."""
    await crew.hire("anna")
    grok = MediaGrok([done(7, 8)])
    edited = await service(crew, grok).edit(request(2, form="url", images=3))
    assert [content for _, _, content in grok.uploads] == [PNG + b"0", PNG + b"1", PNG + b"2"]
    addresses = tuple(grok.uri(number) for number in (1, 2, 3))
    assert grok.posts == [ImagePost(addresses[0])]
    assert grok.prompts == [EditPrompt("add a hat", addresses, "post-1")]
    assert [picture.content for picture in edited.pictures] == [
        f"/v1/files/image/{file_id(picture)}.jpg" for picture in (7, 8)
    ]
    assert edited.usage.image_tokens == 3 * 1024


async def test_progress_is_numbered_through(crew: Crew) -> None:
    """The second call's pictures come after the first one's; each picture's steps are counted."""
    await crew.hire("anna")
    first, second = asyncio.Event(), asyncio.Event()
    grok = MediaGrok(
        [ImageProgress(0, 10), ImageProgress(1, 20), first, done(1, 2)],
        [ImageProgress(0, 30), ImageProgress(0, 40), ImageProgress(1, 50), second, done(3, 4)],
    )
    shown: list[Any] = []
    watching = asyncio.create_task(watch(service(crew, grok).stream(request(3)), shown))
    await grok.until(lambda grok: grok.open["edit"] == 2)
    first.set()
    second.set()
    await watching
    progress = [step for step in shown if isinstance(step, Progress)]
    assert sorted(progress, key=lambda step: (step.index, step.step)) == [
        Progress(0, 0, 10),
        Progress(1, 0, 20),
        Progress(2, 0, 30),
        Progress(2, 1, 40),
    ]
    pictures = shown[len(progress) :]
    assert [(picture.index, picture.step) for picture in pictures] == [(0, 1), (1, 1), (2, 2)]


async def test_a_picture_that_nobody_asked_for_is_not_spoken_of(crew: Crew) -> None:
    """Grok makes two where one is wanted."""
    await crew.hire("anna")
    shown: list[Any] = []
    await watch(service(crew, MediaGrok(whole(1))).stream(request(1)), shown)
    assert [(type(step), step.index) for step in shown] == [(Progress, 0), (Picture, 0)]


async def test_where_no_post_is_made_the_pictures_id_stands_in(crew: Crew) -> None:
    """Source: protocol notes, section 4.3."""
    await crew.hire("anna")
    grok = MediaGrok([done(7)])
    grok.post_failure = BROKEN
    await service(crew, grok).edit(request(1))
    assert [prompt.post_id for prompt in grok.prompts if isinstance(prompt, EditPrompt)] == [file_id(1)]


@pytest.mark.parametrize("uri", ["", "elsewhere/picture.png"], ids=["no address", "no id in it"])
async def test_without_an_address_or_an_id_there_is_no_edit(crew: Crew, uri: str) -> None:
    """And the caller is told."""
    await crew.hire("anna")
    grok = MediaGrok()
    grok.uri, grok.post_failure = (lambda _: uri), BROKEN
    with pytest.raises(UpstreamFailedError):
        await service(crew, grok).edit(request(1))
    assert (grok.count("post"), grok.count("edit")) == (bool(uri), 0)
    assert_at_rest(crew, grok)


async def test_one_call_that_fails_costs_its_own_pictures_only(crew: Crew) -> None:
    """The list is shorter, and says why."""
    await crew.hire("anna")
    grok = MediaGrok([BROKEN], [ImageProgress(0, 10), done(3, moderated=1)])
    edited = await service(crew, grok).edit(request(4))
    assert [picture.id for picture in edited.pictures] == [file_id(3)]
    assert edited.warning == "Grok finished 1 of the 4 pictures asked for, and refused 1"
    assert_at_rest(crew, grok)


async def test_a_stream_that_is_short_ends_with_an_error(crew: Crew) -> None:
    """After the pictures that there are."""
    await crew.hire("anna")
    shown: list[Any] = []
    with pytest.raises(UpstreamFailedError, match="1 of the 2 pictures asked for, and refused 1"):
        await watch(service(crew, MediaGrok([done(1, moderated=1)])).stream(request(2)), shown)
    assert [step.index for step in shown] == [0]


@pytest.mark.parametrize(
    ("script", "code"),
    [([BROKEN], None), ([done()], None), ([], None), ([done(moderated=2)], "content_policy_violation")],
    ids=["fails", "no picture", "no end", "refused"],
)
async def test_nothing_at_all_is_an_error(crew: Crew, script: Script, code: str | None) -> None:
    """Never an empty list."""
    await crew.hire("anna")
    grok = MediaGrok(script, script)
    with pytest.raises(GatewayError) as raised:
        await service(crew, grok).edit(request(4))
    assert code is None or raised.value.code == code
    assert_at_rest(crew, grok)


async def test_a_picture_that_cannot_be_downloaded_is_missing(crew: Crew) -> None:
    """The others are given."""
    await crew.hire("anna")
    grok = MediaGrok([done(1, 2)])
    grok.downloads[address_of(1)] = [[BROKEN]]
    edited = await service(crew, grok).edit(request(2))
    assert [picture.id for picture in edited.pictures] == [file_id(2)]
    assert edited.warning == "Grok finished 1 of the 2 pictures asked for"


async def test_when_none_can_be_downloaded_the_reason_is_told(crew: Crew) -> None:
    """The first one's."""
    await crew.hire("anna")
    grok = MediaGrok([done(1, 2)])
    grok.downloads[address_of(1)] = grok.downloads[address_of(2)] = [[BROKEN]] * 2
    with pytest.raises(UpstreamFailedError, match=r"what\?"):
        await service(crew, grok).edit(request(2))


@pytest.mark.parametrize("where", ["call", "download"])
async def test_a_bug_is_never_swallowed(crew: Crew, where: str) -> None:
    """Though the others succeed."""
    await crew.hire("anna")
    bug = RuntimeError("a bug")
    grok = MediaGrok([bug] if where == "call" else [done(1, 2)], [done(3, 4)])
    grok.downloads[address_of(1)] = [[bug]]
    with pytest.raises(RuntimeError, match="a bug"):
        await service(crew, grok).edit(request(4))
    assert_at_rest(crew, grok)


async def test_another_attempt_on_the_same_account_does_not_upload_again(crew: Crew) -> None:
    """The file is there."""
    await crew.hire("anna")
    grok = MediaGrok([UpstreamError(ErrorKind.UNAVAILABLE, "later", status=503)], [done(1)])
    edited = await service(crew, grok).edit(request(1))
    assert len(edited.pictures) == 1
    assert grok.asked[:5] == [(call, "anna") for call in ("upload", "post", "edit", "post", "edit")]


async def test_the_next_account_uploads_for_itself(crew: Crew) -> None:
    """An upload belongs to the account that made it; the whole file is read again."""
    await crew.hire("anna", "bert")
    grok = MediaGrok([LIMITED], [done(1)])
    await service(crew, grok).edit(request(1))
    assert [content for _, _, content in grok.uploads] == [PNG + b"0"] * 2
    uploaders = [name for call, name in grok.asked if call == "upload"]
    assert sorted(uploaders) == ["anna", "bert"]
    first, second = (prompt for prompt in grok.prompts if isinstance(prompt, EditPrompt))
    assert first.images != second.images


async def test_an_upload_that_failed_is_made_anew(crew: Crew) -> None:
    """What failed is not remembered."""
    await crew.hire("anna")
    grok = MediaGrok([done(1)])
    grok.upload_scripts = [[UpstreamError(ErrorKind.UNAVAILABLE, "broke off")]]
    await service(crew, grok).edit(request(1))
    assert [call for call, _ in grok.asked] == ["upload", "upload", "post", "edit", "download"]


async def test_nothing_is_asked_again_after_the_first_progress(crew: Crew) -> None:
    """Whoever watches has seen it; whoever doesn't has not."""
    await crew.hire("anna", "bert")
    begun: Script = [ImageProgress(0, 10), LIMITED]
    shown: list[Any] = []
    with pytest.raises(GatewayError):
        await watch(service(crew, MediaGrok(begun)).stream(request(1)), shown)
    assert [step.percent for step in shown] == [10]
    await crew.hire("cora", "dora")
    grok = MediaGrok(begun, [done(1)])
    assert len((await service(crew, grok).edit(request(1))).pictures) == 1


async def test_a_picture_that_is_none_is_refused_before_anybody_is_asked(crew: Crew) -> None:
    """No account is lent for it."""
    grok = MediaGrok()
    bad = EditRequest("x", 1, (Source(SourceKind.EDITABLE, "image", BytesIO(b"<svg>")),), "url")
    with pytest.raises(InvalidRequestError) as raised:
        await service(crew, grok).edit(bad)
    assert (raised.value.code, raised.value.param, grok.asked) == ("invalid_image_type", "image", [])


@pytest.mark.parametrize("at", ["upload", "edit", "download"])
async def test_leaving_ends_everything(crew: Crew, at: str) -> None:
    """At whatever point: nothing stays open, no quota is touched."""
    await crew.hire("anna")
    never = asyncio.Event()
    grok = MediaGrok(*([[never]] * 2 if at == "edit" else [[done(1, 2)], [done(3)]]))
    grok.upload_scripts = [[never]] if at == "upload" else []
    for picture in (1, 2, 3):
        grok.downloads[address_of(picture)] = [[PNG, never]]
    editing = asyncio.create_task(service(crew, grok).edit(request(3)))
    await grok.until(lambda grok: grok.open[at] == {"upload": 1, "edit": 2, "download": 3}[at])
    editing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await editing
    await grok.until(lambda grok: not grok.open[at])
    assert_at_rest(crew, grok)
    assert crew.used() == {}


async def test_leaving_a_stream_ends_all_calls(crew: Crew) -> None:
    """Those that have said nothing yet as well."""
    await crew.hire("anna")
    never = asyncio.Event()
    grok = MediaGrok([ImageProgress(0, 10), never], [never])
    async with aclosing(service(crew, grok).stream(request(4))) as steps:
        await anext(steps)
        assert grok.open["edit"] == 2
    assert_at_rest(crew, grok)
    assert crew.used() == {}
