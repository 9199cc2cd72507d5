"""The newest requests in memory, for when the database is away."""

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from grok_app.requests.record import account_of, words_of
from grok_app.requests.types import FoundRequests, RequestDetail, RequestQuery

_MOST: Final = 1_000
_SHOWS: Final = {"ok": ("all", "ok"), "error": ("all", "errors"), "left": ("all",)}


class Ring:
    """The last thousand requests of this process, without content."""

    def __init__(self) -> None:
        self._details: deque[RequestDetail] = deque(maxlen=_MOST)

    def add(self, detail: RequestDetail) -> RequestDetail:
        """Remember a request, and forget the oldest one; gives what is remembered."""
        light = detail if detail.prompt is None else replace(detail, prompt=None, answer=None)
        self._details.append(light)
        return light

    def get(self, record_id: str) -> RequestDetail | None:
        """The request of this id, if it is remembered."""
        return next((detail for detail in self._details if detail.record.id == record_id), None)

    def find(self, query: RequestQuery) -> FoundRequests:
        """One page of what is remembered, as the database would answer."""
        found = tuple(detail.record for detail in self._newest_first() if _is_wanted(detail, query))
        begin = (max(1, query.page) - 1) * query.page_size
        return FoundRequests(found[begin : begin + query.page_size], len(found), has_more=False)

    def _newest_first(self) -> Iterator[RequestDetail]:
        return iter(sorted(self._details, key=lambda detail: detail.record.id, reverse=True))


def _is_wanted(detail: RequestDetail, query: RequestQuery) -> bool:
    record = detail.record
    texts = (record.request_id, record.model, record.route, record.key, record.error or "", detail.reason)
    account_id = account_of(query)
    was_asked = account_id is not None and any(attempt.account_id == account_id for attempt in detail.attempts)
    return (
        query.show in _SHOWS[record.outcome]
        and query.route in ("", record.route)
        and query.model in ("", record.model)
        and (was_asked or words_of(query).lower() in "\n".join(texts).lower())
    )
