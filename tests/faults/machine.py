"""What clients get when the gateway's own database, its disk, its clock or Redis fails."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

import httpx
from PIL import Image

from tests.conftest import APP_KEY
from tests.contract.admin import bearer, fresh
from tests.contract.pictures import EDIT, EDITS, upload_of
from tests.contract.wire import error_of
from tests.faults import databases, mounts
from tests.faults.promises import GOOD
from tests.faults.stage import Stage
from tests.faults.table import Ask, Fault, Seen, Switch, Table, Workload
from tests.faults.workloads import (
    ATTACH,
    CHAT_STREAM,
    CHAT_WHOLE,
    CLOSED,
    DRAW_STREAM,
    DRAW_WHOLE,
    DRAWN,
    EDITED,
    FILM,
    PICTURES,
    RUN_SSE,
    RUN_WS,
    STOPPED,
)
from tests.replicas.pair import Line

DATA: Final = "data"
MEDIA: Final = "data/media"
TEMP: Final = "temp"
"""The disks of a stage, in its folder."""
HOUR_S: Final = 3_600
DAY_S: Final = 24 * HOUR_S
SHIFT: Final = "clock-shift"
"""The file that says by how many seconds a stage's clock is wrong."""
STORED: Final = "stored-before-everything.png"
"""A picture that is kept from the beginning."""


async def upload(ask: Ask) -> Seen:
    """A large picture that is changed: on its way it waits on the disk."""
    async with ask.stage.client() as client:
        fields = {"model": EDIT, "prompt": ask.prompt}
        return _seen(await client.post(EDITS, data=fields, files=[upload_of(noise())]), PICTURES)


async def kept_file(ask: Ask) -> Seen:
    """A picture that is kept, as anybody reads it."""
    async with httpx.AsyncClient(base_url=ask.stage.gateway.url) as anybody:
        answer = await anybody.get(f"/v1/files/image/{STORED}")
    assert not answer.is_success or answer.content == noise()
    return _seen(answer, "the file")


async def change(ask: Ask) -> Seen:
    """The operator adds an account; what is refused must not be there."""
    [token] = fresh("-added")
    async with httpx.AsyncClient(base_url=ask.stage.gateway.url, headers=bearer(APP_KEY), timeout=30) as operator:
        answer = await operator.post("/v1/admin/tokens/add", json={"tokens": [token]})
        accounts = (await operator.get("/v1/admin/tokens")).json()["ssoBasic"]
    assert (token in [account["token"] for account in accounts]) is answer.is_success
    return _seen(answer, "done")


CHATS: Final = (CHAT_STREAM, CHAT_WHOLE, ATTACH, DRAWN)
UPLOAD: Final = Workload("upload", "Large upload", upload)
DRAWINGS: Final = (DRAW_WHOLE, DRAW_STREAM, EDITED, UPLOAD)
FILE: Final = Workload("file", "Kept file", kept_file)
CHANGE: Final = Workload("change", "Operator's change", change)


@cache
def noise() -> bytes:
    """A picture of more than a megabyte."""
    target = BytesIO()
    Image.frombytes("RGB", (700, 700), os.urandom(700 * 700 * 3)).save(target, "PNG")
    return target.getvalue()


def on_disk(what: Callable[[Path], AbstractContextManager[None]], path: str) -> Switch:
    """Something is done to this path of the stage."""
    return lambda stage: what(stage.folder / path)


def on_line(what: Callable[[Line], AbstractContextManager[None]], name: str) -> Switch:
    """Something is done to the way to this server of the stage, which is a `Wired`."""
    return lambda stage: what(getattr(stage, name))


def shifted(by_s: int) -> Switch:
    """The clock of a stage that listens to the file `SHIFT` goes wrong by so much."""

    @contextmanager
    def shift(stage: Stage) -> Iterator[None]:
        (stage.folder / SHIFT).write_text(str(by_s))
        try:
            yield
        finally:
            (stage.folder / SHIFT).write_text("0")

    return shift


_DRAWN: Final = {
    "images": Seen(200, None, PICTURES),
    "images-stream": Seen(200, None, PICTURES, CLOSED),
    "upload": Seen(200, None, PICTURES),
    "run-sse": Seen(200, None, PICTURES, STOPPED),
    "run-ws": Seen(101, None, PICTURES, STOPPED),
}
_FINE: Final = {**GOOD, **_DRAWN, "file": Seen(200, None, "the file"), "change": Seen(200, None, "done")}
_REFUSED: Final = Seen(503, "overloaded")
_NO_CHANGE: Final = {"change": _REFUSED}
_NO_FILES: Final = dict.fromkeys(("images", "images-stream", "edits", "video"), _REFUSED)
_NO_UPLOAD: Final = {"upload": _REFUSED}


def only(*names: str, **other: Seen) -> dict[str, Seen]:
    """All is well with these workloads."""
    return {**{name: _FINE[name] for name in names}, **other}


_DATABASE_FILE: Final = f"{DATA}/grok_app.db"
DISK: Final = Table(
    "disk",
    "The gateway's disk",
    "The folder of data with a SQLite database, the cache of media within it, and the folder for temporary files, each "
    "on a small disk of its own. Once there is room again everything goes on without a restart, whatever was used "
    "meanwhile is written, and the database is whole.",
    (
        CHAT_STREAM,
        CHAT_WHOLE,
        ATTACH,
        DRAWN,
        DRAW_WHOLE,
        DRAW_STREAM,
        EDITED,
        UPLOAD,
        FILM,
        RUN_SSE,
        RUN_WS,
        FILE,
        CHANGE,
    ),
    (
        Fault("data-full", "the disk of the data folder is full", switch=on_disk(mounts.full, DATA)),
        Fault("media-full", "the disk of the media cache is full", switch=on_disk(mounts.full, MEDIA)),
        Fault("media-read-only", "the media cache is read-only", switch=on_disk(mounts.read_only, MEDIA)),
        Fault("temp-full", "the disk of temporary files is full", switch=on_disk(mounts.full, TEMP)),
        Fault("temp-read-only", "the folder of temporary files is read-only", switch=on_disk(mounts.read_only, TEMP)),
        Fault("locked", "another process keeps SQLite locked", switch=on_disk(databases.locked, _DATABASE_FILE)),
        Fault("moved", "SQLite's file is moved away, and back", switch=on_disk(databases.moved_away, _DATABASE_FILE)),
    ),
    {
        "data-full": {**_FINE, **_NO_CHANGE},
        "media-full": {**only("chat", "run-sse", "file", "change"), **_NO_FILES, **_NO_UPLOAD},
        "media-read-only": {**only("chat", "drawn", "run-ws", "file", "change"), **_NO_FILES},
        "temp-full": {**only("chat-stream", "attach", "images", "edits"), **_NO_UPLOAD},
        "temp-read-only": {**only("chat-stream", "images"), **_NO_UPLOAD},
        "locked": {**only("chat-stream", "images", "edits", "video", "run-ws", "file"), **_NO_CHANGE},
        "moved": {**only("chat-stream", "images", "edits", "video", "run-sse", "file"), **_NO_CHANGE},
    },
)
SERVERS: Final = Table(
    "servers",
    "PostgreSQL and Redis",
    "Of two replicas and callers that never pause, `tests/replicas/test_away.py` tells more.",
    (CHAT_STREAM, DRAW_WHOLE, EDITED, FILM, RUN_WS, CHANGE),
    (
        Fault("database-cut", "nobody listens where PostgreSQL should be", switch=on_line(Line.cut, "database")),
        Fault("database-silent", "PostgreSQL says nothing any more", switch=on_line(Line.silent, "database")),
        Fault("redis-cut", "nobody listens where Redis should be", switch=on_line(Line.cut, "redis")),
        Fault("redis-silent", "Redis says nothing any more", switch=on_line(Line.silent, "redis")),
    ),
    {
        "database-cut": {**only("chat-stream", "images", "edits", "video", "run-ws"), **_NO_CHANGE},
        "database-silent": {**only("chat-stream", "images", "run-ws"), **_NO_CHANGE},
        "redis-cut": only("chat-stream", "images", "edits", "video", "run-ws", "change"),
        "redis-silent": only("chat-stream", "run-ws"),
    },
)
CLOCK: Final = Table(
    "clock",
    "The machine's clock",
    "Set while the gateway runs, and set right again.",
    (CHAT_STREAM, DRAW_WHOLE, EDITED, FILM, RUN_SSE, RUN_WS, CHANGE),
    (
        Fault("ahead", "the clock jumps a day ahead", switch=shifted(DAY_S)),
        Fault("back", "the clock jumps an hour back", switch=shifted(-HOUR_S)),
    ),
    {
        "ahead": only("chat-stream", "images", "edits", "video", "run-sse", "run-ws", "change"),
        "back": only("chat-stream", "images", "edits", "video", "run-sse", "run-ws", "change"),
    },
)


def _seen(answer: httpx.Response, good: str) -> Seen:
    return Seen(200, None, good) if answer.is_success else Seen(answer.status_code, error_of(answer)["code"])
