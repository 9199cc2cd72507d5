"""Settings that the environment holds: every spelling of the contract, told by the variable's own name."""

import pytest

from grok_app.db import Database, Vault
from grok_app.env import read_env
from grok_app.errors import ConfigurationError
from grok_app.settings import open_settings


@pytest.mark.parametrize(
    ("environ", "variable"),
    [
        ({"GROK_APP_APP__STREAM": "no", "GROK_APP_STREAM": "yes"}, "GROK_APP_APP__STREAM"),
        ({"GROK_APP_APP_STREAM": "no", "GROK_APP_STREAM": "yes"}, "GROK_APP_APP_STREAM"),
        ({"GROK_APP_STREAM": "no"}, "GROK_APP_STREAM"),
    ],
    ids=["own name", "first alias", "last alias"],
)
async def test_every_spelling_is_a_variable(
    database: Database, vault: Vault, environ: dict[str, str], variable: str
) -> None:
    """The leftmost spelling decides, and is the variable that people are told of."""
    _, overrides = read_env(environ)
    service = await open_settings(database, vault, overrides)
    assert service.snapshot.app.stream is False
    [shown] = [item for item in service.describe() if item.definition.name == "app.stream"]
    assert (shown.value, shown.source, shown.variable) == (False, "environment", variable)


@pytest.mark.parametrize(
    ("variable", "section", "key", "value"),
    [
        ("GROK_APP_PUBLIC_KEY", "app", "public_key", "key"),
        ("GROK_APP_APP_PUBLIC_ENABLED", "app", "public_enabled", "true"),
        ("GROK_APP_IMAGE_NSFW", "image", "nsfw", "true"),
        ("GROK_APP_IMAGE_FINAL_MIN_BYTES", "image", "final_min_bytes", "2"),
        ("GROK_APP_IMAGE_MEDIUM_MIN_BYTES", "image", "medium_min_bytes", "1"),
    ],
)
async def test_aliases_reach_their_settings(  # noqa: PLR0913, PLR0917 - a row of the table
    database: Database, vault: Vault, variable: str, section: str, key: str, value: str
) -> None:
    """Each alias of the contract sets what it names."""
    _, overrides = read_env({variable: value})
    service = await open_settings(database, vault, overrides)
    default = await open_settings(database, vault, {})
    assert getattr(getattr(service.snapshot, section), key) != getattr(getattr(default.snapshot, section), key)


async def test_an_empty_alias_is_a_choice(database: Database, vault: Vault) -> None:
    """`GROK_APP_PUBLIC_KEY=` asks for no check, as `GROK_APP_APP__PUBLIC_KEY=` does."""
    _, overrides = read_env({"GROK_APP_PUBLIC_KEY": ""})
    service = await open_settings(database, vault, overrides)
    assert sorted(await service.ensure_keys()) == ["api_key", "app_key"]


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"GROK_APP_STREAM": "perhaps"}, "GROK_APP_STREAM = 'perhaps': expected a valid boolean"),
        ({"GROK_APP_PUBLIC_KEY": "hunter2,"}, "GROK_APP_PUBLIC_KEY = (hidden): expected printable ASCII"),
        ({"GROK_APP_GROK__TEMPORARY": "no"}, "GROK_APP_GROK__TEMPORARY is not a setting"),
    ],
    ids=["alias", "secret", "former name"],
)
async def test_what_is_wrong_is_told_by_its_variable(
    database: Database, vault: Vault, environ: dict[str, str], said: str
) -> None:
    """The message names the variable as it was written; former names are for files alone."""
    _, overrides = read_env(environ)
    with pytest.raises(ConfigurationError) as refused:
        await open_settings(database, vault, overrides)
    assert said in str(refused.value)
    assert "hunter2" not in str(refused.value)
