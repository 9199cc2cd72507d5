"""The doctor: what it finds, each thing that can be wrong, and that it changes nothing."""

import hashlib
import json
import resource
import shutil
import socket
import time
from collections.abc import Callable, Generator, Mapping
from email.utils import formatdate
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import pytest
from sqlalchemy import create_engine, text

from grok_app.accounts import open_roster
from grok_app.catalog import Pool
from grok_app.cli.doctor import Finding, Level, doors, examination, examine, machine, print_findings, storage
from grok_app.db import Notice, downgrade, open_database, open_vault, upgrade
from grok_app.db.database import driver_url
from grok_app.env import read_env
from grok_app.page_build import PageState
from grok_app.settings import open_settings
from grok_app.shared import RedisState
from tests.redis import redis_url
from tests.storage import empty_postgres
from tests.test_cli import grok_app

__all__ = ["redis_url"]

STRONG = "a-key-that-nobody-can-guess"
TOKEN = "sandbox-basic-doctors-secret"
Examine = Callable[..., Any]


class Grok(NamedTuple):
    """In Grok's place: what it answers, and where it is."""

    url: str
    answers: dict[str, Any]
    told: list[tuple[str, str, str]]
    """The path, the cookie and the user agent of each request."""


@pytest.fixture
def grok() -> Generator[Grok]:
    """A server that answers 200 with the right time, until told otherwise."""
    answers: dict[str, Any] = {"status": 200, "ahead_s": 0, "body": b""}
    told: list[tuple[str, str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            cookie = self.headers["cookie"] or ""
            told.append((self.path, cookie, self.headers["user-agent"]))
            assert "sso" not in cookie
            self.send_response_only(answers["status"])
            self.send_header("date", formatdate(time.time() + answers["ahead_s"], usegmt=True))
            self.send_header("content-length", str(len(answers["body"])))
            self.end_headers()
            self.wfile.write(answers["body"])

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        yield Grok(f"http://127.0.0.1:{server.server_port}", answers, told)
        server.shutdown()
        serving.join()


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """The data folder of a server that has been started once, with one account."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    url = f"sqlite:///{folder / 'grok_app.db'}"
    upgrade(url)
    vault = open_vault("", folder)
    async with open_database(url) as database:
        settings = await open_settings(database, vault, {})
        await settings.ensure_keys()
        async with open_roster(database, vault, settings, Notice(folder / "accounts.notice")) as roster:
            await roster.add({Pool.BASIC: [TOKEN]})
    return folder


@pytest.fixture
def look(folder: Path, grok: Grok, monkeypatch: pytest.MonkeyPatch) -> Examine:
    """Examines that server with these variables beside what it needs; what is found of a subject."""
    monkeypatch.setattr(examination, "configure_logging", lambda *_, **__: None)
    monkeypatch.setattr(machine, "page_state", lambda: PageState.FRESH)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (65536, 65536))

    async def examined(subject: str, **given: str) -> list[Finding]:
        needed = {
            "DATA_DIR": str(folder),
            "PORT": str(_free_port()),
            "UPSTREAM__GROK_URL": grok.url,
            "UPSTREAM__ASSETS_URL": grok.url,
            "VOICE__LIVEKIT_URL": grok.url.replace("http", "ws"),
        }
        environ = {f"GROK_APP_{name}": value for name, value in {**needed, **given}.items() if name != "REDIS_URL"}
        environ |= {name: value for name, value in given.items() if name == "REDIS_URL"}
        monkeypatch.setattr(examination, "current_env", partial(read_env, environ))
        found = await examine()
        return [finding for finding in found if finding.subject == subject] if subject else found

    return examined


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def only(found: list[Finding], level: Level, *words: str) -> None:
    """There is one finding, of this level, that says these words and, unless all is well, what to do."""
    [finding] = found
    assert finding.level is level, finding
    assert [word for word in words if word not in f"{finding.text} {finding.advice}"] == [], finding
    assert bool(finding.advice) is (level is not Level.OK)


def _fingerprint(folder: Path) -> Mapping[str, str]:
    """What is in a folder: the databases' own shared memory aside."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.endswith(("-shm", "-wal")))
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


async def test_a_server_that_is_well_is_told_so(look: Examine, folder: Path) -> None:
    """Every line is ok, none tells a secret, and nothing is different afterwards."""
    before = _fingerprint(folder)
    found = await look("")
    assert [finding for finding in found if finding.level is not Level.OK] == []
    assert {"database", "accounts", "keys", "Redis", "disk", "open files", "port", "pages", "Grok", "clock"} <= {
        finding.subject for finding in found
    }
    assert TOKEN not in repr(found)
    assert _fingerprint(folder) == before


async def test_a_new_machine_is_left_as_it_is(look: Examine, tmp_path: Path) -> None:
    """No folder, no database and no key is made; the first start does that."""
    empty = tmp_path / "new"
    found = await look("", DATA_DIR=str(empty))
    assert {finding.subject for finding in found if finding.level is Level.WARNING} == {"database", "data folder"}
    assert not empty.exists()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PROT", "9000", "GROK_APP_PROT is not a setting"),
        ("PORT", "70000", "GROK_APP_PORT"),
        ("CHAT__TIMEOUT", "soon", "'soon'"),
        ("CHAT__NO_SUCH", "1", "GROK_APP_CHAT__NO_SUCH is not a setting"),
    ],
)
async def test_a_wrong_environment_is_named(look: Examine, name: str, value: str, words: str) -> None:
    """And nothing else is looked at."""
    found = await look("", **{name: value})
    only(found, Level.FAILURE, words)


@pytest.mark.parametrize(
    ("subject", "given", "level", "words"),
    [
        ("API key", {"APP__API_KEY": "", "HOST": "0.0.0.0"}, Level.FAILURE, "app.api_key"),  # noqa: S104 - looked at only
        ("API key", {"APP__API_KEY": ""}, Level.WARNING, "app.api_key"),
        ("operator's key", {"APP__APP_KEY": ""}, Level.WARNING, "GROK_APP_APP__APP_KEY"),
        ("public key", {"APP__PUBLIC_ENABLED": "true", "APP__PUBLIC_KEY": ""}, Level.WARNING, "app.public_key"),
        ("keys", {"APP__APP_KEY": "grok2api"}, Level.WARNING, "app.app_key"),
        ("keys", {"APP__API_KEY": f"{STRONG},short"}, Level.WARNING, "app.api_key"),
        ("metrics", {"APP__METRICS_PUBLIC": "true", "HOST": "::"}, Level.WARNING, "app.metrics_public"),
        ("origins", {"CORS_ORIGINS": "*"}, Level.WARNING, "GROK_APP_CORS_ORIGINS"),
        ("proxies", {"TRUSTED_PROXIES": "0.0.0.0/0"}, Level.FAILURE, "0.0.0.0/0"),
        ("Redis", {"WORKERS": "2"}, Level.FAILURE, "REDIS_URL"),
        ("Redis", {"REDIS_URL": "redis://:hunter2@127.0.0.1:1"}, Level.FAILURE, "REDIS_URL"),
        ("database", {"DATABASE_URL": "postgresql://u:hunter2@127.0.0.1:1/x"}, Level.FAILURE, "127.0.0.1:1/x"),
        ("Grok", {"UPSTREAM__GROK_URL": "http://127.0.0.1:1"}, Level.FAILURE, "nobody answers there"),
        ("Grok's files", {"UPSTREAM__ASSETS_URL": "http://127.0.0.1:1"}, Level.FAILURE, "127.0.0.1:1"),
        ("voice", {"VOICE__LIVEKIT_URL": "ws://127.0.0.1:1"}, Level.WARNING, "127.0.0.1:1"),
        ("Grok", {"UPSTREAM__GROK_URL": "http://no.such.host.invalid"}, Level.FAILURE, "its name is unknown"),
    ],
    ids=lambda it: it if isinstance(it, str) else None,
)
async def test_what_is_wrong_in_the_configuration_is_named(
    look: Examine, subject: str, given: dict[str, str], level: Level, words: str
) -> None:
    """With what to do, and without any password."""
    found = await look(subject, **given)
    only(found, level, words)
    assert "hunter2" not in repr(found)


async def test_migrations_that_are_missing_are_counted(look: Examine, folder: Path) -> None:
    """The next start makes them."""
    downgrade(f"sqlite:///{folder / 'grok_app.db'}", "-1")
    only(await look("database"), Level.WARNING, "misses 1 migration", "grok-app db upgrade")


async def test_a_database_of_a_later_version_is_recognised(look: Examine, folder: Path) -> None:
    """The program is older than what it would read."""
    _run(f"sqlite:///{folder / 'grok_app.db'}", "UPDATE alembic_version SET version_num = 'later'")
    only(await look("database"), Level.FAILURE, "later version", "Update the program")


async def test_a_database_that_refuses_writing_is_recognised(look: Examine, postgres: str) -> None:
    """PostgreSQL's standby does, say."""
    upgrade(empty_postgres(postgres))
    refusing = f"{postgres}?options=-c%20default_transaction_read_only%3Don"
    only(await look("database", DATABASE_URL=refusing, SECRET_KEY=STRONG), Level.FAILURE, "read-only")


async def test_a_new_key_beside_the_file_opens_everything(look: Examine) -> None:
    """The file's key still decrypts."""
    only(await look("accounts", SECRET_KEY=STRONG), Level.OK, "1 active")


async def test_a_lost_key_is_a_failure(look: Examine, folder: Path) -> None:
    """Without any key nothing is opened, and none is made; with another one each account is counted."""
    (folder / "secret.key").unlink()
    only(await look("secret key"), Level.FAILURE, "Bring the key back")
    assert not (folder / "secret.key").exists()
    found = await look("", SECRET_KEY=STRONG)
    assert [it.text for it in found if it.level is Level.FAILURE and it.subject == "accounts"] == [
        "1 of 1 can't be decrypted with the key in force"
    ]
    assert [it.subject for it in found if it.level is Level.FAILURE] == ["accounts", "settings"]


async def test_accounts_that_can_not_be_asked_are_told(look: Examine, folder: Path) -> None:
    """By what they are; so is a server without any."""
    url = f"sqlite:///{folder / 'grok_app.db'}"
    _run(url, "UPDATE account SET status = 'expired'")
    only(await look("accounts"), Level.WARNING, "1 expired")
    _run(url, "DELETE FROM account")
    only(await look("accounts"), Level.WARNING, "there are none")


def _run(url: str, statement: str) -> None:
    engine = create_engine(driver_url(url, is_async=False))
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


async def test_the_clearance_goes_to_grok_alone(look: Examine, grok: Grok) -> None:
    """The voice host is another one's."""
    voice = grok.url.replace("http", "ws") + "/voice"
    await look("", PROXY__CF_CLEARANCE="hunter2", PROXY__USER_AGENT="mine", VOICE__LIVEKIT_URL=voice)
    chat, files, other = sorted(grok.told)
    assert chat == files == ("/", "cf_clearance=hunter2", "mine")
    assert other[:2] == ("/voice", "")
    assert other[2] != "mine"


async def test_a_redis_that_answers_is_told(look: Examine, redis_url: str) -> None:
    """With its version."""
    found = await look("Redis", REDIS_URL=redis_url)
    assert (found[-1].level, "answers in" in found[-1].text) == (Level.OK, True)


@pytest.mark.parametrize(
    ("changed", "subject", "words"),
    [
        ({"policy": "allkeys-lru"}, "Redis", "noeviction"),
        ({"used_bytes": 90, "limit_bytes": 100}, "Redis", "90% full"),
        ({"ahead_s": -3.0}, "clock", "-3.0 s"),
        ({"is_cluster": True}, "Redis", "one server"),
    ],
    ids=["policy", "memory", "clock", "cluster"],
)
async def test_a_redis_that_does_not_suit_is_named(
    look: Examine, monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any], subject: str, words: str
) -> None:
    """What it is, and how it should be."""
    good = {"version": "7", "policy": "noeviction", "used_bytes": 1, "limit_bytes": 0, "answer_ms": 1.0, "ahead_s": 0.0}
    state = RedisState(**{"is_cluster": False, **good, **changed})
    monkeypatch.setattr(storage, "examine_redis", lambda _: state)
    found = [it for it in await look(subject, REDIS_URL="redis://127.0.0.1:1") if it.level is not Level.OK]
    [finding] = found
    assert words in f"{finding.text} {finding.advice}"


@pytest.mark.parametrize("status", [403, 429])
async def test_a_grok_that_refuses_us_is_no_failure_of_the_network(look: Examine, grok: Grok, status: int) -> None:
    """The advice is about the clearance cookie."""
    grok.answers["status"] = status
    only(await look("Grok"), Level.WARNING, str(status), "proxy.cf_clearance")


async def test_a_wrong_clock_is_told(look: Examine, grok: Grok) -> None:
    """By how much it is off, as others' answers say."""
    grok.answers["ahead_s"] = 100
    only(await look("clock"), Level.WARNING, "ours is -", " s off", "NTP")


async def test_the_machine_is_looked_at(look: Examine, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk, a tight limit of files, stale pages, a key that others may read, a taken port."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(100, 99, 1 << 20))
    only(await look("disk"), Level.FAILURE, "Make room")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(100, 99, 200 << 20))
    only(await look("disk"), Level.WARNING, "cache.limit_mb")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))
    only(await look("open files"), Level.WARNING, "1,024", "ulimit -n", "LimitNOFILE")
    for state in (PageState.STALE, PageState.MISSING):
        monkeypatch.setattr(machine, "page_state", lambda state=state: state)
        only(await look("pages"), Level.WARNING, "grok-app build")
    (folder / "secret.key").chmod(0o644)
    assert (await look("data folder"))[0].advice == f"chmod 600 {folder / 'secret.key'}"
    monkeypatch.setattr(machine, "access", lambda *_: False)
    only(await look("data folder"), Level.FAILURE, "can't be written")


async def test_a_taken_port_is_told_apart_from_a_server_of_ours(look: Examine, grok: Grok) -> None:
    """Ours answers at /healthz."""
    port = grok.url.rpartition(":")[2]
    only(await look("port", PORT=port), Level.FAILURE, port)
    grok.answers["body"] = b'{"status":"ok"}'
    only(await look("port", PORT=port), Level.OK, "is running there")


@pytest.mark.parametrize(("host", "is_so"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("::", False)])
def test_an_address_of_this_machine_alone_is_known(host: str, is_so: bool) -> None:
    """What listens there, nobody else reaches."""
    assert doors.is_loopback(host) is is_so


@pytest.mark.parametrize(("level", "code"), [(Level.OK, 0), (Level.WARNING, 0), (Level.FAILURE, 1)])
def test_a_failure_is_the_exit_code(capsys: pytest.CaptureFixture[str], level: Level, code: int) -> None:
    """A warning is none. Programs read the same as JSON."""
    finding = Finding(level, "disk", "is full", "Make room")
    assert print_findings([finding], as_json=False) == code
    assert capsys.readouterr().out.split() == [*level.split(), "disk", "is", "full", "→", "Make", "room."]
    assert print_findings([finding], as_json=True) == code
    told = json.loads(capsys.readouterr().out)
    assert told == [{"level": level, "subject": "disk", "text": "is full", "advice": "Make room"}]


def test_the_command_tells_all(folder: Path, grok: Grok) -> None:
    """Beside whatever runs, with the environment that a server would have."""
    variables = {f"GROK_APP_UPSTREAM__{it}_URL": grok.url for it in ("GROK", "ASSETS")}
    variables["GROK_APP_VOICE__LIVEKIT_URL"] = grok.url.replace("http", "ws")
    answer = grok_app("doctor", "--data-dir", str(folder), "--port", str(_free_port()), **variables)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "accounts" in answer.stdout
    assert TOKEN not in answer.stdout + answer.stderr
