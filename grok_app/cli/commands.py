"""The commands. Heavy modules are imported inside them, so that a process which only watches others stays small."""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from grok_app import __version__
from grok_app.catalog import Pool
from grok_app.cli.demo import run_demo
from grok_app.cli.storage import prepare_apart
from grok_app.env import MOST_WORKERS, Env, current_env, wants_traces
from grok_app.errors import ConfigurationError
from grok_app.page_build import build_pages, project_dir
from grok_app.server import API, check_port, check_workers, reachable_url, serve

_KEY_NAMES = {"app_key": "Operator's key", "api_key": "API key", "public_key": "Public key"}
Command = TypeVar("Command", bound=Callable[..., Any])


def main() -> None:
    """Run a command. A wrong environment ends with a message and exit code 2, without a traceback."""
    started_in = Path.cwd()
    os.chdir(project_dir())
    try:
        commands(obj=started_in)
    except ConfigurationError as error:
        click.echo(f"grok-app: {error}", err=True)
        sys.exit(2)


class _WithFaults(click.Command):
    """Ends its help with the sandbox's magic words, which only the sandbox knows."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        from grok_app.sandbox import describe_faults  # noqa: PLC0415 - heavy, and other commands do without

        formatter.write(f"\n{describe_faults()}\n")


def _export(variable: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    """Let an option stand for a variable of the environment, which child processes inherit."""

    def callback(context: click.Context, _: click.Parameter, value: Any) -> None:
        if isinstance(value, Path):
            value = _from_user(context, value)
        if value is not None:
            os.environ[variable] = str(value)

    return callback


def _from_user(context: click.Context, path: Path) -> Path:
    """The path as the user means it, who doesn't know that we stand in another folder."""
    started_in: Path = context.find_root().obj or Path.cwd()
    return started_in / path


def _option(name: str, kind: click.ParamType[Any], variable: str, meaning: str) -> Callable[[Command], Command]:
    text = f"{meaning} Stands above {variable}."
    return click.option(name, type=kind, expose_value=False, callback=_export(variable), help=text)


data_dir_option = _option(
    "--data-dir",
    click.Path(file_okay=False, path_type=Path),
    "GROK_APP_DATA_DIR",
    "Folder for the database, keys and media.",
)

workers_option = _option(
    "--workers",
    click.IntRange(1, MOST_WORKERS),
    "GROK_APP_WORKERS",
    "Processes that serve, on the one port. More than one needs REDIS_URL.",
)


def server_options(command: Command) -> Command:
    """Add `--host`, `--port` and `--data-dir`."""
    port = _option("--port", click.IntRange(1, 65535), "GROK_APP_PORT", "Port for pages and API.")
    host = _option("--host", click.STRING, "GROK_APP_HOST", "Address to listen on.")
    return host(port(data_dir_option(command)))


_token_delay = click.option(
    "--token-delay-ms",
    type=click.FloatRange(0),
    help="Pause of the simulated Grok before each token. Default: like Grok's.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="grok-app")
def commands() -> None:
    """A self-hosted, OpenAI-compatible gateway to Grok."""


@commands.command()
@server_options
@workers_option
def run() -> None:
    """Serve pages and API on one port.

    Brings the database up to date first, makes the keys that are missing, and builds the pages when they have changed.
    """
    env = _prepare()
    build_pages()
    serve(env)


@commands.command()
@server_options
@workers_option
def api() -> None:
    """Serve the API alone, without the pages."""
    serve(_prepare("API: {url}/v1   reference: {url}/docs"), target=API)


@commands.command()
@server_options
@_token_delay
def demo(token_delay_ms: float | None) -> None:
    """Try everything without a Grok account.

    A simulated Grok, accounts and keys are ready at once. Its data is in data/demo, unless --data-dir or
    GROK_APP_DATA_DIR names another folder. Ctrl-C stops it all.
    """
    run_demo(token_delay_ms)


@commands.command(cls=_WithFaults)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), required=True, help="Port to listen on.")
@_token_delay
def sandbox(host: str, port: int, token_delay_ms: float | None) -> None:
    """Serve a simulated grok.com, as the demo and the tests use it."""
    from grok_app.sandbox import Pacing, serve_sandbox  # noqa: PLC0415 - heavy, and other commands do without

    check_port(host, port)
    serve_sandbox(host, port, Pacing() if token_delay_ms is None else Pacing(token_s=token_delay_ms / 1000))


@commands.command()
def build() -> None:
    """Build the pages, unless they are up to date."""
    click.echo("The pages are built." if build_pages() else "The pages are up to date.")


@commands.command(name="prepare", hidden=True)
@click.option("--demo", "is_demo", is_flag=True)
def prepare_storage(is_demo: bool) -> None:
    """Prepare the storage and print keys as JSON. What other commands start."""
    from grok_app.cli.prepare import prepare  # noqa: PLC0415 - heavy, and other commands do without

    click.echo(json.dumps(prepare(is_demo=is_demo)))


@commands.command(name="serve", hidden=True)
def serve_prepared() -> None:
    """Serve, with storage and pages prepared. What the demo starts."""
    serve(current_env()[0])


@commands.group()
def db() -> None:
    """Look after the database."""


@db.command()
@server_options
def upgrade() -> None:
    """Bring the database up to date. `run`, `api` and `demo` do it themselves."""
    from grok_app.db import upgrade as upgrade_database  # noqa: PLC0415 - heavy, and other commands do without

    upgrade_database(current_env()[0].database)


@commands.command()
@server_options
@workers_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array instead of lines.")
def doctor(as_json: bool) -> None:
    """Check everything that a server needs, and say what to do.

    Configuration, keys, database, accounts, Redis, disk, open files, port, pages, clock, the way to Grok. Changes
    nothing, asks with no account, and runs beside a server or without one. Exit code 1 when something is a failure.
    """
    from grok_app.cli.doctor import examine, print_findings  # noqa: PLC0415 - heavy, and other commands do without

    sys.exit(print_findings(asyncio.run(examine()), as_json=as_json))


@commands.group()
def key() -> None:
    """Look after the key that encrypts what is stored."""


@key.command()
@data_dir_option
def rotate() -> None:
    """Encrypt everything that is stored anew, with another key.

    With GROK_APP_SECRET_KEY: first put a new key and a comma in front of it, for every server, and start them anew;
    then rotate, while they run; then take the former key away. Else the key is in data/secret.key: stop the servers;
    a new key is made, and the former one is dropped at the end. Broken off, it goes on when it is run again.
    """
    from grok_app.cli.rotation import rotate as rotate_keys  # noqa: PLC0415 - heavy, and other commands do without

    rotate_keys()


@commands.command(name="import")
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--pool",
    type=click.Choice([pool.value for pool in Pool]),
    default=Pool.BASIC.value,
    show_default=True,
    help="Where tokens go for which the file names no pool.",
)
@click.option(
    "--dry-run",
    "is_rehearsal",
    is_flag=True,
    help="Say what would happen and change nothing. The database must be up to date.",
)
@data_dir_option
@click.pass_context
def import_(context: click.Context, path: Path, pool: str, is_rehearsal: bool) -> None:
    """Take over accounts and settings from PATH.

    PATH is the data folder of grok2api or the folder of an export (token.json, config.toml), or one file: .json
    (accounts), .txt (one token per line) or .toml (settings). Accounts that are there already stay as they are. Servers
    may run meanwhile.
    """
    from grok_app.cli.transfer import move_in  # noqa: PLC0415 - heavy, and other commands do without

    move_in(_from_user(context, path), Pool(pool), is_rehearsal=is_rehearsal)


@commands.command()
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), default=Path("grok-export"))
@click.option("--force", "may_overwrite", is_flag=True, help="Overwrite files that are there.")
@data_dir_option
@click.pass_context
def export(context: click.Context, folder: Path, may_overwrite: bool) -> None:
    """Write all accounts and settings to DIR, ./grok-export by default, for import to read.

    The files, token.json and config.toml, hold tokens and keys that anyone can read who gets hold of them.
    """
    from grok_app.cli.transfer import move_out  # noqa: PLC0415 - heavy, and other commands do without

    move_out(_from_user(context, folder), may_overwrite=may_overwrite)


def _prepare(at: str = "Pages: {url}   API: {url}/v1   reference: {url}/docs") -> Env:
    env, _ = current_env()
    check_workers(env)
    wants_traces()  # says so here if it can't have them
    check_port(env.host, env.port)
    made = prepare_apart()
    if new := {name: key for name, key in made.items() if key}:
        click.echo("Made at this first start and shown only now:")
        click.echo("".join(f"  {_KEY_NAMES[name]:16} {key}\n" for name, key in new.items()))
    click.echo(at.format(url=reachable_url(env)))
    return env
