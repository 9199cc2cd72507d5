"""The gateway ends under load, in good order or on the spot: what was acknowledged is there when it starts again."""

import sqlite3
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final

import httpx
import pytest

from grok_app.catalog import Pool
from tests.conftest import API_KEY, APP_KEY, ENDLESS, KEYS, QUICK_RETRIES
from tests.contract.admin import bearer, operator
from tests.contract.pictures import DRAW, EDIT, EDITS, GENERATIONS, opened, upload_of
from tests.contract.wire import CHAT, body
from tests.faults.machine import noise
from tests.servers import Gateway, Sandbox, eventually, start_gateway

ENOUGH: Final = 3
"""So much of each kind was acknowledged before the end."""
SETTINGS: Final = {**KEYS, **QUICK_RETRIES, "token.save_delay_ms": "100", "token.auto_refresh": "false"}
Ending = Callable[[Gateway], None]
Work = Callable[[httpx.Client, "Acknowledged", int], None]


@dataclass
class Acknowledged:
    """What clients were told is done."""

    accounts: list[str] = field(default_factory=list)
    settings: list[str] = field(default_factory=list)
    """The values of one of them, each in place of the one before."""
    files: list[str] = field(default_factory=list)
    """The addresses of pictures."""
    chats: list[int] = field(default_factory=list)

    def is_enough(self) -> bool:
        """Whether there is some of everything."""
        return all(len(kind) >= ENOUGH for kind in (self.accounts, self.settings, self.files, self.chats))


@pytest.fixture
def start(sandbox: Sandbox, tmp_path: Path) -> Generator[Callable[[], Gateway]]:
    """Starts the gateway, again and again in the same folder; the last one ends with the test."""
    folder, temp = tmp_path / "gateway", tmp_path / "temp"
    folder.mkdir()
    temp.mkdir()
    started: list[Gateway] = []

    def begin() -> Gateway:
        accounts = {Pool.SUPER: tuple(f"sandbox-super-{number}-{ENDLESS}" for number in range(10))}
        with pytest.MonkeyPatch.context() as patched:
            patched.setenv("TMPDIR", str(temp))
            started.append(start_gateway(folder, sandbox, {} if started else accounts, SETTINGS))
        return started[-1]

    yield begin
    started[-1].stop()


@pytest.mark.parametrize("end", [Gateway.kill, Gateway.stop], ids=["kill", "stop"])
@pytest.mark.timeout(180)  # two starts on a busy machine
def test_what_was_acknowledged_is_there_again(start: Callable[[], Gateway], tmp_path: Path, end: Ending) -> None:
    """Accounts, settings and files, whole; the database is sound, and nothing half-written is left."""
    gateway, done = start(), Acknowledged()
    works = (add_account, change_setting, draw, draw, edit, chat, chat)
    with ThreadPoolExecutor(len(works)) as threads:
        load = [threads.submit(until_it_is_gone, work, gateway, done) for work in works]
        eventually(done.is_enough, within_s=30)
        end(gateway)
    for work in load:
        work.result()

    again = start()
    with operator(again, "/v1/admin") as admin:
        tokens = {account["token"] for account in admin.get("/tokens").raise_for_status().json()["ssoBasic"]}
        [tag] = admin.get("/config").raise_for_status().json()["app"]["filter_tags"]
    assert set(done.accounts) <= tokens
    assert int(tag) - len(done.settings) in (0, 1)  # the next one may have been stored, and its answer lost
    for address in done.files:
        opened(again.stranger.get(httpx.URL(address).path).raise_for_status().content)
    check_files(tmp_path / "gateway" / "media")
    assert list((tmp_path / "temp").iterdir()) == []
    with closing(sqlite3.connect(tmp_path / "gateway" / "grok_app.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert again.http.post(CHAT, json=body("Hello", stream=False)).status_code == 200


def check_files(folder: Path) -> None:
    """Every file is whole, those too of which nobody was told, and none is half-written."""
    for path in folder.rglob("*"):
        if path.is_file():
            assert path.suffix != ".part"
            opened(path.read_bytes())


def until_it_is_gone(work: Work, gateway: Gateway, done: Acknowledged) -> None:
    """Do it again and again."""
    with httpx.Client(base_url=gateway.url, timeout=20) as http, suppress(httpx.HTTPError):
        for number in count(1):
            work(http, done, number)


def add_account(http: httpx.Client, done: Acknowledged, number: int) -> None:
    """An operator adds one."""
    token = f"sandbox-basic-added-{number}"
    http.post("/v1/admin/tokens/add", json={"tokens": [token]}, headers=bearer(APP_KEY)).raise_for_status()
    done.accounts.append(token)


def change_setting(http: httpx.Client, done: Acknowledged, number: int) -> None:
    """An operator changes one."""
    change = {"app.filter_tags": [str(number)]}
    http.post("/v1/admin/config", json=change, headers=bearer(APP_KEY)).raise_for_status()
    done.settings.append(str(number))


def draw(http: httpx.Client, done: Acknowledged, number: int) -> None:
    """A picture is drawn and kept."""
    wish = {"model": DRAW, "prompt": f"A gateway at dawn {number}", "n": 1, "response_format": "url"}
    answer = http.post(GENERATIONS, json=wish, headers=bearer(API_KEY)).raise_for_status()
    done.files.append(answer.json()["data"][0]["url"])


def edit(http: httpx.Client, done: Acknowledged, _number: int) -> None:
    """A large picture is changed, and the result kept."""
    wish, files = {"model": EDIT, "prompt": "Make it blue"}, [upload_of(noise())]
    answer = http.post(EDITS, data=wish, files=files, headers=bearer(API_KEY)).raise_for_status()
    done.files.append(answer.json()["data"][0]["url"])


def chat(http: httpx.Client, done: Acknowledged, number: int) -> None:
    """A chat."""
    http.post(CHAT, json=body("Hello", stream=False), headers=bearer(API_KEY)).raise_for_status()
    done.chats.append(number)
