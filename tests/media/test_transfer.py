"""Files on their way to Grok and from it: how many at once, how often, and under which name."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grok_app.errors import GatewayError
from grok_app.media import Kind, MediaCache, PerAccount, Transfer, clean_name
from grok_app.media.transfer import _name_of
from grok_app.settings import SettingsService
from grok_app.upstream import ErrorKind, Upload, UpstreamError
from tests.media.grok import PNG, USER, MediaGrok, address_of, file_id

BROKE_OFF = UpstreamError(ErrorKind.UNAVAILABLE, "broke off")
IMAGE, VIDEO = Kind


def transfer(grok: MediaGrok, cache: MediaCache, settings: SettingsService) -> Transfer:
    """Under test."""
    return Transfer(grok.face, cache, settings)


def files(count: int) -> list[Upload]:
    """Files to be uploaded."""
    return [Upload(f"{number}.png", "image/png", PNG + b"%d" % number) for number in range(count)]


async def test_uploads_are_limited_over_all_requests(cache: MediaCache, settings: SettingsService) -> None:
    """At most `asset.upload_concurrent` at once, whoever asks; each request gets its answers in its own order."""
    await settings.store({"asset.upload_concurrent": 3})
    may_end = [asyncio.Event() for _ in range(8)]
    grok = MediaGrok()
    grok.upload_scripts = [[event] for event in may_end]
    under_test = transfer(grok, cache, settings)
    requests = [asyncio.create_task(PerAccount(under_test, files(4)).of(name)) for name in ("anna", "bert")]
    await grok.until(lambda grok: grok.open["upload"] == 3)
    for number in (2, 1, 0, 5, 4, 3, 7, 6):
        may_end[number].set()
    first, second = await asyncio.gather(*requests)
    assert grok.most_open["upload"] == 3
    ids = [int(name.partition(".")[0]) for name, _, _ in grok.uploads]
    for uploaded in (first, second):
        numbers = [next(n for n in range(1, 9) if file_id(n) == file.id) for file in uploaded]
        assert [ids[number - 1] for number in numbers] == [0, 1, 2, 3]


async def test_an_upload_that_fails_breaks_the_others_off(cache: MediaCache, settings: SettingsService) -> None:
    """Its error is raised as it is, and the places are free again."""
    await settings.store({"asset.upload_concurrent": 2})
    grok = MediaGrok()
    grok.upload_scripts = [[asyncio.Event()], [BROKE_OFF]]
    under_test = transfer(grok, cache, settings)
    with pytest.raises(UpstreamError) as raised:
        await PerAccount(under_test, files(3)).of("anna")
    assert raised.value is BROKE_OFF
    assert grok.open["upload"] == 0
    assert len(await PerAccount(under_test, files(3)).of("anna")) == 3


async def test_downloads_are_limited_too(cache: MediaCache, settings: SettingsService) -> None:
    """At most `asset.download_concurrent` at once; what is waited for meanwhile comes later."""
    await settings.store({"asset.download_concurrent": 2})
    may_end = asyncio.Event()
    grok = MediaGrok()
    for number in range(5):
        grok.downloads[address_of(number)] = [[PNG, may_end, b"."]]
    under_test = transfer(grok, cache, settings)
    keeping = [asyncio.create_task(under_test.keep("anna", IMAGE, address_of(number))) for number in range(5)]
    await grok.until(lambda grok: grok.open["download"] == 2)
    may_end.set()
    entries = await asyncio.gather(*keeping)
    assert grok.most_open["download"] == 2
    assert [entry.size_bytes for entry in entries] == [len(PNG) + 1] * 5


@pytest.mark.parametrize("is_under_way", [True, False], ids=["downloading", "waiting"])
async def test_who_leaves_gives_the_place_back(
    cache: MediaCache, settings: SettingsService, is_under_way: bool
) -> None:
    """The one behind is next, and nothing of the download is left."""
    await settings.store({"asset.download_concurrent": 1})
    may_end = asyncio.Event()
    grok = MediaGrok()
    for number in range(2):
        grok.downloads[address_of(number)] = [[PNG, may_end]]
    under_test = transfer(grok, cache, settings)
    first, second = (asyncio.create_task(under_test.keep("anna", IMAGE, address_of(number))) for number in range(2))
    await grok.until(lambda grok: grok.open["download"] == 1)
    leaving, staying = (first, second) if is_under_way else (second, first)
    leaving.cancel()
    may_end.set()
    assert (await staying).size_bytes == len(PNG)
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert cache.stats(IMAGE).count == 1
    assert (await under_test.keep("anna", IMAGE, address_of(2))).size_bytes == len(PNG)


async def test_what_is_there_is_not_downloaded_again(cache: MediaCache, settings: SettingsService) -> None:
    """For whichever account."""
    grok = MediaGrok()
    under_test = transfer(grok, cache, settings)
    first = await under_test.keep("anna", IMAGE, address_of(1))
    assert await under_test.keep("bert", IMAGE, address_of(1)) == first
    assert grok.asked == [("download", "anna")]


async def test_a_download_that_breaks_off_is_begun_anew(cache: MediaCache, settings: SettingsService) -> None:
    """Once; nothing of the first attempt is in the file."""
    grok = MediaGrok()
    grok.downloads[address_of(1)] = [[b"half of", BROKE_OFF], [PNG]]
    under_test = transfer(grok, cache, settings)
    entry = await under_test.keep("anna", IMAGE, address_of(1))
    assert await cache.read(IMAGE, entry.name) == PNG
    assert grok.count("download") == 2


@pytest.mark.parametrize(
    ("failure", "attempts"),
    [
        (BROKE_OFF, 2),
        (UpstreamError(ErrorKind.UNAVAILABLE, "refused", status=503), 1),
        (UpstreamError(ErrorKind.TIMEOUT, "slow"), 1),
        (UpstreamError(ErrorKind.PROTOCOL, "a page"), 1),
        (RuntimeError("a bug"), 1),
    ],
    ids=["broke off", "503", "timeout", "nonsense", "bug"],
)
async def test_only_what_broke_off_is_begun_anew(
    cache: MediaCache, settings: SettingsService, failure: Exception, attempts: int
) -> None:
    """The failure is raised as it is; nothing is kept, and the next one who asks tries again."""
    grok = MediaGrok()
    grok.downloads[address_of(1)] = [[PNG, failure]] * attempts
    under_test = transfer(grok, cache, settings)
    with pytest.raises(type(failure)) as raised:
        await under_test.keep("anna", IMAGE, address_of(1))
    assert raised.value is failure
    assert (grok.count("download"), cache.stats(IMAGE).count) == (attempts, 0)
    assert (await under_test.keep("anna", IMAGE, address_of(1))).size_bytes == len(PNG)


async def test_an_empty_download_is_no_file(cache: MediaCache, settings: SettingsService) -> None:
    """It is not begun anew either."""
    grok = MediaGrok()
    grok.downloads[address_of(1)] = [[]]
    with pytest.raises(GatewayError, match="empty"):
        await transfer(grok, cache, settings).keep("anna", IMAGE, address_of(1))
    assert grok.count("download") == 1


async def test_files_are_uploaded_once_for_each_account(cache: MediaCache, settings: SettingsService) -> None:
    """When they are first asked for; a failed upload counts for nothing."""
    grok = MediaGrok()
    given_files = PerAccount(transfer(grok, cache, settings), files(2))
    assert grok.asked == []
    grok.upload_scripts = [[BROKE_OFF]]
    with pytest.raises(UpstreamError):
        await given_files.of("anna")
    annas = await given_files.of("anna")
    assert await given_files.of("anna") == annas
    berts = await given_files.of("bert")
    assert not {file.id for file in annas} & {file.id for file in berts}
    assert [name for _, name in grok.asked][-4:] == ["anna", "anna", "bert", "bert"]


@pytest.mark.parametrize(
    ("kind", "address", "name"),
    [
        (IMAGE, f"users/{USER}/generated/{file_id(1)}/image.jpg", f"{file_id(1)}.jpg"),
        (IMAGE, f"https://assets.grok.com/users/{USER}/generated/{file_id(1)}/image.jpg", f"{file_id(1)}.jpg"),
        (IMAGE, f"users/{USER}/{file_id(1)}/content", f"{file_id(1)}.jpg"),
        (IMAGE, f"users/{USER}/generated/{file_id(1)}/image.png?cache=1", f"{file_id(1)}.png"),
        (IMAGE, f"users/{USER}/generated/{file_id(1)}/preview_image.jpg", f"{file_id(1)}-preview_image.jpg"),
        (VIDEO, f"users/{USER}/generated/{file_id(1)}/generated_video.mp4", f"{file_id(1)}-generated_video.mp4"),
        (VIDEO, f"users/{USER}/generated/{file_id(1)}/generated_video_hd.mp4", f"{file_id(1)}-generated_video_hd.mp4"),
        (VIDEO, f"users/{USER}/generated/{file_id(1)}/image.jpg", f"{file_id(1)}.mp4"),
        (IMAGE, f"users/{USER}/generated/{file_id(1)}/page.html", f"{file_id(1)}-page.jpg"),
        (IMAGE, f"users/{USER}/generated/{file_id(1)}/drawing.svg", f"{file_id(1)}-drawing.jpg"),
        (IMAGE, f"users/{USER}/generated/{file_id(1)}/..%2f..%2fx.png", f"{file_id(1)}-..-2f..-2fx.png"),
    ],
    ids=["path", "url", "content", "query", "preview", "video", "hd", "wrong kind", "html", "svg", "dots"],
)
def test_a_kept_file_is_named_after_its_id(kind: Kind, address: str, name: str) -> None:
    """And its own name, where that tells files of one id apart; the extension is one of its kind."""
    assert _name_of(kind, address) == name


ADDRESSES = st.one_of(
    st.text(max_size=60),
    st.builds("{}/{}".format, st.just(f"users/{USER}/generated/{file_id(1)}"), st.text(max_size=80)),
    st.text("/.%-?#=aZ0", max_size=80),
)


@given(st.sampled_from(Kind), ADDRESSES)
def test_every_address_has_a_fitting_name(kind: Kind, address: str) -> None:
    """However strange: it is clean as it stands, always the same, and not to be guessed without the address."""
    name = _name_of(kind, address)
    assert clean_name(kind, name) == name == _name_of(kind, address)
    assert len(name) > 36


@given(st.lists(st.text("abc.", min_size=1, max_size=80).map("/{}.png".format), min_size=2, max_size=5, unique=True))
def test_files_without_an_id_never_share_a_name(addresses: Sequence[str]) -> None:
    """Nor do the same ones of two hosts, or with two queries."""
    addresses = [f"{host}{address}{query}" for host in ("", "//x") for address in addresses for query in ("", "?1")]
    assert len({_name_of(IMAGE, address) for address in addresses}) == len(addresses)
