"""Storage made ready. Imported only in the process that does it, since all of the services come along."""

from dataclasses import asdict

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from grok_app.catalog import Pool
from grok_app.cli.storage import Keys
from grok_app.db import shown_database
from grok_app.env import current_env
from grok_app.errors import ConfigurationError
from grok_app.logs import configure_logging
from grok_app.runtime import prepare_storage, seed_demo
from grok_app.sandbox import DEMO_ACCOUNTS


def prepare(*, is_demo: bool) -> Keys:
    """Bring the database up to date and make the keys that are missing. For the demo, store the sandbox's accounts.

    Returns:
        The keys made just now; for the demo, all that are in force.

    Raises:
        ConfigurationError: A setting is wrong, or the database can't be reached or brought up to date.
    """
    env, _ = current_env()
    configure_logging(env.log_level, as_json=env.log_json)  # to stderr: the keys go to stdout
    try:
        keys = prepare_storage()
        if is_demo:
            keys = seed_demo({pool: [token for owner, token in DEMO_ACCOUNTS if owner == pool] for pool in Pool})
    except SQLAlchemyError as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        raise ConfigurationError(
            f"The database {shown_database(env.database)} could not be brought up to date: {cause}"
        ) from error
    except OSError as error:
        raise ConfigurationError(f"{error.filename or env.data_dir}: {error.strerror}") from error
    return asdict(keys)
