"""What several processes share beside the database, over Redis: one connection, atomic scripts, messages to all."""

from grok_app.shared.checkup import RedisState, examine_redis
from grok_app.shared.client import Script, Shared, SharedAwayError, open_shared

__all__ = ["RedisState", "Script", "Shared", "SharedAwayError", "examine_redis", "open_shared"]
