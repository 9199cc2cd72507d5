"""The environment: read once, refused with a sentence that helps."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from grok_app.env import read_env
from grok_app.errors import ConfigurationError


def test_defaults_listen_on_this_machine_only() -> None:
    """Without a variable set, the server is closed to the network and keeps its data in one folder."""
    env, overrides = read_env({})
    assert (env.host, env.port, env.data_dir) == ("127.0.0.1", 8000, Path("data"))
    assert env.database.endswith("/data/grok_app.db")
    assert overrides == {}


def test_values_are_read_by_their_documented_names() -> None:
    """Every documented variable arrives in its field."""
    env, _ = read_env(
        {
            "GROK_APP_PORT": "9000",
            "GROK_APP_WORKERS": "4",
            "GROK_APP_HOST": "0.0.0.0",  # noqa: S104 - what an operator may write
            "GROK_APP_DATABASE_URL": "postgresql://db/x",
            "GROK_APP_CORS_ORIGINS": "https://a.example, http://b.example:3000/",
            "GROK_APP_TRUSTED_PROXIES": "10.0.0.0/8, ::1",
            "GROK_APP_LOG_LEVEL": "DEBUG",
            "GROK_APP_LOG_JSON": "true",
            "REDIS_URL": "redis://localhost",
        }
    )
    assert (env.port, env.workers) == (9000, 4)
    assert env.database == "postgresql://db/x"
    assert env.cors_origins == ("https://a.example", "http://b.example:3000")
    assert env.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("::1/128"))
    assert (env.log_level, env.log_json, env.redis_url) == ("debug", True, "redis://localhost")


def test_a_double_underscore_names_a_runtime_setting() -> None:
    """`GROK_APP_<SECTION>__<KEY>` is handed on by its dotted name, the empty text included."""
    _, overrides = read_env({"GROK_APP_APP__API_KEY": "", "GROK_APP_UPSTREAM__GROK_URL": "http://x"})
    assert overrides == {"app.api_key": "", "upstream.grok_url": "http://x"}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("GROK_APP_PORT", "eighty", "GROK_APP_PORT = 'eighty': expected a valid integer"),
        ("GROK_APP_PORT", "70000", "GROK_APP_PORT = '70000': expected less than or equal to 65535"),
        ("GROK_APP_WORKERS", "0", "GROK_APP_WORKERS = '0': expected greater than or equal to 1"),
        ("GROK_APP_WORKERS", "65", "GROK_APP_WORKERS = '65': expected less than or equal to 64"),
        ("GROK_APP_DATABASE_URL", "mongodb://x", "expected sqlite:///path, postgresql://"),
        ("GROK_APP_DATABASE_URL", "sqlite://", "expected sqlite:///path, postgresql://"),
        ("GROK_APP_DATABASE_URL", "sqlite:///:memory:", "expected sqlite:///path, postgresql://"),
        ("GROK_APP_CORS_ORIGINS", "example.com", "expected origins like https://chat.example.com"),
        ("GROK_APP_TRUSTED_PROXIES", "nginx", "GROK_APP_TRUSTED_PROXIES = 'nginx': expected addresses or networks"),
        ("GROK_APP_TRUSTED_PROXIES", "10.0.0.1/8", "expected addresses or networks like 10.0.0.0/8"),
        ("GROK_APP_LOG_LEVEL", "loud", "GROK_APP_LOG_LEVEL = 'loud': expected 'debug', 'info', 'warning' or 'error'"),
        ("GROK_APP_SECRET_KEY", "short", "expected keys of 16 characters or more"),
        ("REDIS_URL", "localhost", "REDIS_URL = (hidden): expected a URL that begins with redis://"),
        ("GROK_APP_POTR", "1", "GROK_APP_POTR is not a setting"),
    ],
    ids=[
        "no number",
        "no port",
        "no worker",
        "too many workers",
        "database",
        "no path",
        "memory",
        "origin",
        "proxy",
        "not a network",
        "level",
        "secret",
        "redis",
        "typo",
    ],
)
def test_a_wrong_value_says_name_value_and_expectation(name: str, value: str, expected: str) -> None:
    """The start is refused with the variable's name, what it was and what would have been right."""
    with pytest.raises(ConfigurationError) as refused:
        read_env({name: value})
    assert expected in str(refused.value)


def test_secrets_are_never_quoted() -> None:
    """A wrong secret is not repeated in the message, nor shown by the object."""
    with pytest.raises(ConfigurationError) as refused:
        read_env({"GROK_APP_SECRET_KEY": "hunter2"})
    assert "hunter2" not in str(refused.value)
    env, _ = read_env({"GROK_APP_SECRET_KEY": "a-very-long-secret-key"})
    assert "a-very-long" not in repr(env)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("", "sqlite"),
        ("sqlite:////data/mysql.db", "sqlite"),
        ("postgresql://u:p@db/x", "postgresql"),
        ("mysql://u:p@db/x", "mysql"),
        ("mariadb://u:p@db:3307/x", "mysql"),
    ],
)
def test_the_kind_of_the_database_is_known(url: str, kind: str) -> None:
    """By the beginning of its URL; MariaDB is spoken to as MySQL."""
    env, _ = read_env({"GROK_APP_DATABASE_URL": url})
    assert env.database_kind == kind


def test_dotenv_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    """A `.env` file gives what the environment doesn't."""
    file = tmp_path / ".env"
    file.write_text("GROK_APP_PORT=9001\nGROK_APP_APP__API_KEY=from-file\nOTHER=1\n")
    env, overrides = read_env({"GROK_APP_PORT": "9002"}, file)
    assert env.port == 9002
    assert overrides == {"app.api_key": "from-file"}


def test_the_environment_wins_in_any_spelling(tmp_path: Path) -> None:
    """What the file says of the same setting under another name is not heard."""
    file = tmp_path / ".env"
    file.write_text("GROK_APP_APP__STREAM=true\nGROK_APP_PUBLIC_KEY=from-file\nGROK_APP_APP__THINKING=false\n")
    _, overrides = read_env({"GROK_APP_STREAM": "false", "GROK_APP_APP__PUBLIC_KEY": "mine"}, file)
    assert overrides == {"stream": "false", "app.public_key": "mine", "app.thinking": "false"}
