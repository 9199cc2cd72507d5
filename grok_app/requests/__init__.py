"""What happened to each request: counters of the last hour in memory, rows in the database, content only if wanted."""

from grok_app.requests.counters import Buckets, Counters
from grok_app.requests.service import Requests, open_requests
from grok_app.requests.table import SEALED
from grok_app.requests.types import (
    AttemptRecord,
    FoundRequests,
    Minute,
    RequestDetail,
    RequestQuery,
    RequestRecord,
)

__all__ = [
    "SEALED",
    "AttemptRecord",
    "Buckets",
    "Counters",
    "FoundRequests",
    "Minute",
    "RequestDetail",
    "RequestQuery",
    "RequestRecord",
    "Requests",
    "open_requests",
]
